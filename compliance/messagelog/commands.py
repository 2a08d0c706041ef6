"""`kommunpost log`: the message log for the technician, and its services on the hosts."""

import signal
import sys
import threading
from datetime import UTC, datetime
from typing import Annotated

import typer

from compliance import settings
from compliance.errors import UserError
from compliance.journal import log_to_journal
from compliance.messagelog import read_commands, ship, store

app = typer.Typer(help="The log of all mail in and out.", no_args_is_help=True)


@app.command()
def migrate() -> None:
    """Bring the log's schema in PostgreSQL up to this version, as its owner."""
    with store.session(store.log_settings()) as connection:
        applied = store.migrate(connection, store.migrations())
        made = store.maintain(connection, datetime.now(UTC).date())
    _say("applied", applied)
    _say("made", made)


@app.command()
def maintain() -> None:
    """Make the months ahead. Run by a timer."""
    with store.session(store.log_settings()) as connection:
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


for _command in (
    read_commands.search,
    read_commands.export,
    read_commands.follow,
    read_commands.stats,
):
    app.command()(_command)


def _say(verb: str, names: list[str]) -> None:
    for name in names:
        sys.stdout.write(f"{verb} {name}\n")
