"""What is sound of a chain that broke, as a chain of its own, so that the database gets it too.

A record's digest says what it was made of, whatever became of the records before it; only its place
must be another. Which ones the database has already it tells by their digests, so that nothing
comes twice, however often the folder or the database was restored.
"""

import os
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from compliance.errors import Problem
from compliance.messagelog.entry import Record, first_chain, link, to_json
from compliance.messagelog.outbox_folder import (
    READ_HANDBOOK,
    RESCUED,
    as_line,
    first_sequence,
    head_line,
    mark_line,
    new_chain,
    segments,
    sound_record,
    write_whole,
)

BATCH = 1_000

# Of these records, returns those that the database has not.
Lacks = Callable[[Sequence[Record]], list[Record]]


def rescue(chain: Path, why: Problem, shipped_to: int, lacks: Lacks) -> Path:
    """Make the chain of what is sound in another and not in the database; return where it is.

    chain: one that nobody writes to any more. why: how it broke. shipped_to: the last record of it
    that the database has, 0 for none. Raises OSError.
    """
    draft = chain / f"{RESCUED}.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o750)
    own = uuid.uuid4()
    write_whole(draft / "identity", f"{own}\n".encode("ascii"))
    previous, count = first_chain(own), 0
    seen = _Seen(shipped_to)
    path = draft / f"{1:020d}.jsonl"
    with path.open("wb") as file:
        file.write(head_line(own, 1, previous))
        for batch in seen.batches(chain):
            for record in lacks(batch):
                count += 1
                moved = link(previous, count, record.entry, record.seed, record.version)
                previous = moved.chain
                file.write(as_line(to_json(moved)))
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    write_whole(draft / "mark", mark_line(path.stem, f"{size:020d}"))
    told = f"{why.what}; {seen.told()}; {count} records that the database lacked were saved"
    return new_chain(chain, RESCUED, Problem(told, why.where or str(chain), READ_HANDBOOK))


class _Seen:
    """Reads what is sound of a chain, and tells which of its records are not."""

    def __init__(self, shipped_to: int) -> None:
        self._missing: list[str] = []
        self._first = shipped_to + 1
        self._last = shipped_to
        self._damaged = 0

    def batches(self, chain: Path) -> Iterator[list[Record]]:
        """Yield the sound records in order."""
        batch: list[Record] = []
        for record in self._records(segments(chain)):
            batch.append(record)
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def told(self) -> str:
        """Say which records are lost, as far as their numbers tell."""
        missing = ", ".join(self._missing) or "none"
        return (
            f"from record {self._first} on, lost: {missing}, and what may have come after record "
            f"{self._last}; damaged lines: {self._damaged}"
        )

    def _records(self, found: list[Path]) -> Iterator[Record]:
        # What was shipped may be deleted by now; what was not should be here.
        self._first = min([self._first, *map(first_sequence, found)])
        self._last = self._first - 1
        # What a failed write left behind the next segment's first was answered with 451.
        stops = [*map(first_sequence, found[1:]), sys.maxsize]
        for path, stop in zip(found, stops, strict=False):
            with path.open("rb") as file:
                for number, line in enumerate(file):
                    record = sound_record(line)
                    if record is None:
                        self._damaged += number > 0  # the first is the head
                    elif self._last < record.sequence < stop:
                        self._note(record.sequence)
                        yield record

    def _note(self, sequence: int) -> None:
        first = self._last + 1
        if first < sequence:
            last = sequence - 1
            self._missing.append(str(first) if first == last else f"{first} to {last}")
        self._last = sequence
