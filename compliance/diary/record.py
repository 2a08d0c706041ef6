"""What a diary says of one document: its public face, and what is kept apart (OSL 5 kap. 2 §)."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from compliance.diary.number import DiaryNumber

Direction = Literal["in", "out", "internal"]


@dataclass(frozen=True, slots=True)
class DiaryRecord:
    """The public face of one row: all that matching, lists and explanations may know.

    key: unique within the diary. day: received, expedited or drawn up. party and subject: empty
    where they are left out for secrecy.
    """

    key: str
    number: DiaryNumber
    day: date | None
    direction: Direction | None
    party: str
    subject: str


@dataclass(frozen=True, slots=True)
class Protected:
    """What a row says under secrecy. section: of the secrecy act, as the export writes it.

    Nothing in here goes to matching: that a party fits would tell who the party is.
    """

    party: str
    subject: str
    section: str


@dataclass(frozen=True, slots=True)
class DiaryEntry:
    """One row of an export, and where it stood: `diary.csv:17`."""

    record: DiaryRecord
    where: str
    protected: Protected | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What the log says of one message, once for all its recipients.

    day: in Sweden. others: addresses of whoever is on the other side, the sender of incoming mail
    and the recipients of outgoing; names: theirs, as the header shows them. authority: prefix of
    the diary that the mailbox's unit keeps, or empty. references: ids of earlier letters, RFC 5322
    section 3.6.4.
    """

    key: str
    day: date
    direction: Direction
    others: tuple[str, ...]
    names: tuple[str, ...]
    subject: str
    authority: str = ""
    message_id: str = ""
    references: tuple[str, ...] = ()
