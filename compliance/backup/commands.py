"""`kommunpost backup`: take, list, try and lay back the copies of this host."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from compliance.backup import plan, repository, restoring, taking
from compliance.errors import UserError

app = typer.Typer(
    help="Copies of this host's data; on the host, as root.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_Copy = Annotated[str, typer.Option("--copy", help="A copy's name as `list` shows it")]


@app.command()
def take() -> None:
    """Take a copy now.

    \b
    Example: kommunpost backup take
    """
    typer.echo(f"copy {taking.take(plan.load(), datetime.now(UTC))} is taken")


@app.command("list")
def list_() -> None:
    """List the copies of this host that are left, newest first.

    \b
    Example: kommunpost backup list
    """
    found = repository.all_copies(plan.load(), datetime.now(UTC))
    for copy in found:
        typer.echo(f"{copy.name}  {copy.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
    if not found:
        typer.echo("There is no copy.")
        raise typer.Exit(1)


@app.command()
def find(
    copy: Annotated[str, typer.Argument(help="A copy's name, or `latest`")],
) -> None:
    """Print the name of a copy, so that what follows means the same one.

    \b
    Example: kommunpost backup find latest
    """
    typer.echo(repository.choose(plan.load(), datetime.now(UTC), copy).name)


@app.command("try")
def try_() -> None:
    """Try the newest copy: lay its dumps into something of their own and look at them.

    \b
    Example: kommunpost backup try
    """
    for line in taking.trial(plan.load(), datetime.now(UTC)):
        typer.echo(line)


@app.command()
def state() -> None:
    """Tell, as JSON, whether this host is copied, when last, and how the last trial ended.

    \b
    Example: kommunpost backup state
    """
    now = datetime.now(UTC)
    row: dict[str, object] = {"at": now.isoformat(), "set_up": plan.PLAN.exists()}
    if row["set_up"]:
        loaded = plan.load()
        copy, tried = repository.newest(loaded, now), taking.last_trial(loaded)
        row["copied"] = copy.at.isoformat() if copy else None
        row["tried"] = tried.at.isoformat() if tried else None
        row["trial_error"] = tried.error if tried else None
    typer.echo(json.dumps(row))


@app.command()
def fetch(
    path: Annotated[Path, typer.Argument(help="A file or folder, as it was called here")],
    folder: Annotated[Path, typer.Argument(help="Where it is laid, below its own path")],
    copy: _Copy = "latest",
) -> None:
    """Fetch a file out of a copy to look at it; nothing in use is touched.

    \b
    Example: kommunpost backup fetch /var/lib/kommunpost/outbox /root/copy
    """
    loaded = plan.load()
    chosen = repository.choose(loaded, datetime.now(UTC), copy)
    repository.Repository(loaded, chosen.month).restore(chosen, [path], folder)
    found = folder / path.relative_to("/")
    if not found.exists():
        raise UserError.of(
            f"copy {chosen.name} has no such file", str(path), "write its path from the root on"
        )
    typer.echo(f"{found}")


@app.command()
def restore(
    copy: _Copy = "latest",
    only: Annotated[str | None, typer.Option(help="One role's data, e.g. mail_store")] = None,
    mailbox: Annotated[str | None, typer.Option(help="One mailbox, into a folder of it")] = None,
    keys: Annotated[
        bool, typer.Option("--keys", help="Only keys that are missing, before roles run")
    ] = False,
) -> None:
    """Lay a copy's data back on this host. What uses them is stopped meanwhile.

    playbooks/restore.yml does it all for a host that was lost.

    \b
    Example: kommunpost backup restore --mailbox anna.berg@sjovalla.example
    """
    if sum([only is not None, mailbox is not None, keys]) > 1:
        raise UserError.of(
            "only one of --only, --mailbox and --keys can be done at a time",
            "kommunpost backup restore",
            "leave the others out",
        )
    loaded = plan.load()
    chosen = repository.choose(loaded, datetime.now(UTC), copy)
    if mailbox is not None:
        typer.echo(restoring.restore_mailbox(loaded, chosen, mailbox))
        return
    if keys:
        told = [f"{path}: laid back" for path in restoring.restore_keys(loaded, chosen)]
    else:
        told = restoring.restore(loaded, chosen, only)
    for line in told:
        typer.echo(line)
