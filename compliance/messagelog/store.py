"""The message log in PostgreSQL: how to reach it, its migrations and its months."""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from compliance import settings
from compliance.errors import UserError
from compliance.settings import Log, read_secret

MONTHS_AHEAD = 12
_CONNECT_SECONDS = 5
# Its host has no more of something, such as disk, or is broken (its manual, appendix A).
_ILL = ("53", "58")
_MIGRATION_LOCK = 0x6B6F6D6D  # any number that no other program of ours locks

_SCHEMA = Path(__file__).parent / "schema"
_BOOTSTRAP = """
CREATE SCHEMA IF NOT EXISTS log;
CREATE TABLE IF NOT EXISTS log.migration (
    number     integer     PRIMARY KEY,
    name       text        NOT NULL,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
"""


def log_settings() -> Log:
    """Say how this installation's log is reached. Raises UserError if the settings don't."""
    log = settings.load().log
    if log is None:
        raise UserError.of(
            "the settings have no `log`",
            str(settings.settings_path()),
            "add log.dsn, or run this where the log is reached from",
        )
    return log


def connect(log: Log) -> psycopg.Connection[Any]:
    """Connect as the settings say.

    Raises psycopg.OperationalError, or UserError for the secret and for settings that say no way.
    """
    password = read_secret(log.password_file) if log.password_file else None
    try:
        conninfo = psycopg.conninfo.make_conninfo(
            log.dsn,
            password=password,
            connect_timeout=_CONNECT_SECONDS,
            application_name="kommunpost",
        )
    except psycopg.ProgrammingError as error:
        raise UserError.of(
            f"log.dsn says no way to a database: {first_line(error)}",
            log.dsn,
            "write it as e.g. host=log.sjovalla.example dbname=kommunpost user=kommunpost_reader",
        ) from error
    return psycopg.connect(conninfo)


@contextmanager
def session(log: Log) -> Iterator[psycopg.Connection[Any]]:
    """Connect for one command; what PostgreSQL says becomes a UserError."""
    try:
        with connect(log) as connection:
            yield connection
    except psycopg.Error as error:
        if _is_away(error):
            raise UserError.of(
                f"PostgreSQL cannot be reached: {first_line(error)}",
                log.dsn,
                "see that it runs, and that log.dsn and log.password_file are right",
            ) from error
        if (error.sqlstate or "").startswith(_ILL):
            raise UserError.of(
                f"PostgreSQL could not do it: {first_line(error)}",
                log.dsn,
                "see to the disk and the memory of the database's host, and try again",
            ) from error
        raise refused(log, first_line(error)) from error


def refused(log: Log, said: str) -> UserError:
    """Return the error of a database that does not do what it was asked for."""
    return UserError.of(
        f"PostgreSQL refused: {said}",
        log.dsn,
        "see that this user may do it, and that `kommunpost log migrate` was run",
    )


def _is_away(error: psycopg.Error) -> bool:
    """Say whether nothing answered, or what answers when PostgreSQL stops (SQLSTATE 08 and 57P).

    psycopg's OperationalError is more than that: a lock that is taken, a full disk.
    """
    state = error.sqlstate
    if state is None:  # the client's own
        return isinstance(error, psycopg.OperationalError)
    return state.startswith(("08", "57P"))


@contextmanager
def alone(connection: psycopg.Connection[Any], lock: int, what: str) -> Iterator[None]:
    """Let one program at a time do something; another waits until it is done, and says so.

    connection: in no transaction. lock: a number that stands for it. what: its name in a sentence.
    """
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [lock]).fetchone()
    if row != (True,):
        sys.stderr.write(f"{what} is already running; this run waits until that one is done\n")
        sys.stderr.flush()
        connection.execute("SELECT pg_advisory_lock(%s)", [lock])
    connection.commit()
    try:
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", [lock])
        connection.commit()


@dataclass(frozen=True)
class Migration:
    """One numbered SQL file of the schema."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Return the SHA-256 of its text."""
        return hashlib.sha256(self.sql.encode("utf-8")).hexdigest()


