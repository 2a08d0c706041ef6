"""`kommunpost archive`: messages of function mailboxes, as they were when they were logged."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import psycopg
import typer

from compliance import output_file, settings
from compliance.errors import UserError
from compliance.messagelog import archive_door, archive_store, arguments, store
from compliance.messagelog.seal.disposal import (
    ARCHIVE_CLASS,
    Going,
    Part,
    Rule,
    check_asked,
    check_plan,
    plan_code,
    read_rules,
)

# Of the messages that have one queue id.
_MOST_TOLD = 10

app = typer.Typer(
    help="The archive of function mailboxes' mail.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def _archive() -> None:
    """Fetch messages from the archive of function mailboxes."""


@app.command()
def get(
    reference: Annotated[str, typer.Argument(help="The log entry, OUTBOX:SEQUENCE, or a queue id")],
    why: Annotated[str, typer.Option(help="What it is needed for; kept with your name")],
    output: Annotated[Path | None, typer.Option(help="File to write; else standard output")] = None,
) -> None:
    """Fetch the message of a log entry, byte by byte as it was stored.

    That it was fetched, by whom and why, is noted in the log first. Exit code 1 if the archive
    doesn't have it: only mail to and from function mailboxes is archived, and not for good.

    \b
    Example: kommunpost archive get 4ZrX2b0Yk1z1 --why "Begäran 2026/88" --output brev.eml
    """
    if not why.strip():
        raise UserError.of(
            "the reason says nothing", "--why", "write what the message is needed for"
        )
    arguments.text("REFERENCE", reference)
    arguments.text("--why", why)
    if output is None:
        sys.stdout.buffer.write(_fetched(reference, why))
    else:
        with output_file.opened(output, replaces=False) as file:
            file.write(_fetched(reference, why))


def _fetched(reference: str, why: str) -> bytes:
    log, reached = _reached()
    with store.session(log) as connection:
        host, queue_id, accepted = _ask(connection, reference, why)
        gone = connection.execute(
            "SELECT decision, authority, decided FROM log.archive_disposal WHERE day = %s",
            [accepted.astimezone(UTC).date()],
        ).fetchone()
    with archive_store.opened(reached) as opened:
        raw = opened.find(host, queue_id, accepted)
    if raw is None:
        told = "the archive has no copy of this message"
        if gone:
            decision, authority, decided = gone
            told += f": its day was disposed of under {decision} ({authority}, {decided})"
        sys.stderr.write(f"{reference}: {told}\n")
        raise typer.Exit(1)
    return raw


def _ask(
    connection: psycopg.Connection[Any], reference: str, why: str
) -> tuple[str, str, datetime]:
    """Note who asks; return host, queue id and time of the entry."""
    outbox, sequence = _place(connection, reference)
    row = connection.execute(
        "SELECT host, queue_id, accepted_at FROM log.ask_archive(%s, %s, %s, %s)",
        [arguments.user(), why, outbox, sequence],
    ).fetchone()
    if row is None:
        raise _unknown(reference)
    connection.commit()
    return row[0], row[1], row[2]


def _place(connection: psycopg.Connection[Any], reference: str) -> tuple[UUID, int]:
    outbox, colon, sequence = reference.partition(":")
    if colon:
        try:
            place = UUID(outbox), int(sequence)
        except ValueError as error:
            raise _unknown(reference) from error
        if not 0 < place[1] < 2**63:  # as far as PostgreSQL counts
            raise _unknown(reference)
        return place
    found = connection.execute(
        "SELECT DISTINCT ON (host, accepted_at) outbox_id, sequence, host, accepted_at"
        " FROM log.entry WHERE queue_id = %s"
        " ORDER BY host, accepted_at, outbox_id, sequence LIMIT %s",
        [reference, _MOST_TOLD],
    ).fetchall()
    if not found:
        raise _unknown(reference)
    if len(found) > 1:
        raise UserError.of(
            "several messages have this queue id: "
            + "; ".join(f"{at:%Y-%m-%d} {host}: {box}:{place}" for box, place, host, at in found),
            reference,
            "name the one that is meant by its OUTBOX:SEQUENCE",
        )
    return found[0][0], found[0][1]


def _unknown(reference: str) -> UserError:
    return UserError.of(
        "the log has no such entry",
        reference,
        "write a queue id as the log list shows it, or OUTBOX:SEQUENCE",
    )


@app.command(hidden=True)
def answer() -> None:
    """Answer one question of the log list's, on standard input and output; run by systemd."""
    directory = settings.load().directory
    archive_door.answer(*_reached(), sys.stdin.buffer, sys.stdout.buffer, directory)


