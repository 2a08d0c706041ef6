"""Closes days and disposes lawfully: what signs, and changes the seal's tables."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.errors import UserError
from compliance.messagelog.seal import merkle
from compliance.messagelog.seal.statement import (
    CHANGED,
    Day,
    Decision,
    Disposal,
    Growth,
    Head,
    Signed,
    Statement,
    UnitTree,
    of_log,
    sign,
)
from compliance.messagelog.seal.storage import SealStore
from compliance.messagelog.seal.trees import Leaf
from compliance.messagelog.seal.verifier import leaf_hash


class Sealer:
    """Signs one statement after the other, in one transaction."""

    def __init__(
        self, store: SealStore, key: Ed25519PrivateKey, domain: str, now: datetime
    ) -> None:
        """store: from `SealStore.exclusive`, to dispose from `SealStore.disposing`.

        domain: the municipality's. now: time in UTC.
        """
        self._store = store
        self._key = key
        self._domain = domain
        self._now = now
        before = store.statements()
        self._last: Signed | None = before[-1] if before else None
        self._number = len(before)
        self._closed = closings(of_log(before))

    def close_days(self) -> list[Statement]:
        """Close each past day (UTC) that isn't, and add late entries to those that are.

        Returns the statements made: none if there was nothing to do. A day without mail is closed
        too, so that a missing one shows.
        """
        heads = tuple(self._store.positions())
        made = [self._close(day, heads) for day in self._days_due()]
        return [statement for statement in made if statement is not None]

    def dispose(self, decision: Decision, month: date) -> Statement | None:
        """Destroy the entries of a month (UTC, its first day) that a decision is about.

        What is held or not yet sealed stays. What goes leaves tombstones that let the chain verify.
        Returns None if there was nothing to do.
        """
        stones = self._store.disposable(decision.kind, month)
        if not stones:
            return None
        root = merkle.root([tombstone_leaf(*stone) for stone in stones])
        statement = self._next(Disposal(decision, month, len(stones), root))
        signed = sign(self._key, statement)
        self._store.dispose_of(signed)
        self._last, self._number = signed, statement.number
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
        trees = self._trees(day, fresh, former)
        total = entries + (former.entries if former else 0)
        statement = self._sign(Day(day, total, heads, trees, revises))
        for unit, leaves in fresh.items():
            self._store.add_leaves(statement.number, day, unit, leaves)
        return statement

    def _trees(
        self, day: date, fresh: dict[str | None, list[Leaf]], former: Day | None
    ) -> tuple[UnitTree, ...]:
        before = self._store.leaves(day)
        _check_signed(day, before, former)
        units = sorted(before.keys() | fresh.keys(), key=lambda unit: (unit is None, unit or ""))
        return tuple(
            unit_tree(
                unit,
                [leaf.hash for _, leaf in before.get(unit, [])],
                [leaf.hash for leaf in fresh.get(unit, [])],
            )
            for unit in units
        )

    def _next(self, says: Day | Disposal) -> Statement:
        previous = self._last.digest if self._last else None
        return Statement(self._number + 1, previous, self._now, self._domain, says)

    def _sign(self, says: Day) -> Statement:
        statement = self._next(says)
        signed = sign(self._key, statement)
        self._store.add_statement(statement, signed)
        self._last, self._number = signed, statement.number
        return statement


def tombstone_leaf(outbox: UUID, sequence: int, digest: bytes) -> bytes:
    """Return the leaf hash of a tombstone, as the disposal's root has it."""
    # Signed, since nothing keeps a table that was tampered with from numbers below 0.
    return leaf_hash(outbox.bytes + sequence.to_bytes(8, "big", signed=True) + digest)


def closings(statements: Iterable[Statement]) -> dict[date, tuple[int, Day]]:
    """Return the latest statement on each day and its number."""
    return {one.says.day: (one.number, one.says) for one in statements if isinstance(one.says, Day)}


def unit_tree(unit: str | None, before: list[bytes], fresh: list[bytes]) -> UnitTree:
    """Return the tree of a unit's day. before: leaves that were signed already; fresh: the rest."""
    leaves = before + fresh
    earlier = None
    if before:
        path = merkle.consistency_path(leaves, len(before))
        earlier = Growth(len(before), merkle.root(before), tuple(path))
    return UnitTree(unit, len(leaves), merkle.root(leaves), earlier)


def _check_signed(
    day: date, leaves: dict[str | None, list[tuple[int, Leaf]]], former: Day | None
) -> None:
    """Raise UserError unless a day's leaves are those that its last statement signed.

    Signing over others would make what somebody changed a part of the seal, for good.
    """
    signed = {tree.unit: (tree.rows, tree.root) for tree in former.units} if former else {}
    there = {
        unit: (len(own), merkle.root([leaf.hash for _, leaf in own]))
        for unit, own in leaves.items()
    }
    for unit in signed.keys() | there.keys():
        if signed.get(unit) != there.get(unit):
            raise UserError.of(
                f"the leaves of {day}, unit {unit or '(none)'} are not those that were signed",
                "log.leaves in the database",
                CHANGED,
            )


def _reach(day: Day) -> dict[UUID, int]:
    return {head.outbox: head.sequence for head in day.heads}
