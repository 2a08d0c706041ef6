"""G7: registration lag in Swedish working days: each unit's oldest undecided row."""

from datetime import datetime

from compliance.checks.lists import list_gaps, lists
from compliance.checks.model import Check, Finding, Result, Status, load_control
from compliance.clock import SWEDEN
from compliance.probes.facts import Facts, UnitReview
from compliance.review.lag import label, lag
from compliance.texts import Text, day

CONTROL = load_control(__file__)


def judge(facts: Facts) -> Result:
    """Judge the oldest undecided row of each unit that has a log list."""
    review = facts.review
    gaps = list_gaps(facts)
    if review is None or gaps:
        return Result(CONTROL, 0, 0, tuple(gaps), CONTROL.message("summary.unknown"))
    listed = lists(facts)
    findings = [
        found for name, unit in listed if unit and (found := _late(unit, name, review.seen.at))
    ]
    count = len(listed)
    key = "late" if findings else "pass" if count else "unknown"
    summary = CONTROL.message(f"summary.{key}", count=count, bad=len(findings))
    return Result(CONTROL, count, count, tuple(findings), summary, (label(),))


def _late(unit: UnitReview, name: Text, at: datetime) -> Finding | None:
    if unit.oldest is None:
        return None
    waited = lag(unit.unit, unit.oldest, None, at.astimezone(SWEDEN).date())
    if not waited.is_late():
        return None
    told = {"name": name, "day": day(unit.oldest), "days": waited.days, "left": unit.left}
    return Finding(unit.unit, CONTROL.message("late", **told), Status.WARNING, unit.unit)


CHECK = Check(CONTROL, frozenset({"directory", "review"}), judge)
