"""What a verification of the log finds, by entry."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
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


@dataclass(frozen=True)
class Finding:
    """One thing that doesn't hold. outbox and sequence name the entry; None for a statement."""

    kind: Kind
    outbox: UUID | None
    sequence: int | None
    detail: str

    def __str__(self) -> str:
        """Render as one line."""
        if self.outbox is None:
            return f"{self.kind}: {self.detail}"
        return f"{self.kind}: entry {self.sequence} of outbox {self.outbox}: {self.detail}"


def merged(chain: Iterable[Finding], trees: Iterable[Finding]) -> list[Finding]:
    """Return all findings, none twice. What the chain says of an entry is what is kept."""
    found = list(chain)
    named = {(one.outbox, one.sequence) for one in found if one.kind is not Kind.REWRITTEN}
    found += [one for one in trees if one.outbox is None or (one.outbox, one.sequence) not in named]
    return list({(one.kind, one.outbox, one.sequence, one.detail): one for one in found}.values())
