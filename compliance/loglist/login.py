"""Logging in with the account in the directory."""

from datetime import timedelta

import psycopg
from django.conf import settings
from django.core.cache import cache
from django.db import connection, connections, transaction
from django.utils import timezone

from compliance.directory import ldap, log_readers, people_passwords
from compliance.directory.log_readers import LogReader
from compliance.loglist.models import LoginFailure
from compliance.messagelog.reading import Identity, open_session

# So many wrong passwords within the time, and the address has to wait: enough for slips of the
# hand, too few to guess with.
FAILURES = 5
WAIT = timedelta(minutes=15)
_NAMES_KEPT_SECONDS = 600


class MustWaitError(Exception):
    """Too many failed log-ins for this address."""


def check(address: str, password: str) -> LogReader | None:
    """Return whose address and password these are, else None.

    Raises MustWaitError, also for the right password, and UserError if the directory is away.
    """
    login = normal(address)
    must_not_wait(login)
    found = identify(login, password) if login and password else None
    if found is None:
        note_failure(login)
        return None
    return found


def normal(address: str) -> str:
    """Return an address as it is counted and looked up."""
    return address.strip().lower()


def must_not_wait(login: str) -> None:
    """Raise MustWaitError for an address with too many failures."""
    recent = LoginFailure.objects.filter(login=login, at__gt=timezone.now() - WAIT)
    if recent.count() >= FAILURES:
        raise MustWaitError


def note_failure(login: str) -> None:
    """Count a wrong password or a wrong code."""
    LoginFailure.objects.create(login=login[:254])


def let_in(found: LogReader, login: str) -> str:
    """Return a token for somebody who has shown all that is asked for."""
    LoginFailure.objects.filter(login=login).delete()
    LoginFailure.objects.filter(at__lt=timezone.now() - WAIT).delete()
    who = Identity(found.id, found.name, list(found.units), found.everything)
    return _open_session(who, found.reviews)


def log_in_worker() -> str:
    """Return a token for the program's own work: it reads and writes the lists of all units."""
    return _open_session(Identity("worker", "Kommunpost", [], everything=True), None)


def _open_session(who: Identity, reviews: frozenset[str] | None) -> str:
    """reviews: units that the session may write for; None: all."""
    database = connections["login"]
    with transaction.atomic("login"):
        token = open_session(database.connection, who, settings.SESSION_HOURS * 60)
        psycopg.Cursor(database.connection).execute(
            "INSERT INTO loglist.session VALUES (sha256(convert_to(%s, 'UTF8')), %s, %s)",
            [token, sorted(reviews or ()), reviews is None],
        )
    return token


def read_as(token: str) -> None:
    """Tell the database for whom it holds the log list's own tables (migration 0002).

    Apart from the text of the question, which every session of the web's role can see.
    """
    # Only where Django makes the cursor does it see whether the connection has died since the last
    # page, and make another.
    with connection.cursor() as cursor:
        psycopg.Cursor(cursor.connection).execute(
            "SELECT set_config('loglist.token', %s::text, false)", [token]
        )


def units_reviewed() -> frozenset[str]:
    """Return the units that whoever reads now may write for, as the database holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT loglist.writes()")
        return frozenset(cursor.fetchone()[0])


def identify(address: str, password: str) -> LogReader | None:
    """Ask who has this address and password: the directory, and where the passwords are."""
    found = look_up(address)
    if found is None:
        return None
    theirs = people_passwords.is_theirs(settings.DIRECTORY, found.dn, address, password)
    return found if theirs else None


def look_up(address: str) -> LogReader | None:
    """Ask the directory who has this address, and what they may read."""
    with ldap.connect(settings.DIRECTORY, "reader") as connection:
        return log_readers.find(connection, settings.DIRECTORY.base, address)


def unit_names() -> dict[str, str]:
    """Return the name of each unit; what the directory said stands for ten minutes."""
    names: dict[str, str] | None = cache.get("unit_names")
    if names is None:
        with ldap.connect(settings.DIRECTORY, "reader") as connection:
            names = log_readers.unit_names(connection, settings.DIRECTORY.base)
        cache.set("unit_names", names, _NAMES_KEPT_SECONDS)
    return names
