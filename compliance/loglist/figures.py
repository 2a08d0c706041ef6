"""How much mail a unit has a day, and how much of it is reviewed: the figures of the overview."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Min, Q

from compliance.clock import midnight
from compliance.loglist.models import ReviewItem
from compliance.loglist.reviews import LEFT
from compliance.messagelog.answers import DayCount

BAR_WIDTH, BARS_HEIGHT = 20, 120


@dataclass
class Volume:
    """Entries of a span of time; the audit's own mail isn't among them."""

    incoming: int = 0
    outgoing: int = 0
    internal: int = 0

    @property
    def total(self) -> int:
        """Return all three together."""
        return self.incoming + self.outgoing + self.internal

    def add(self, count: DayCount) -> None:
        """Add what a unit has on a day."""
        self.incoming += count.incoming
        self.outgoing += count.outgoing
        self.internal += count.internal


@dataclass(frozen=True)
class Reviewed:
    """How far a unit's review has got.

    all, decided: rows of a span of time that need review, and those of them that are decided.
    left: rows of any time that somebody still has to decide, as the page of the review shows them.
    oldest: when the oldest of those came; None if there is none.
    """

    all: int = 0
    decided: int = 0
    left: int = 0
    oldest: datetime | None = None

    @property
    def percent(self) -> int:
        """Return the share that is decided, in whole per cent, rounded down."""
        return 100 * self.decided // self.all if self.all else 100


class Bar(NamedTuple):
    """A bar of the picture, in units of its own."""

    x: int
    y: int
    height: int


def span(first: date, last: date) -> tuple[datetime, datetime]:
    """Return when the first day begins in Sweden, and when the last one has ended."""
    return midnight(first), midnight(last + timedelta(days=1))


def by_day(counts: Iterable[DayCount], first: date, last: date) -> dict[date, Volume]:
    """Return the volume of each day, the last first; also of days without mail."""
    days = [last - timedelta(days=number) for number in range((last - first).days + 1)]
    found = {day: Volume() for day in days}
    for count in counts:
        if count.day in found:
            found[count.day].add(count)
    return found


def by_unit(counts: Iterable[DayCount]) -> dict[str, Volume]:
    """Return the volume of each unit; '' has what is of none."""
    found: dict[str, Volume] = {}
    for count in counts:
        found.setdefault(count.unit, Volume()).add(count)
    return found


def reviewed(units: Sequence[str], since: datetime, until: datetime) -> dict[str, Reviewed]:
    """Return how far each unit's review of what came in a span of time has got.

    Of units that aren't the session's the database shows no row.
    """
    items = ReviewItem.objects.filter(unit__in=units)
    in_span = Q(accepted_at__gte=since, accepted_at__lt=until)
    waiting = items.filter(outcome__in=LEFT).values_list("unit")
    left = {
        unit: (in_time, number, oldest)
        for unit, in_time, number, oldest in waiting.annotate(
            in_time=Count("id", filter=in_span), rows=Count("id"), oldest=Min("accepted_at")
        )
    }
    # Each of the two is counted by an index alone; no index of all rows has how they stand.
    all_ = dict(items.filter(in_span).values_list("unit").annotate(Count("id")))
    found = {}
    for unit in units:
        in_time, number, oldest = left.get(unit, (0, 0, None))
        rows = all_.get(unit, 0)
        found[unit] = Reviewed(rows, rows - in_time, number, oldest)
    return found


def bars(volumes: Iterable[Volume]) -> list[Bar]:
    """Return a bar for each volume, from left to right; the highest fills the picture."""
    totals = [volume.total for volume in volumes]
    most = max(totals, default=0) or 1
    heights = [BARS_HEIGHT * total // most for total in totals]
    return [
        Bar(number * BAR_WIDTH, BARS_HEIGHT - height, height)
        for number, height in enumerate(heights)
    ]
