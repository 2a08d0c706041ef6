"""`kommunpost directory`: check the sources, plan the mailboxes, apply the plan."""

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from compliance import settings
from compliance.clock import today
from compliance.directory import password_commands, show
from compliance.directory.apply import writes_of
from compliance.directory.conflicts import notices_of
from compliance.directory.held import read_held
from compliance.directory.ldap import connect
from compliance.directory.lifecycle import in_service
from compliance.directory.model import Organisation
from compliance.directory.plan import LIMIT_PERCENT, MailboxPlan, closing_plan, make_plan
from compliance.directory.sources.configured import source_of
from compliance.directory.sources.files import FileSource
from compliance.directory.sources.gather import gather
from compliance.directory.tree import Held
from compliance.errors import UserError
from compliance.letters import render
from compliance.post import Letter, send
from compliance.texts import counted

app = typer.Typer(help="Who must have which mailbox.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(password_commands.app, name="password")
app.command()(password_commands.logins)

PLAIN_STEP = 250  # writes between two lines of progress where there is no terminal

OrganisationFile = Annotated[
    Path | None, typer.Option("--organisation", help="Instead of the settings' organisation.yml.")
]
PeopleFile = Annotated[
    Path | None, typer.Option("--people", help="Instead of the settings' people.csv.")
]
PcsFile = Annotated[Path | None, typer.Option("--pcs", help="Instead of the settings' pcs.csv.")]


class Format(StrEnum):
    """How a plan is printed."""

    TABLE = "table"
    JSON = "json"


@app.command()
def check(
    organisation: OrganisationFile = None, people: PeopleFile = None, pcs: PcsFile = None
) -> None:
    """Check the sources and nothing else; no directory is needed.

    Every problem is told with file, line and what to write instead. Somebody who has left cannot
    be told from somebody who never was there; `plan` can.

    \b
    Example: kommunpost directory check --people hr-export.csv
    """
    found = _read_sources(organisation, people, pcs)
    service = in_service(found, today())
    for line in show.notices(notices_of(service.organisation, service.last_days)):
        typer.echo(line)
    typer.echo(
        f"The sources of {found.municipality} are sound: "
        f"{counted(len(found.people), 'person', 'people')}, {counted(len(found.pcs), 'PC')}, "
        f"{counted(len(found.units), 'unit')}, {counted(len(found.positions), 'position')}."
    )


@app.command()
def plan(
    organisation: OrganisationFile = None,
    people: PeopleFile = None,
    pcs: PcsFile = None,
    form: Annotated[
        Format, typer.Option("--format", help="json lists every mailbox, kept ones too.")
    ] = Format.TABLE,
) -> None:
    """Show which mailboxes would come, change and close, and why; nothing is written.

    Where the sources contradict each other, that is told too (as JSON: on standard error).

    \b
    Example: kommunpost directory plan --format json
    """
    found = _read_sources(organisation, people, pcs)
    made = _plan(settings.load(), found)
    if form is Format.TABLE:
        for line in show.as_text(made):
            typer.echo(line)
        return
    typer.echo(show.as_json(made))
    for line in show.notices(made.notices):
        typer.echo(line, err=True)


@app.command()
def apply(
    organisation: OrganisationFile = None,
    people: PeopleFile = None,
    pcs: PcsFile = None,
    allow_closing: Annotated[
        float,
        typer.Option(min=0, max=100, metavar="PERCENT", help="How many mailboxes may be closed."),
    ] = LIMIT_PERCENT,
    allow_renaming: Annotated[
        float,
        typer.Option(min=0, max=100, metavar="PERCENT", help="How many may get another address."),
    ] = LIMIT_PERCENT,
) -> None:
    """Make the directory say what the sources say. Interrupted, run it again.

    \b
    Example: kommunpost directory apply --allow-closing 15
    """
    found = _read_sources(organisation, people, pcs)
    loaded = settings.load()
    made = _plan(loaded, found)
    made.refuse_mass_closing(allow_closing)
    made.refuse_mass_renaming(allow_renaming)
    _carry_out(loaded.require_directory(), made)


@app.command()
def daily() -> None:
    """Do what every day asks for: the timer on the directory's host runs it.

    Where the settings name sources they are applied; else the mailboxes close whose time is over.
    What stops it changes nothing and is mailed to postmaster.

    \b
    Example: kommunpost directory daily
    """
    loaded = settings.load()
    directory = loaded.require_directory()
    try:
        if directory.sources:
            apply()
        else:
            _carry_out(directory, closing_plan(_held(directory), today()))
    except UserError as error:
        if loaded.sender:
            _tell_technician(loaded.sender, loaded.municipality, error)
        raise


def _tell_technician(
    sender: settings.Submission, municipality: settings.Municipality, error: UserError
) -> None:
    subject, body = render("directory-stopped.txt.j2", error=error, municipality=municipality.name)
    try:
        send(sender, Letter(f"postmaster@{municipality.domain}", subject, body))
    except UserError as unsent:
        raise UserError([*error.problems, *unsent.problems]) from error


def _carry_out(directory: settings.Directory, made: MailboxPlan) -> None:
    for line in show.notices(made.notices):
        typer.echo(line)
    typer.echo(show.summary(made))
    if made.is_empty:
        return
    with connect(directory, "writer") as connection:
        writes = writes_of(connection, directory.base, made)
        for number in _progress(len(writes)):
            writes[number]()
    typer.echo(f"Done: {counted(len(writes), 'change')} written.")


def _read_sources(organisation: Path | None, people: Path | None, pcs: Path | None) -> Organisation:
    """Read the files that are named, and the settings' ones for those that are not."""
    if organisation and people and pcs:
        return gather(FileSource(organisation, people, pcs))
    loaded = settings.load()
    configured = loaded.require_directory().sources
    if configured is None:
        raise UserError.of(
            "the settings do not say where the sources are",
            f"{settings.settings_path()}: directory.sources",
            "write their paths there, or give --organisation, --people and --pcs",
        )
    named = {"organisation": organisation, "people": people, "pcs": pcs}
    instead = {key: path for key, path in named.items() if path}
    found = gather(source_of(configured.model_copy(update=instead)))
    _refuse_others(found, loaded)
    return found


def _refuse_others(found: Organisation, loaded: settings.Settings) -> None:
    """One municipality's organisation must not be applied to another's directory."""
    if found.municipality != loaded.municipality.name:
        raise UserError.of(
            f"this is the organisation of {found.municipality}, but the installation is that of "
            f"{loaded.municipality.name}",
            "organisation.yml: municipality",
            "give the right file, or mend municipality.name in the settings",
        )


def _plan(loaded: settings.Settings, organisation: Organisation) -> MailboxPlan:
    _refuse_others(organisation, loaded)
    directory = loaded.require_directory()
    return make_plan(
        organisation,
        loaded.municipality.domain,
        directory.base,
        _held(directory),
        today(),
        directory.answer_days,
        directory.address_pattern,
    )


def _held(directory: settings.Directory) -> Held:
    with connect(directory, "reader") as connection:
        return read_held(connection, directory.base)


def _progress(total: int) -> Iterator[int]:
    """Count up to `total`, with a bar on a terminal and a line now and then elsewhere."""
    if sys.stdout.isatty():
        yield from track(range(total), description="Writing the directory")
        return
    for number in range(total):
        if number and number % PLAIN_STEP == 0:
            typer.echo(f"Writing the directory: {number} of {total}")
        yield number
