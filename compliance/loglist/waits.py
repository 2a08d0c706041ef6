"""How long rows wait for their decision, in Swedish working days: the lag of the overview."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate
from typing import NamedTuple

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _

from compliance.clock import SWEDEN, midnight
from compliance.loglist.models import ReviewItem
from compliance.loglist.reviews import LEFT, left
from compliance.review.lag import LIMIT, lag
from compliance.workdays import first_day_within, running_count

BAR_WIDTH = 200


class Wait(NamedTuple):
    """From how many to how many working days rows have waited; most None: without an end."""

    least: int
    most: int | None

    def __str__(self) -> str:
        """Name it in a page's address, e.g. 2-5."""
        return f"{self.least}-{'' if self.most is None else self.most}"

    @property
    def label(self) -> str:
        """Name it for whoever reads the page."""
        told: str
        if self.most is None:
            told = _("More than %(days)s working days") % {"days": self.least - 1}
        else:
            told = _("%(least)s to %(most)s working days") % self._asdict()
        return told

    def rows(self, day: date) -> Q:
        """Return which rows have waited so long by a day."""
        found = Q()
        if self.most is not None:
            found &= Q(accepted_at__gte=midnight(first_day_within(self.most, day)))
        if self.least > 0:
            found &= Q(accepted_at__lt=midnight(first_day_within(self.least - 1, day)))
        return found


# The first is what practice allows.
WAITS = (Wait(0, LIMIT), Wait(LIMIT + 1, 5), Wait(6, 10), Wait(11, None))


class Part(NamedTuple):
    """How many rows have waited so long. width: of its bar, the longest being BAR_WIDTH."""

    wait: Wait
    rows: int
    width: int


@dataclass(frozen=True)
class Decided:
    """Rows that were decided in a span of time, and how long that took, in working days.

    median: at least half of them took no longer.
    """

    rows: int
    median: int
    longest: int


def waited(since: datetime, day: date) -> int:
    """Return how long a row that is left has waited by a day, as the page of the review has it."""
    return lag("", since, None, day).days


def parts(unit: str, day: date) -> list[Part]:
    """Return what is left of a unit by how long it has waited, the shortest wait first."""
    counts = left(unit).aggregate(
        **{f"part{number}": Count("id", filter=wait.rows(day)) for number, wait in enumerate(WAITS)}
    )
    rows = [counts[f"part{number}"] for number in range(len(WAITS))]
    most = max(rows) or 1
    return [
        Part(wait, number, BAR_WIDTH * number // most)
        for wait, number in zip(WAITS, rows, strict=True)
    ]


def late(found: Sequence[Part]) -> int:
    """Return how many rows have waited for longer than practice allows."""
    return sum(part.rows for part in found if part.wait.least > LIMIT)


def decided(unit: str, since: datetime, until: datetime) -> Decided | None:
    """Return how long those of a unit's rows took whose decision was made in a span of time.

    Of a row that was decided anew the last decision counts. None if there are no rows.
    """
    items = ReviewItem.objects.filter(unit=unit, decided_at__gte=since, decided_at__lt=until)
    days = TruncDate("accepted_at", tzinfo=SWEDEN), TruncDate("decided_at", tzinfo=SWEDEN)
    pairs = list(items.exclude(outcome__in=LEFT).values_list(*days).annotate(rows=Count("*")))
    if not pairs:
        return None
    first = min(arrived for arrived, _day, _rows in pairs)
    count = running_count(first, max(day for _arrived, day, _rows in pairs))
    took: Counter[int] = Counter()
    for arrived, day, rows in pairs:
        took[count[day] - count[arrived]] += rows
    each = sorted(took)
    so_far = accumulate(took[days] for days in each)
    rows = took.total()
    median = next(days for days, seen in zip(each, so_far, strict=True) if 2 * seen >= rows)
    return Decided(rows, median, each[-1])
