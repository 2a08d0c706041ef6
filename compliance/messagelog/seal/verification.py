"""Verifies the whole log: statements, chains and trees, against the published keys."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import partial
from uuid import UUID

from compliance.messagelog.entry import first_chain
from compliance.messagelog.seal import merkle, verifier
from compliance.messagelog.seal.chain import Walk
from compliance.messagelog.seal.derived import (
    check_addresses,
    check_counts,
    check_host,
    check_register,
    check_strays,
    check_words,
    no_position,
)
from compliance.messagelog.seal.findings import Finding, Kind, merged
from compliance.messagelog.seal.sealing import closings, tombstone_leaf
from compliance.messagelog.seal.statement import (
    Day,
    Disposal,
    Head,
    Signed,
    Statement,
    UnitTree,
    from_text,
)
from compliance.messagelog.seal.storage import SealStore
from compliance.messagelog.seal.trees import Comparison, Leaf, Place

# By outbox and sequence: the chain values that were signed.
Heads = dict[UUID, dict[int, bytes]]


@dataclass
class Report:
    """What was verified. open_entries: those that only the chain holds, not yet a signed day."""

    findings: list[Finding] = field(default_factory=list)
    entries: int = 0
    outboxes: int = 0
    days: int = 0
    trees: int = 0
    open_entries: int = 0
    disposed: Counter[str] = field(default_factory=Counter)


def verify(
    store: SealStore,
    keys: Sequence[bytes],
    domain: str,
    since: date | None = None,
    until: date | None = None,
    published: Sequence[Signed] = (),
) -> Report:
    """Verify days (UTC) from `since` on and before `until`, and the chains through them.

    keys: the municipality's public ones, oldest first. published: statements as they were
    published, to hold those in the database against.
    """
    signed = store.statements()
    stones = store.tombstones()
    report = Report()
    statements, findings = check_statements(signed, keys, domain)
    findings += check_published(signed, published)
    findings += check_disposals(statements, stones)
    findings += check_register(statements, store.register())
    findings += check_strays(store.stray_leaves())
    for one in statements:
        if isinstance(one.says, Disposal):
            report.disposed[one.says.decision.number] += one.says.entries
    compared = Comparison()
    disposed = {(outbox, sequence) for group in stones.values() for outbox, sequence, _ in group}
    days = [
        day
        for day in sorted(closings(statements))
        if (since is None or day >= since) and (until is None or day < until)
    ]
    with store.spread(partial(_check_day, statements, disposed), days) as checked:
        # The chains are walked here, while other processes compute the days' trees.
        chains = _chains(store, statements, since, until, report)
        miscounts = store.miscounts(since, until)
        misaddressed = store.misaddressed(since, until)
        misworded = store.misworded(since, until)
        for trees, found, differences in checked:
            report.days += 1
            report.trees += trees
            findings += found
            compared.join(differences)
    of_entries = merged(chains, compared.findings())
    broken = {one.outbox for one in of_entries}
    report.findings = findings + of_entries + check_counts(miscounts, broken)
    report.findings += check_addresses(misaddressed) + check_words(misworded)
    return report


def check_statements(
    signed: Sequence[Signed], keys: Sequence[bytes], domain: str
) -> tuple[list[Statement], list[Finding]]:
    """Check signatures, numbers and links; return those that can be read, and what is wrong.

    A statement is signed by the key of the one before it, or by one that followed: whoever has an
    old key adds nothing to what a new one signed.
    """
    found: list[Finding] = []
    statements: list[Statement] = []
    previous: bytes | None = None
    oldest = 0
    for number, one in enumerate(signed, 1):
        try:
            oldest += verifier.signer(keys[oldest:], one.text, one.signature)
            statement = from_text(one.text)
        except ValueError as error:
            found.append(_statement_finding(f"statement {number}: {error}"))
        else:
            if (statement.number, statement.previous) != (number, previous):
                text = f"statement {statement.number} does not follow the one before it"
                found.append(_statement_finding(text))
            if statement.domain != domain:
                text = f"statement {number} is of {statement.domain}, not of {domain}"
                found.append(_statement_finding(text))
            statements.append(statement)
        previous = one.digest
    return statements, found


def check_published(signed: Sequence[Signed], published: Iterable[Signed]) -> list[Finding]:
    """Say which published statements the log doesn't hold."""
    held = {one.text for one in signed}
    return [
        _statement_finding(f"a published statement is not in the log: {one.text[:120]}")
        for one in published
        if one.text not in held
    ]


def check_disposals(
    statements: Iterable[Statement], stones: Mapping[int, list[tuple[UUID, int, bytes]]]
) -> list[Finding]:
    """Say which tombstones were not signed as they stand."""
    found = []
    rest = dict(stones)
    for one in statements:
        if isinstance(one.says, Disposal):
            leaves = [tombstone_leaf(*stone) for stone in rest.pop(one.number, [])]
            if (len(leaves), merkle.root(leaves)) != (one.says.entries, one.says.root):
                text = f"the tombstones of decision {one.says.decision.number} are not those signed"
                found.append(_statement_finding(text))
    for number, group in rest.items():
        found.append(_statement_finding(f"{len(group)} tombstones name statement {number}"))
    return found


