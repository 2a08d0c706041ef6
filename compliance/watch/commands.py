"""`kommunpost watch`: what lies unread in function mailboxes, and who is reminded of it."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from compliance import settings
from compliance.clock import SWEDEN
from compliance.directory.held import read_held
from compliance.directory.ldap import connect
from compliance.errors import Problem, UserError
from compliance.messagelog.mailboxes import Mailbox, note
from compliance.output_file import opened
from compliance.post import send
from compliance.texts import counted
from compliance.watch import letters, memory, unread
from compliance.watch.keepers import watched
from compliance.watch.reminders import Reminder, Watched, after, due

app = typer.Typer(
    help="Whether function mailboxes are read.", no_args_is_help=True, rich_markup_mode=None
)

_STALE = timedelta(hours=12)  # what lay unread yesterday may have been read since


@app.command("unread")
def unread_(
    output: Annotated[Path | None, typer.Option(help="A file instead of the terminal.")] = None,
) -> None:
    """Tell, as JSON, when the oldest unread message of each function mailbox came; as root.

    Never who has looked into it.

    \b
    Example: kommunpost watch unread
    """
    boxes = _watched(settings.load())
    found = unread.to_json(unread.look([box.address for box in boxes]))
    if output is None:
        typer.echo(found)
    else:
        is_new = not output.exists()
        with opened(output) as stream:
            if is_new:  # root writes it, and the folder's group has to read it (roles/watch)
                os.fchmod(stream.fileno(), 0o640)
            stream.write(f"{found}\n".encode())


@app.command()
def remind(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show who would be reminded; send nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
) -> None:
    """Send the letters that are due today: to the watcher, the deputy or the head.

    At most one letter a working day for a mailbox. Running again the same day sends nothing new.
    What lies unread is noted for the log list's overview.

    \b
    Example: kommunpost watch remind --dry-run
    """
    loaded = settings.load()
    watch, sender, log = _parts(loaded)
    now = datetime.now(UTC)
    found = unread.read(watch.unread)
    if now - found.at > _STALE:
        raise UserError.of(
            f"what lies unread was last looked up {found.at.astimezone(SWEDEN):%Y-%m-%d %H:%M}",
            str(watch.unread),
            "start kommunpost-watch.service, which looks it up first",
        )
    boxes = _watched(loaded)
    told = memory.recall(watch.told)
    turns = [
        (reminder, oldest)
        for box in boxes
        if (oldest := found.oldest.get(box.address))
        and (reminder := due(box, oldest, now, told.get(box.address)))
    ]
    _show([reminder for reminder, _ in turns], as_json=as_json, dry_run=dry_run)
    problems = [_not_looked_into(box) for box in boxes if box.address not in found.oldest]
    if not dry_run:
        problems += _note(log, boxes, found)
    for reminder, oldest in () if dry_run else turns:
        try:
            send(sender, letters.write(reminder, loaded.municipality.name))
        except UserError as error:  # the others are reminded all the same
            problems += error.problems
            continue
        address, day = reminder.mailbox.address, now.astimezone(SWEDEN).date()
        told[address] = after(reminder, oldest, day, told.get(address))
        memory.remember(watch.told, told)  # at once: a crash must not send it again
    if problems:
        raise UserError(problems)


def _note(log: settings.Log, boxes: Sequence[Watched], found: unread.Unread) -> list[Problem]:
    """Note what lies unread. Whoever is to be reminded is, also when the database is away."""
    looked_into = [
        Mailbox(box.address, box.unit, found.at, found.oldest[box.address])
        for box in boxes
        if box.address in found.oldest
    ]
    try:
        note(log, looked_into)
    except UserError as error:
        return error.problems
    return []


def _show(reminders: list[Reminder], *, as_json: bool, dry_run: bool) -> None:
    if as_json:
        rows = [
            {
                "mailbox": reminder.mailbox.address,
                "keeper": reminder.keeper,
                "to": reminder.to.address,
                "arrived": reminder.arrived.isoformat(),
                "age_working_days": reminder.age,
            }
            for reminder in reminders
        ]
        typer.echo(json.dumps(rows, indent=1))
        return
    verb = "would be" if dry_run else "is"
    for reminder in reminders:
        typer.echo(
            f"{reminder.mailbox.address}: {reminder.keeper} {reminder.to.address} {verb} reminded; "
            f"unread since {reminder.arrived}, {counted(reminder.age, 'working day')}"
        )
    if not reminders:
        typer.echo("No reminder is due.")


def _not_looked_into(box: Watched) -> Problem:
    return Problem(
        "the mailbox was not looked into",
        box.address,
        "start kommunpost-watch.service, which looks it up anew",
    )


def _watched(loaded: settings.Settings) -> list[Watched]:
    directory = loaded.require_directory()
    with connect(directory, "reader") as connection:
        held = read_held(connection, directory.base)
    boxes = list(watched(held.entries, directory.base))
    if not boxes:
        raise UserError.of(
            "no mailbox can be watched: there is no executive office with a mailbox in use",
            directory.uri,
            "run `kommunpost directory apply` with an organisation.yml that names the office",
        )
    return boxes


def _parts(
    loaded: settings.Settings,
) -> tuple[settings.Watch, settings.Submission, settings.Log]:
    if loaded.watch is None or loaded.sender is None or loaded.log is None:
        raise UserError.of(
            "the settings do not say where reminders are kept, who sends them, and where it is "
            "noted what lies unread",
            f"{settings.settings_path()}: watch, sender, log",
            "run this on the host that holds the mailboxes, with "
            "KOMMUNPOST_CONFIG=/etc/kommunpost/watch/settings.yml",
        )
    return loaded.watch, loaded.sender, loaded.log
