"""The log list's commands on its hosts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from django.conf import settings
from django.db import Error as DatabaseError

from compliance.errors import UserError
from compliance.loglist.database import parameters, said_by_postgresql
from compliance.messagelog.store import first_line, log_settings
from compliance.texts import counted

app = typer.Typer(
    help="The log list's own tables and work.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def _loglist() -> None:
    """The log list's own tables and work."""


@contextmanager
def _over_the_database() -> Iterator[None]:
    """Let a command run; what PostgreSQL says, or that it is away, becomes a UserError."""
    try:
        yield
    except (DatabaseError, psycopg.Error) as error:
        cause = said_by_postgresql(error)
        if cause is None:
            raise
        is_away = isinstance(cause, (psycopg.OperationalError, psycopg.InterfaceError))
        way = settings.DATABASES["default"]
        raise UserError.of(
            f"PostgreSQL {'cannot be reached' if is_away else 'refused'}: {first_line(cause)}",
            f"database {way['NAME']} on {way['HOST'] or 'this host'}, as {way['USER']}",
            "see that it runs, and that `kommunpost log migrate` and `loglist migrate` were run",
        ) from error


@app.command()
@_over_the_database()
def migrate() -> None:
    """Bring the log list's own tables up to date, as the owner of the database.

    Says what was brought, and nothing if nothing was missing. Run after `kommunpost log migrate`.

    \b
    Example: kommunpost loglist migrate
    """
    settings.configure(
        DATABASES={"default": parameters(log_settings())},
        INSTALLED_APPS=["compliance.loglist"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    import django
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    django.setup()
    executor = MigrationExecutor(connection)
    wanted = executor.migration_plan(executor.loader.graph.leaf_nodes())
    call_command("migrate", verbosity=0, interactive=False)
    for migration, _backwards in wanted:
        typer.echo(f"loglist {migration.name}")


@app.command()
@_over_the_database()
def forget_second_step(
    address: str = typer.Argument(..., help="Whose: the address that they log in with"),
) -> None:
    """Take away somebody's two-step verification, when they have lost the telephone.

    They log in with the password alone then, and set it up anew. Make sure first that it is they
    who ask. Run on the log list's host, with its settings.

    \b
    Example: kommunpost loglist forget-second-step asa.ek@sjovalla.example
    """
    _start_django()
    from compliance.loglist import login, second_factor

    found = login.look_up(login.normal(address))
    if found is None:
        raise UserError.of("nobody logs in with it", address, "write the person's main address")
    if second_factor.forget(found.id):
        typer.echo(f"{found.name}: two-step verification is taken away")
    else:
        typer.echo(f"{found.name} has no two-step verification")


@app.command()
@_over_the_database()
def work() -> None:
    """Take in what the message log has of new, hold it against the diaries, and send letters.

    Says how many rows are to be reviewed, how many of them stand in the diary, how many letters
    about questions went to officials, and nothing if nothing was new. May be stopped and run at any
    time. Run every five minutes by systemd, which hands over the password to send letters with.

    \b
    Example: kommunpost loglist work
    """
    _start_django()
    from django.utils import timezone

    from compliance.loglist.doubt_letters import send_due
    from compliance.loglist.matching import match_units
    from compliance.loglist.work import authorities, take_in, worker

    authority_of = authorities()
    with worker() as reader:
        made = take_in(reader, authority_of)
        if made:
            typer.echo(f"{counted(made, 'row')} to review")
        matched = match_units(reader)
        if matched.decided or matched.suggested:
            decided = counted(matched.decided, "row is", "rows are")
            typer.echo(f"{decided} in the diary, {matched.suggested} may be")
        sent = send_due(timezone.now())
        if sent:
            typer.echo(f"{counted(sent, 'letter')} about questions")


@app.command()
@_over_the_database()
def import_diary(
    unit: Annotated[str, typer.Option(help="id of the unit whose diary it is")],
    file: Annotated[Path, typer.Argument(help="CSV, XLSX, or CITS ERMS as XML")],
) -> None:
    """Take in an export of a unit's diary, in the place of what was there of the days it covers.

    Says every problem, and takes in nothing if there is one. For a timer, after the diary system
    has written its export; run as the user of the log list.

    \b
    Example: kommunpost loglist import-diary --unit ks /srv/diary/ks.csv
    """
    _start_django()
    from compliance.loglist.diary import read_export, take_over
    from compliance.loglist.work import authorities, worker

    if unit not in authorities():
        raise UserError.of("there is no such unit", unit, "write its id in organisation.yml")
    entries = read_export(file)
    with worker() as reader:
        done = take_over(unit, entries, file.name, reader.session())
    days = f" from {done.first} to {done.last}" if done.first else ""
    typer.echo(
        f"{counted(done.rows, 'record')}{days}: {done.added} new, {done.changed} changed, "
        f"{done.removed} removed"
    )


@app.command()
def check_mapping(
    file: Annotated[Path, typer.Argument(help="What `log_list_diary_mapping` names")],
) -> None:
    """Check the file that says what the columns of a diary's export mean. Says every problem.

    \b
    Example: kommunpost loglist check-mapping inventory/example/diary.yml
    """
    # Not every host that has this program has what reads diaries.
    from compliance.diary.importers.mapping import read_mapping

    read_mapping(file)
    typer.echo(f"{file}: valid")


@app.command()
@_over_the_database()
def copy(
    folder: Annotated[Path, typer.Argument(file_okay=False, exists=True, help="Where to lay them")],
) -> None:
    """Lay down a copy of each unit's list, to be read in a browser when the web is down.

    The last 30 days, a file for each unit. Run every night, as the user of the log list.

    \b
    Example: kommunpost loglist copy /var/lib/kommunpost-log-list
    """
    _start_django()
    from compliance.loglist.copies import write_copies
    from compliance.loglist.login import unit_names
    from compliance.loglist.work import worker

    with worker() as reader:
        written = write_copies(reader, unit_names(), folder)
    typer.echo(f"{counted(written, 'list')} copied to {folder}")


def _start_django() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "compliance.loglist.django_settings"
    import django

    django.setup()