def _chains(
    store: SealStore,
    statements: Sequence[Statement],
    since: date | None,
    until: date | None,
    report: Report,
) -> list[Finding]:
    heads = _heads(statements)
    positions = {head.outbox: head for head in store.positions()}
    hosts = {head.outbox: head.host for head in _signed_heads(statements)}
    found: list[Finding] = []
    for outbox in sorted(positions.keys() | heads.keys() | store.outboxes()):
        own = heads.get(outbox, {})
        head = positions.get(outbox)
        signed_to = max(own, default=0)
        if head is None:
            found.append(no_position(outbox, signed_to))
        else:
            found += check_host(head, hosts.get(outbox))
        shipped = head.sequence if head else 0
        walk = _walk(store, outbox, own, max(shipped, signed_to), since, until)
        findings = walk.findings if walk else []
        report.open_entries += _open_entries(signed_to, shipped, findings)
        if walk is None:
            continue
        found += findings
        is_whole = since is None and until is None
        is_named = any(shipped in one.sequences for one in findings)
        if is_whole and head and walk.previous != head.chain and not is_named:
            text = "the chain does not end where the shipper left it"
            found.append(Finding(Kind.REWRITTEN, outbox, shipped, text))
        report.entries += walk.entries
        report.outboxes += 1
    return found


def _open_entries(signed_to: int, shipped: int, findings: Iterable[Finding]) -> int:
    """Return how many entries of an outbox came after the last signed one and are there."""
    missing = sum(
        len(range(max(one.sequences.start, signed_to + 1), one.sequences.stop))
        for one in findings
        if one.kind is Kind.REMOVED
    )
    return max(0, shipped - signed_to - missing)


def _walk(
    store: SealStore,
    outbox: UUID,
    heads: Mapping[int, bytes],
    end: int,
    since: date | None,
    until: date | None,
) -> Walk | None:
    """Walk along an outbox through a time; None if it has no entry there.

    end: its last entry, as shipped or signed; 0 if nothing tells.
    """
    if since is None and until is None:
        last = end or (store.span(outbox, None, None) or (0, 0))[1]
        walk = Walk(outbox, first_chain(outbox), 1, last, heads)
        walk.run(store.links(outbox, 1, None))
        return walk
    span = store.span(outbox, _midnight(since), _midnight(until))
    if span is None:
        return None
    first, last = span
    place = store.before(outbox, first) or (0, first_chain(outbox))
    # An entry may have been given a number beyond all: nothing is missing before that one.
    walk = Walk(outbox, place[1], place[0] + 1, min(last, end or last), heads)
    walk.run(store.links(outbox, place[0] + 1, last))
    return walk


def _heads(statements: Iterable[Statement]) -> Heads:
    heads: Heads = defaultdict(dict)
    for head in _signed_heads(statements):
        heads[head.outbox][head.sequence] = head.chain
    return heads


def _signed_heads(statements: Iterable[Statement]) -> Iterator[Head]:
    for one in statements:
        if isinstance(one.says, Day):
            yield from one.says.heads


def _check_day(
    statements: Sequence[Statement], disposed: set[Place], store: SealStore, day: date
) -> tuple[int, list[Finding], Comparison]:
    """Check a day's leaves against each statement on it, and its entries against the leaves.

    Returns how many trees the day has, what the leaves lack, and how the entries differ.
    """
    closing = [one for one in statements if isinstance(one.says, Day) and one.says.day == day]
    signed = store.leaves(day)
    found = check_leaves(closing, signed)
    latest = closing[-1].says
    present: dict[str | None, list[Leaf]] = defaultdict(list)
    for row in store.rows_of_day(day):
        leaf = row.leaf
        for unit in row.units:
            present[unit].append(leaf)
    heads = {head.outbox: head.sequence for head in latest.heads} if isinstance(latest, Day) else {}
    compared = Comparison()
    for unit in signed.keys() | present.keys():
        where = f"{day}, unit {unit or '(none)'}"
        leaves = [leaf for _, leaf in signed.get(unit, [])]
        compared.add(where, leaves, present.get(unit, []), heads, disposed)
    return len(signed), found, compared


def check_leaves(
    closing: Sequence[Statement], signed: Mapping[str | None, list[tuple[int, Leaf]]]
) -> list[Finding]:
    """Say where a day's leaves don't give the roots that its statements signed.

    closing: the statements on the day, in order. signed: each unit's leaves with the number of the
    statement that added them.
    """
    found = []
    former: dict[str | None, tuple[int, bytes]] = {}
    for one in closing:
        if not isinstance(one.says, Day):
            continue
        roots = {}
        for unit, leaves in signed.items():
            own = [leaf.hash for number, leaf in leaves if number <= one.number]
            if own:
                roots[unit] = (len(own), merkle.root(own))
        claimed = {tree.unit: (tree.rows, tree.root) for tree in one.says.units}
        for unit in roots.keys() | claimed.keys():
            if roots.get(unit) != claimed.get(unit):
                text = f"the leaves of {one.says.day}, unit {unit or '(none)'} are not those signed"
                found.append(_statement_finding(text))
        for tree in one.says.units:
            if not _grew(tree, former.get(tree.unit)):
                text = f"{one.says.day}, unit {tree.unit or '(none)'} did not grow from what it was"
                found.append(_statement_finding(text))
        former = claimed
    return found


def _grew(tree: UnitTree, former: tuple[int, bytes] | None) -> bool:
    """Say whether a tree proves that it has the former statement's leaves, and then its own."""
    grown = tree.earlier
    if grown is None or former is None:
        return grown is None and former is None
    return (grown.rows, grown.root) == former and merkle.is_consistent(
        grown.rows, grown.root, tree.rows, tree.root, grown.path
    )


def _statement_finding(text: str) -> Finding:
    return Finding(Kind.STATEMENT, None, None, text)


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)
