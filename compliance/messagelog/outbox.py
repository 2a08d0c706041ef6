"""The durable outbox on a mail host: entries are on disk before Postfix answers.

A folder of append-only segments (`outbox_folder.py`), written by one process (the milter) and read
by another (the shipper, `outbox_reader.py`). Why files and not SQLite:
docs/decisions/0020-outbox.md.
"""

import fcntl
import logging
import os
import threading
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from compliance.errors import UserError
from compliance.messagelog.entry import LogEntry, link, new_seed, to_json
from compliance.messagelog.group_commit import Done, GroupCommit, Ticket
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


class OutboxUnavailableError(Exception):
    """Entries can't be made durable now: the message must not be accepted."""


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


class Outbox:
    """Append entries durably, from any thread, with one write and sync for all who wait."""

    def __init__(
        self, folder: Path, host: str | None = None, *, linger: float = LINGER_SECONDS
    ) -> None:
        """Open or make the outbox. Raises UserError if it can't be used or is in use.

        host: the name that entries will carry; a chain has entries of one host only.
        """
        self._folder = folder
        self._host = host
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
        self._commits = GroupCommit(self._commit, linger)

    def submit(self, entries: Sequence[LogEntry], done: Done) -> None:
        """Return at once; call `done` from another thread when all are on disk, or none counts.

        It gets None, or the OutboxUnavailableError, and must not raise.
        """
        self._commits.submit(Ticket(entries, lambda error: done(_unavailable(error))))

    def append(self, entries: Sequence[LogEntry]) -> None:
        """Return when all entries are on disk. Raises OutboxUnavailableError if they aren't."""
        is_done = threading.Event()
        found: list[Exception | None] = []

        def done(error: Exception | None) -> None:
            found.append(error)
            is_done.set()

        self.submit(entries, done)
        is_done.wait()
        if found[0] is not None:
            raise found[0]

    def close(self) -> None:
        """Release the files. No append may follow."""
        self._commits.close()
        self._release()

    def _release(self) -> None:
        self._let_go()
        os.close(self._lock)

    def _commit(self, batch: list[Ticket]) -> None:
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
            self._release()
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


def _unavailable(error: Exception | None) -> Exception | None:
    if error is None:
        return None
    unavailable = OutboxUnavailableError(str(error))
    unavailable.__cause__ = error
    return unavailable


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
