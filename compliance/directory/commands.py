"""`kommunpost directory`: plan and apply the mailboxes."""

import typer

app = typer.Typer(help="Who must have which mailbox.", no_args_is_help=True)
