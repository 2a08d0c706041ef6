"""The shipper's view of one chain of an outbox: records in order, and only those that are sound."""

import itertools
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from compliance.errors import UserError
from compliance.messagelog.entry import first_chain, is_linked
from compliance.messagelog.outbox_folder import (
    READ_HANDBOOK,
    BrokenChainError,
    first_sequence,
    head_line,
    read_head,
    read_identity,
    read_mark,
    segments,
    sound_record,
)

# A database that is restored from last night's backup asks for these again.
RETENTION_SECONDS = 7 * 86_400
# With less of the disk free, shipped segments go before that time: mail must go on.
NEARLY_FULL = 0.10
# A batch is no longer than this and its last record: one letter with a subject of 64 kB to 1,000
# recipients is 200 MB, which neither this host nor the database should have to hold at once.
BATCH_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Batch:
    """Consecutive records of one host as their JSON lines. first: the first one's sequence."""

    first: int
    lines: list[str]
    host: str = ""

    @property
    def last(self) -> int:
        """Return the last one's sequence."""
        return self.first + len(self.lines) - 1


@dataclass(frozen=True)
class Place:
    """How far a database has come with a chain. is_closed: it takes no more of it."""

    sequence: int = 0
    chain: bytes | None = None
    host: str | None = None
    is_closed: bool = False


