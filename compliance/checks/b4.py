"""B4: addresses follow the naming rules, and none is handed to a second person."""

from collections.abc import Iterator
from dataclasses import dataclass

from compliance.checks.model import Check, Finding, Result, load_control
from compliance.checks.people import name_of, subject_of
from compliance.checks.reach import directory_gap, plan_gap
from compliance.directory.naming import is_valid_local_part
from compliance.probes.facts import DirectoryFacts, Facts, Mailbox

CONTROL = load_control(__file__)


@dataclass(frozen=True)
class _Holder:
    """Whom an address belongs to: by lasting id, and as findings call them (P1)."""

    id: str
    name: str
    mailbox: Mailbox
    unit: str | None = None
    hidden: str | None = None  # stands instead of the address in case of a protected identity

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.mailbox.address, *self.mailbox.addresses)))


def judge(facts: Facts) -> Result:
    """Judge every address that delivers, former ones too, against ledger, rules and lists."""
    directory = facts.directory
    if directory is None or directory.seen.error:
        return Result(
            CONTROL, 0, 0, tuple(directory_gap(facts)), CONTROL.message("summary.unknown")
        )
    holders = list(_holders(directory))
    verdicts = {
        (holder.id, address): finding
        for holder, address, finding in _verdicts(directory, holders, facts.domain)
    }
    findings = [*filter(None, verdicts.values()), *_renamed(facts)]
    gaps = plan_gap(facts)  # whether an address fits the name, only the lists tell
    key = "fail" if findings else "unknown" if gaps or not verdicts else "pass"
    bad = len({finding.subject for finding in findings})
    summary = CONTROL.message(f"summary.{key}", count=len(verdicts), bad=bad)
    # The facts hold no distribution lists; theirs stand in the ledger all the same.
    records = {line.address for line in directory.ledger if not line.holder.startswith("list:")}
    former = len(records - {address for _, address in verdicts})
    evidence = (CONTROL.message("evidence", count=len(directory.ledger), former=former),)
    return Result(CONTROL, len(verdicts), len(verdicts), (*gaps, *findings), summary, evidence)


def _verdicts(
    directory: DirectoryFacts, holders: list[_Holder], domain: str
) -> Iterator[tuple[_Holder, str, Finding | None]]:
    """Give each address with what is wrong with it; the weightiest fault first."""
    ledger = {line.address.lower(): line.holder for line in directory.ledger}
    held: dict[str, str] = {}
    for holder in holders:
        for address in holder.addresses:
            first = held.setdefault(address, holder.id)
            owner = ledger.get(address)
            local, _, at = address.rpartition("@")
            key = ""
            if first != holder.id or (owner and owner != holder.id):
                key = "second"
            elif owner is None:
                key = "unrecorded"
            elif at != domain.lower() or not is_valid_local_part(local):
                key = "invalid"
            yield holder, address, _finding(holder, address, key) if key else None


def _finding(holder: _Holder, address: str, key: str) -> Finding:
    subject = holder.hidden or address
    return Finding(subject, CONTROL.message(key, name=holder.name), unit=holder.unit)


def _holders(directory: DirectoryFacts) -> Iterator[_Holder]:
    for person in directory.people:
        if person.mailbox:
            hidden = subject_of(person) if person.reference else None
            name = name_of(person)
            yield _Holder(f"person:{person.id}", name, person.mailbox, person.unit, hidden)
    for unit in directory.units:
        if unit.mailbox:
            yield _Holder(f"unit:{unit.id}", unit.name, unit.mailbox, unit.id)
    for post in directory.positions:
        if post.mailbox:
            yield _Holder(f"position:{post.id}", post.name, post.mailbox, post.unit)
    for entry in directory.system:
        if entry.mailbox:
            yield _Holder(f"system:{entry.id}", entry.mailbox.address, entry.mailbox)


def _renamed(facts: Facts) -> Iterator[Finding]:
    """Name those whose address the rules would make another one; by the new address, P1."""
    for line in facts.plan.pending if facts.plan else ():
        if line.action == "rename":
            yield Finding(line.address, CONTROL.message("renamed", holder=line.holder))


CHECK = Check(CONTROL, frozenset({"directory", "plan"}), judge)
