"""How much mail there is and how far its review has got: of a unit, and of all of a reader's."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from compliance.clock import today
from compliance.loglist import figures
from compliance.loglist.context import unit_name, units_of
from compliance.messagelog.reading import Filter

DAYS = 30


@require_GET
def of_unit(request: HttpRequest, unit: str) -> HttpResponse:
    """Show a unit's volume day by day; each figure leads to its rows."""
    last = today()
    first = last - timedelta(days=DAYS - 1)
    since, until = figures.span(first, last)
    counts = request.reader.counts(Filter(unit=unit, since=since, until=until))
    days = figures.by_day(counts, first, last)
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
            "reviewed": figures.reviewed([unit], since, until)[unit],
        },
    )


@require_GET
def of_all(request: HttpRequest) -> HttpResponse:
    """Show the volume of each unit that the reader reads; each leads to its own overview."""
    last = today()
    since, until = figures.span(last - timedelta(days=DAYS - 1), last)
    volumes = figures.by_unit(request.reader.counts(Filter(since=since, until=until)))
    names = units_of(request.who)
    done = figures.reviewed([unit for unit, _ in names], since, until)
    rows = [
        (unit, name, volumes.pop(unit, figures.Volume()), done.get(unit)) for unit, name in names
    ]
    # Units that the directory no longer has, and '', which is mail of no unit.
    rows += [(unit, unit, volume, None) for unit, volume in sorted(volumes.items())]
    return render(request, "loglist/overview_all.html", {"rows": rows, "days": DAYS})
