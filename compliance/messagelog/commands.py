"""`kommunpost log`: the message log for the technician, and its services on the hosts."""

import csv
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, TextIO

import typer

from compliance import settings
from compliance.errors import UserError
from compliance.journal import log_to_journal
from compliance.messagelog import ship, store

app = typer.Typer(help="The log of all mail in and out.", no_args_is_help=True)

# What a spreadsheet takes for a formula when a cell begins with it.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Format(StrEnum):
    """How rows are written."""

    JSONL = "jsonl"
    CSV = "csv"


@app.command()
def migrate() -> None:
    """Bring the log's schema in PostgreSQL up to this version, as its owner."""
    with store.session(_log_settings()) as connection:
        applied = store.migrate(connection, store.migrations())
        made = store.maintain(connection, datetime.now(UTC).date())
    _say("applied", applied)
    _say("made", made)


@app.command()
def maintain() -> None:
    """Make the months ahead. Run by a timer."""
    with store.session(_log_settings()) as connection:
        made = store.maintain(connection, datetime.now(UTC).date())
        strays = store.strays(connection)
    _say("made", made)
    if strays:
        sys.stdout.write(f"{strays} rows have a time that no month covers: see log.entry_other\n")


@app.command()
def milter() -> None:
    """Log each message before Postfix accepts it. Runs until stopped."""
    try:
        from compliance.messagelog import milter as service
    except ImportError as error:
        raise UserError.of(
            f"pymilter is not here ({error})",
            "kommunpost log milter",
            "run it on a mail host, where role message_log installs python3-milter",
        ) from error
    log_to_journal()
    service.serve(settings.load())


@app.command(name="ship")
def ship_command() -> None:
    """Move entries from the outbox to PostgreSQL. Runs until stopped."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    log_to_journal()
    ship.serve(settings.load(), stop)


@app.command()
def seal() -> None:
    """Close and sign the past days (UTC) that aren't yet, and publish their roots.

    Run by a timer; a second run changes nothing.
    """
    # What signs and verifies is loaded by these two only: the milter must be back at once.
    from compliance.messagelog.seal import commands

    commands.seal()


@app.command()
def verify(
    since: Annotated[str | None, typer.Option(help="From this day on (UTC)")] = None,
    until: Annotated[str | None, typer.Option(help="Up to this day, not included")] = None,
) -> None:
    """Verify that no entry was removed, altered, inserted or reordered. Exit code 1 if one was."""
    from compliance.messagelog.seal import commands

    commands.verify(since, until)


@app.command()
def export(
    output_format: Annotated[Format, typer.Option("--format", help="jsonl or csv")] = Format.JSONL,
    since: Annotated[str | None, typer.Option(help="From this time on (ISO 8601)")] = None,
    until: Annotated[str | None, typer.Option(help="Up to this time (ISO 8601)")] = None,
    address: Annotated[
        str | None, typer.Option(help="Envelope sender or recipient, exactly")
    ] = None,
) -> None:
    """Write the log's rows to standard output, by time. A time without zone is this machine's."""
    wanted = store.Wanted(_time("--since", since), _time("--until", until), address)
    write = _WRITERS[output_format]
    with store.session(_log_settings()) as connection:
        write(store.rows(connection, wanted), sys.stdout)


def write_jsonl(rows: Iterable[dict[str, Any]], output: TextIO) -> None:
    """Write one JSON object a line."""
    for row in rows:
        output.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_csv(rows: Iterable[dict[str, Any]], output: TextIO) -> None:
    """Write comma-separated values (RFC 4180). A cell that a spreadsheet would run gets a `'`."""
    writer = csv.DictWriter(output, store.EXPORT_KEYS, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _harmless(value) for key, value in row.items()})


_WRITERS: dict[Format, Callable[[Iterable[dict[str, Any]], TextIO], None]] = {
    Format.JSONL: write_jsonl,
    Format.CSV: write_csv,
}


def _harmless(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def _log_settings() -> settings.Log:
    loaded = settings.load()
    if loaded.log is None:
        raise UserError.of(
            "the settings have no `log`",
            str(settings.settings_path()),
            "add log.dsn, or run this where the log is reached from",
        )
    return loaded.log


def _time(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise UserError.of(
            f"{text!r} is no time", option, "write it as 2026-11-24 or 2026-11-24T09:00+01:00"
        ) from error


def _say(verb: str, names: list[str]) -> None:
    for name in names:
        sys.stdout.write(f"{verb} {name}\n")
