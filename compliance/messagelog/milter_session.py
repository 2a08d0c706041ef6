"""What Postfix says over one connection of the milter, and what is to be answered.

Thin on purpose: all that can be decided apart from Postfix stands in `capture.py`, the bytes of the
protocol in `milter_protocol.py`, and who waits for what in `milter_server.py`. The body comes in
parts whose length is counted, since no macro of Postfix tells the size, and in which the names of
attachments are looked for; it is never kept.
"""

import logging
from dataclasses import dataclass

from compliance.messagelog import milter_protocol as protocol
from compliance.messagelog.addresses import of_envelope
from compliance.messagelog.capture import (
    FAILED,
    NOT_LOGGED,
    Capture,
    Message,
    MustAskError,
    Origin,
    Reply,
    client_class,
)
from compliance.messagelog.entry import LogEntry
from compliance.probe_token import VERDICT, VERDICT_HEADER

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What becomes of a message.

    answer: what Postfix is told, once all entries are durable. entries: none of a message that is
    refused.
    """

    answer: bytes
    entries: list[LogEntry]
    queue_id: str

    def unlogged(self) -> bytes:
        """Return what Postfix is told if the entries can't be made durable."""
        return _refusal(NOT_LOGGED, self.queue_id).answer


@dataclass(frozen=True)
class Ended:
    """A message whose end has come. None: it never began."""

    message: Message | None
    origin: Origin
    queue_id: str

    def outcome(self, capture: Capture) -> Outcome:
        """Judge the message. Raises MustAskError if the capture's directory does."""
        if self.message is None:
            return _refusal(FAILED, self.queue_id)
        try:
            return self._judged(self.message, capture)
        except MustAskError:
            raise
        except Exception:
            # Hostile mail must not end the milter, and what we can't handle we don't accept.
            _log.exception("%s: cannot be handled", self.queue_id)
            return _refusal(FAILED, self.queue_id)

    def _judged(self, message: Message, capture: Capture) -> Outcome:
        verdict = capture.judge(message, self.origin)
        if verdict.reply is not None:
            return _refusal(verdict.reply, self.queue_id)
        # From the last to the first, since each removal renumbers those behind it.
        asked = [
            protocol.remove_header(VERDICT_HEADER, number)
            for number in range(message.forged_verdicts, 0, -1)
        ]
        if verdict.is_probe:
            asked.append(protocol.add_header(VERDICT_HEADER, VERDICT))
        elif copy_to := capture.archive_recipient(message, self.origin):
            # Whoever wrote the message shall never hear of the archive, whatever becomes of it.
            asked.append(protocol.add_recipient(copy_to, "NOTIFY=NEVER"))
        entries = capture.entries(message, self.origin, self.queue_id, is_probe=verdict.is_probe)
        return Outcome(b"".join([*asked, protocol.CONTINUE]), entries, self.queue_id)


class Conversation:
    """One connection from Postfix, which carries any number of messages, one after the other."""

    def __init__(self, capture: Capture) -> None:
        """Begin a connection. capture: begins the messages."""
        self._capture = capture
        self._client = ""
        self._macros: dict[int, dict[str, str]] = {}
        self._message: Message | None = None
        self._has_early_id = False

    def take(self, command: int, data: bytes) -> bytes:
        """Take in one packet, any but an end; return what is to be written now, mostly nothing.

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
            if len(data) > 1:  # before most packets Postfix says that it has none
                stage, values = protocol.macros(data)
                self._macros[stage] = values
        elif command == protocol.RCPT:
            if message is not None:
                message.add_recipient(of_envelope(protocol.strings(data)[0]))
        elif command == protocol.MAIL:
            self._begin(protocol.strings(data)[0])
        else:
            return self._between_messages(command, data)
        return b""

    def end(self, last_part: bytes) -> Ended:
        """Take in the end of a message, and be ready for the next."""
        message = self._message
        if message is not None and last_part:
            message.add_body(last_part)
        queue_id = self._macro(protocol.END, "i") or self._macro(protocol.MAIL, "i")
        ended = Ended(message, self._origin(), queue_id)
        self._forget()
        return ended

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

    def _forget(self) -> None:
        """Be ready for the next message. Of macros that are empty nothing is sent."""
        self._message = None
        self._macros.clear()

    def _origin(self) -> Origin:
        kind = client_class(self._client)
        is_local = kind == "loopback" and self._has_early_id
        login = self._macro(protocol.MAIL, "{auth_authen}") or None
        return Origin("local" if is_local else kind, login)

    def _macro(self, stage: int, name: str) -> str:
        return self._macros.get(stage, {}).get(name, "")


def _refusal(reply: Reply, queue_id: str) -> Outcome:
    # Counted by its reason; who sent it to whom is nobody's business.
    _log.info("%s: refused, %s", queue_id, reply.reason)
    return Outcome(protocol.reply(reply.code, reply.enhanced, reply.text), [], queue_id)
