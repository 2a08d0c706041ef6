"""The durable outbox on a mail host: entries are on disk before Postfix answers.

A folder of append-only segments, written by one process (the milter) and read by another (the
shipper, `outbox_reader.py`):

    identity                     the outbox's id, made once
    00000000000000000001.jsonl   segment: a head line, then one record a line (`entry.to_json`)
    mark                         how far the last segment is durable; nothing beyond may be shipped
    lock                         held by the one writer

Why files and not SQLite: docs/decisions/0020-outbox.md.
"""

import fcntl
import json
import logging
import os
import threading
import time
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compliance.errors import UserError
from compliance.messagelog.capture import OutboxUnavailableError
from compliance.messagelog.entry import (
    LogEntry,
    Record,
    first_chain,
    from_json,
    is_linked,
    link,
    new_seed,
    to_json,
)

SEGMENT_BYTES = 16 * 1024 * 1024
LINGER_SECONDS = 0.005

_log = logging.getLogger(__name__)


def segments(folder: Path) -> list[Path]:
    """Return the segments, oldest first."""
    return sorted(folder.glob("[0-9]" * 20 + ".jsonl"))


def first_sequence(segment: Path) -> int:
    """Return the sequence of the first record that a segment holds or will hold."""
    return int(segment.stem)


def read_identity(folder: Path) -> uuid.UUID:
    """Return the outbox's id. Raises OSError or ValueError if there is none."""
    return uuid.UUID((folder / "identity").read_text(encoding="ascii").strip())


def read_mark(folder: Path) -> tuple[int, int]:
    """Return the first sequence of the last segment and its durable size; (0, 0) if unknown."""
    try:
        first, size, checksum = (folder / "mark").read_text(encoding="ascii").split()
        if checksum == _checksum(first, size):
            return int(first), int(size)
    except (OSError, ValueError):
        pass  # never written, or caught while it was being written
    return 0, 0


def _checksum(first: str, size: str) -> str:
    return f"{zlib.crc32(f'{first} {size}'.encode()):08x}"


def _line(plain: dict[str, Any]) -> bytes:
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class _Tail:
    """Where the chain stands: the last record's sequence and chain value."""

    sequence: int
    chain: bytes


class _Segment:
    """The segment that is being written. `size` is what is durable."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)

    @classmethod
    def create(cls, folder: Path, outbox_id: uuid.UUID, tail: _Tail) -> "_Segment":
        """Make the segment that follows the tail, durable with its head. Raises OSError."""
        first = tail.sequence + 1
        path = folder / f"{first:020d}.jsonl"
        # A segment of this name can only be one whose first write failed: it holds no record.
        path.unlink(missing_ok=True)
        path.touch(mode=0o640)
        segment = cls(path, 0)
        try:
            head = {"outbox_id": str(outbox_id), "first": first, "previous": tail.chain.hex()}
            segment.write(_line(head))
            _sync_folder(folder)
        except OSError:
            segment.close()
            path.unlink(missing_ok=True)
            raise
        return segment

    def write(self, data: bytes) -> None:
        """Append and make durable. Raises OSError; then nothing of the data counts."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]
        os.fdatasync(self._descriptor)
        self.size += len(data)

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

    def __init__(self, folder: Path, *, linger: float = LINGER_SECONDS) -> None:
        """Open or make the outbox. Raises UserError if it can't be used or is in use."""
        self._folder = folder
        self._linger = linger
        self._queue: list[_Ticket] = []
        self._queue_lock = threading.Lock()
        self._has_leader = False
        self._had_company = False
        try:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._lock = self._take_lock()
            self.id = self._identity()
            self._mark = os.open(folder / "mark", os.O_WRONLY | os.O_CREAT, 0o640)
            self._segment: _Segment | None = None
            self._tail = self._recover()
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
        if self._segment is not None:
            self._segment.close()
        os.close(self._mark)
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
        try:
            segment.write(b"".join(lines))
        except OSError:
            self._give_up(segment)
            raise
        self._tail = tail
        self._publish(segment)

    def _open_segment(self) -> _Segment:
        """Return the segment to write to, a new one if there is none or the old one is full."""
        if self._segment is not None and self._segment.size < SEGMENT_BYTES:
            return self._segment
        fresh = _Segment.create(self._folder, self.id, self._tail)
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
        first, size = segment.path.stem, f"{segment.size:020d}"
        os.pwrite(self._mark, f"{first} {size} {_checksum(first, size)}\n".encode("ascii"), 0)

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

    def _identity(self) -> uuid.UUID:
        path = self._folder / "identity"
        if not path.exists():
            if segments(self._folder):
                raise ValueError("there are segments but no identity")
            draft = self._folder / "identity.new"
            with draft.open("w", encoding="ascii") as file:
                file.write(f"{uuid.uuid4()}\n")
                file.flush()
                os.fsync(file.fileno())
            draft.rename(path)
            _sync_folder(self._folder)
        return read_identity(self._folder)

    def _recover(self) -> _Tail:
        """Find the end of the chain after any kind of stop, and make what is there durable."""
        found = segments(self._folder)
        for path in reversed(found):
            tail, size = _scan(path, self.id)
            if tail is None:  # cut off before its head was durable: it holds no record
                path.unlink()
                continue
            if size < path.stat().st_size:
                _set_aside(path, size)
            self._segment = _Segment(path, size)
            self._segment.write(b"")
            self._publish(self._segment)
            return tail
        if found and first_sequence(found[0]) > 1:
            raise ValueError("no segment can be read, so the chain's end is unknown")
        return _Tail(0, first_chain(self.id))


def _linked_lines(tail: _Tail, entries: Sequence[LogEntry]) -> tuple[list[bytes], _Tail]:
    """Link entries to the chain; return their lines and the new tail."""
    lines = []
    for entry in entries:
        record = link(tail.chain, tail.sequence + 1, entry, new_seed())
        lines.append(_line(to_json(record)))
        tail = _Tail(record.sequence, record.chain)
    return lines, tail


def _scan(path: Path, outbox_id: uuid.UUID) -> tuple[_Tail | None, int]:
    """Return the tail and size of a segment's sound part; (None, 0) if it was cut off in its head.

    Raises ValueError if the head is whole but not one of this outbox.
    """
    with path.open("rb") as file:
        line = file.readline()
        if not line.endswith(b"\n"):
            return None, 0
        try:
            head = json.loads(line)
            tail = _Tail(head["first"] - 1, bytes.fromhex(head["previous"]))
            is_own = head["outbox_id"] == str(outbox_id)
        except (ValueError, KeyError, TypeError):
            is_own = False
        if not is_own:
            raise ValueError(f"{path.name} does not begin as a segment of this outbox")
        size = len(line)
        for line in file:
            record = _sound_record(line, tail)
            if record is None:
                break
            tail = _Tail(record.sequence, record.chain)
            size += len(line)
    return tail, size


def _sound_record(line: bytes, tail: _Tail) -> Record | None:
    try:
        record = from_json(json.loads(line))
    except (ValueError, KeyError, TypeError):
        return None
    follows = record.sequence == tail.sequence + 1 and is_linked(tail.chain, record)
    return record if follows and line.endswith(b"\n") else None


def _set_aside(path: Path, size: int) -> None:
    """Cut off a torn tail, which no one got an answer for, but keep its bytes to look at."""
    with path.open("r+b") as file:
        file.seek(size)
        torn = file.read()
        path.with_suffix(f".torn-{size}").write_bytes(torn)
        file.truncate(size)
        os.fsync(file.fileno())
    _log.error("%d bytes at the end of %s were torn and are set aside", len(torn), path.name)
