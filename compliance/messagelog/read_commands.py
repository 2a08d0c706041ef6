"""`kommunpost log search`, `export`, `follow` and `stats`: reading for the technician.

Each reading stands in the trail, under the name of the user who runs it.
"""

import codecs
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, TextIO, cast

import psycopg
import typer
from psycopg.pq import TransactionStatus

from compliance import output_file
from compliance.clock import SWEDEN, midnight
from compliance.errors import UserError
from compliance.messagelog import arguments, formats, store
from compliance.messagelog.answers import Row
from compliance.messagelog.progress import counted
from compliance.messagelog.reading import (
    Filter,
    Identity,
    NotYoursError,
    Reader,
    SessionEndedError,
    open_session,
)

if TYPE_CHECKING:
    from rich.table import Table

_SESSION_MINUTES = 12 * 60
_POLL_SECONDS = 1.0


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
Since = Annotated[str | None, typer.Option(help="From this day or time on (ISO 8601)")]
Until = Annotated[str | None, typer.Option(help="Up to this day or time, not included (ISO 8601)")]
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
    """Find rows, newest first. Days are Swedish, and so is a time without zone.

    In a pipe there is a row a line, its fields two spaces apart. Exit codes: 0 done, also if
    nothing was found; 2 something is wrong, and it says what.

    \b
    Example: kommunpost log search --unit ks --words bygglov --since 2026-11-01
    """
    wanted = _wanted(unit, since, until, direction, address, words, part, probes=probes)
    with _connected() as begin:
        reader = begin()
        _must_be_known(reader, unit)
        rows = reader.page_with_outcomes(wanted, size=limit)
    if as_json:
        formats.write_jsonl(rows, sys.stdout)
    elif sys.stdout.isatty():
        _print(rows)
    else:
        sys.stdout.writelines(f"{_line(row)}\n" for row in rows)


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

    Days are Swedish, and so is a time without zone. The file appears when it is whole; a new one is
    for you alone to read (0600). Exit codes: 0 it is whole; 2 something is wrong, and it says what;
    130 and 143 it was stopped.

    \b
    Example: kommunpost log export --format xlsx --output ks.xlsx --unit ks --since 2026-11-01
    """
    wanted = _wanted(unit, since, until, direction, address, words, part, probes=probes)
    if output is None and output_format is Format.XLSX:
        raise UserError.of("a workbook is no text", "--format xlsx", "add --output FILE.xlsx")
    with _written(output) as stream, _connected() as begin:
        reader = begin()
        _must_be_known(reader, unit)
        with counted(reader.pages(wanted)) as rows:
            _WRITERS[output_format](rows, stream)


def follow(
    unit: Unit = None, direction: Way = None, address: Address = None, as_json: AsJson = False
) -> None:
    """Print rows as they are stored, the audit's own mail left out, until stopped with Ctrl-C.

    Exit codes: 0 it was stopped; 2 something is wrong, and it says what.

    \b
    Example: kommunpost log follow --unit ks
    """
    from compliance.messagelog.following import Follower

    wanted = _wanted(unit, direction=direction, address=address)
    with _connected() as begin, suppress(KeyboardInterrupt):
        if unit is not None and not begin().counts(Filter(unit=unit)):  # its first may be to come
            sys.stderr.write(f"the log has no mail of a unit {unit!r} so far\n")
        follower = Follower(begin, wanted)
        while True:
            for row in follower.news():
                if as_json:
                    formats.write_jsonl([row], sys.stdout)
                else:
                    sys.stdout.write(f"{_line(row)}\n")
            sys.stdout.flush()
            threading.Event().wait(_POLL_SECONDS)  # PostgreSQL tells a reader nothing by itself


def stats(
    unit: Unit = None,
    since: Annotated[str | None, typer.Option(help="From this day on, e.g. 2026-01-01")] = None,
    until: Annotated[str | None, typer.Option(help="Up to this day, not included")] = None,
    as_json: AsJson = False,
) -> None:
    """Count entries by unit and month, the audit's own mail left out.

    Whole days are counted, as Sweden has them. Mail between two units counts for both. Exit codes:
    0 done; 2 something is wrong, and it says what.

    \b
    Example: kommunpost log stats --since 2026-01-01 --json
    """
    first, stop = arguments.days(since, until)
    wanted = Filter(
        unit=arguments.text("--unit", unit),
        since=midnight(first) if first else None,
        until=midnight(stop) if stop else None,
    )
    with _connected() as begin:
        reader = begin()
        _must_be_known(reader, unit)
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
    from rich.text import Text

    table = _table("Unit", "Month", "Direction", "Entries")
    for (unit_id, month, way), entries in sorted(months.items()):
        table.add_row(*map(Text, (unit_id or "(none)", month, way, str(entries))))
    Console().print(table)


def _wanted(
    unit: str | None,
    since: str | None = None,
    until: str | None = None,
    direction: str | None = None,
    address: str | None = None,
    words: str | None = None,
    part: str | None = None,
    *,
    probes: bool = False,
) -> Filter:
    start, end = arguments.times(since, until)
    return Filter(
        unit=arguments.text("--unit", unit),
        since=start,
        until=end,
        direction=direction,
        address=arguments.text("--address", address),
        words=arguments.text("--words", words),
        part=arguments.text("--part", part),
        probes=probes,
    )


@contextmanager
def _connected() -> Iterator[Callable[[], Reader]]:
    """Give what lets the user of this machine in, who may read all; at the end they are out."""
    user = arguments.user()
    who = Identity(f"technician:{user}", user, [], everything=True)
    tokens: list[str] = []
    with store.session(store.log_settings()) as connection:
        connection.autocommit = True

        def begin() -> Reader:
            tokens.append(open_session(connection, who, _SESSION_MINUTES))
            return Reader(connection, tokens[-1])

        try:
            yield begin
        except NotYoursError as error:  # who reads here may read all: it is the role that may not
            raise store.refused(store.log_settings(), str(error)) from error
        except SessionEndedError as error:
            raise UserError.of(
                f"this reading was ended: it took over {_SESSION_MINUTES // 60} hours, or somebody "
                "closed its session",
                "",
                "choose a shorter time",
            ) from error
        finally:
            # If that fails the sessions end when their time is over.
            with suppress(psycopg.Error, UserError):
                _let_out(connection, tokens)


def _let_out(connection: psycopg.Connection[Any], tokens: Sequence[str]) -> None:
    """End the sessions, over a connection of its own if a stopped question still has this one."""
    if connection.info.transaction_status is TransactionStatus.IDLE:
        for token in tokens:
            Reader(connection, token).close()
        return
    connection.cancel()
    connection.close()
    with store.session(store.log_settings()) as another:
        for token in tokens:
            Reader(another, token).close()


def _must_be_known(reader: Reader, unit: str | None) -> None:
    """Refuse a unit that the log has nothing of: its id is misspelt."""
    if unit is not None and not reader.counts(Filter(unit=unit)):
        raise UserError.of(
            f"the log has no mail of a unit {unit!r}",
            "--unit",
            "write the unit's id as in organisation.yml, e.g. ks",
        )


@contextmanager
def _written(output: Path | None) -> Iterator[BinaryIO]:
    if output is not None:
        with output_file.opened(output) as stream:
            yield stream
    else:
        yield sys.stdout.buffer


def _as_text(write: Callable[[Iterator[Row], TextIO], None]) -> Callable[..., None]:
    """Return what writes UTF-8, whatever the terminal has."""

    def written(rows: Iterator[Row], stream: BinaryIO) -> None:
        write(rows, cast(TextIO, codecs.getwriter("utf-8")(stream)))

    return written


_WRITERS: dict[Format, Callable[[Iterator[Row], BinaryIO], None]] = {
    Format.JSONL: _as_text(formats.write_jsonl),
    Format.CSV: _as_text(formats.write_csv),
    Format.XLSX: formats.write_xlsx,
}


def _print(rows: list[Row]) -> None:
    from rich.console import Console
    from rich.text import Text

    table = _table("Time", "Way", "From", "To", "Queue id", "Outcome", "Subject")
    for row in rows:
        table.add_row(*map(Text, _texts(row)))
    Console().print(table)


def _table(*names: str) -> "Table":
    """Begin a table that folds what is too wide, and cuts no address, no id and no number."""
    from rich.table import Column, Table

    return Table(*(Column(name, overflow="fold") for name in names), box=None)


def _line(row: Row) -> str:
    return "  ".join(_texts(row))


def _texts(row: Row) -> list[str]:
    """Return what a technician sees of a row; nothing is an empty field, so that a line divides."""
    sender = row["from_address"] or row["envelope_sender"] or "<>"
    fields = (sender, row["recipient"], row["queue_id"], row["outcome"] or "-", row["subject"])
    return [_swedish(row["accepted_at"]), row["direction"], *map(formats.visible, fields)]


def _swedish(moment: datetime) -> str:
    """Return a Swedish time; in the hour that comes twice in October with its zone, as --since."""
    at = moment.astimezone(SWEDEN)
    comes_twice = at.utcoffset() != at.replace(fold=1 - at.fold).utcoffset()
    shown = at if comes_twice else at.replace(tzinfo=None)
    return shown.isoformat(" ", "seconds")
