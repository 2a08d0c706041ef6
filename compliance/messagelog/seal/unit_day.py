"""Verifies one unit's day by itself, without walking the chains: what an auditor asks for first.

All statements are checked, since any of them may be one more on that day; of leaves and entries
only those of the unit's day. What this cannot find, `verification.py` does: entries of other days
and units, and those that came since the day was signed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from compliance.errors import UserError
from compliance.messagelog.seal.derived import check_register, check_strays
from compliance.messagelog.seal.findings import Finding
from compliance.messagelog.seal.statement import Day, Disposal, Signed, Statement, UnitTree
from compliance.messagelog.seal.storage import SealStore
from compliance.messagelog.seal.trees import Comparison, Place
from compliance.messagelog.seal.verification import (
    check_disposals,
    check_leaves,
    check_published,
    check_statements,
)


@dataclass(frozen=True)
class UnitDay:
    """What was verified. rows: as signed; disposed: those of them that lawfully went.

    root: of the day's tree, hexadecimal. statement: the number of the one that signed it last.
    late: entries that came since, which no statement holds yet.
    """

    findings: list[Finding]
    rows: int
    disposed: int
    late: int
    root: str
    statement: int


def verify_unit_day(
    store: SealStore,
    keys: Sequence[bytes],
    domain: str,
    unit: str,
    day: date,
    published: Sequence[Signed] = (),
) -> UnitDay:
    """Hold a unit's entries of a day (UTC) against the tree that was signed for it.

    keys, domain, published: as for `verify`. Raises UserError if no statement signs that tree.
    """
    signed = store.statements()
    statements, findings = check_statements(signed, keys, domain)
    findings += check_published(signed, published)
    findings += check_register(statements, store.register())
    findings += check_strays(one for one in store.stray_leaves() if one[0] == day.isoformat())
    closing = _closings(statements, unit, day)
    last = closing[-1].says if closing else None
    if not isinstance(last, Day) or not last.units:
        raise UserError.of(
            "no statement signs that unit's day",
            f"{day}, unit {unit}",
            "see that the unit is written as in the log and had mail that day, and that"
            " `kommunpost log seal` has closed the day",
        )
    leaves = store.leaves(day, unit)
    findings += check_leaves(closing, leaves)
    disposed, stones = _disposed(store, statements, day)
    findings += stones
    expected = [leaf for _, leaf in leaves.get(unit, [])]
    present = [row.leaf for row in store.rows_of_unit(day, unit)]
    heads = {head.outbox: head.sequence for head in last.heads}
    compared = Comparison()
    compared.add(f"{day}, unit {unit}", expected, present, heads, disposed)
    places = {leaf.place for leaf in expected}
    return UnitDay(
        findings + compared.findings(),
        last.units[0].rows,
        len(places & disposed),
        sum(leaf.sequence > heads.get(leaf.outbox, 0) for leaf in present),
        last.units[0].root.hex(),
        closing[-1].number,
    )


def _closings(statements: Sequence[Statement], unit: str, day: date) -> list[Statement]:
    """Return the statements on a day, each with the tree of that unit alone."""
    return [
        replace(one, says=replace(one.says, units=_own(one.says, unit)))
        for one in statements
        if isinstance(one.says, Day) and one.says.day == day
    ]


def _own(says: Day, unit: str) -> tuple[UnitTree, ...]:
    return tuple(tree for tree in says.units if tree.unit == unit)


def _disposed(
    store: SealStore, statements: Sequence[Statement], day: date
) -> tuple[set[Place], list[Finding]]:
    """Return the places of what went of the day's month, and which tombstones don't hold.

    They are many and are read only if that month was disposed of at all.
    """
    own = [
        one
        for one in statements
        if isinstance(one.says, Disposal) and one.says.month == day.replace(day=1)
    ]
    stones = store.tombstones([one.number for one in own]) if own else {}
    places = {(outbox, sequence) for group in stones.values() for outbox, sequence, _ in group}
    return places, check_disposals(own, stones)
