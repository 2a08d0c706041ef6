"""The milter: carries messages from Postfix to `capture` and its verdict back.

Thin on purpose: all that can be decided apart from Postfix stands in `capture.py`. Needs
python3-milter (pymilter), which exists on mail hosts only, so nothing else may import this module.

Postfix waits for an answer at end of message alone: to all else it is told not to (`noreply`). The
body comes in chunks whose length is counted, since no macro of Postfix tells the size, and in which
the names of attachments are looked for; it is never kept.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import Milter

from compliance.errors import UserError
from compliance.messagelog.addresses import of_envelope
from compliance.messagelog.capture import (
    FAILED,
    NOT_LOGGED,
    Capture,
    Message,
    Origin,
    OutboxUnavailableError,
    Reply,
    client_class,
)
from compliance.messagelog.outbox import Outbox
from compliance.messagelog.units import Ldap, Units
from compliance.notify import Notifier
from compliance.probe_token import MIN_KEY_BYTES, VERDICT, VERDICT_HEADER
from compliance.settings import Settings, read_secret

# Longer than any wait of ours, shorter than Postfix's own milter_content_timeout (300 s).
_MTA_SECONDS = 240
_START_SECONDS = 20

_log = logging.getLogger(__name__)

_Callback = TypeVar("_Callback", bound=Callable[..., int])


def _unanswered(callback: _Callback) -> _Callback:
    """Negotiate that Postfix doesn't wait for this callback."""
    return cast(_Callback, Milter.noreply(callback))


def _with_bytes(callback: _Callback) -> _Callback:
    """Have the bytes as they came; what they mean is for `text.py` to say."""
    return cast(_Callback, Milter.decode("bytes")(callback))


class LogMilter(Milter.Base):  # type: ignore[misc] # pymilter ships no types
    """One connection from Postfix, which carries any number of messages, one after the other."""

    capture: Capture  # set once by serve, before the first connection

    def __init__(self) -> None:
        """Begin a connection."""
        self._client = ""
        self._message: Message | None = None
        self._has_early_id = False

    @_unanswered
    def connect(self, _name: str, _family: int, address: Any) -> int:
        """Note where the client is: an (address, port, ...) tuple, or a socket's name."""
        self._client = address[0] if isinstance(address, tuple) else ""
        return int(Milter.CONTINUE)

    @_unanswered
    @_with_bytes
    def envfrom(self, sender: bytes, *_parameters: bytes) -> int:
        """Begin a message. One that has its queue id by now didn't come by SMTP."""
        self._message = self.capture.begin(of_envelope(sender))
        self._has_early_id = bool(self.getsymval("i"))
        return int(Milter.CONTINUE)

    @_unanswered
    @_with_bytes
    def envrcpt(self, recipient: bytes, *_parameters: bytes) -> int:
        """Note a recipient that Postfix accepted."""
        if self._message is not None:
            self._message.add_recipient(of_envelope(recipient))
        return int(Milter.CONTINUE)

    @_unanswered
    @_with_bytes
    def header(self, name: str, value: bytes) -> int:
        """Note a header field, folds included."""
        if self._message is not None:
            self._message.add_header(name, value)
        return int(Milter.CONTINUE)

    @_unanswered
    def body(self, chunk: bytes) -> int:
        """Take in a part of the body."""
        if self._message is not None:
            self._message.add_body(chunk)
        return int(Milter.CONTINUE)

    def eom(self) -> int:
        """Judge and log the message; Postfix's answer to its client hangs on this."""
        message, self._message = self._message, None
        queue_id = self.getsymval("i") or ""
        try:
            reply = self._finish(message, queue_id) if message else FAILED
        except OutboxUnavailableError:
            reply = NOT_LOGGED
        except Exception:
            # Hostile mail must not end the milter, and what we can't handle we don't accept.
            _log.exception("%s: cannot be handled", queue_id)
            reply = FAILED
        return int(Milter.CONTINUE) if reply is None else self._refuse(reply, queue_id)

    def abort(self) -> int:
        """Forget the message that was begun."""
        self._message = None
        return int(Milter.CONTINUE)

    def _finish(self, message: Message, queue_id: str) -> Reply | None:
        origin = self._origin()
        verdict = self.capture.judge(message, origin)
        if verdict.reply is not None:
            return verdict.reply
        # Headers first: if that fails, nothing was logged that isn't accepted. From the last to
        # the first, since each removal renumbers those behind it.
        for number in range(message.forged_verdicts, 0, -1):
            self.chgheader(VERDICT_HEADER, number, "")
        if verdict.is_probe:
            self.addheader(VERDICT_HEADER, VERDICT)
        elif copy_to := self.capture.archive_recipient(message, origin):
            # Whoever wrote the message shall never hear of the archive, whatever becomes of it.
            self.addrcpt(f"<{copy_to}>", "NOTIFY=NEVER")
        self.capture.log(message, origin, queue_id, is_probe=verdict.is_probe)
        return None

    def _origin(self) -> Origin:
        kind = client_class(self._client)
        is_local = kind == "loopback" and self._has_early_id
        return Origin("local" if is_local else kind, self.getsymval("{auth_authen}") or None)

    def _refuse(self, reply: Reply, queue_id: str) -> int:
        # Counted by its reason; who sent it to whom is nobody's business.
        _log.info("%s: refused, %s", queue_id, reply.reason)
        self.setreply(reply.code, reply.enhanced, reply.text)
        return int(Milter.REJECT if reply.code.startswith("5") else Milter.TEMPFAIL)


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
    outbox = Outbox(settings.capture.outbox)
    LogMilter.capture = Capture(
        host=settings.capture.host,
        domain=domain,
        probe_key=key,
        directory=units,
        outbox=outbox,
        spam_header=settings.capture.spam_header,
    )
    stop = threading.Event()
    threading.Thread(target=units.keep_fresh, args=[stop], daemon=True).start()
    _run(settings.capture.socket, stop)


def _run(socket: str, stop: threading.Event) -> None:
    path = Path(socket.removeprefix("unix:"))
    path.unlink(missing_ok=True)
    notifier = Notifier.from_environment()
    threading.Thread(target=_announce, args=[notifier, path, stop], daemon=True).start()
    Milter.factory = LogMilter
    wanted = Milter.ADDHDRS | Milter.CHGHDRS | Milter.ADDRCPT | Milter.ADDRCPT_PAR
    Milter.set_flags(wanted)
    try:
        Milter.runmilter("kommunpost", socket, _MTA_SECONDS)
    except Milter.error as error:
        raise UserError.of(
            f"the socket cannot be opened ({error})",
            socket,
            "see that its folder exists and belongs to this user",
        ) from error
    finally:
        stop.set()


def _announce(notifier: Notifier, path: Path, stop: threading.Event) -> None:
    """Tell systemd once Postfix can connect, and then that this process still turns."""
    for _ in range(_START_SECONDS * 50):
        if path.is_socket() or stop.wait(0.02):
            break
    path.chmod(0o660)  # the group is Postfix's, by the folder's set-group-id
    notifier.ready()
    while not stop.wait(notifier.interval_seconds):
        notifier.alive()
