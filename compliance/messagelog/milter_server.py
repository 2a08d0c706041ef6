"""Serve Postfix's connections: one thread reads and answers them all, and waits for none of them.

What takes time is done by others: the outbox makes entries durable in a thread of its own, and what
only the directory can answer is asked for by a few more. Why so:
docs/decisions/0077-milter-protocol.md.
"""

import contextlib
import errno
import logging
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from compliance.errors import UserError
from compliance.messagelog import milter_protocol as protocol
from compliance.messagelog.capture import Capture, MustAskError
from compliance.messagelog.milter_session import Conversation, Ended, Outcome
from compliance.messagelog.outbox import Outbox
from compliance.notify import Notifier

_BACKLOG = 1_000
_READ_BYTES = 1 << 16
# Messages that wait for the directory at once. Others wait for one of these to have its answer.
_ASKING = 20

# What hinders one connection and passes: too many files are open, or memory is short.
_PASSING = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_PAUSE_SECONDS = 0.1

_log = logging.getLogger(__name__)


class _Connection:
    """One that is open.

    packets: those that came and aren't taken in yet. is_waiting: for the outcome of a message;
    nothing is taken in meanwhile. is_watched: whether its bytes are waited for.
    """

    __slots__ = ("conversation", "is_waiting", "is_watched", "packets", "socket", "stream")

    def __init__(self, connection: socket.socket, capture: Capture) -> None:
        self.socket = connection
        self.conversation = Conversation(capture)
        self.stream = protocol.Packets()
        self.packets: Iterator[tuple[int, bytes]] = iter(())
        self.is_waiting = False
        self.is_watched = False


