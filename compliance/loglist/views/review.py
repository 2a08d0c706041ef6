"""The review of a unit's list: what is left, and deciding it."""

from collections.abc import Container, Sequence
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from compliance.clock import SWEDEN, today
from compliance.loglist.access import must_read, must_review
from compliance.loglist.context import unit_name
from compliance.loglist.decision_form import DecisionForm
from compliance.loglist.forms import DirectionForm
from compliance.loglist.models import ReviewItem
from compliance.loglist.reviews import (
    OvertakenError,
    Spot,
    behind,
    chosen,
    decide,
    left,
    with_rows,
)
from compliance.loglist.suggestions import in_the_diary, matches_of
from compliance.loglist.views.entries import show_entry
from compliance.messagelog.reading import PAGE, NotYoursError
from compliance.review.lag import label, lag


@require_http_methods(["GET", "HEAD", "POST"])
def to_review(request: HttpRequest, unit: str) -> HttpResponse:
    """Show what is left of a unit, the oldest first, and take decisions on what was chosen."""
    must_read(request, unit)
    if request.method != "POST":
        return _page(request, unit, DecisionForm())
    must_review(request, unit)
    form = DecisionForm(request.POST)
    seen = _seen(request)
    if not seen:
        return _page(request, unit, form, problem="none")
    items = chosen(unit, seen)
    if not form.is_valid():
        return _page(request, unit, form, picked=seen, problem="faults")
    try:
        decide(items, seen, form.decision(request.who.reader), request.who)
    except OvertakenError as error:
        return _page(request, unit, form, picked=seen, problem="overtaken", overtaken=error.items)
    return redirect(f"{request.path}?{here(request)}&decided={len(items)}")


@require_POST
def decide_entry(request: HttpRequest, unit: str, outbox: UUID, sequence: int) -> HttpResponse:
    """Decide one row, on the page of its entry."""
    must_review(request, unit)
    form = DecisionForm(request.POST)
    seen = _seen(request)
    items = chosen(unit, seen)
    if [(item.outbox, item.sequence) for item in items] != [(outbox, sequence)]:
        raise NotYoursError
    if not form.is_valid():
        return show_entry(request, unit, outbox, sequence, form)
    try:
        decide(items, seen, form.decision(request.who.reader), request.who)
    except OvertakenError:
        return show_entry(request, unit, outbox, sequence, form, is_overtaken=True)
    return redirect("entry", unit, outbox, sequence)


_STATUS = {"": 200, "none": 400, "faults": 400, "overtaken": 409}


def _page(
    request: HttpRequest,
    unit: str,
    form: DecisionForm,
    *,
    picked: Container[int] = (),
    problem: str = "",
    overtaken: Sequence[ReviewItem] = (),
) -> HttpResponse:
    """Show a page of what is left.

    picked: ids of the items whose boxes are ticked. problem: why nothing was decided, a key of
    _STATUS. overtaken: what others decided in the meantime.
    """
    filters = DirectionForm(request.GET, label_suffix="")
    direction = filters.cleaned_data["direction"] if filters.is_valid() else ""
    found = left(unit, direction)
    items = list(behind(found, _spot(request.GET.get("after")))[: PAGE + 1])
    rows = with_rows(request.reader, unit, items[:PAGE])
    matches = matches_of(items[:PAGE])
    for row in rows:
        item = row["item"]
        row["matches"] = matches.get(item, [])
        row["lag"] = lag(str(item.id), item.accepted_at, None, today())
        row["is_picked"] = item.id in picked or "all" in request.GET
    first_page = {"direction": direction} if direction else {}
    last = items[PAGE - 1] if len(items) > PAGE else None
    newer = first_page | {"after": f"{last.accepted_at.isoformat()}~{last.id}"} if last else {}
    return render(
        request,
        "loglist/review.html",
        {
            "unit": unit,
            "unit_name": unit_name(request, unit),
            "may_decide": unit in request.reviews,
            "filters": filters,
            "form": form,
            "rows": rows,
            "left": found.count(),
            "in_the_diary": in_the_diary(unit, direction),
            "label": label(),
            "problem": problem,
            "overtaken": with_rows(request.reader, unit, overtaken),
            "decided": _count(request.GET.get("decided", "")),
            "is_first": "after" not in request.GET,
            "here": here(request),
            "oldest": urlencode(first_page),
            "newer": urlencode(newer),
        },
        status=_STATUS[problem] if filters.is_valid() else 400,
    )


def here(request: HttpRequest) -> str:
    """Return the part of the address that says which page of what is left this is."""
    return urlencode(
        {key: request.GET[key] for key in ("direction", "after") if key in request.GET}
    )


def _seen(request: HttpRequest) -> dict[int, int]:
    """Return the items that were chosen, each with the revision that the page showed."""
    seen = {}
    try:
        for one in request.POST.getlist("row"):
            item, revision = one.split(".")
            seen[_bounded(int(item), 2**63)] = _bounded(int(revision), 2**31 - 1)
    except ValueError as error:
        raise Http404 from error
    if len(seen) > PAGE:
        raise Http404
    return seen


def _bounded(number: int, limit: int) -> int:
    if not 0 <= number < limit:
        raise Http404
    return number


def _spot(text: str | None) -> Spot | None:
    """Read back where a page begins; anything else is no page."""
    if not text:
        return None
    try:
        at, item = text.split("~")
        return Spot(datetime.fromisoformat(at).astimezone(SWEDEN), _bounded(int(item), 2**63))
    except (ValueError, OverflowError) as error:
        raise Http404 from error


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
