"""The milter: carries messages from Postfix to `capture` and its verdict back.

Thin on purpose: all that can be decided apart from Postfix stands in `capture.py`, and the bytes of
the protocol in `milter_protocol.py`. The body comes in parts whose length is counted, since no
macro of Postfix tells the size, and in which the names of attachments are looked for; it is never
kept.
"""

import contextlib
import errno
import logging
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from compliance.errors import UserError
from compliance.messagelog import milter_protocol as protocol
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

# More than the connections of all Postfix's processes, by its default_process_limit of 100 for
# each of its services: none ever waits for another to end.
_CONNECTIONS = 1_000
_READ_BYTES = 1 << 16

# What hinders one connection and passes: too many files are open, or memory is short.
_PASSING = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_PAUSE_SECONDS = 0.1

_log = logging.getLogger(__name__)


class Conversation:
    """One connection from Postfix, which carries any number of messages, one after the other."""

    def __init__(self, capture: Capture) -> None:
        """Begin a connection."""
        self._capture = capture
        self._client = ""
        self._macros: dict[int, dict[str, str]] = {}
        self._message: Message | None = None
        self._has_early_id = False

    def answer(self, command: int, data: bytes) -> bytes:
        """Take in one packet; return what is to be written now, often nothing.

        Raises ProtocolError.
        """
        message = self._message
        if command == protocol.HEADER:
            if message is not None:
                message.add_header(*protocol.header(data))
        elif command == protocol.BODY:
            if message is not None:
                message.add_body(data)
        elif command == protocol.MACROS:
            stage, values = protocol.macros(data)
            self._macros[stage] = values
        elif command == protocol.RCPT:
            if message is not None:
                message.add_recipient(of_envelope(protocol.strings(data)[0]))
        elif command == protocol.MAIL:
            self._begin(protocol.strings(data)[0])
        elif command == protocol.END:
            return self._end(data)
        else:
            return self._between_messages(command, data)
        return b""

    def _between_messages(self, command: int, data: bytes) -> bytes:
        if command == protocol.NEGOTIATE:
            return protocol.negotiate(data)
        if command == protocol.CONNECT:
            self._client = protocol.client_address(data)
        elif command in (protocol.ABORT, protocol.QUIT_NEXT):
            self._forget()
        else:
            raise protocol.ProtocolError(f"command {command:#x}, which was not asked for")
        return b""

    def _begin(self, sender: bytes) -> None:
        """Begin a message. One that has its queue id by now didn't come by SMTP."""
        self._message = self._capture.begin(of_envelope(sender))
        self._has_early_id = bool(self._macro(protocol.MAIL, "i"))

    def _end(self, last_part: bytes) -> bytes:
        """Judge and log the message; Postfix's answer to its client hangs on this."""
        message = self._message
        queue_id = self._macro(protocol.END, "i") or self._macro(protocol.MAIL, "i")
        try:
            return (
                self._judge(message, last_part, queue_id) if message else _refuse(FAILED, queue_id)
            )
        except OutboxUnavailableError:
            return _refuse(NOT_LOGGED, queue_id)
        except Exception:
            # Hostile mail must not end the milter, and what we can't handle we don't accept.
            _log.exception("%s: cannot be handled", queue_id)
            return _refuse(FAILED, queue_id)
        finally:
            self._forget()

    def _forget(self) -> None:
        """Be ready for the next message. Of macros that are empty nothing is sent."""
        self._message = None
        self._macros.clear()

    def _judge(self, message: Message, last_part: bytes, queue_id: str) -> bytes:
        if last_part:
            message.add_body(last_part)
        origin = self._origin()
        verdict = self._capture.judge(message, origin)
        if verdict.reply is not None:
            return _refuse(verdict.reply, queue_id)
        # From the last to the first, since each removal renumbers those behind it.
        asked = [
            protocol.remove_header(VERDICT_HEADER, number)
            for number in range(message.forged_verdicts, 0, -1)
        ]
        if verdict.is_probe:
            asked.append(protocol.add_header(VERDICT_HEADER, VERDICT))
        elif copy_to := self._capture.archive_recipient(message, origin):
            # Whoever wrote the message shall never hear of the archive, whatever becomes of it.
            asked.append(protocol.add_recipient(copy_to, "NOTIFY=NEVER"))
        self._capture.log(message, origin, queue_id, is_probe=verdict.is_probe)
        return b"".join([*asked, protocol.CONTINUE])

    def _origin(self) -> Origin:
        kind = client_class(self._client)
        is_local = kind == "loopback" and self._has_early_id
        login = self._macro(protocol.MAIL, "{auth_authen}") or None
        return Origin("local" if is_local else kind, login)

    def _macro(self, stage: int, name: str) -> str:
        return self._macros.get(stage, {}).get(name, "")


