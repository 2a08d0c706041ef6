"""The shipper's view of an outbox: records in order, and only those that are durable."""

import itertools
import time
from dataclasses import dataclass
from pathlib import Path

from compliance.errors import UserError
from compliance.messagelog.outbox import first_sequence, read_identity, read_mark, segments

# A database that is restored from last night's backup asks for these again.
RETENTION_SECONDS = 7 * 86_400


@dataclass(frozen=True)
class Batch:
    """Consecutive records as their JSON lines. first: the first one's sequence."""

    first: int
    lines: list[str]

    @property
    def last(self) -> int:
        """Return the last one's sequence."""
        return self.first + len(self.lines) - 1


class OutboxReader:
    """Read an outbox that another process writes. One reader at a time forgets segments."""

    def __init__(self, folder: Path) -> None:
        """Open the outbox. Raises UserError if there is none yet."""
        self._folder = folder
        try:
            self.id = read_identity(folder)
        except (OSError, ValueError) as error:
            raise UserError.of(
                "there is no outbox here yet", str(folder), "start kommunpost-milter first"
            ) from error
        self._path: Path | None = None
        self._offset = 0
        self._next = 1
        self._drained_at: tuple[int, int] | None = None

    def seek(self, sequence: int) -> None:
        """Read on after the record with this sequence (0: from the beginning)."""
        self._path = None
        self._next = sequence + 1
        self._drained_at = None

    def read(self, limit: int) -> Batch:
        """Return up to `limit` durable records; an empty batch if there is none yet.

        Raises UserError if the record that comes next isn't there any more, OSError if the disk
        fails.
        """
        first = self._next
        lines: list[str] = []
        # Each append moves the mark: while it stands still, looking costs one small read.
        mark = read_mark(self._folder)
        if mark == self._drained_at:
            return Batch(first, lines)
        while len(lines) < limit:
            fresh = self._read_segment(limit - len(lines))
            lines += fresh
            if not fresh and not self._move_on():
                self._drained_at = mark
                break
        return Batch(first, lines)

    def forget(self, shipped: int) -> None:
        """Delete segments whose records are all shipped and that are older than the retention."""
        found = segments(self._folder)
        oldest_kept = time.time() - RETENTION_SECONDS
        for path, following in itertools.pairwise(found):
            if first_sequence(following) - 1 > shipped or path.stat().st_mtime > oldest_kept:
                return
            path.unlink()

    def _read_segment(self, limit: int) -> list[str]:
        if self._path is None:
            self._path = self._find()
        if self._path is None:
            return []
        end, stop = self._bounds(self._path)
        lines: list[str] = []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            while len(lines) < limit and self._next < stop and self._offset < end:
                line = file.readline()
                lines.append(line.decode("utf-8"))
                self._offset += len(line)
                self._next += 1
        return lines

    def _find(self) -> Path | None:
        """Return the segment of the next record wanted, None if there is no segment at all."""
        found = segments(self._folder)
        if not found:
            return None
        holding = [path for path in found if first_sequence(path) <= self._next]
        if not holding:
            raise UserError.of(
                f"record {self._next} is not in the outbox any more; it begins with "
                f"{first_sequence(found[0])}",
                str(self._folder),
                "put the missing segments back from the backup of this host",
            )
        path = holding[-1]
        with path.open("rb") as file:
            offset = len(file.readline())
            for _ in range(self._next - first_sequence(path)):
                offset += len(file.readline())
        self._offset = offset
        return path

    def _bounds(self, path: Path) -> tuple[float, float]:
        """Return the durable size, and the sequence at which the next segment takes over.

        A segment that has a successor is durable up to it: the writer began the successor after.
        """
        successors = [other for other in segments(self._folder) if other > path]
        if successors:
            return float("inf"), first_sequence(successors[0])
        first, size = read_mark(self._folder)
        return (size if first == first_sequence(path) else 0), float("inf")

    def _move_on(self) -> bool:
        """Go to the next segment once this one is read out; say whether there was one."""
        if self._path is None:
            return False
        for other in segments(self._folder):
            if other > self._path and first_sequence(other) == self._next:
                self._path = self._find()
                return True
        return False
