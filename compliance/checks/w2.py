"""W2: function mailboxes are read each working day: the age of the oldest unread message tells."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from compliance.checks.model import Check, Finding, Result, Status, gap, load_control
from compliance.checks.people import Register
from compliance.checks.reach import COMMON, directory_gap
from compliance.probes.facts import DirectoryFacts, Facts, Position, Unit, UnreadFacts
from compliance.texts import Text, day
from compliance.workdays import age

CONTROL = load_control(__file__)

# Whole working days after which a message should have been seen: what came on a Monday is read on
# Tuesday at the latest. The Parliamentary Ombudsman's practice, so a default and no law.
LIMIT = 1

_Entry = Unit | Position
_Boxes = Mapping[str, _Entry]  # by address


def judge(facts: Facts) -> Result:
    """Judge each unit's and position's mailbox; the population is those in use."""
    directory = facts.directory
    if directory is None or directory.seen.error:
        summary = CONTROL.message("summary.unknown")
        return Result(CONTROL, 0, 0, tuple(directory_gap(facts)), summary)
    entries: tuple[_Entry, ...] = (*directory.units, *directory.positions)
    boxes = {
        entry.mailbox.address: entry
        for entry in entries
        if entry.mailbox and entry.mailbox.status == "active"
    }
    arrived = _arrived(facts.unread, boxes)
    gaps = _gaps(facts.unread) or [
        _finding(address, boxes[address], "not_looked", Status.UNKNOWN)
        for address in boxes
        if address not in arrived
    ]
    findings = [*_without_deputy(directory, boxes), *_unread(facts.unread, arrived, boxes)]
    failing = {finding.subject for finding in findings}
    key = "fail" if failing else "unknown" if gaps or not boxes else "pass"
    summary = CONTROL.message(f"summary.{key}", count=len(boxes), bad=len(failing))
    evidence = tuple(_evidence(facts.unread, arrived))
    return Result(CONTROL, len(boxes), len(arrived), (*gaps, *findings), summary, evidence)


def _arrived(unread: UnreadFacts | None, boxes: _Boxes) -> dict[str, datetime | None]:
    """Give the arrival of the oldest unread message of each of the boxes that was looked into."""
    looked = unread.oldest if unread else ()
    return {one.address: one.arrived for one in looked if one.address in boxes}


def _unread(
    unread: UnreadFacts | None, arrived: Mapping[str, datetime | None], boxes: _Boxes
) -> Iterator[Finding]:
    for address, at in arrived.items():
        if unread and at and (days := age(at, unread.seen.at)) >= LIMIT:
            yield _finding(address, boxes[address], "unread", day=day(at), days=days)


def _without_deputy(directory: DirectoryFacts, boxes: _Boxes) -> Iterator[Finding]:
    """A unit's mailbox is read in absence too; a position's is watched by its holders alone."""
    register = Register(directory)
    for address, entry in boxes.items():
        if isinstance(entry, Unit):
            people = map(register.person, entry.deputies or ())
            if not any(one and one.mailbox and one.mailbox.status == "active" for one in people):
                yield _finding(address, entry, "no_deputy")


def _gaps(unread: UnreadFacts | None) -> list[Finding]:
    if unread is None:
        return [Finding("kommunpost watch", COMMON["gap.not_asked"], Status.UNKNOWN, cause=True)]
    if unread.seen.error:
        return [gap(unread.seen.of, CONTROL.messages["no_answer"], unread.seen.error)]
    return []


def _evidence(unread: UnreadFacts | None, arrived: Mapping[str, datetime | None]) -> Iterator[Text]:
    waiting = [at for at in arrived.values() if at]
    if unread and waiting:
        oldest = min(waiting)
        days = age(oldest, unread.seen.at)
        yield CONTROL.message("evidence.oldest", count=len(waiting), day=day(oldest), days=days)
    elif arrived:
        yield CONTROL.message("evidence.none", count=len(arrived))


def _finding(
    address: str, entry: _Entry, key: str, severity: Status = Status.FAIL, **values: object
) -> Finding:
    unit = entry.id if isinstance(entry, Unit) else entry.unit
    return Finding(address, CONTROL.message(key, name=entry.name, **values), severity, unit)


CHECK = Check(CONTROL, frozenset({"directory", "unread"}), judge)
