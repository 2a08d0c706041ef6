"""`kommunpost log`: the message log for the technician, and its services on the hosts."""

import json
import signal
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from compliance import settings
from compliance.errors import UserError
from compliance.journal import log_to_journal
from compliance.messagelog import (
    arguments,
    delivery,
    health_commands,
    read_commands,
    reconcile,
    ship,
    store,
)

app = typer.Typer(
    help="The log of all mail in and out.", no_args_is_help=True, rich_markup_mode=None
)


@app.command()
def migrate() -> None:
    """Bring the log's schema in PostgreSQL up to this version, as its owner.

    A second run changes nothing.

    \b
    Example: kommunpost log migrate
    """
    with store.session(store.log_settings()) as connection:
        connection.autocommit = True
        applied = store.migrate(connection, store.migrations())
        made = store.maintain(connection, datetime.now(UTC).date())
        if applied:  # until its words are noted a month is searched along time
            list(store.note_words(connection))
    _say("applied", applied)
    _say("made", made)


@app.command()
def maintain() -> None:
    """Make the months ahead, and note the addresses and words of what is over. Run by a timer.

    \b
    Example: kommunpost log maintain
    """
    with store.session(store.log_settings()) as connection:
        connection.autocommit = True
        _say("made", store.maintain(connection, datetime.now(UTC).date()))
        for month in store.note_addresses(connection):
            sys.stdout.write(f"noted the addresses of {month:%Y-%m}\n")
            sys.stdout.flush()
        for month in store.note_words(connection):
            sys.stdout.write(f"noted the words of {month:%Y-%m}\n")
            sys.stdout.flush()
        strays = store.strays(connection)
    if strays:
        sys.stdout.write(f"{strays} rows have a time that no month covers: see log.entry_other\n")


@app.command()
def milter() -> None:
    """Log each message before Postfix accepts it. Runs until stopped.

    \b
    Example: kommunpost log milter
    """
    # Loaded by this one only, since the others must not wait for it.
    from compliance.messagelog import milter as service

    log_to_journal()
    service.serve(settings.load())


@app.command(name="ship")
def ship_command() -> None:
    """Move entries from the outbox to PostgreSQL. Runs until stopped.

    \b
    Example: kommunpost log ship
    """
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    log_to_journal()
    ship.serve(settings.load(), stop)


@app.command()
def seal() -> None:
    """Close and sign the past days (UTC) that aren't yet, late entries too.

    Run by a timer; a second run changes nothing.

    \b
    Example: kommunpost log seal
    """
    # What signs and verifies is loaded by these two only: the milter must be back at once.
    from compliance.messagelog.seal import commands

    commands.seal()


@app.command()
def publish() -> None:
    """Write what was signed to the folder that it is published from.

    Run by a timer; a second run changes nothing.

    \b
    Example: kommunpost log publish
    """
    from compliance.messagelog.seal import commands

    commands.publish()


@app.command()
def verify(
    since: Annotated[str | None, typer.Option(help="From this day on (UTC)")] = None,
    until: Annotated[str | None, typer.Option(help="Up to this day, not included")] = None,
    unit: Annotated[str | None, typer.Option(help="One unit only, on --day")] = None,
    day: Annotated[str | None, typer.Option(help="The unit's day (UTC)")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Verify that no entry was removed, altered, inserted or reordered. Exit code 1 if one was.

    With --unit and --day only that unit's rows of one day, against what was signed: at once.

    \b
    Example: kommunpost log verify --unit ks --day 2026-11-24
    """
    from compliance.messagelog.seal import commands

    if unit is None and day is None:
        commands.verify(since, until, as_json=as_json)
    elif unit is None or day is None or since or until:
        raise UserError.of(
            "--unit and --day go together, and without --since and --until",
            "kommunpost log verify",
            "name both, e.g. --unit ks --day 2026-11-24",
        )
    else:
        commands.verify_unit(unit, day, as_json=as_json)


@app.command()
def dispose(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go")] = False,
    plan: Annotated[str | None, typer.Option(help="Dispose of what the dry run showed")] = None,
) -> None:
    """Dispose of entries under the decisions in disposal.yml, after a dry run.

    What a pending request or review holds stays. The plan is for what was shown, no more and no
    less; a run that broke off goes on with it.

    \b
    Example: kommunpost log dispose --dry-run; kommunpost log dispose --plan 3f9a21c0
    """
    from compliance.messagelog.seal import disposal, disposing

    disposal.check_asked(dry_run=dry_run, plan=plan)
    disposing.dispose(plan)


@app.command()
def outcomes() -> None:
    """Carry what became of each message from the journal to PostgreSQL. Runs until stopped.

    \b
    Example: kommunpost log outcomes
    """
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    log_to_journal()
    delivery.serve(settings.load(), stop)


@app.command(name="reconcile")
def reconcile_command(
    day: Annotated[str | None, typer.Option(help="The day (UTC), e.g. 2026-11-24")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Hold the log against Postfix's and Dovecot's own records of a day; without --day yesterday.

    Exit codes: 0 they agree; 1 mail was accepted or delivered that the log lacks; 3 not everything
    could be compared, or there is nothing to compare with; 4 nothing is missing, but the log has
    messages that Postfix never accepted (it was cut off in between; the sender has sent them
    again).

    \b
    Example: kommunpost log reconcile --day 2026-11-24
    """
    now = datetime.now(UTC)
    wanted = arguments.day("--day", day) if day is not None else now.date() - timedelta(days=1)
    if wanted > now.date():
        raise UserError.of(
            f"{wanted} has not begun yet (days are UTC)",
            "--day",
            f"name a day up to {now.date()}, of which what there is so far is compared",
        )
    with store.session(store.log_settings()) as connection:
        result = reconcile.reconcile(connection, wanted, now)
        if result.is_over:
            reconcile.note(connection, result)
    if as_json:
        sys.stdout.write(json.dumps(reconcile.as_json(result), ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in reconcile.as_text(result))
    raise typer.Exit(result.status)


for _command in (
    read_commands.search,
    read_commands.export,
    read_commands.follow,
    read_commands.stats,
    health_commands.health,
    health_commands.retire_host,
):
    app.command()(_command)


def _say(verb: str, names: list[str]) -> None:
    for name in names:
        sys.stdout.write(f"{verb} {name}\n")
