"""The words of the directory: people, PCs, units, positions and who watches what.

Everything here is a plain frozen value. Ids are those of the municipality's own sources.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class PersonKind(StrEnum):
    """What binds a person to the municipality."""

    EMPLOYEE = "employee"
    ELECTED = "elected"


class UnitKind(StrEnum):
    """What a unit is in law: an authority has its own diary, the others serve under one."""

    AUTHORITY = "authority"
    ADMINISTRATION = "administration"
    DEPARTMENT = "department"


class MailboxKind(StrEnum):
    """The strategy's three kinds of mailbox (clause BREVLÅDOR)."""

    INDIVIDUAL = "individual"
    FUNCTION = "function"
    SYSTEM = "system"


class Status(StrEnum):
    """active: all works. suspended: no login; closes later (decision 14). closed: for good.

    on_leave stands in sources alone: the mailbox is active, and the deputy sees it.
    """

    ACTIVE = "active"
    ON_LEAVE = "on_leave"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class Duty(StrEnum):
    """What a position or a unit must do for the strategy."""

    COMMISSIONER = "commissioner"
    EXECUTIVE_OFFICE = "executive-office"
    HEAD = "head"


class Audience(StrEnum):
    """Who may write to a unit's distribution list: whoever has logged in here, or everyone."""

    INTERNAL = "internal"
    OPEN = "open"


class Right(StrEnum):
    """What a group of people may do with a mailbox. Who may write may read, too.

    A reviewer, of a unit only, reads its log list and holds it against the diary.
    """

    READER = "reader"
    WRITER = "writer"
    SENDER = "sender"
    REVIEWER = "reviewer"


@dataclass(frozen=True, slots=True)
class Person:
    """An employee or an elected member.

    given_name is the one used in daily life and may be empty; unit is the id of a Unit.
    protected marks a protected identity (P1): the names then serve nothing and go nowhere. None
    where the source does not say: whoever the directory holds as protected then stays so.
    deputy is the id of who sees the mailbox during leave, empty if nobody does. starts and ends
    are the first and the last day in service, or of a term of office; None where it is open.
    """

    id: str
    given_name: str
    middle_name: str
    surname: str
    kind: PersonKind
    unit: str
    status: Status = Status.ACTIVE
    protected: bool | None = None
    deputy: str = ""
    starts: date | None = None
    ends: date | None = None

    @property
    def reference(self) -> str:
        """What stands instead of the name of a person with protected identity.

        It holds the id alone, so whoever may open the personnel register can resolve it.
        """
        return f"Referens {self.id}"

    @property
    def display_name(self) -> str:
        """The name as others may see it: the reference if the identity is protected."""
        if self.protected:
            return self.reference
        return f"{self.given_name} {self.surname}".strip()


@dataclass(frozen=True, slots=True)
class Pc:
    """A PC that is joined to the municipal network; owners are ids of people, maybe none.

    unit is empty where the source does not tell it.
    """

    name: str
    unit: str
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Watch:
    """Who keeps a unit's mailbox read, and who does so in their absence (ids of people)."""

    watcher: str
    deputy: str


# Who may use a function mailbox besides those who keep it read: ids of people by right.
Access = Mapping[Right, tuple[str, ...]]

# A mailbox whose acknowledgement is this confirms what comes in with the standard letter; any other
# text is its own words within that letter, and an empty one means that it is silent.
STANDARD = "standard"


@dataclass(frozen=True, slots=True)
class Unit:
    """An authority, administration or department; parent is the id of the unit above.

    head is the id of the position that leads an administration, if one is named.
    acknowledgement is what the mailbox answers, see `STANDARD`. mailing_list says who may write to
    everybody in the unit and below it; without it there is no such list.
    """

    id: str
    name: str
    kind: UnitKind
    parent: str | None
    watch: Watch
    head: str | None = None
    access: Access = field(default_factory=dict)
    acknowledgement: str = ""
    mailing_list: Audience | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """A post in a unit; its holders (ids of people) watch its mailbox themselves.

    acknowledgement is what the mailbox answers, see `STANDARD`.
    """

    id: str
    name: str
    unit: str
    holders: tuple[str, ...]
    access: Access = field(default_factory=dict)
    acknowledgement: str = ""


class Role(StrEnum):
    """What somebody is to a unit, a position or a PC. For each `Right` there is a role."""

    WATCHER = "watcher"
    DEPUTY = "deputy"
    HOLDER = "holder"
    READER = "reader"
    WRITER = "writer"
    SENDER = "sender"
    REVIEWER = "reviewer"
    OWNER = "owner"
    STAND_IN = "deputy during leave"


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody who is named in a role but is not among the people: has left, or never was.

    person is the id that was written, of says what the role belongs to (`unit ks`, `PC PC7`),
    where is the place in the source, empty for somebody whose last day has passed.
    """

    role: Role
    person: str
    of: str
    where: str = ""


class Conflict(StrEnum):
    """What does not fit together (docs/handbook/it-tekniker.md)."""

    OWNER_LEFT = "owner-left"
    OWNER_UNKNOWN = "owner-unknown"
    PC_WITHOUT_OWNER = "pc-without-owner"
    WATCH_LEFT = "watch-left"
    HOLDER_LEFT = "holder-left"
    ACCESS_LEFT = "access-left"
    LEAVE_WITHOUT_DEPUTY = "leave-without-deputy"
    NOT_IN_ACCOUNTS = "not-in-accounts"
    NOT_IN_HR = "not-in-hr"
    ACCOUNT_WITHOUT_ID = "account-without-id"


@dataclass(frozen=True, slots=True)
class Notice:
    """One conflict and whom or what it is about, by ids alone (P1): `PC PC7: 10023`."""

    conflict: Conflict
    subject: str


@dataclass(frozen=True, slots=True)
class Organisation:
    """The whole municipality as its sources tell it; units and positions in it are resolved.

    commissioner is the id of a position, executive_office the id of an administration.
    strangers holds the references to people that are not resolved; `conflicts` judges them.
    notices holds what a source found by itself.
    """

    municipality: str
    units: tuple[Unit, ...]
    positions: tuple[Position, ...]
    people: tuple[Person, ...]
    pcs: tuple[Pc, ...]
    commissioner: str
    executive_office: str
    strangers: tuple[Stranger, ...] = ()
    notices: tuple[Notice, ...] = ()
