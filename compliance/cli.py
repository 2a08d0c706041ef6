"""The command line `kommunpost`: one door per room.

Exit codes: 0 done, 1 something was found, 2 error, 3 incomplete, 130 stopped by Ctrl-C, 143 by
SIGTERM, 141 nobody reads the output any more (as of `| head`).
"""

from importlib import import_module

import click
import typer
from typer.core import TyperGroup

from compliance import ending
from compliance.settings import load, settings_path

# A room is loaded when its door is opened: the milter must be back at once after a crash, and a
# host that only logs mail has none of the libraries of the audit.
_DOORS = {
    "archive": "compliance.messagelog.archive_commands",
    "audit": "compliance.audit",
    "backup": "compliance.backup.commands",
    "directory": "compliance.directory.commands",
    "log": "compliance.messagelog.commands",
    "loglist": "compliance.loglist.commands",
    "sharing": "compliance.sharing.commands",
    "verify": "compliance.messagelog.seal.commands",
    "watch": "compliance.watch.commands",
}


class _Doors(TyperGroup):
    """The commands of this module, and those behind the doors."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_DOORS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _DOORS:
            return super().get_command(ctx, cmd_name)
        return typer.main.get_command(import_module(_DOORS[cmd_name]).app)


app = typer.Typer(
    name="kommunpost",
    cls=_Doors,
    help="Directory, message log and compliance checks of a municipality's mail.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)


@app.callback()
def _kommunpost() -> None:
    """Directory, message log and compliance checks of a municipality's mail.

    Exit codes: 0 done; 1 something was found, and it says what; 2 something is wrong, and it says
    what to do; 3 not everything could be looked at; 130 and 143 it was stopped.
    """


@app.command()
def settings() -> None:
    """Check the settings file and say where it is.

    \b
    Example: KOMMUNPOST_CONFIG=/etc/kommunpost/kommunpost.yml kommunpost settings
    """
    path = settings_path()
    load(path)
    typer.echo(f"{path}: valid")


def main() -> None:
    """Run the command line; what goes wrong is told in words, without traceback."""
    ending.run(lambda: app(standalone_mode=False))


if __name__ == "__main__":
    main()
