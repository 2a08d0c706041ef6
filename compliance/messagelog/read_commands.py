"""`kommunpost log search`, `export`, `follow` and `stats`: reading for the technician.

Each reading stands in the trail, under the name of the user who runs it.
"""

import getpass
import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TextIO

import psycopg
import typer

from compliance.errors import UserError
from compliance.messagelog import formats, store
from compliance.messagelog.answers import Row
from compliance.messagelog.reading import Filter, Identity, Place, Reader, open_session

Connection = psycopg.Connection[Any]

_SESSION_MINUTES = 12 * 60
_POLL_SECONDS = 1.0
# An entry may be stored this long after it was accepted and is still followed.
_LATE = timedelta(minutes=10)


class Format(StrEnum):
    """How rows are written."""

    JSONL = "jsonl"
    CSV = "csv"
    XLSX = "xlsx"


class Direction(StrEnum):
    """Which way mail went."""

    IN = "in"
    OUT = "out"
    INTERNAL = "internal"


Unit = Annotated[str | None, typer.Option(help="Id of a unit; else all mail")]
Since = Annotated[str | None, typer.Option(help="From this time on (ISO 8601)")]
Until = Annotated[str | None, typer.Option(help="Up to this time, not included (ISO 8601)")]
Way = Annotated[Direction | None, typer.Option("--direction", help="in, out or internal")]
Address = Annotated[str | None, typer.Option(help="Sender, From or recipient, exactly")]
Words = Annotated[str | None, typer.Option(help="Words of the subject, in any Swedish form")]
Part = Annotated[str | None, typer.Option(help="Stands in the subject, as written here")]
Probes = Annotated[bool, typer.Option(help="Also the audit's own mail")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, for a machine")]


def search(
    unit: Unit = None,
    since: Since = None,
    until: Until = None,
    direction: Way = None,
    address: Address = None,
    words: Words = None,
    part: Part = None,
    probes: Probes = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many of the newest")] = 50,
    as_json: AsJson = False,
) -> None:
    """Find rows, newest first. A time without zone is this machine's.

    Example: kommunpost log search --unit ks --words bygglov --since 2026-11-01
    """
    start, end = _span(since, until)
    wanted = Filter(unit, start, end, direction, address, words, part, probes)
    with _connected() as (_, reader):
        rows = reader.page_with_outcomes(wanted, size=limit)
    if as_json:
        formats.write_jsonl(rows, sys.stdout)
    else:
        _print(rows)


def export(
    output_format: Annotated[
        Format, typer.Option("--format", help="jsonl, csv or xlsx")
    ] = Format.JSONL,
    output: Annotated[
        Path | None, typer.Option(help="File to write, else standard output; xlsx needs one")
    ] = None,
    unit: Unit = None,
    since: Since = None,
    until: Until = None,
    direction: Way = None,
    address: Address = None,
    words: Words = None,
    part: Part = None,
    probes: Probes = True,
) -> None:
    """Write all rows that are wanted, newest first, probes included.

    Example: kommunpost log export --format xlsx --output ks.xlsx --unit ks --since 2026-11-01
    """
    start, end = _span(since, until)
    wanted = Filter(unit, start, end, direction, address, words, part, probes)
    if output is None and output_format is Format.XLSX:
        raise UserError.of("a workbook is no text", "--format xlsx", "add --output FILE.xlsx")
    with _connected() as (_, reader):
        _write(reader.pages(wanted), output_format, output)


def follow(
    unit: Unit = None, direction: Way = None, address: Address = None, as_json: AsJson = False
) -> None:
    """Print rows as they come, until stopped with Ctrl-C.

    Example: kommunpost log follow --unit ks
    """
    wanted = Filter(unit=unit, direction=direction, address=address)
    with _connected() as (connection, reader):
        try:
            for row in _as_they_come(connection, reader, wanted):
                if as_json:
                    formats.write_jsonl([row], sys.stdout)
                else:
                    sys.stdout.write("  ".join(_texts(row)) + "\n")
                sys.stdout.flush()
        except KeyboardInterrupt:
            return


def stats(
    unit: Unit = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Count entries by unit and month. Mail between two units counts for both.

    Example: kommunpost log stats --since 2026-01-01 --json
    """
    start, end = _span(since, until)
    wanted = Filter(unit=unit, since=start, until=end)
    with _connected() as (_, reader):
        counts = reader.counts(wanted)
    months: Counter[tuple[str, str, str]] = Counter()
    for count in counts:
        ways = {"in": count.incoming, "out": count.outgoing, "internal": count.internal}
        for way, entries in ways.items():
            if entries:
                months[count.unit, f"{count.day:%Y-%m}", way] += entries
    if as_json:
        for (unit_id, month, way), entries in sorted(months.items()):
            row = {"unit": unit_id or None, "month": month, "direction": way, "entries": entries}
            sys.stdout.write(json.dumps(row) + "\n")
        return
    from rich.console import Console  # the milter, behind the same door, must be back at once
    from rich.table import Table

    table = Table("Unit", "Month", "Direction", "Entries", box=None)
    for (unit_id, month, way), entries in sorted(months.items()):
        table.add_row(unit_id or "(none)", month, way, str(entries))
    Console().print(table)


@contextmanager
def _connected() -> Iterator[tuple[Connection, Reader]]:
    """Read as the user of this machine, who may read all."""
    user = os.environ.get("SUDO_USER") or getpass.getuser()
    who = Identity(f"technician:{user}", user, [], everything=True)
    with store.session(store.log_settings()) as connection:
        connection.autocommit = True
        reader = Reader(connection, open_session(connection, who, _SESSION_MINUTES))
        try:
            yield connection, reader
        finally:
            reader.close()


def _as_they_come(connection: Connection, reader: Reader, wanted: Filter) -> Iterator[Row]:
    """Yield rows as they are stored, the oldest first. Reads only when an outbox has moved."""
    seen: dict[Place, None] | None = None
    stored = None
    while True:
        now_stored = connection.execute("SELECT sum(sequence) FROM log.position").fetchone()
        if now_stored != stored:
            stored = now_stored
            recent = replace(wanted, since=datetime.now(UTC) - _LATE)
            rows = reader.page_with_outcomes(recent, size=10_000)
            if seen is not None:
                yield from (row for row in reversed(rows) if Place.of(row) not in seen)
            seen = dict.fromkeys(map(Place.of, rows))
        threading.Event().wait(_POLL_SECONDS)  # PostgreSQL tells a reader nothing by itself


def _write(rows: Iterator[Row], output_format: Format, output: Path | None) -> None:
    """Write to a file that appears when it is whole, or to standard output."""
    if output is None:
        _WRITERS[output_format](rows, sys.stdout)
        return
    part = output.with_name(output.name + ".part")
    try:
        if output_format is Format.XLSX:
            formats.write_xlsx(rows, part)
        else:
            with part.open("w", encoding="utf-8", newline="") as stream:
                _WRITERS[output_format](rows, stream)
        part.replace(output)
    except OSError as error:
        raise UserError.of(f"the file cannot be written ({error.strerror})", str(output)) from error
    finally:
        part.unlink(missing_ok=True)


_WRITERS: dict[Format, Callable[[Iterator[Row], TextIO], None]] = {
    Format.JSONL: formats.write_jsonl,
    Format.CSV: formats.write_csv,
}


def _print(rows: list[Row]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("Time", "Way", "From", "To", "Subject", "Outcome", box=None)
    for row in rows:
        table.add_row(*map(Text, [*_texts(row), row["outcome"] or ""]))
    Console().print(table)


def _texts(row: Row) -> list[str]:
    sender = row["from_address"] or row["envelope_sender"]
    at = row["accepted_at"].astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return [at, row["direction"], *map(formats.visible, (sender, row["recipient"], row["subject"]))]


def _span(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    return (
        time_of("--since", since) if since is not None else None,
        time_of("--until", until) if until is not None else None,
    )


def time_of(option: str, text: str) -> datetime:
    """Return the time that an option gives, local without an offset. Raises UserError."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise UserError.of(
            f"{text!r} is no time", option, "write it as 2026-11-24 or 2026-11-24T09:00+01:00"
        ) from error
