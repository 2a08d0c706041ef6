"""The log list: its pages, an entry, its files, and who has read what."""

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from compliance.loglist import listing
from compliance.loglist.access import must_read
from compliance.loglist.context import unit_name
from compliance.loglist.decision_form import DecisionForm
from compliance.loglist.forms import FilterForm
from compliance.loglist.mailboxes import mailboxes_of
from compliance.loglist.reviews import decisions_of, is_in_doubt, with_items
from compliance.loglist.suggestions import matches_of
from compliance.messagelog import formats
from compliance.messagelog.reading import CONVERSATION, PAGE, Place


@require_GET
def log_list(request: HttpRequest, unit: str) -> HttpResponse:
    """Show a page of a unit's list."""
    must_read(request, unit)
    form = FilterForm(request.GET, mailboxes_of(unit), label_suffix="")
    rows: list[dict[str, Any]] = []
    older: Place | None = None
    if form.is_valid():
        after = _place(request.GET.get("after"))
        rows, older = listing.page(request.reader, form.wanted(unit), after, PAGE)
    query = {key: value for key, value in request.GET.items() if value and key != "after"}
    return render(
        request,
        "loglist/list.html",
        {
            "unit": unit,
            "unit_name": unit_name(request, unit),
            "form": form,
            "rows": with_items(unit, rows),
            "is_filtered": bool(query),
            "is_first": "after" not in request.GET,
            "query": urlencode(query),
            "older": urlencode(query | {"after": _written(older)}) if older else "",
            "searched_to": older.accepted_at if older and len(rows) < PAGE else None,
        },
        status=200 if form.is_valid() else 400,
    )


@require_GET
def entry(request: HttpRequest, unit: str, outbox: UUID, sequence: int) -> HttpResponse:
    """Show all that the log says of one entry."""
    return show_entry(request, unit, outbox, sequence)


def show_entry(
    request: HttpRequest,
    unit: str,
    outbox: UUID,
    sequence: int,
    form: DecisionForm | None = None,
    *,
    is_overtaken: bool = False,
) -> HttpResponse:
    """Show an entry, what was decided of it, and to its reviewers a form to decide it.

    form: as it was filled in, if it can't stand. is_overtaken: somebody else decided meanwhile.
    """
    (row,) = with_items(unit, [request.reader.entry(unit, str(outbox), bounded(sequence))])
    item = row["item"]
    return render(
        request,
        "loglist/entry.html",
        {
            "unit": unit,
            "unit_name": unit_name(request, unit),
            "row": row,
            "matches": matches_of([item]).get(item, []) if item else [],
            "decisions": decisions_of(item) if item else [],
            "may_decide": item and unit in request.reviews,
            "form": form or DecisionForm(settles=item is not None and is_in_doubt(item)),
            "is_overtaken": is_overtaken,
        },
        status=409 if is_overtaken else 400 if form else 200,
    )


@require_GET
def conversation(request: HttpRequest, unit: str, outbox: UUID, sequence: int) -> HttpResponse:
    """Show what the unit's list has of the conversation that an entry belongs to."""
    row = request.reader.entry(unit, str(outbox), bounded(sequence))
    rows = request.reader.conversation(unit, Place.of(row), CONVERSATION + 1)
    return render(
        request,
        "loglist/conversation.html",
        {
            "unit": unit,
            "unit_name": unit_name(request, unit),
            "row": row,
            "rows": with_items(unit, rows[-CONVERSATION:]),
            "is_cut": len(rows) > CONVERSATION,
        },
    )


@require_GET
def export(request: HttpRequest, unit: str, form: str) -> HttpResponse | StreamingHttpResponse:
    """Hand out all rows that the filter finds, as a file."""
    chosen = FilterForm(request.GET)
    if not chosen.is_valid() or form not in ("csv", "xlsx"):
        raise Http404
    rows = listing.every(request.reader, chosen.wanted(unit))
    with tempfile.TemporaryDirectory(prefix="loglist-") as folder:
        path = Path(folder) / "export"
        if form == "xlsx":
            with path.open("wb") as book:
                formats.write_xlsx(rows, book)
        else:
            with path.open("w", encoding="utf-8", newline="") as stream:
                formats.write_csv(rows, stream)
        opened = path.open("rb")  # which can be read to its end when its name is gone
    return FileResponse(opened, as_attachment=True, filename=f"loggningslista-{unit}.{form}")


@require_GET
def trail(request: HttpRequest, unit: str | None = None) -> HttpResponse:
    """Show who has read what, of a unit or of all: for the executive office."""
    before = request.GET.get("before", "")
    traces = request.reader.trail(
        unit, bounded(int(before)) if before.isdecimal() else None, PAGE + 1
    )
    shown = traces[:PAGE]
    older = urlencode({"before": shown[-1].number}) if len(traces) > PAGE else ""
    return render(request, "loglist/trail.html", {"traces": shown, "older": older, "unit": unit})


def _place(text: str | None) -> Place | None:
    """Read back what `_written` wrote; anything else is no page."""
    if not text:
        return None
    try:
        at, outbox, sequence = text.split("~")
        return Place(datetime.fromisoformat(at), str(UUID(outbox)), bounded(int(sequence)))
    except (ValueError, OverflowError) as error:
        raise Http404 from error


def bounded(sequence: int) -> int:
    """Return a sequence that the database can hold; anything else is no page."""
    if not 0 <= sequence < 2**63:
        raise Http404
    return sequence


def _written(place: Place) -> str:
    return f"{place.accepted_at.isoformat()}~{place.outbox_id}~{place.sequence}"