class OutboxReader:
    """Read a chain, which another process may write. One reader at a time forgets segments."""

    def __init__(self, chain: Path, *, is_live: bool = True) -> None:
        """Open the chain. is_live: it may be written to, so that the mark bounds what is durable.

        Raises UserError if there is none yet.
        """
        self._folder = chain
        self._is_live = is_live
        try:
            self.id = read_identity(chain)
        except (OSError, ValueError) as error:
            raise UserError.of(
                "there is no outbox here yet", str(chain), "start kommunpost-milter first"
            ) from error
        self.seek(0)

    @property
    def last_read(self) -> int:
        """Return the sequence of the last record that was read or passed over."""
        return self._next - 1

    def seek(self, sequence: int) -> None:
        """Read on after the record with this sequence (0: from the beginning)."""
        self.seek_place(Place(sequence))

    def seek_place(self, place: Place) -> None:
        """Read on where a database has come to, if it has the same records up to there."""
        self._place = place
        self._path: Path | None = None
        self._offset = 0
        self._next = place.sequence + 1
        self._host = place.host
        self._previous = b""
        self._drained_at: tuple[int, int] | None = None

    def read(self, limit: int) -> Batch:
        """Return up to `limit` durable records, fewer long ones; an empty batch if none is there.

        Raises BrokenChainError if what comes next is lost, damaged or another host's, or if the
        records up to here aren't those that the database has; what is sound before that is
        returned first. Raises OSError if the disk fails.
        """
        first = self._next
        lines: list[str] = []
        # Each append moves the mark: while it stands still, looking costs one small read.
        mark = read_mark(self._folder) if self._is_live else None
        if mark is not None and mark == self._drained_at:
            return Batch(first, lines)
        try:
            room = BATCH_BYTES
            while len(lines) < limit and room > 0:
                fresh = len(lines)
                for line in self._read_segment(limit - fresh, room):
                    lines.append(line.decode("utf-8"))
                    room -= len(line)
                if len(lines) == fresh and not self._move_on():
                    self._drained_at = mark
                    break
        except BrokenChainError:
            if self._next == first:
                raise
            lines = lines[: self._next - first]
        return Batch(first, lines, self._host or "")

    def forget(self, shipped: int) -> None:
        """Delete segments whose records are all shipped and that are older than the retention.

        While the disk is short of space younger ones go too, the oldest first.
        """
        oldest_kept = time.time() - RETENTION_SECONDS
        for path, following in itertools.pairwise(segments(self._folder)):
            if first_sequence(following) - 1 > shipped or path == self._path:
                return
            if path.stat().st_mtime > oldest_kept and not is_nearly_full(self._folder):
                return
            path.unlink()

    def _read_segment(self, limit: int, room: int) -> Iterator[bytes]:
        """Yield sound records until their bytes fill the room; each that was yielded is read."""
        path = self._path or self._find()
        if path is None:
            return
        end, stop = self._bounds(path)
        with path.open("rb") as file:
            file.seek(self._offset)
            full = self._offset + room
            for _ in range(limit):
                if self._next >= stop or self._offset >= min(end, full):
                    return
                line = file.readline()
                if not line and end == stop == float("inf"):
                    self._check_end(path)
                    return
                self._take(line, path)
                yield line

    def _check_end(self, path: Path) -> None:
        """Hold the end of a chain that was left to what its mark says. Raises BrokenChainError."""
        marked, durable = read_mark(self._folder)
        is_empty = durable <= len(head_line(self.id, marked, bytes(32)))
        if marked == self._next and is_empty:  # a segment that never held a record
            return
        if (first_sequence(path), self._offset) < (marked, durable):
            raise _broken(f"what came after record {self._next - 1} is missing", path)

    def _take(self, line: bytes, path: Path) -> None:
        """Hold a line to be the next record. Raises BrokenChainError."""
        record = sound_record(line)
        if record is None:
            raise _broken(f"record {self._next} is {'damaged' if line else 'missing'}", path)
        if record.sequence != self._next or not is_linked(self._previous, record):
            raise _broken(f"record {self._next} does not follow the one before", path)
        self._host = self._host or record.entry.host
        if record.entry.host != self._host:
            what = f"record {self._next} is one of host {record.entry.host}, not {self._host}"
            raise _broken(what, path)
        self._previous = record.chain
        self._offset += len(line)
        self._next += 1

    def _find(self) -> Path | None:
        """Find the record after which to go on; None if there is nothing to read yet."""
        found = segments(self._folder)
        wanted = self._place.sequence
        if not found and wanted == 0 and read_mark(self._folder) == (0, 0):
            return None
        if self._is_live and found and read_mark(self._folder) == (0, 0):
            return None  # caught while it was being written
        if found and first_sequence(found[0]) > self._next:
            raise _broken(
                f"record {self._next} is not in the outbox any more; it begins with "
                f"{first_sequence(found[0])}",
                self._folder,
            )
        chain = self._find_record(found, wanted) if wanted else self._find_start(found)
        if chain is None and wanted == 0:
            raise _broken("all segments are missing", self._folder)
        if chain is None:
            what = f"the database has record {wanted}, which is lost or damaged here"
            raise _broken(what, self._folder)
        if self._place.chain not in (None, chain):
            what = f"record {wanted} is not the one that the database has"
            raise _broken(what, self._folder)
        self._previous = chain
        return self._path

    def _find_start(self, found: list[Path]) -> bytes | None:
        if not found:
            return None
        if self._bounds(found[0])[0] > 0:
            self._path, self._offset = found[0], _head_size(found[0])
        return first_chain(self.id)

    def _find_record(self, found: list[Path], wanted: int) -> bytes | None:
        """Set the place after a record and return its chain value; None if it isn't there."""
        begin = b'{"sequence":%d,' % wanted
        for path in reversed(found):
            if first_sequence(path) > wanted:
                continue
            end, _ = self._bounds(path)
            offset = 0
            with path.open("rb") as file:
                for line in file:
                    offset += len(line)
                    if offset > end:
                        break
                    if line.startswith(begin) and (record := sound_record(line)):
                        self._path, self._offset = path, offset
                        return record.chain
            break
        return self._before_first(found, wanted)

    def _before_first(self, found: list[Path], wanted: int) -> bytes | None:
        """Do the same by the head of the segment that follows, when the record's own is gone."""
        for path in found:
            if first_sequence(path) == wanted + 1 and self._bounds(path)[0] > 0:
                with path.open("rb") as file:
                    line = file.readline()
                try:
                    _, _, previous = read_head(line)
                except ValueError:
                    return None
                self._path, self._offset = path, len(line)
                return previous
        return None

    def _bounds(self, path: Path) -> tuple[float, float]:
        """Return the durable size, and the sequence at which the next segment takes over.

        A segment that has a successor is durable up to it: the writer began the successor after.
        """
        successors = [other for other in segments(self._folder) if other > path]
        if successors:
            return float("inf"), first_sequence(successors[0])
        if not self._is_live:
            return float("inf"), float("inf")
        first, size = read_mark(self._folder)
        return (size if first == first_sequence(path) else 0), float("inf")

    def _move_on(self) -> bool:
        """Go to the next segment once this one is read out; say whether there was one."""
        if self._path is None:
            return False
        for other in segments(self._folder):
            # Before the mark names it, its head may not be written yet.
            is_next = other > self._path and first_sequence(other) == self._next
            if is_next and self._bounds(other)[0] > 0:
                self._path, self._offset = other, _head_size(other)
                return True
        return False


def is_nearly_full(folder: Path) -> bool:
    """Say whether little of the folder's disk is free. Raises OSError."""
    disk = os.statvfs(folder)
    return disk.f_bavail < disk.f_blocks * NEARLY_FULL


def accepted_at(line: str) -> str:
    """Return when the entry of a record's line was accepted."""
    return str(json.loads(line)["accepted_at"])


def _head_size(path: Path) -> int:
    with path.open("rb") as file:
        return len(file.readline())


def _broken(what: str, where: Path) -> BrokenChainError:
    return BrokenChainError.of(what, str(where), READ_HANDBOOK)
