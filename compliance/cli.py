"""The command line `kommunpost`: one door per room.

Exit codes: 0 done, 1 the audit found a failure, 2 error, 3 the audit is incomplete.
"""

import sys

import typer

from compliance.audit import audit
from compliance.directory import commands as directory
from compliance.errors import UserError
from compliance.messagelog import commands as messagelog
from compliance.messagelog.seal import commands as seal
from compliance.settings import load, settings_path

app = typer.Typer(
    name="kommunpost",
    help="Directory, message log and compliance checks of a municipality's mail.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(directory.app, name="directory")
app.add_typer(messagelog.app, name="log")
app.command()(audit)
app.command(name="verify")(seal.verify_extract)


@app.command()
def settings() -> None:
    """Check the settings file and say where it is.

    Example: KOMMUNPOST_CONFIG=/etc/kommunpost/kommunpost.yml kommunpost settings
    """
    path = settings_path()
    load(path)
    typer.echo(f"{path}: valid")


def main() -> None:
    """Run the command line; an error that the user can mend is printed without traceback."""
    try:
        app()
    except UserError as error:
        sys.stderr.write(f"kommunpost: {error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
