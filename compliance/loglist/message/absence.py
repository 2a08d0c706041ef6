"""Opening a message of somebody's own mailbox in their absence: one asks, another agrees.

The database holds who may (migration 0013), and the mail store hands nothing out without it.
"""

from datetime import datetime
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

from compliance.loglist.models.absence import WAITS, AbsenceRequest
from compliance.messagelog import addresses
from compliance.messagelog.answers import Row, Session
from compliance.messagelog.reading import NotYoursError
from compliance.messagelog.units import Ldap


def is_on() -> bool:
    """Say whether the municipality has chosen that it can be done, and it can be done from here."""
    return settings.LOGLIST.absence and settings.LOGLIST.archive_socket is not None


def holder_of(unit: str, row: Row) -> str | None:
    """Return the lasting id of the person of the unit whom an entry came to; None if it's nobody.

    Raises OSError or UserError if the directory is away.
    """
    if row["recipient_unit"] != unit:
        return None
    own_domain = settings.KOMMUNPOST.municipality.domain
    base = addresses.without_extension(addresses.key_of(row["recipient"], own_domain))
    for mailbox in Ldap(settings.DIRECTORY).mailboxes(None, base):
        if mailbox.holder.startswith("person:") and not mailbox.is_function:
            return mailbox.holder
    return None


def last_of(unit: str, row: Row) -> AbsenceRequest | None:
    """Return the last request about an entry."""
    place = {"outbox": row["outbox_id"], "sequence": row["sequence"]}
    last: AbsenceRequest | None
    last = AbsenceRequest.objects.filter(unit=unit, **place).order_by("-id").first()
    return last


def waiting(unit: str, now: datetime) -> Any:
    """Return a unit's requests that wait for a second person, the oldest first."""
    return AbsenceRequest.objects.filter(
        unit=unit, agreed_at__isnull=True, asked_at__gt=now - WAITS
    ).order_by("id")


def may_agree(request: AbsenceRequest, who: Session, reviews: frozenset[str]) -> bool:
    """Say whether somebody is the second person: not whoever asked, and not whose mailbox it is."""
    if who.reader in (request.asked_by, request.holder):
        return False
    return who.everything or (request.unit in who.units and request.unit not in reviews)


def ask(unit: str, row: Row, holder: str, reason: str) -> None:
    """Ask to open the message of an entry. Raises NotYoursError for who doesn't review the unit."""
    _run(
        "SELECT loglist.ask_in_absence(%s, %s, %s, %s, %s)",
        [unit, row["outbox_id"], row["sequence"], holder, reason],
    )


def agree(request: AbsenceRequest) -> None:
    """Agree to a request. Raises NotYoursError for who may not, and when it is too late."""
    _run("SELECT loglist.agree_in_absence(%s)", [request.id])


def ask_to_open(unit: str, row: Row, what: str) -> int | None:
    """Have the database note who opens what; return the number to ask the mail store by.

    None unless a second person has agreed to what this reader asked for, within the last day.
    """
    if not is_on():
        return None
    values = [unit, row["outbox_id"], row["sequence"], what]
    try:
        return int(_run("SELECT loglist.open_in_absence(%s, %s, %s, %s)", values))
    except NotYoursError:
        return None


def _run(statement: str, values: list[Any]) -> Any:
    try:
        row = connection.connection.execute(statement, values).fetchone()
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotYoursError(error.diag.message_primary) from error
    return row[0]
