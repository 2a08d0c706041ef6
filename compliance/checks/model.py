"""What a check is and what it says: `Control`, `Check`, `Finding`, `Result`.

A status is never set, it follows from what was found and how much was measured: nobody can write
a check that passes after it saw a part of its population.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import yaml

from compliance.probes.facts import Audience, Facts
from compliance.texts import Text, leaves, plain


class Status(StrEnum):
    """How a control came out. Not applicable and waived are decided by people, never by a check."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    WARNING = "warning"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"
    WAIVED = "waived"


@dataclass(frozen=True)
class Control:
    """A control's metadata, from the YAML file beside its module."""

    id: str
    clause: str
    title: Text
    risk: Text
    how: Text
    remedy: Text
    messages: dict[str, Text] = field(hash=False, compare=False)

    def message(self, key: str, **values: object) -> Text:
        """Return one of the control's own messages, filled. Raises KeyError if there is none."""
        return self.messages[key].fill(**values)


@dataclass(frozen=True)
class Finding:
    """One thing found: about what (an address, a person's reference, a unit, a page) and what.

    severity: FAIL, WARNING or UNKNOWN. unit: the directory id of the unit that it belongs to.
    cause: true when it explains the others rather than stands for one of the population.
    """

    subject: str
    message: Text
    severity: Status = Status.FAIL
    unit: str | None = None
    cause: bool = False


@dataclass(frozen=True)
class Share:
    """How one administration stands: `good` of `population`, of which `measured` are known."""

    unit: str
    name: Text
    population: int
    measured: int
    good: int


@dataclass(frozen=True)
class Result:
    """A control's outcome over its population; population and measured count the same things."""

    control: Control
    population: int
    measured: int
    findings: tuple[Finding, ...]
    summary: Text
    evidence: tuple[Text, ...] = ()
    shares: tuple[Share, ...] = ()

    def __post_init__(self) -> None:
        """Refuse figures that cannot be."""
        if not 0 <= self.measured <= self.population:
            raise ValueError(f"{self.control.id}: {self.measured} of {self.population} measured")

    @property
    def status(self) -> Status:
        """Return the status that the findings and the measured part allow, the worst first."""
        return settle(self.findings, self.population, self.measured)


def settle(findings: tuple[Finding, ...], population: int, measured: int) -> Status:
    """Say the status: a failure fails, a gap is unknown, also when there was nothing to measure."""
    severities = {finding.severity for finding in findings}
    if Status.FAIL in severities:
        return Status.FAIL
    if Status.UNKNOWN in severities or measured < population or population == 0:
        return Status.UNKNOWN
    return Status.WARNING if Status.WARNING in severities else Status.PASS


@dataclass(frozen=True)
class Check:
    """A control, the parts of `Facts` that it needs (by field name), and its judgement.

    reaches: whom the arrival probe must try for it, if anybody.
    """

    control: Control
    needs: frozenset[str]
    judge: Callable[[Facts], Result]
    reaches: Audience | None = None


_WORST_FIRST = (Status.FAIL, Status.UNKNOWN, Status.WARNING)


def severity(status: Status) -> int:
    """Return how bad a status is, 0 the worst; all that call for nothing are alike."""
    return _WORST_FIRST.index(status) if status in _WORST_FIRST else len(_WORST_FIRST)


def overall(results: list[Result]) -> Status:
    """Return the status of a whole audit: the worst of its controls."""
    seen = {result.status for result in results}
    return next((status for status in _WORST_FIRST if status in seen), Status.PASS)


def load_control(module_file: str) -> Control:
    """Read the metadata beside a check's module: `b1.py` has `b1.yml`, whose id is B1.

    Raises ValueError when the file's id is another, or a text lacks a language.
    """
    path = Path(module_file).with_suffix(".yml")
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    if raw["id"] != path.stem.upper():
        raise ValueError(f"{path.name}: the id is {raw['id']}, the file says {path.stem.upper()}")
    texts = {key: raw[key] for key in ("title", "risk", "how", "remedy", "messages")}
    read = dict(leaves(texts, path.name))
    prefix = "messages."
    return Control(
        id=raw["id"],
        clause=raw["clause"],
        title=read["title"],
        risk=read["risk"],
        how=read["how"],
        remedy=read["remedy"],
        messages={k.removeprefix(prefix): v for k, v in read.items() if k.startswith(prefix)},
    )


def gap(subject: str, message: Text, error: str | None) -> Finding:
    """Make the finding for what could not be measured; `error` is what the probe was told."""
    return Finding(subject, message.fill(error=plain(error or "-")), Status.UNKNOWN)