def migrations(folder: Path = _SCHEMA) -> list[Migration]:
    """Return the migrations that this version knows, in order."""
    return [
        Migration(int(path.name.partition("_")[0]), path.name, path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("[0-9]*_*.sql"))
    ]


def migrate(connection: psycopg.Connection[Any], known: list[Migration]) -> list[str]:
    """Apply what isn't applied yet, all in one transaction; return the names applied.

    Raises UserError if the database holds a migration that was changed since or isn't known here.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_MIGRATION_LOCK])
        connection.execute("SET LOCAL client_min_messages = warning")
        connection.execute(_BOOTSTRAP)
        rows = connection.execute("SELECT number, name, checksum FROM log.migration").fetchall()
        applied = {number: (name, checksum) for number, name, checksum in rows}
        _hold_against(applied, known)
        pending = [migration for migration in known if migration.number not in applied]
        for migration in pending:
            connection.execute(migration.sql)
            connection.execute(
                "INSERT INTO log.migration (number, name, checksum) VALUES (%s, %s, %s)",
                [migration.number, migration.name, migration.checksum],
            )
    return [migration.name for migration in pending]


def _hold_against(applied: dict[int, tuple[str, str]], known: list[Migration]) -> None:
    by_number = {migration.number: migration for migration in known}
    for number, (name, checksum) in sorted(applied.items()):
        migration = by_number.get(number)
        if migration is None:
            raise UserError.of(
                f"the database has migration {name}, which this version doesn't know",
                "",
                "install the version of kommunpost that made it, or a newer one",
            )
        if migration.checksum != checksum:
            raise UserError.of(
                f"migration {name} was changed after it was applied",
                migration.name,
                "put the file back as it was, and write the change as a new migration",
            )


def maintain(connection: psycopg.Connection[Any], today: date) -> list[str]:
    """Make the months from the last one to a year ahead; return the partitions made."""
    index = today.year * 12 + today.month - 1
    first, last = (_month(index - 1), _month(index + MONTHS_AHEAD))
    with connection.transaction():
        rows = connection.execute("SELECT log.make_months(%s, %s)", [first, last]).fetchall()
    return [name for (name,) in rows]


def note_addresses(connection: psycopg.Connection[Any]) -> Iterator[date]:
    """Note which addresses the months have that are over and not noted yet; give each when done.

    connection: in autocommit, so that each month stands by itself: a long log takes minutes.
    """
    months = connection.execute("SELECT log.months_to_address()").fetchall()
    for (month,) in months:
        connection.execute("SELECT log.note_addresses(%s)", [month])
        yield month
    if months:
        connection.execute("ANALYZE log.address_month")


def note_words(connection: psycopg.Connection[Any]) -> Iterator[date]:
    """Note the words of subjects of days that are over; give each month when done.

    connection: in autocommit, as for addresses.
    """
    months = connection.execute("SELECT log.months_to_word()").fetchall()
    for (month,) in months:
        connection.execute("SELECT log.note_words(%s)", [month])
        yield month
    if months:
        connection.execute("ANALYZE log.word")


def _month(index: int) -> date:
    return date(index // 12, index % 12 + 1, 1)


def strays(connection: psycopg.Connection[Any]) -> int:
    """Return how many rows have a time that no month covers."""
    row = connection.execute("SELECT count(*) FROM log.entry_other").fetchone()
    return int(row[0]) if row else 0


def first_line(error: psycopg.Error) -> str:
    """Return what PostgreSQL, or the way to it, said, in one line."""
    text = error.diag.message_primary or str(error)
    return text.strip().splitlines()[0] if text.strip() else type(error).__name__


def said(error: psycopg.Error) -> str:
    """Return what PostgreSQL said and what it advises, without the row that it was about.

    That one it adds whole, with names and subject, which are not for a host's journal.
    """
    return "; ".join(filter(None, [first_line(error), error.diag.message_hint]))
