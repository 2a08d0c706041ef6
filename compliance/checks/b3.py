"""B3: every unit and listed position has a function mailbox, every person one of their own."""

from collections.abc import Iterator

from compliance.checks.model import Check, Finding, Result, load_control
from compliance.checks.people import Register, name_of, subject_of
from compliance.checks.reach import directory_gap, plan_gap
from compliance.probes.facts import DirectoryFacts, Facts, Mailbox
from compliance.texts import Text

CONTROL = load_control(__file__)

# RFC 2142 sections 4 and 5 for the four first; RFC 7489 and RFC 8460 for where reports go.
SYSTEM = ("postmaster", "abuse", "hostmaster", "security", "dmarc", "tls-reports")


def judge(facts: Facts) -> Result:
    """Judge LDAP's entries, and what the municipality's own lists ask for beside them."""
    directory = facts.directory
    if directory is None or directory.seen.error:
        summary = CONTROL.message("summary.unknown")
        return Result(CONTROL, 0, 0, tuple(directory_gap(facts)), summary)
    verdicts = [*_units(directory), *_positions(directory), *_people(directory)]
    verdicts += _system(directory, facts.domain)
    known = {subject for subject, _ in verdicts}
    missing = [
        (line.address, Finding(line.address, _planned(line.holder, line.reason)))
        for line in (facts.plan.pending if facts.plan else ())
        if line.action == "create"
    ]
    verdicts += [(address, finding) for address, finding in missing if address not in known]
    findings = [finding for _, finding in verdicts if finding]
    gaps = plan_gap(facts)  # without the lists, an entry that is gone altogether cannot be seen
    key = "fail" if findings else "unknown" if gaps else "pass"
    summary = CONTROL.message(f"summary.{key}", count=len(verdicts), bad=len(findings))
    return Result(CONTROL, len(verdicts), len(verdicts), (*gaps, *findings), summary)


Verdict = tuple[str, Finding | None]


def _units(directory: DirectoryFacts) -> Iterator[Verdict]:
    register = Register(directory)
    for unit in directory.units:
        former = register.former_address(f"unit:{unit.id}")
        kind = CONTROL.messages.get(f"kind.{unit.kind}", CONTROL.messages["kind.unknown"])
        text = CONTROL.message("unit", name=unit.name, kind=kind)
        yield _verdict(unit.mailbox, "function", former or unit.name, text, unit.id)


def _positions(directory: DirectoryFacts) -> Iterator[Verdict]:
    register = Register(directory)
    for post in directory.positions:
        former = register.former_address(f"position:{post.id}")
        text = CONTROL.message("position", name=post.name)
        yield _verdict(post.mailbox, "function", former or post.name, text, post.unit)


def _people(directory: DirectoryFacts) -> Iterator[Verdict]:
    register = Register(directory)
    for person in directory.people:
        if person.mailbox and person.mailbox.status == "closed":
            continue  # has left; the entry stays so that the address is never handed on
        former = None if person.reference else register.former_address(f"person:{person.id}")
        text = CONTROL.message("person", name=name_of(person))
        subject = former or subject_of(person)
        yield _verdict(person.mailbox, "individual", subject, text, person.unit)


def _system(directory: DirectoryFacts, domain: str) -> Iterator[Verdict]:
    held = {
        address
        for entry in directory.system
        if entry.mailbox and entry.mailbox.status == "active"
        for address in (entry.mailbox.address, *entry.mailbox.addresses)
    }
    for name in SYSTEM:
        address = f"{name}@{domain}"
        text = CONTROL.message("system", address=address)
        yield address, None if address in held else Finding(address, text)


def _verdict(
    mailbox: Mailbox | None, kind: str, subject: str, text: Text, unit: str | None
) -> Verdict:
    """Judge one entry: its mailbox is of the right kind and not closed."""
    if mailbox and mailbox.kind == kind and mailbox.status != "closed":
        return mailbox.address, None
    return subject, Finding(subject, text, unit=unit)


def _planned(holder: str, reason: str) -> Text:
    return CONTROL.message("planned", holder=holder, reason=reason)


CHECK = Check(CONTROL, frozenset({"directory", "plan"}), judge)