def _refuse(reply: Reply, queue_id: str) -> bytes:
    # Counted by its reason; who sent it to whom is nobody's business.
    _log.info("%s: refused, %s", queue_id, reply.reason)
    return protocol.reply(reply.code, reply.enhanced, reply.text)


class Server:
    """Listen for Postfix, with a thread for each connection that is open."""

    def __init__(self, capture: Capture, path: Path) -> None:
        """Open the socket. Raises UserError if it can't be opened."""
        self._capture = capture
        self._open: set[socket.socket] = set()
        self._is_stopping = False
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            path.unlink(missing_ok=True)
            self._listener.bind(str(path))
            path.chmod(0o660)  # the group is Postfix's, by the folder's set-group-id
            self._listener.listen(_CONNECTIONS)
        except OSError as error:
            self._listener.close()
            raise UserError.of(
                f"the socket cannot be opened ({error})",
                str(path),
                "see that its folder exists and belongs to this user",
            ) from error

    def run(self) -> None:
        """Serve until stopped; then each message whose end has come still gets its answer."""
        with self._listener, ThreadPoolExecutor(_CONNECTIONS, "connection") as threads:
            try:
                while not self._is_stopping:
                    if connection := self._accept():
                        self._open.add(connection)
                        threads.submit(self._serve, connection)
            finally:
                for connection in list(self._open):
                    _end(connection, socket.SHUT_RD)

    def stop(self) -> None:
        """Take no more connections, and end those that are open."""
        self._is_stopping = True
        _end(self._listener, socket.SHUT_RDWR)

    def _accept(self) -> socket.socket | None:
        """Wait for the next connection; None if there is none to serve now. Raises OSError."""
        try:
            return self._listener.accept()[0]
        except OSError as error:
            if self._is_stopping:
                return None
            if error.errno not in _PASSING:
                raise
            # Postfix waits meanwhile, and the messages that are under way go on.
            _log.error("no connection can be taken now: %s", error)
            time.sleep(_PAUSE_SECONDS)
            return None

    def _serve(self, connection: socket.socket) -> None:
        conversation, packets = Conversation(self._capture), protocol.Packets()
        try:
            with connection:
                while data := connection.recv(_READ_BYTES):
                    for command, content in packets.feed(data):
                        if command == protocol.QUIT:
                            return
                        if answer := conversation.answer(command, content):
                            connection.sendall(answer)
        except (OSError, protocol.ProtocolError) as error:
            _log.error("a connection of Postfix's ended: %s", error)
        except Exception:
            _log.exception("a connection of Postfix's ended")
        finally:
            self._open.discard(connection)


def _end(connection: socket.socket, how: int) -> None:
    with contextlib.suppress(OSError):  # the other side was first
        connection.shutdown(how)


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
        outbox=outbox,
        spam_header=settings.capture.spam_header,
    )
    server = Server(capture, Path(settings.capture.socket.removeprefix("unix:")))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    for task in (units.keep_fresh, _keep_notifying):
        threading.Thread(target=task, args=[stop], daemon=True).start()
    try:
        server.run()
    finally:
        stop.set()


def _keep_notifying(stop: threading.Event) -> None:
    """Tell systemd that Postfix can connect, and then that this process still turns."""
    notifier = Notifier.from_environment()
    notifier.ready()
    while not stop.wait(notifier.interval_seconds):
        notifier.alive()
