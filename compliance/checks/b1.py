"""B1: every employee with a PC in the municipal network is reachable by mail, from both sides."""

from collections import defaultdict

from compliance.checks.model import Check, Finding, Result, Share, Status, load_control
from compliance.checks.people import Register, name_of, subject_of
from compliance.checks.reach import (
    FAILED,
    Reaches,
    arrival_gaps,
    directory_gap,
    reach_causes,
)
from compliance.probes.facts import Device, Facts, Person
from compliance.texts import Text

CONTROL = load_control(__file__)


def judge(facts: Facts) -> Result:
    """Judge each distinct PC owner; the population is the owners, also those who are gone."""
    if facts.directory is None or facts.directory.seen.error:
        summary = CONTROL.message("summary.unknown", measured=0, population=0)
        return Result(CONTROL, 0, 0, tuple(directory_gap(facts)), summary)
    register, reaches = Register(facts.directory), Reaches(facts.arrival)
    tally: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    findings: list[Finding] = []
    for dn, devices in register.owners().items():
        person = register.person(dn)
        home = register.administration(person.unit if person else devices[0].unit)
        unit = home.id if home else None
        found, known = _owner(register, reaches, dn, person, devices, unit)
        findings += [found] if found else []
        counts = tally[unit or ""]
        counts[0] += 1
        counts[1] += known
        counts[2] += known and found is None
    shares = tuple(register.share(unit, *counts) for unit, counts in sorted(tally.items()))
    causes = [*reach_causes(facts), *arrival_gaps(facts.arrival), *_unknown_accepted(facts)]
    return _result(facts, (*causes, *findings, *_ownerless(facts.directory.devices)), shares)


def _owner(
    register: Register,
    reaches: Reaches,
    dn: str,
    person: Person | None,
    devices: list[Device],
    unit: str | None,
) -> tuple[Finding | None, bool]:
    """Return what is wrong with one owner, if anything, and whether it is known."""
    pcs = ", ".join(device.name for device in devices)
    if person is None:
        number = dn.split(",")[0].split("=", 1)[-1]
        subject = register.former_address(f"person:{number}") or number
        return Finding(subject, CONTROL.message("gone", id=number, pcs=pcs), unit=unit), True
    subject, name = subject_of(person), name_of(person)
    mailbox = person.mailbox
    if mailbox is None:
        if not person.reference:
            subject = register.former_address(f"person:{person.id}") or subject
        text = CONTROL.message("no_mailbox", name=name, pcs=pcs)
        return Finding(subject, text, unit=unit), True
    if mailbox.status != "active":
        text = CONTROL.message("not_active", name=name, pcs=pcs, status=mailbox.status)
        return Finding(subject, text, unit=unit), True
    reach = reaches.of(mailbox.address)
    if not reach.failed and not reach.unread:
        return None, reach.known
    text = CONTROL.message(
        "not_reached", name=name, what=reach.message(hidden=bool(person.reference))
    )
    severity = Status.FAIL if reach.failed else Status.UNKNOWN
    return Finding(subject, text, severity, unit), reach.known


def _unknown_accepted(facts: Facts) -> list[Finding]:
    sample = facts.arrival.unknown_address if facts.arrival else None
    if sample is None or sample.outcome in FAILED or sample.outcome == "not_sent":
        return []
    return [Finding(sample.recipient, CONTROL.message("unknown_accepted"), cause=True)]


def _ownerless(devices: tuple[Device, ...]) -> list[Finding]:
    return [
        Finding(device.name, CONTROL.message("ownerless", pc=device.name), Status.WARNING)
        for device in devices
        if not device.owners and not device.unit
    ]


def _result(facts: Facts, findings: tuple[Finding, ...], shares: tuple[Share, ...]) -> Result:
    population = sum(share.population for share in shares)
    measured = sum(share.measured for share in shares)
    good = sum(share.good for share in shares)
    key = "summary.fail" if good < measured else "summary.unknown"
    if population and good == population:
        key = "summary.accepted" if _unknown_accepted(facts) else "summary.pass"
    elif facts.arrival and facts.arrival.stopped and 0 < measured < population and not good:
        key = "summary.common"
    summary = CONTROL.message(key, population=population, measured=measured, bad=measured - good)
    return Result(CONTROL, population, measured, findings, summary, _evidence(facts), shares)


def _evidence(facts: Facts) -> tuple[Text, ...]:
    probes = facts.arrival.probes if facts.arrival else ()
    arrived = [probe for probe in probes if probe.outcome == "arrived"]
    slowest = max((probe.seconds or 0.0 for probe in arrived), default=0.0)
    sent = sum(probe.outcome != "not_sent" for probe in probes)
    shared = sum(
        not device.owners and bool(device.unit)
        for device in (facts.directory.devices if facts.directory else ())
    )
    key = "evidence.probes" if arrived else "evidence.none"
    told = [CONTROL.message(key, sent=sent, arrived=len(arrived), slowest=round(slowest))]
    if shared:
        told.append(CONTROL.message("evidence.shared", count=shared))
    return tuple(told)


CHECK = Check(CONTROL, frozenset({"directory", "arrival", "hosts"}), judge, reaches="pc-owners")
