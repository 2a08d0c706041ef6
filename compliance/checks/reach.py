"""Whether an address is reached, by the probes that were sent to it from both sides."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from compliance.checks.model import Finding, Status, gap
from compliance.probes.facts import ArrivalFacts, Facts, Origin, Probe
from compliance.texts import Text, load, plain

COMMON = load(Path(__file__).with_name("common.yml"))

ORIGINS: tuple[Origin, ...] = ("internal", "external")
FAILED = frozenset({"refused", "delayed", "bounced", "astray", "missing"})
# Services without which nobody is reached.
MAIL_UNITS = ("postfix", "dovecot", "slapd", "kommunpost-milter")
# Part of a server's answer, and what it means in words.
_HINTS = (
    ("dovecot-lmtp", COMMON["hint.lmtp"]),
    ("4.7.1 Service unavailable", COMMON["hint.milter"]),
)
# This many probes with the same fault are told as one cause, beside the people it strikes.
_SHARED = 3


@dataclass(frozen=True)
class Reach:
    """The probes to one address that failed, and those whose fate is not known."""

    failed: tuple[Probe, ...]
    unread: tuple[Probe, ...]
    known: bool

    @property
    def good(self) -> bool:
        """Tell whether mail arrived from both sides."""
        return self.known and not self.failed

    def message(self, *, hidden: bool = False) -> Text:
        """Say what happened to each probe that did not arrive; hidden leaves out the address."""
        told = [_told(probe, hidden=hidden) for probe in (*self.failed, *self.unread)]
        return Text(". ".join(text.sv for text in told), ". ".join(text.en for text in told))


class Reaches:
    """Look-up from an address to how it is reached."""

    def __init__(self, arrival: ArrivalFacts | None) -> None:
        """Sort the probes by recipient."""
        self._by_address: dict[str, dict[Origin, Probe]] = defaultdict(dict)
        for probe in arrival.probes if arrival else ():
            self._by_address[probe.recipient.lower()][probe.origin] = probe

    def of(self, address: str) -> Reach:
        """Judge one address. It is known when each side arrived or one side failed."""
        probes = self._by_address.get(address.lower(), {})
        failed = tuple(p for p in probes.values() if p.outcome in FAILED)
        arrived = [p for p in probes.values() if p.outcome == "arrived"]
        return Reach(
            failed=failed,
            unread=tuple(p for p in probes.values() if p.outcome == "unread"),
            known=bool(failed) or len(arrived) == len(ORIGINS),
        )


def arrival_gaps(arrival: ArrivalFacts | None) -> list[Finding]:
    """Tell what kept probes from being sent or read at all."""
    if arrival is None:
        return [Finding("kommunpost audit", COMMON["gap.not_asked"], Status.UNKNOWN, cause=True)]
    return [
        Finding(
            seen.of,
            COMMON["gap.arrival"].fill(error=plain(seen.error)),
            Status.UNKNOWN,
            cause=True,
        )
        for seen in arrival.seen
        if seen.error
    ]


def directory_gap(facts: Facts) -> list[Finding]:
    """Tell why the directory is not known, or nothing when it is."""
    if facts.directory is None:
        return [Finding("LDAP", COMMON["gap.not_asked"], Status.UNKNOWN, cause=True)]
    seen = facts.directory.seen
    if not seen.error:
        return []
    told = COMMON["gap.directory"].fill(error=plain(seen.error))
    return [Finding(seen.of, told, Status.UNKNOWN, cause=True)]


def plan_gap(facts: Facts) -> list[Finding]:
    """Tell why the municipality's own lists are not known, or nothing when they are."""
    if facts.plan is None:
        return [Finding("LDAP", COMMON["gap.not_asked"], Status.UNKNOWN, cause=True)]
    seen = facts.plan.seen
    return [gap(seen.of, COMMON["gap.plan"], seen.error)] if seen.error else []


def reach_causes(facts: Facts) -> list[Finding]:
    """Name what stops many probes at once: a service that is down, one and the same fault."""
    arrival = facts.arrival
    failed = [p for p in arrival.probes if p.outcome in FAILED] if arrival else []
    if not arrival or not (failed or arrival.stopped):
        return []
    findings = stopped_units(facts, MAIL_UNITS)
    subject = facts.domain
    if arrival.stopped:
        text = COMMON["cause.stopped"].fill(detail=_explained(arrival.stopped))
        severity = Status.FAIL if failed else Status.UNKNOWN
        findings.append(Finding(subject, text, severity, cause=True))
        return findings
    details = Counter(probe.detail.replace(probe.recipient, "…") for probe in failed)
    for detail, count in details.most_common():
        if count >= _SHARED and detail:
            text = COMMON["cause.shared"].fill(count=count, detail=_explained(detail))
            findings.append(Finding(subject, text, cause=True))
    return findings


def stopped_units(facts: Facts, names: Iterable[str]) -> list[Finding]:
    """Name each of these services that some host has but does not run; names without suffix."""
    wanted = set(names)
    findings = []
    for host in facts.hosts or ():
        for unit in host.units:
            name = unit.name.removesuffix(".service").split("@")[0]
            if name in wanted and unit.active != "active":
                text = COMMON["cause.unit"].fill(
                    unit=unit.name,
                    host=host.name,
                    state=f"{unit.active}/{unit.sub}",
                    effect=COMMON[f"effect.{name}.service"],
                )
                findings.append(Finding(f"{host.name}: {unit.name}", text, cause=True))
    return findings


def _explained(detail: str) -> Text:
    """Put a known fault into words before the server's own."""
    if f"stop.{detail}" in COMMON:
        return COMMON[f"stop.{detail}"]
    hints = [text for part, text in _HINTS if part in detail]
    raw = plain(detail)
    return hints[0].fill(detail=raw) if hints else raw


def _told(probe: Probe, *, hidden: bool) -> Text:
    detail = probe.detail.replace(probe.recipient, "…") if hidden else probe.detail
    return COMMON[f"outcome.{probe.outcome}"].fill(
        origin=COMMON[f"origin.{probe.origin}"], detail=plain(detail or "-")
    )
