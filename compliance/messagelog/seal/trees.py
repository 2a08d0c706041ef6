"""Holds the entries of closed days against the leaves that were signed, and names the difference.

A leaf is known by its hash, which no other entry has (its seed is random), so an entry is told from
its place: whoever takes one away and numbers the rest anew is found to have taken that one.
"""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from compliance.messagelog.seal.findings import Finding, Kind

# Outbox and sequence.
Place = tuple[UUID, int]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One row of a unit's day: its entry's place, and its hash."""

    outbox: UUID
    sequence: int
    hash: bytes

    @property
    def place(self) -> Place:
        """Return what names the entry."""
        return self.outbox, self.sequence


@dataclass
class Comparison:
    """Gathers differences over many trees, then names what was done to each entry."""

    # By hash and place: a leaf stands in the trees of two units, and may have been doubled.
    _missing: dict[bytes, set[Place]] = field(default_factory=dict)
    _extra: dict[bytes, set[Place]] = field(default_factory=dict)
    _moved: dict[UUID, dict[int, int]] = field(default_factory=dict)
    _where: dict[Place, str] = field(default_factory=dict)

    def add(
        self,
        where: str,
        signed: Sequence[Leaf],
        present: Sequence[Leaf],
        heads: Mapping[UUID, int],
        disposed: Container[Place],
    ) -> None:
        """Compare one unit's day. signed: its leaves. present: those of the entries there are now.

        where: names unit and day. heads: up to which sequence of each outbox the day was signed;
        an entry beyond is late. disposed: places of tombstones.
        """
        if signed == present:
            return
        # What stands where it was signed stays there; of the rest, each is looked for by its hash.
        was, now = set(signed), set(present)
        elsewhere: dict[tuple[bytes, UUID], deque[Leaf]] = defaultdict(deque)
        for leaf in present:
            if leaf not in was:
                elsewhere[leaf.hash, leaf.outbox].append(leaf)
        lost = set()
        for leaf in signed:
            if leaf in now:
                continue
            same = elsewhere.get((leaf.hash, leaf.outbox))
            if same:
                found = same.popleft()
                self._moved.setdefault(leaf.outbox, {})[leaf.sequence] = found.sequence
                self._where[found.place] = where
            elif leaf.place not in disposed:
                lost.add(leaf.hash)
                self._note(self._missing, leaf, where)
        for rest in elsewhere.values():
            for leaf in rest:
                if leaf.hash in lost or leaf.sequence <= heads.get(leaf.outbox, 0):
                    self._note(self._extra, leaf, where)

    def join(self, other: "Comparison") -> None:
        """Take over what another comparison gathered over other trees."""
        for own, others in ((self._missing, other._missing), (self._extra, other._extra)):
            for value, places in others.items():
                own.setdefault(value, set()).update(places)
        for outbox, moves in other._moved.items():
            self._moved.setdefault(outbox, {}).update(moves)
        self._where |= other._where

    def findings(self) -> list[Finding]:
        """Return what was done, each entry named once and kind by kind."""
        found, lost, new = [], set[Place](), set[Place]()
        touched = set[UUID]()
        for value in self._missing.keys() | self._extra.keys():
            missing = sorted(self._missing.get(value, ()))
            extra = sorted(self._extra.get(value, ()))
            pairs = min(len(missing), len(extra))
            for place, (outbox, sequence) in zip(missing[:pairs], extra[:pairs], strict=True):
                text = f"it stands as entry {sequence} of outbox {outbox}"
                found.append(self._finding(Kind.REORDERED, place, text))
                touched |= {place[0], outbox}
            lost.update(missing[pairs:])
            new.update(extra[pairs:])
        for kind, places, text in (
            (Kind.ALTERED, lost & new, "it does not say what was signed"),
            (Kind.REMOVED, lost - new, "it was signed and is missing"),
            (Kind.INSERTED, new - lost, "it was not signed"),
        ):
            found += [self._finding(kind, place, text) for place in places]
        touched |= {outbox for outbox, _ in lost | new}
        for outbox, moves in self._moved.items():
            strays = out_of_order(moves)
            if not strays and outbox not in touched:
                strays = moves  # nothing was put in or taken away that would explain them
            for was, now in strays.items():
                text = f"it was signed as entry {was}"
                found.append(self._finding(Kind.REORDERED, (outbox, now), text))
        return sorted(found, key=lambda one: (str(one.outbox), one.sequence or 0))

    def _note(self, kind: dict[bytes, set[Place]], leaf: Leaf, where: str) -> None:
        kind.setdefault(leaf.hash, set()).add(leaf.place)
        self._where[leaf.place] = where

    def _finding(self, kind: Kind, place: Place, text: str) -> Finding:
        return Finding(kind, place[0], place[1], f"{text} ({self._where[place]})")


def out_of_order(moves: Mapping[int, int]) -> dict[int, int]:
    """Of entries that moved (from: to), return the fewest that explain it.

    Where one was put in or taken away, all behind it move and keep their order: that is none.
    """
    ordered = sorted(moves.items())
    kept = _longest_rising([now for _, now in ordered])
    strays = {was: now for position, (was, now) in enumerate(ordered) if position not in kept}
    # Of two that changed places, both are named.
    swapped = {now: moves[now] for was, now in strays.items() if moves.get(now) == was}
    return strays | swapped


def _longest_rising(values: Sequence[int]) -> set[int]:
    """Return the positions of a longest rising subsequence."""
    tails: list[int] = []
    tail_positions: list[int] = []
    before: list[int] = []
    for position, value in enumerate(values):
        length = bisect_left(tails, value)
        before.append(tail_positions[length - 1] if length else -1)
        if length == len(tails):
            tails.append(value)
            tail_positions.append(position)
        else:
            tails[length], tail_positions[length] = value, position
    kept = set()
    position = tail_positions[-1] if tail_positions else -1
    while position >= 0:
        kept.add(position)
        position = before[position]
    return kept
