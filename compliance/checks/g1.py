"""G1: all traffic is logged: each queue id that Postfix accepted has its rows in the log."""

from collections import defaultdict

from compliance.checks.model import Check, Finding, Result, Status, gap, load_control
from compliance.checks.reach import COMMON, stopped_units
from compliance.probes.facts import Accepted, Facts, HostFacts
from compliance.texts import clock, day

CONTROL = load_control(__file__)

# The three that carry a message from Postfix into the log; none may be missing altogether.
CHAIN = ("kommunpost-milter", "kommunpost-shipper", "postgresql")


def judge(facts: Facts) -> Result:
    """Judge every accepted queue id on every host; rows are counted per recipient."""
    hosts = facts.hosts or ()
    accepted = [item for host in hosts for item in host.accepted]
    gaps = _gaps(facts)
    causes = [*stopped_units(facts, CHAIN), *_absent(hosts)]
    logged = facts.log if facts.log and not facts.log.seen.error else None
    rows: dict[str, set[str]] = defaultdict(set)
    for row in logged.rows if logged else ():
        rows[row.queue_id].add(row.recipient.lower())
    missing = [found for item in accepted if (found := _missing(item, rows))] if logged else []
    population = len(accepted)
    measured = population if logged and not gaps else 0
    findings = (*gaps, *causes, *missing)
    return Result(
        CONTROL,
        population,
        measured,
        findings,
        CONTROL.message(_key(findings, population), count=population, bad=len(missing)),
        tuple(
            CONTROL.message(
                "evidence",
                host=host.name,
                day=day(host.since),
                time=clock(host.since),
                count=len(host.accepted),
            )
            for host in hosts
        ),
    )


def _key(findings: tuple[Finding, ...], population: int) -> str:
    severities = {finding.severity for finding in findings}
    if Status.FAIL in severities:
        rows = any(not finding.cause for finding in findings if finding.severity is Status.FAIL)
        return "summary.fail" if rows else "summary.stopped"
    return "summary.unknown" if Status.UNKNOWN in severities or not population else "summary.pass"


def _missing(item: Accepted, rows: dict[str, set[str]]) -> Finding | None:
    """Say what one accepted message lacks in the log."""
    if item.queue_id not in rows:
        return Finding(item.queue_id, CONTROL.message("no_row"))
    lacking = [r for r in item.recipients if r.lower() not in rows[item.queue_id]]
    if not lacking:
        return None
    return Finding(item.queue_id, CONTROL.message("no_recipient", count=len(lacking)))


def _absent(hosts: tuple[HostFacts, ...]) -> list[Finding]:
    """Name the services of the chain that no readable host has."""
    readable = [host for host in hosts if not host.seen.error]
    have = {
        unit.name.removesuffix(".service").split("@")[0] for host in readable for unit in host.units
    }
    return [
        Finding(name, CONTROL.message("absent", unit=name), cause=True)
        for name in CHAIN
        if readable and name not in have
    ]


def _gaps(facts: Facts) -> list[Finding]:
    if not facts.hosts or facts.log is None:
        return [Finding("kommunpost audit", COMMON["gap.not_asked"], Status.UNKNOWN, cause=True)]
    found = [
        gap(host.name, COMMON["gap.journal"], host.seen.error)
        for host in facts.hosts
        if host.seen.error
    ]
    if facts.log.seen.error:
        found.append(gap(facts.log.seen.of, CONTROL.messages["no_log"], facts.log.seen.error))
    return found


CHECK = Check(CONTROL, frozenset({"hosts", "log"}), judge)
