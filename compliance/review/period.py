"""The periods of review: when one begins, who reviews it, and when it may close (G3). Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from compliance.review.decision import Decision, Outcome, review_texts
from compliance.texts import Text
from compliance.workdays import is_working_day

_DAY = timedelta(days=1)
_ANCHOR = date(2024, 1, 1)  # a Monday, from which pairs of weeks are counted


class Regularity(StrEnum):
    """How often a unit's list is reviewed."""

    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"

    @property
    def text(self) -> Text:
        """Its name for a reader."""
        return review_texts()[f"regularity.{self.value}"]


# The strategy says "regularly" and no more, so this is a default and is told as one.
DEFAULT_REGULARITY = Regularity.WEEKLY
GRACE = 5  # working days after a period's end within which it is to be closed; a default


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Whole days in Sweden; both the first and the last belong to it."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        """Say whether a day belongs to the period."""
        return self.first <= day <= self.last

    def due(self, grace: int = GRACE) -> date:
        """Give the last day on which it is to be closed: so many working days after its end."""
        day, left = self.last, grace
        while left:
            day += _DAY
            left -= is_working_day(day)
        return day


def period_of(day: date, regularity: Regularity = DEFAULT_REGULARITY) -> Period:
    """Give the period that a day belongs to; weeks begin on Monday."""
    if regularity is Regularity.MONTHLY:
        first = day.replace(day=1)
        return Period(first, (first + 31 * _DAY).replace(day=1) - _DAY)
    weeks = 2 if regularity is Regularity.FORTNIGHTLY else 1
    passed = (day - _ANCHOR).days % (7 * weeks)
    first = day - passed * _DAY
    return Period(first, first + (7 * weeks - 1) * _DAY)


def periods_between(first: date, last: date, regularity: Regularity) -> list[Period]:
    """Give the periods that days from first to last belong to."""
    found = []
    day = first
    while day <= last:
        found.append(period_of(day, regularity))
        day = found[-1].last + _DAY
    return found


def open_rows(rows: Sequence[str], decisions: Mapping[str, Decision]) -> list[str]:
    """Give the rows that keep a period from closing: without a decision, or still in doubt."""
    return [row for row in rows if row not in decisions or decisions[row].outcome is Outcome.DOUBT]


@dataclass(frozen=True, slots=True)
class Reviewers:
    """Ids of those who review a unit. deputy: empty if none is named, which is a finding."""

    reviewer: str
    deputy: str = ""

    def in_charge(self, absent: Collection[str]) -> str:
        """Give whoever reviews while some are absent; empty if both are."""
        return next(
            (person for person in (self.reviewer, self.deputy) if person and person not in absent),
            "",
        )

    def may_close(self, person: str) -> bool:
        """Say whether a person may sign a period: the reviewer, or the deputy at any time."""
        return bool(person) and person in (self.reviewer, self.deputy)