class Server:
    """Listen for Postfix on a socket, judge its messages and log them."""

    def __init__(
        self, capture: Capture, at_once: Capture, outbox: Outbox, path: Path, notifier: Notifier
    ) -> None:
        """Open the socket. Raises UserError if it can't be opened.

        at_once: the same capture with a directory that raises MustAskError and never waits.
        """
        self._capture = capture
        self._at_once = at_once
        self._outbox = outbox
        self._notifier = notifier
        self._open: set[_Connection] = set()
        self._is_stopping = False
        # What other threads want done by this one, and how they wake it.
        self._calls: deque[Callable[[], None]] = deque()
        self._is_called = False
        self._called, self._caller = socket.socketpair()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        for one in (self._called, self._caller, self._listener):
            one.setblocking(False)
        try:
            path.unlink(missing_ok=True)
            self._listener.bind(str(path))
            path.chmod(0o660)  # the group is Postfix's, by the folder's set-group-id
            self._listener.listen(_BACKLOG)
        except OSError as error:
            self._close_sockets()
            raise UserError.of(
                f"the socket cannot be opened ({error})",
                str(path),
                "see that its folder exists and belongs to this user",
            ) from error

    def run(self) -> None:
        """Serve until stopped; then each message whose end has come still gets its answer."""
        with (
            contextlib.closing(selectors.DefaultSelector()) as self._selector,
            ThreadPoolExecutor(_ASKING, "directory") as self._asking,
        ):
            self._selector.register(self._called, selectors.EVENT_READ, self._answer_calls)
            self._listen()
            self._notifier.ready()
            try:
                self._turn()
            finally:
                self._close_sockets()

    def stop(self) -> None:
        """Take no more connections, and end those that wait for nothing. From any thread."""
        self._call(self._begin_to_stop)

    def _turn(self) -> None:
        """Do what there is to do, and tell systemd now and then that this goes on."""
        seconds = self._notifier.interval_seconds
        due = time.monotonic() + seconds
        while self._open or not self._is_stopping:
            for key, _ in self._selector.select(max(0.0, due - time.monotonic())):
                key.data()
            if time.monotonic() >= due:
                self._notifier.alive()
                due = time.monotonic() + seconds

    def _call(self, what: Callable[[], None]) -> None:
        """Have something done by the thread that serves. From any thread; also after the end."""
        self._calls.append(what)
        if not self._is_called:
            self._is_called = True
            with contextlib.suppress(OSError):
                self._caller.send(b"\0")

    def _answer_calls(self) -> None:
        self._called.recv(_READ_BYTES)
        self._is_called = False  # before they are looked at, so that none comes in between unseen
        while self._calls:
            self._calls.popleft()()

    def _listen(self) -> None:
        if not self._is_stopping:
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def _accept(self) -> None:
        """Take the next connection, if there is one to be had now. Raises OSError."""
        try:
            accepted = self._listener.accept()[0]
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            if error.errno not in _PASSING:
                raise
            # Postfix waits meanwhile, and the messages that are under way go on.
            _log.error("no connection can be taken now: %s", error)
            self._selector.unregister(self._listener)
            self._asking.submit(self._after_a_pause, self._listen)
            return
        accepted.setblocking(False)
        connection = _Connection(accepted, self._capture)
        self._open.add(connection)
        self._watch(connection)

    def _after_a_pause(self, what: Callable[[], None]) -> None:
        time.sleep(_PAUSE_SECONDS)
        self._call(what)

    def _watch(self, connection: _Connection) -> None:
        connection.is_watched = True
        self._selector.register(
            connection.socket, selectors.EVENT_READ, partial(self._read, connection)
        )

    def _unwatch(self, connection: _Connection) -> None:
        if connection.is_watched:
            connection.is_watched = False
            self._selector.unregister(connection.socket)

    def _read(self, connection: _Connection) -> None:
        if not connection.is_watched:  # it was closed a moment ago
            return
        if connection.is_waiting:  # more has come, or the other side is gone: to be seen later
            self._unwatch(connection)
            return
        try:
            data = connection.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._end_badly(connection, error)
            return
        if data:
            connection.packets = connection.stream.feed(data)
            self._take_in(connection)
        else:
            self._close(connection)

    def _take_in(self, connection: _Connection) -> None:
        """Take in packets until there are no more, or one that must wait."""
        try:
            for command, content in connection.packets:
                if command == protocol.QUIT:
                    self._close(connection)
                    return
                if command == protocol.END:
                    self._end(connection, content)
                    return
                if answer := connection.conversation.take(command, content):
                    connection.socket.sendall(answer)
        except (OSError, protocol.ProtocolError) as error:
            self._end_badly(connection, error)
        except Exception:
            _log.exception("a connection of Postfix's ended")
            self._close(connection)

    def _end(self, connection: _Connection, last_part: bytes) -> None:
        """Judge a message; Postfix's answer to its client hangs on this."""
        ended = connection.conversation.end(last_part)
        connection.is_waiting = True
        try:
            self._log(connection, ended.outcome(self._at_once))
        except MustAskError:
            self._asking.submit(self._ask, connection, ended)

    def _ask(self, connection: _Connection, ended: Ended) -> None:
        """Judge a message that the directory must be asked about. In a thread that may wait."""
        outcome = ended.outcome(self._capture)
        self._call(partial(self._log, connection, outcome))

    def _log(self, connection: _Connection, outcome: Outcome) -> None:
        """Have a message's entries made durable, and then answer."""
        if not outcome.entries:
            self._call(partial(self._answer, connection, outcome.answer))
            return

        def done(error: Exception | None) -> None:
            answer = outcome.unlogged() if error else outcome.answer
            self._call(partial(self._answer, connection, answer))

        self._outbox.submit(outcome.entries, done)

    def _answer(self, connection: _Connection, answer: bytes) -> None:
        connection.is_waiting = False
        try:
            connection.socket.sendall(answer)
        except OSError as error:
            self._end_badly(connection, error)
            return
        if self._is_stopping:
            self._close(connection)
            return
        if not connection.is_watched:
            self._watch(connection)
        self._take_in(connection)

    def _end_badly(self, connection: _Connection, error: Exception) -> None:
        _log.error("a connection of Postfix's ended: %s", error)
        self._close(connection)

    def _close(self, connection: _Connection) -> None:
        self._unwatch(connection)
        connection.socket.close()
        self._open.discard(connection)

    def _begin_to_stop(self) -> None:
        self._is_stopping = True
        with contextlib.suppress(KeyError, ValueError):  # it pauses
            self._selector.unregister(self._listener)
        self._listener.close()
        for connection in [one for one in self._open if not one.is_waiting]:
            self._close(connection)

    def _close_sockets(self) -> None:
        for one in (self._listener, self._called, self._caller, *[c.socket for c in self._open]):
            one.close()
