"""The durable outbox on a mail host: entries are on disk before Postfix answers.

A folder of append-only segments (`outbox_folder.py`), written by one process (the milter) and read
by another (the shipper, `outbox_reader.py`). Why files and not SQLite:
docs/decisions/0020-outbox.md.
"""

import fcntl
import logging
import os
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from compliance.errors import UserError
from compliance.messagelog.capture import OutboxUnavailableError
from compliance.messagelog.entry import LogEntry, link, new_seed, to_json
from compliance.messagelog.outbox_folder import (
    REQUEST,
    BrokenChainError,
    as_line,
    begin_next,
    chains,
    head_line,
    mark_line,
    read_mark,
    segments,
    sync_folder,
    write_whole,
)
from compliance.messagelog.recovery import End, LeftChainError, Tail, broken, recover

SEGMENT_BYTES = 16 * 1024 * 1024
LINGER_SECONDS = 0.005
PIECE_BYTES = 1024 * 1024

_log = logging.getLogger(__name__)


class _Segment:
    """The segment that is being written. `size` is what is durable."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)

    @classmethod
    def create(cls, folder: Path, outbox_id: uuid.UUID, tail: Tail) -> "_Segment":
        """Make the segment that follows the tail, durable with its head. Raises OSError."""
        first = tail.sequence + 1
        path = folder / f"{first:020d}.jsonl"
        # A segment of this name can only be one whose first write failed: it holds no record.
        path.unlink(missing_ok=True)
        path.touch(mode=0o640)
        segment = cls(path, 0)
        try:
            segment.write([head_line(outbox_id, first, tail.chain)])
            sync_folder(folder)
        except OSError:
            segment.close()
            path.unlink(missing_ok=True)
            raise
        return segment

    def write(self, lines: Sequence[bytes]) -> None:
        """Append and make durable. Raises OSError; then nothing of the lines counts."""
        written = 0
        for piece in _pieces(lines):
            view = memoryview(piece)
            while view:
                view = view[os.write(self._descriptor, view) :]
            written += len(piece)
        os.fdatasync(self._descriptor)
        self.size += written

    def is_whole(self) -> bool:
        """Say whether the file is still there as it was left. Raises OSError."""
        seen = os.fstat(self._descriptor)
        return seen.st_nlink > 0 and seen.st_size == self.size

    def cut_back(self) -> None:
        """Drop what a failed write left behind the durable part. Raises OSError."""
        os.ftruncate(self._descriptor, self.size)

    def close(self) -> None:
        os.close(self._descriptor)


@dataclass
class _Ticket:
    """One caller's entries, waiting for the disk. `turn` is held until there is an outcome."""

    entries: Sequence[LogEntry]
    turn: threading.Lock = field(default_factory=threading.Lock)
    is_done: bool = False
    error: Exception | None = None


