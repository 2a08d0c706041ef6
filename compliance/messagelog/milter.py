"""The milter's process: what it is made of, and how it begins and ends."""

import signal
import threading
from dataclasses import replace
from pathlib import Path

from compliance.errors import UserError
from compliance.messagelog.capture import Capture
from compliance.messagelog.milter_server import Server
from compliance.messagelog.outbox import Outbox
from compliance.messagelog.units import AtOnce, Ldap, Units
from compliance.notify import Notifier
from compliance.probe_token import MIN_KEY_BYTES
from compliance.settings import Settings, read_secret


def serve(settings: Settings) -> None:
    """Run until told to stop. Raises UserError if it can't start."""
    if settings.capture is None or settings.directory is None:
        raise UserError.of(
            "the settings have no `capture` or no `directory`",
            "settings",
            "run this on a mail host, as role message_log sets it up",
        )
    key = read_secret(settings.capture.probe_key_file).encode("utf-8")
    if len(key) < MIN_KEY_BYTES:
        raise UserError.of(
            f"the probe key is shorter than {MIN_KEY_BYTES} bytes",
            str(settings.capture.probe_key_file),
            "let the role make a new one",
        )
    domain = settings.municipality.domain.lower()
    units = Units(domain, Ldap(settings.directory))
    outbox = Outbox(settings.capture.outbox, settings.capture.host)
    capture = Capture(
        host=settings.capture.host,
        domain=domain,
        probe_key=key,
        directory=units,
        spam_header=settings.capture.spam_header,
    )
    path = Path(settings.capture.socket.removeprefix("unix:"))
    at_once = replace(capture, directory=AtOnce(units))
    server = Server(capture, at_once, outbox, path, Notifier.from_environment())
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    threading.Thread(target=units.keep_fresh, args=[stop], daemon=True).start()
    try:
        server.run()
    finally:
        stop.set()
