"""G3: the log list is regularly reviewed against the diary: periods are closed in time."""

from compliance.checks.lists import list_gaps, lists
from compliance.checks.model import Check, Finding, Result, load_control
from compliance.clock import SWEDEN
from compliance.probes.facts import Facts, ReviewFacts, UnitReview
from compliance.review.period import DEFAULT_REGULARITY, period_of
from compliance.texts import Text
from compliance.workdays import working_days_after

CONTROL = load_control(__file__)


def judge(facts: Facts) -> Result:
    """Judge the oldest open period of each unit that has a log list."""
    review = facts.review
    gaps = list_gaps(facts)
    if review is None or gaps:
        return Result(CONTROL, 0, 0, tuple(gaps), CONTROL.message("summary.unknown"))
    listed = lists(facts)
    findings = [found for name, unit in listed if unit and (found := _overdue(unit, name, review))]
    count = len(listed)
    key = "fail" if findings else "pass" if count else "unknown"
    summary = CONTROL.message(f"summary.{key}", count=count, bad=len(findings))
    return Result(CONTROL, count, count, tuple(findings), summary, (_evidence(review),))


def _overdue(unit: UnitReview, name: Text, review: ReviewFacts) -> Finding | None:
    period = period_of(unit.begin, review.regularity or DEFAULT_REGULARITY)
    today = review.seen.at.astimezone(SWEDEN).date()
    due = period.due()
    if due >= today:
        return None
    message = CONTROL.message(
        "overdue",
        name=name,
        first=unit.begin,
        last=period.last,
        due=due,
        days=working_days_after(due, today),
        left=unit.left,
    )
    return Finding(unit.unit, message, unit=unit.unit)


def _evidence(review: ReviewFacts) -> Text:
    key = "regularity" if review.regularity else "default"
    return CONTROL.message(
        f"evidence.{key}", regularity=(review.regularity or DEFAULT_REGULARITY).text
    )


CHECK = Check(CONTROL, frozenset({"directory", "review"}), judge)