class Outbox:
    """Append entries durably, from many threads at once, with one write and sync for all waiting.

    The thread that comes first writes for those who wait (group commit). If there was company in
    the last batch it lingers for a moment, so that more can share one sync; a lone session never
    waits for others.
    """

    def __init__(
        self, folder: Path, host: str | None = None, *, linger: float = LINGER_SECONDS
    ) -> None:
        """Open or make the outbox. Raises UserError if it can't be used or is in use.

        host: the name that entries will carry; a chain has entries of one host only.
        """
        self._folder = folder
        self._host = host
        self._linger = linger
        self._queue: list[_Ticket] = []
        self._queue_lock = threading.Lock()
        self._has_leader = False
        self._had_company = False
        self._tail: Tail
        self._segment: _Segment | None = None
        self._mark: int | None = None
        self._is_marked = True  # false while the mark is behind what is durable
        try:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._lock = self._take_lock()
            self._open_or_make()
        except (OSError, ValueError) as error:
            raise UserError.of(
                f"the outbox cannot be opened ({error})",
                str(folder),
                "see that the disk is not full and the folder belongs to this user",
            ) from error

    def append(self, entries: Sequence[LogEntry]) -> None:
        """Return when all entries are on disk. Raises OutboxUnavailableError if they aren't."""
        ticket = _Ticket(entries)
        ticket.turn.acquire()
        with self._queue_lock:
            self._queue.append(ticket)
            leads = not self._has_leader
            self._has_leader = True
        if not leads:
            ticket.turn.acquire()  # released with the outcome, or with the lead
        if not ticket.is_done:
            self._lead()
        if ticket.error is not None:
            raise OutboxUnavailableError(str(ticket.error)) from ticket.error

    def close(self) -> None:
        """Release the files. No append may follow."""
        self._let_go()
        os.close(self._lock)

    def _lead(self) -> None:
        """Write for all who wait, then hand the lead on."""
        if self._had_company:
            time.sleep(self._linger)
        with self._queue_lock:
            batch, self._queue = self._queue, []
        self._had_company = len(batch) > 1
        try:
            self._commit(batch)
        except Exception as error:
            for ticket in batch:
                ticket.error = ticket.error or error
            _log.error("the outbox cannot write: %s", error)
        finally:
            for ticket in batch:
                ticket.is_done = True
                ticket.turn.release()
            with self._queue_lock:
                self._has_leader = bool(self._queue)
                if self._queue:
                    self._queue[0].turn.release()

    def _commit(self, batch: list[_Ticket]) -> None:
        self._leave_broken()
        lines: list[bytes] = []
        tail = self._tail
        for ticket in batch:
            try:
                new_lines, tail = _linked_lines(tail, ticket.entries)
                lines += new_lines
            except (ValueError, TypeError) as error:  # this caller's entries, nobody else's
                ticket.error = error
        if not lines:
            return
        segment = self._open_segment()
        if not self._is_marked:
            self._publish(segment)
        try:
            segment.write(lines)
        except OSError:
            self._give_up(segment)
            raise
        self._tail = tail
        try:
            self._publish(segment)
        except OSError as error:
            # They are on disk, so they count: who is told otherwise comes again and is there twice.
            _log.error("the mark cannot be written (%s); it must be before more is taken", error)

    def _open_segment(self) -> _Segment:
        """Return the segment to write to, a new one if there is none or the old one is full."""
        if self._segment is not None and self._segment.size < SEGMENT_BYTES:
            return self._segment
        fresh = _Segment.create(self._chain, self.id, self._tail)
        if self._segment is not None:
            self._segment.close()
        self._segment = fresh
        self._publish(fresh)
        return fresh

    def _give_up(self, segment: _Segment) -> None:
        """Leave a segment after a failed write: after a failed sync its pages can't be trusted.

        What it holds stays; the reader stops at its durable part, or at the next segment's first.
        """
        self._segment = None
        try:
            segment.cut_back()
        except OSError as error:
            _log.error("the failed write could not be cut off (%s); readers pass over it", error)
        finally:
            segment.close()

    def _publish(self, segment: _Segment) -> None:
        """Let the shipper see what is durable. Raises OSError, and then it must be tried again."""
        self._is_marked = False
        if self._mark is None:
            self._mark = os.open(self._chain / "mark", os.O_WRONLY | os.O_CREAT, 0o640)
        os.pwrite(self._mark, mark_line(segment.path.stem, f"{segment.size:020d}"), 0)
        self._is_marked = True

    def _take_lock(self) -> int:
        descriptor = os.open(self._folder / "lock", os.O_WRONLY | os.O_CREAT, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise UserError.of(
                "another process writes to this outbox",
                str(self._folder),
                "stop the other milter first",
            ) from error
        return descriptor

    def _open_or_make(self) -> None:
        try:
            self._make_identity()
            self._open_last()
        except (OSError, ValueError):
            self.close()
            raise

    def _make_identity(self) -> None:
        """Make the id of an outbox that is new; one that has lost its id is for `recover`."""
        path = self._folder / "identity"
        is_new = read_mark(self._folder) == (0, 0) and not segments(self._folder)
        if is_new and not path.exists() and chains(self._folder) == [self._folder]:
            write_whole(path, f"{uuid.uuid4()}\n".encode("ascii"))

    def _open_last(self) -> None:
        """Go on at the end of the last chain, or in a new one if that can't be done soundly.

        Mail must go on: what is wrong with the old chain is told by `kommunpost log health`.
        """
        chain = chains(self._folder)[-1]
        try:
            end = recover(chain, self._host)
        except BrokenChainError as error:
            _log.error("%s", error)
            chain = begin_next(self._folder, error.problems[0])
            end = recover(chain)
        except LeftChainError:
            chain = begin_next(self._folder, None)
            end = recover(chain)
        self._take(chain, end)

    def _take(self, chain: Path, end: End) -> None:
        self._chain, self.id, self._tail = chain, end.outbox_id, end.tail
        self._request = chain / REQUEST
        if end.segment is not None:
            self._segment = _Segment(end.segment, end.size)
            self._segment.write([])
            self._publish(self._segment)

    def _leave_broken(self) -> None:
        """Begin the next chain if the shipper asks for it, or if files were changed under us."""
        problem = None
        if self._segment is not None and not self._segment.is_whole():
            problem = broken("the segment was changed while it was written to", self._segment.path)
            _log.error("%s", problem)
        elif not self._request.exists():
            return
        chain = begin_next(self._folder, problem.problems[0] if problem else None)
        self._let_go()
        self._take(chain, recover(chain))

    def _let_go(self) -> None:
        if self._segment is not None:
            self._segment.close()
        if self._mark is not None:
            os.close(self._mark)
        self._segment = self._mark = None


def _pieces(lines: Sequence[bytes]) -> Iterator[bytes]:
    """Join lines for one write each time, but never all of a long letter to many at once."""
    begin, size = 0, 0
    for end, line in enumerate(lines, 1):
        size += len(line)
        if size >= PIECE_BYTES or end == len(lines):
            yield b"".join(lines[begin:end])
            begin, size = end, 0


def _linked_lines(tail: Tail, entries: Sequence[LogEntry]) -> tuple[list[bytes], Tail]:
    """Link entries to the chain; return their lines and the new tail."""
    lines = []
    for entry in entries:
        record = link(tail.chain, tail.sequence + 1, entry, new_seed())
        lines.append(as_line(to_json(record)))
        tail = Tail(record.sequence, record.chain)
    return lines, tail
