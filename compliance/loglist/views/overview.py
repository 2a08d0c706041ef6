"""Mail, its review, its lag and unwatched mailboxes: of a unit, and of all of a reader's."""

from collections import Counter
from datetime import date, timedelta
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from compliance.clock import today
from compliance.loglist import figures, waits
from compliance.loglist.context import unit_name, units_of
from compliance.loglist.unwatched import watch_over
from compliance.messagelog.reading import Filter
from compliance.review.lag import label

DAYS = 30


@require_GET
def of_unit(request: HttpRequest, unit: str) -> HttpResponse:
    """Show a unit's figures, and its volume day by day; each leads to its rows."""
    last = today()
    first = last - timedelta(days=DAYS - 1)
    since, until = figures.span(first, last)
    counts = request.reader.counts(Filter(unit=unit, since=since, until=until))
    days = figures.by_day(counts, first, last)
    reviewed = figures.reviewed([unit], since, until)[unit]
    parts = waits.parts(unit, last)
    return render(
        request,
        "loglist/overview.html",
        {
            "unit": unit,
            "unit_name": unit_name(request, unit),
            "days": days.items(),
            "first": first,
            "last": last,
            "bars": figures.bars(reversed(days.values())),
            "width": DAYS * figures.BAR_WIDTH,
            "most": max(day.total for day in days.values()),
            "reviewed": reviewed,
            "oldest": _oldest(reviewed, last),
            "late": waits.late(parts),
            "parts": parts,
            "part_width": waits.BAR_WIDTH,
            "decided": waits.decided(unit, since, until),
            "label": label(),
            "watch": watch_over(request.reader, [unit]),
        },
    )


@require_GET
def of_all(request: HttpRequest) -> HttpResponse:
    """Show the figures of each unit that the reader reads; each leads to its own overview."""
    last = today()
    since, until = figures.span(last - timedelta(days=DAYS - 1), last)
    volumes = figures.by_unit(request.reader.counts(Filter(since=since, until=until)))
    names = units_of(request.who)
    units = [unit for unit, _ in names]
    done = figures.reviewed(units, since, until)
    watch = watch_over(request.reader, units)
    unwatched = Counter(box.unit for box in watch.unwatched)
    rows = [
        Row(
            unit,
            name,
            volumes.pop(unit, figures.Volume()),
            done[unit],
            _oldest(done[unit], last),
            unwatched[unit] if watch.is_known else None,
        )
        for unit, name in names
    ]
    # Units that the directory no longer has, and '', which is mail of no unit.
    rows += [Row(unit, unit, volume) for unit, volume in sorted(volumes.items())]
    return render(
        request,
        "loglist/overview_all.html",
        {"rows": rows, "days": DAYS, "label": label(), "watch": watch},
    )


class Row(NamedTuple):
    """A unit among all. oldest: working days that a row has waited. None: not known, or none."""

    unit: str
    name: str
    volume: figures.Volume
    reviewed: figures.Reviewed | None = None
    oldest: int | None = None
    unwatched: int | None = None


def _oldest(reviewed: figures.Reviewed, day: date) -> int | None:
    """Return how many working days the oldest row that is left has waited, if there is one."""
    return waits.waited(reviewed.oldest, day) if reviewed.oldest else None
