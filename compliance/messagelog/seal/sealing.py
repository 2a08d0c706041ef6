"""Closes days and disposes lawfully: what signs, and changes the seal's tables."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.errors import UserError
from compliance.messagelog.seal import merkle
from compliance.messagelog.seal.statement import (
    Day,
    Disposal,
    Growth,
    Head,
    Signed,
    Statement,
    UnitTree,
    from_text,
    sign,
)
from compliance.messagelog.seal.storage import Place, Row, SealStore
from compliance.messagelog.seal.trees import Leaf
from compliance.messagelog.seal.verifier import leaf_hash


class Sealer:
    """Signs one statement after the other, in one transaction."""

    def __init__(
        self, store: SealStore, key: Ed25519PrivateKey, domain: str, now: datetime
    ) -> None:
        """store: from `SealStore.exclusive`. domain: the municipality's. now: time in UTC."""
        self._store = store
        self._key = key
        self._domain = domain
        self._now = now
        before = store.statements()
        self._last: Signed | None = before[-1] if before else None
        self._number = len(before)
        self._closed = closings(from_text(signed.text) for signed in before)

    def close_days(self) -> list[Statement]:
        """Close each past day (UTC) that isn't, and add late entries to those that are.

        Returns the statements made: none if there was nothing to do. A day without mail is closed
        too, so that a missing one shows.
        """
        heads = tuple(self._store.positions())
        made = [self._close(day, heads) for day in self._days_due()]
        return [statement for statement in made if statement is not None]

    def dispose(self, places: Sequence[Place], decision: str) -> Statement:
        """Destroy entries under a numbered decision; what stays lets the chain verify.

        Raises UserError if the decision has no number, or an entry isn't there or not yet signed.
        """
        if not decision.strip():
            raise UserError.of("a disposal needs the number of its decision")
        rows = _sealed_rows(self._store, places, self._closed)
        leaves = [tombstone_leaf(row.outbox, row.sequence, row.digest) for row in rows]
        statement = self._sign(Disposal(decision.strip(), len(rows), merkle.root(leaves)))
        self._store.bury(statement.number, rows)
        return statement

    def _days_due(self) -> list[date]:
        yesterday = self._now.astimezone(UTC).date() - timedelta(days=1)
        # All days closed in one run have the same heads, so what lies beyond the last is all that
        # can have come late; entries dated ahead wait until their day is the next to close.
        latest = max(self._closed.values(), default=None, key=lambda pair: pair[0])
        beyond = self._store.days_beyond(_reach(latest[1]) if latest else {})
        due = {day for day in beyond if day <= yesterday}
        day = max(self._closed, default=yesterday - timedelta(days=1)) + timedelta(days=1)
        while day <= yesterday:
            due.add(day)
            day += timedelta(days=1)
        return sorted(due)

    def _close(self, day: date, heads: tuple[Head, ...]) -> Statement | None:
        """Close a day, or add what came late to it; None if nothing did."""
        revises, former = self._closed.get(day, (None, None))
        reach = _reach(former) if former else {}
        fresh: dict[str | None, list[Leaf]] = defaultdict(list)
        entries = 0
        for row in self._store.rows_of_day(day):
            if row.sequence > reach.get(row.outbox, 0):
                entries += 1
                leaf = row.leaf
                for unit in row.units:
                    fresh[unit].append(leaf)
        if former and not entries:
            return None
        trees = self._trees(day, fresh)
        total = entries + (former.entries if former else 0)
        statement = self._sign(Day(day, total, heads, trees, revises))
        for unit, leaves in fresh.items():
            self._store.add_leaves(statement.number, day, unit, leaves)
        return statement

    def _trees(self, day: date, fresh: dict[str | None, list[Leaf]]) -> tuple[UnitTree, ...]:
        before = self._store.leaves(day)
        units = sorted(before.keys() | fresh.keys(), key=lambda unit: (unit is None, unit or ""))
        return tuple(
            unit_tree(
                unit,
                [leaf.hash for _, leaf in before.get(unit, [])],
                [leaf.hash for leaf in fresh.get(unit, [])],
            )
            for unit in units
        )

    def _sign(self, says: Day | Disposal) -> Statement:
        previous = self._last.digest if self._last else None
        statement = Statement(self._number + 1, previous, self._now, self._domain, says)
        signed = sign(self._key, statement)
        self._store.add_statement(statement, signed)
        self._last, self._number = signed, statement.number
        return statement


def tombstone_leaf(outbox: UUID, sequence: int, digest: bytes) -> bytes:
    """Return the leaf hash of a tombstone, as the disposal's root has it."""
    return leaf_hash(outbox.bytes + sequence.to_bytes(8, "big") + digest)


def closings(statements: Iterable[Statement]) -> dict[date, tuple[int, Day]]:
    """Return the latest statement on each day and its number."""
    return {one.says.day: (one.number, one.says) for one in statements if isinstance(one.says, Day)}


def _sealed_rows(
    store: SealStore, places: Sequence[Place], closed: dict[date, tuple[int, Day]]
) -> list[Row]:
    wanted: dict[UUID, list[int]] = defaultdict(list)
    for outbox, sequence in places:
        wanted[outbox].append(sequence)
    rows = [row for outbox in sorted(wanted) for row in store.rows_at(outbox, wanted[outbox])]
    if len(rows) != len(set(places)) or not rows:
        raise UserError.of(f"{len(set(places)) - len(rows)} of the entries are not in the log")
    for row in rows:
        _, day = closed.get(row.entry.accepted_at.astimezone(UTC).date(), (0, None))
        heads = {head.outbox: head.sequence for head in day.heads} if day else {}
        if row.sequence > heads.get(row.outbox, 0):
            raise UserError.of(
                "its day is not closed yet",
                f"entry {row.sequence} of outbox {row.outbox}",
                "run `kommunpost log seal` first",
            )
    return rows


def unit_tree(unit: str | None, before: list[bytes], fresh: list[bytes]) -> UnitTree:
    """Return the tree of a unit's day. before: leaves that were signed already; fresh: the rest."""
    leaves = before + fresh
    earlier = None
    if before:
        path = merkle.consistency_path(leaves, len(before))
        earlier = Growth(len(before), merkle.root(before), tuple(path))
    return UnitTree(unit, len(leaves), merkle.root(leaves), earlier)


def _reach(day: Day) -> dict[UUID, int]:
    return {head.outbox: head.sequence for head in day.heads}
