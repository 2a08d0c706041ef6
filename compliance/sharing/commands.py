"""`kommunpost sharing`: the service that runs on a mail store."""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from compliance import settings
from compliance.errors import UserError
from compliance.journal import log_to_journal
from compliance.notify import Notifier
from compliance.sharing.doveadm import Doveadm
from compliance.sharing.follow import Follower
from compliance.sharing.store import Store

app = typer.Typer(
    help="Mailboxes that several people use.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def _sharing() -> None:
    """Mailboxes that several people use."""


@app.command()
def follow(
    sharing_map: Annotated[Path, typer.Option(help="Dovecot's file of acl_sharing_map.")],
    state_folder: Annotated[Path, typer.Option(help="Where it is kept who was a member last.")],
) -> None:
    """Make this mail store do what the directory's groups say. Runs until stopped, as root.

    \b
    Example: kommunpost sharing follow --sharing-map /srv/vmail/sharing-map
    --state-folder /var/lib/kommunpost-sharing
    """
    directory = settings.load().directory
    if directory is None:
        raise UserError.of(
            "the settings do not say how to reach the directory",
            f"{settings.settings_path()}: directory",
            "run this on a mail store, as role mail_store sets it up",
        )
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    log_to_journal()
    notifier = Notifier.from_environment()
    store = Store(Doveadm(notifier.alive), sharing_map, state_folder / "members.json")
    notifier.ready()
    Follower(directory, store, notifier).run(stop)
