"""What a verification of the log finds, by entry."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from uuid import UUID


class Kind(StrEnum):
    """What was done to an entry, or to what was signed."""

    REMOVED = "removed"
    ALTERED = "altered"
    INSERTED = "inserted"
    REORDERED = "reordered"
    REWRITTEN = "rewritten"
    """The chain holds in itself, but it isn't the one that was signed."""
    STATEMENT = "statement"
    """A signed statement, or the leaves below it, don't hold."""
    DERIVED = "derived"
    """A count, a day or a place that follows from what is sealed says something else."""


@dataclass(frozen=True)
class Finding:
    """One thing that doesn't hold. outbox and sequence name the entry; None for a statement.

    last: the last of several entries in a row, of which `sequence` is the first; None for one.
    """

    kind: Kind
    outbox: UUID | None
    sequence: int | None
    detail: str
    last: int | None = None

    def __post_init__(self) -> None:
        """Write one entry in one way."""
        if self.last == self.sequence:
            object.__setattr__(self, "last", None)

    @property
    def sequences(self) -> range:
        """Return the numbers of the entries that it names."""
        if self.sequence is None:
            return range(0)
        return range(self.sequence, (self.last or self.sequence) + 1)

    def __str__(self) -> str:
        """Render as one line."""
        if self.outbox is None:
            return f"{self.kind}: {self.detail}"
        entries = f"entry {self.sequence}"
        if self.last is not None:
            count = self.last - (self.sequence or 0) + 1
            entries = f"entries {self.sequence} to {self.last} ({count})"
        return f"{self.kind}: {entries} of outbox {self.outbox}: {self.detail}"


def merged(chain: Iterable[Finding], trees: Iterable[Finding]) -> list[Finding]:
    """Return all findings, none twice. What the chain says of an entry is what is kept."""
    found = list(chain)
    named = _Named(one for one in found if one.kind is not Kind.REWRITTEN)
    found += [one for one in trees if one not in named]
    return list(dict.fromkeys(found))


class _Named:
    """The entries that findings name. Of many in a row the ends are kept, never each number."""

    def __init__(self, found: Iterable[Finding]) -> None:
        self._single: set[tuple[UUID | None, int | None]] = set()
        self._rows: dict[UUID | None, list[tuple[int, int]]] = defaultdict(list)
        for one in found:
            if one.sequence is None or one.last is None:
                self._single.add((one.outbox, one.sequence))
            else:
                self._rows[one.outbox].append((one.sequence, one.last))
        for rows in self._rows.values():
            rows.sort()

    def __contains__(self, one: Finding) -> bool:
        """Say whether a finding of one entry is about one that is named."""
        if one.outbox is None or one.sequence is None:
            return False
        rows = self._rows.get(one.outbox, [])
        before = bisect_right(rows, one.sequence, key=itemgetter(0)) - 1
        in_row = before >= 0 and one.sequence <= rows[before][1]
        return in_row or (one.outbox, one.sequence) in self._single