def _reached() -> tuple[settings.Log, settings.Archive]:
    loaded = settings.load()
    if loaded.log is None or loaded.archive is None:
        raise UserError.of(
            "the settings have no `log` or no `archive`",
            str(settings.settings_path()),
            "run this on the control machine",
        )
    return loaded.log, loaded.archive


@app.command()
def dispose(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go")] = False,
    plan: Annotated[str | None, typer.Option(help="Dispose of what the dry run showed")] = None,
) -> None:
    """Dispose of archived mail under the decision in disposal.yml, day by day, after a dry run.

    What a pending request or review holds stays. The plan is for what was shown, no more and no
    less; a run that broke off goes on with it.
    Of two runs at once the second waits, says so, and then disposes of what is left. Exit codes:
    0 done, also if nothing was left; 2 something is wrong, and it says what.

    \b
    Example: kommunpost archive dispose --dry-run; kommunpost archive dispose --plan 3f9a21c0
    """
    check_asked(dry_run=dry_run, plan=plan)
    log, reached, file = _for_disposal()
    today = datetime.now(UTC).date()
    rules = read_rules(file, today, [ARCHIVE_CLASS])
    with store.session(log) as connection, ExitStack() as stack:
        connection.autocommit = True
        if plan is not None:
            # The days are listed behind the lock: what another run disposed of is no longer there.
            lock = store.alone(connection, _DISPOSAL_LOCK, "a disposal of the archive")
            stack.enter_context(lock)
        opened = stack.enter_context(archive_store.opened(reached))
        due = _due(connection, opened, rules, today)
        if plan is not None:
            check_plan(plan, rules, _done(connection, rules, due), due)
        for part in due:
            _tell(part)
            if plan is not None and part.count:
                _dispose_of(connection, opened, part)
    gone = sum(part.count for part in due)
    if not gone:
        sys.stdout.write("nothing is to be disposed of\n")
    elif plan is None:
        code = plan_code(rules, [part.going for part in due])
        command = f"kommunpost archive dispose --plan {code}"
        sys.stdout.write(f"{gone} messages would go. To dispose of them: {command}\n")


_DISPOSAL_LOCK = 0x41524348  # any number that no other program of ours locks


def _due(
    connection: psycopg.Connection[Any],
    opened: archive_store.Archive,
    rules: Sequence[Rule],
    today: date,
) -> list[Part]:
    """Return the days that are due; a hold stops a whole day or nothing of it."""
    found = []
    for rule in rules:
        for day, messages in opened.days_before(rule.before(today)):
            row = connection.execute("SELECT log.is_archive_held(%s)", [day]).fetchone()
            is_held = row == (True,)
            found.append(Part(rule, day, *((0, messages) if is_held else (messages, 0))))
    return found


def _done(
    connection: psycopg.Connection[Any], rules: Sequence[Rule], due: Sequence[Part]
) -> list[Going]:
    """Return what was disposed of under these decisions, in order.

    A day that was noted and is still there is no part of it: the run broke off in between.
    """
    found: list[Going] = []
    for rule in rules:
        decision = rule.decision
        rows = connection.execute(
            "SELECT day, messages FROM log.archive_disposal"
            " WHERE decision = %s AND authority = %s AND decided = %s AND NOT day = ANY (%s)"
            " ORDER BY disposed_at, day",
            [decision.number, decision.authority, decision.decided, [part.when for part in due]],
        )
        found += [(decision.kind, day, messages) for day, messages in rows]
    return found


def _tell(part: Part) -> None:
    held = f"{part.when}: {part.held} messages, held\n"
    going = f"{part.when}: {part.count} messages under {part.rule.decision.number}\n"
    sys.stdout.write(held if part.held else going)


def _dispose_of(
    connection: psycopg.Connection[Any], opened: archive_store.Archive, part: Part
) -> None:
    decision = part.rule.decision
    try:
        connection.execute(
            "SELECT log.dispose_of_archive(%s, %s, %s, %s, %s)",
            [part.when, part.count, decision.number, decision.authority, decision.decided],
        )
    except psycopg.errors.ObjectInUse as error:
        raise UserError.of(
            "the archive of this day is held since it was shown: nothing of it went",
            str(part.when),
            "look again with --dry-run",
        ) from error
    opened.delete(part.when)


def _for_disposal() -> tuple[settings.Log, settings.Archive, Path]:
    loaded = settings.load()
    file = loaded.seal.disposal_file if loaded.seal else None
    if loaded.log is None or loaded.archive is None or file is None:
        raise UserError.of(
            "the settings have no `log`, no `archive` or no `seal.disposal_file`",
            str(settings.settings_path()),
            "run this on the control machine, and name the decisions on disposal",
        )
    return loaded.log, loaded.archive, file
