"""`kommunpost log`: the message log for the technician."""

import typer

app = typer.Typer(help="The log of all mail in and out.", no_args_is_help=True)
