"""The review of a unit's list: what is left, and deciding it."""

from collections.abc import Container, Sequence
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from compliance.clock import SWEDEN, today
from compliance.errors import UserError
from compliance.loglist.access import must_read, must_review
from compliance.loglist.context import unit_name
from compliance.loglist.decision_form import DecisionForm
from compliance.loglist.doubts import NobodyToAskError, nobody_text, open_doubts, whom_to_ask
from compliance.loglist.forms import LeftForm
from compliance.loglist.models import ReviewItem
from compliance.loglist.reviews import (
    OvertakenError,
    Spot,
    behind,
    chosen,
    decide,
    is_in_doubt,
    left,
    with_rows,
)
from compliance.loglist.suggestions import in_the_diary, matches_of
from compliance.loglist.views.entries import show_entry
from compliance.messagelog.reading import PAGE, NotYoursError
from compliance.review.decision import Outcome
from compliance.review.lag import label, lag


@require_http_methods(["GET", "HEAD", "POST"])
def to_review(request: HttpRequest, unit: str) -> HttpResponse:
    """Show what is left of a unit, the oldest first, and take decisions on what was chosen."""
    must_read(request, unit)
    if request.method != "POST":
        return _page(request, unit)
    must_review(request, unit)
    seen = _seen(request)
    if not seen:
        return _page(request, unit, DecisionForm(request.POST), problem="none")
    items = chosen(unit, seen)
    form = DecisionForm(request.POST, settles=any(map(is_in_doubt, items)))
    if not _is_valid(request, unit, items, form):
        return _page(request, unit, form, picked=seen, problem="faults")
    try:
        decide(items, seen, form.decision(request.who.reader), request.who, form.officials)
    except OvertakenError as error:
        return _page(request, unit, form, picked=seen, problem="overtaken", overtaken=error.items)
    return redirect(f"{request.path}?{here(request)}&decided={len(items)}")


@require_POST
def decide_entry(request: HttpRequest, unit: str, outbox: UUID, sequence: int) -> HttpResponse:
    """Decide one row, on the page of its entry."""
    must_review(request, unit)
    seen = _seen(request)
    items = chosen(unit, seen)
    form = DecisionForm(request.POST, settles=any(map(is_in_doubt, items)))
    if [(item.outbox, item.sequence) for item in items] != [(outbox, sequence)]:
        raise NotYoursError
    if not _is_valid(request, unit, items, form):
        return show_entry(request, unit, outbox, sequence, form)
    try:
        decide(items, seen, form.decision(request.who.reader), request.who, form.officials)
    except OvertakenError:
        return show_entry(request, unit, outbox, sequence, form, is_overtaken=True)
    return redirect("entry", unit, outbox, sequence)


def _is_valid(
    request: HttpRequest, unit: str, items: Sequence[ReviewItem], form: DecisionForm
) -> bool:
    """Hold the form against the rules, and whoever is to be asked against the directory."""
    if not form.is_valid():
        return False
    wanted = form.decision(request.who.reader)
    if wanted.outcome is Outcome.DOUBT:
        try:
            form.officials = whom_to_ask(request.reader, unit, items, wanted.asked)
        except NobodyToAskError as error:
            form.add_error("asked", nobody_text(error.address))
        except UserError:
            form.add_error("asked", _("The directory does not answer. Tell the IT department."))
    return not form.errors


@require_GET
def doubts(request: HttpRequest, unit: str) -> HttpResponse:
    """Show what officials were asked about a unit's rows, and how each question stands."""
    must_read(request, unit)
    found = list(open_doubts(unit)[:_DOUBTS])
    rows = with_rows(request.reader, unit, [doubt.item for doubt in found])
    return render(
        request,
        "loglist/doubts.html",
        {
            "unit": unit,
            "unit_name": unit_name(request, unit),
            "doubts": list(zip(found, rows, strict=True)),
            "most": _DOUBTS if len(found) == _DOUBTS else None,
        },
    )


_DOUBTS = 200  # whoever has more open questions begins with the oldest
_STATUS = {"": 200, "none": 400, "faults": 400, "overtaken": 409}


def _page(
    request: HttpRequest,
    unit: str,
    form: DecisionForm | None = None,
    *,
    picked: Container[int] = (),
    problem: str = "",
    overtaken: Sequence[ReviewItem] = (),
) -> HttpResponse:
    """Show a page of what is left.

    form: as it was filled in. picked: ids of the items whose boxes are ticked. problem: why nothing
    was decided, a key of _STATUS. overtaken: what others decided in the meantime.
    """
    filters = LeftForm(request.GET, label_suffix="")
    is_valid = filters.is_valid()
    direction = filters.cleaned_data["direction"] if is_valid else ""
    wait = filters.wait if is_valid else None
    found = left(unit, direction)
    if wait:
        found = found.filter(wait.rows(today()))
    items = list(behind(found, _spot(request.GET.get("after")))[: PAGE + 1])
    rows = with_rows(request.reader, unit, items[:PAGE])
    matches = matches_of(items[:PAGE])
    for row in rows:
        item = row["item"]
        row["matches"] = matches.get(item, [])
        row["lag"] = lag(str(item.id), item.accepted_at, None, today())
        row["is_picked"] = item.id in picked or "all" in request.GET
    wanted = {"direction": direction, "waited": str(wait or "")}
    first_page = {key: value for key, value in wanted.items() if value}
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
            "form": form or DecisionForm(settles=any(map(is_in_doubt, items[:PAGE]))),
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
        status=_STATUS[problem] if is_valid else 400,
    )


def here(request: HttpRequest) -> str:
    """Return the part of the address that says which page of what is left this is."""
    return urlencode(
        {key: request.GET[key] for key in ("direction", "waited", "after") if key in request.GET}
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
