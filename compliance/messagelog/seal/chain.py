"""Holds the hash chain of one outbox together, and says which entry breaks it.

The chain has no secret: whoever may change the database can compute it anew. What it was, only the
heads in signed statements tell, and what an entry said, only the trees do (`trees.py`). The chain's
own worth is that it covers entries at once, before their day is closed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from compliance.messagelog.entry import chain_value
from compliance.messagelog.seal.findings import Finding, Kind

# Which of the entries that don't link belongs where is tried out for so many at most.
_MOST_TRIED = 500


@dataclass(frozen=True, slots=True)
class Link:
    """One entry's place in the chain.

    own: the digest of what it says now; empty if that can't be read, None for a tombstone.
    """

    sequence: int
    digest: bytes
    chain: bytes
    own: bytes | None

    @property
    def content(self) -> bytes:
        """Return the digest that counts."""
        return self.digest if self.own is None else self.own


@dataclass(slots=True)
class _Broken:
    """An entry that doesn't link where it stands. previous: the chain value before it."""

    slot: int
    previous: bytes
    link: Link


@dataclass
class Walk:
    """A walk along the chain of one outbox from the entry after `previous`, numbered `first`.

    last: the sequence where it must end; what is numbered beyond was put in. heads: chain values
    that were signed, by sequence.
    """

    outbox: UUID
    previous: bytes
    first: int
    last: int
    heads: Mapping[int, bytes]
    findings: list[Finding] = field(default_factory=list)
    entries: int = 0
    _slot: int = 0
    _shift: int = 0
    _end: int = 0
    _unlinked: list[_Broken] = field(default_factory=list)
    _altered: list[Link] = field(default_factory=list)

    def run(self, links: Iterable[Link]) -> list[Finding]:
        """Walk along the entries, by sequence; return what doesn't hold."""
        self._slot = self.first
        self._end = self.last
        rest = iter(links)
        link = next(rest, None)
        while link is not None and link.sequence <= self._end:
            self.entries += 1
            following = next(rest, None)
            if self._follows(link):
                self._advance(link)
            elif self._step_over(link, following):  # the two stood in each other's place
                following = next(rest, None)
                self.entries += 1
            link = following
        if self._slot <= self.last:
            self._removed(self._end + 1)
        while link is not None:
            self.entries += 1
            self._note(Kind.INSERTED, link.sequence, "the shipper never brought it")
            link = next(rest, None)
        self._settle_unlinked()
        self._settle_altered()
        return self.findings

    def _follows(self, link: Link) -> bool:
        return (
            link.sequence == self._slot + self._shift
            and chain_value(self.previous, self._slot, link.digest) == link.chain
            and (link.own is None or link.own == link.digest)
        )

    def _advance(self, link: Link) -> None:
        signed = self.heads.get(self._slot)
        if signed is not None and signed != link.chain:
            self._note(Kind.REWRITTEN, self._slot, "the chain up to here is not the one signed")
        self.previous = link.chain
        self._slot += 1

    def _step_over(self, link: Link, following: Link | None) -> bool:
        """Deal with an entry that doesn't follow; say whether the one behind was dealt with too."""
        expected = self._slot + self._shift
        if link.sequence < expected:
            self._note(Kind.INSERTED, link.sequence, "an entry with this number stands there twice")
            return False
        if link.sequence > expected:
            self._removed(link.sequence)
            # What stood before it is gone: nothing is left to hold its link against.
            if link.own is not None and link.own != link.digest:
                self._altered.append(link)
            self._advance(link)
            return False
        if following is not None and self._links(following, self.previous, self._slot):
            return self._give_way(link, following)
        if chain_value(self.previous, self._slot, link.digest) == link.chain or (
            chain_value(self.previous, self._slot, link.content) == link.chain
        ):
            self._altered.append(link)
            self._advance(link)
            return False
        self._skip(link, following)
        return False

    def _give_way(self, link: Link, following: Link) -> bool:
        """The entry behind belongs here: this one was put in before it, or they were swapped."""
        if self._links(link, following.chain, self._slot + 1):
            for one in (link, following):
                self._note(Kind.REORDERED, one.sequence, "it stands in its neighbour's place")
            self._advance(following)
            self._advance(link)
            return True
        self._note(Kind.INSERTED, link.sequence, "the chain goes on without it")
        self._shift += following.sequence - link.sequence
        self._end = self.last + self._shift
        return False

    def _skip(self, link: Link, following: Link | None) -> None:
        """Go on behind an entry that doesn't link; which kind it is shows in the end."""
        self._unlinked.append(_Broken(self._slot, self.previous, link))
        expected = chain_value(self.previous, self._slot, link.content)
        self._advance(link)
        if following is not None and self._links(following, expected, self._slot):
            self.previous = expected  # only its chain value was changed

    def _settle_unlinked(self) -> None:
        chains = {broken.link.chain for broken in self._unlinked}
        candidates = self._unlinked[:_MOST_TRIED]
        value: bytes | None = None
        slot = 0
        for broken in self._unlinked:
            previous = value if value is not None and slot == broken.slot - 1 else broken.previous
            slot = broken.slot
            value = chain_value(previous, slot, broken.link.content)
            if value == broken.link.chain:
                continue  # only what stood before it was wrong
            for other in candidates:
                fitting = chain_value(previous, slot, other.link.content)
                if other is not broken and fitting in chains:
                    value = fitting
                    text = f"it belongs at {slot}"
                    self._note(Kind.REORDERED, other.link.sequence, text)
                    break
            else:
                value = broken.link.chain
                self._note(Kind.ALTERED, broken.link.sequence, "it does not link to the one before")

    def _settle_altered(self) -> None:
        places = {link.digest: link.sequence for link in self._altered}
        for link in self._altered:
            place = places.get(link.content)
            if place is not None and place != link.sequence:
                self._note(Kind.REORDERED, link.sequence, f"it belongs at {place}")
            elif not link.content:
                text = "it cannot be read: no entry has such a time or version"
                self._note(Kind.ALTERED, link.sequence, text)
            else:
                self._note(Kind.ALTERED, link.sequence, "it does not say what it said")

    def _removed(self, stop: int) -> None:
        """Go on at the entry that is numbered `stop` now; those before it have the slots' names."""
        first, self._slot = self._slot, stop - self._shift
        text = "missing, and no decision tells why"
        self.findings.append(Finding(Kind.REMOVED, self.outbox, first, text, self._slot - 1))

    def _links(self, link: Link, previous: bytes, slot: int) -> bool:
        return chain_value(previous, slot, link.content) == link.chain

    def _note(self, kind: Kind, sequence: int, detail: str) -> None:
        self.findings.append(Finding(kind, self.outbox, sequence, detail))


def with_tombstones(links: Iterable[Link], tombstones: Iterable[Link]) -> Iterator[Link]:
    """Merge the links of entries and of tombstones, both by sequence."""
    rest = iter(tombstones)
    stone = next(rest, None)
    for link in links:
        while stone is not None and stone.sequence < link.sequence:
            yield stone
            stone = next(rest, None)
        yield link
    while stone is not None:
        yield stone
        stone = next(rest, None)
