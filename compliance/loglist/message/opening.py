"""Opening a message of the archive for whoever reads now."""

from typing import Any, Literal

import psycopg
from django.conf import settings
from django.db import connection

from compliance.errors import UserError
from compliance.loglist.message import absence
from compliance.loglist.models import DoubtAnswer
from compliance.messagelog import addresses, archive_door
from compliance.messagelog.answers import Row
from compliance.messagelog.reading import NotYoursError
from compliance.messagelog.units import Ldap
from compliance.review.doubt import Kind

Why = Literal[
    "reviewer", "elsewhere", "individual", "missing", "gone", "disposed", "away", "directory"
]


class ClosedError(Exception):
    """The message can't be opened. why: the reason. decision: that it was disposed of by."""

    def __init__(self, why: Why, decision: str = "") -> None:
        """why: what the page then tells."""
        super().__init__(why)
        self.why = why
        self.decision = decision


def opened(request: Any, unit: str, row: Row, what: str) -> bytes:
    """Return the message of a unit's row, byte by byte.

    From the archive, or out of the holder's own mailbox where a second person has agreed to it.
    That it is opened, by whom and what for, is noted first. what: `view`, or what of it is taken
    out. Raises ClosedError, and NotYoursError for what isn't the reader's.
    """
    if unit not in request.reviews:
        raise ClosedError("reviewer")
    if settings.LOGLIST.archive_socket is None:
        raise ClosedError("elsewhere")
    if not (is_of_function_mailbox(unit, row) or is_handed_over(unit, row)):
        agreed = absence.ask_to_open(unit, row, what)
        if agreed is None:
            raise ClosedError("individual")
        return _handed_out(agreed, "gone")
    return _handed_out(ask(unit, str(row["outbox_id"]), row["sequence"], what), "missing")


def _handed_out(number: int, missing: Why) -> bytes:
    """Return the message by the number of its trace. missing: what to tell if there is none."""
    said, raw = archive_door.ask(settings.LOGLIST.archive_socket, number)
    if said.state in ("missing", "disposed"):
        raise ClosedError("disposed" if said.decision else missing, said.decision)
    if said.state != "found":
        raise ClosedError("away")
    return raw


def is_of_function_mailbox(unit: str, row: Row) -> bool:
    """Say whether the unit's side of a row is a function mailbox, as the directory says now.

    Raises ClosedError if the directory is away.
    """
    return any(map(_is_function, own_addresses(unit, row)))


def is_handed_over(unit: str, row: Row) -> bool:
    """Say whether the holder of the mailbox has handed the message over to the archive."""
    answers = DoubtAnswer.objects.filter(
        unit=unit,
        doubt__item__outbox=row["outbox_id"],
        doubt__item__sequence=row["sequence"],
        kind=Kind.HANDED_OVER.value,
    )
    return bool(answers.exists())


def own_addresses(unit: str, row: Row) -> list[str]:
    """Return the addresses of a unit's side of a row, as they were written."""
    ours = []
    if row["recipient_unit"] == unit:
        ours.append(row["recipient"])
    if row["sender_unit"] == unit:
        ours += [row["envelope_sender"], *row["from_address"].split(", ")]
    return ours


def _is_function(address: str) -> bool:
    """Ask the directory in the way of the milter, which has decided by it what is archived."""
    own_domain = settings.KOMMUNPOST.municipality.domain
    base = addresses.without_extension(addresses.key_of(address, own_domain))
    try:
        found = Ldap(settings.DIRECTORY).mailboxes(None, base) if base else ()
        return any(mailbox.is_function for mailbox in found)
    except (OSError, UserError) as error:
        raise ClosedError("directory") from error


def ask(unit: str, outbox: str, sequence: int, what: str) -> int:
    """Have the database note who opens what; return the number to ask the archive by.

    Raises NotYoursError if the session doesn't review the unit, or the entry isn't the unit's.
    """
    try:
        row = connection.connection.execute(
            "SELECT loglist.ask_archive(%s, %s, %s, %s)", [unit, outbox, sequence, what]
        ).fetchone()
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotYoursError(error.diag.message_primary) from error
    return int(row[0])
