"""The message of an entry, opened from the archive: its page, and what is taken out of it."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from compliance.loglist.context import unit_name
from compliance.loglist.message import (
    absence,
    forwarding,
    handover,
    opening,
    parts,
    rendering,
)
from compliance.loglist.reviews import with_items
from compliance.loglist.views.entries import bounded
from compliance.messagelog.answers import Row

_STATUS = {
    "missing": 404,
    "gone": 404,
    "disposed": 410,
    "away": 503,
    "directory": 503,
    "elsewhere": 503,
}

View = Callable[..., HttpResponse]


def _of_entry(view: View) -> View:
    """Give a view the row of the entry, and tell why a message can't be opened."""

    @wraps(view)
    def answer(
        request: HttpRequest, unit: str, outbox: UUID, sequence: int, **more: Any
    ) -> HttpResponse:
        row = request.reader.entry(unit, str(outbox), bounded(sequence))
        try:
            return view(request, unit, row, **more)
        except opening.ClosedError as error:
            closed = {
                "why": error.why,
                "decision": error.decision,
                "may_ask_in_absence": absence.is_on() and row["recipient_unit"] == unit,
            }
            return _page(request, unit, row, closed, _STATUS.get(error.why, 403))

    return answer


@require_GET
@_of_entry
def message(request: HttpRequest, unit: str, row: Row) -> HttpResponse:
    """Show the message."""
    raw = opening.opened(request, unit, row, "view")
    return _page(request, unit, row, {"letter": rendering.read(raw)})


@require_GET
@_of_entry
def attachment(request: HttpRequest, unit: str, row: Row, number: int) -> HttpResponse:
    """Hand out one attachment."""
    if number > parts.MAX_PARTS:
        raise Http404
    raw = opening.opened(request, unit, row, f"attachment {number}")
    found = rendering.attachment(raw, number)
    if found is None:
        raise Http404
    name, content = found
    return _file(content, handover.file_name(name, number))


@require_GET
@_of_entry
def eml(request: HttpRequest, unit: str, row: Row) -> HttpResponse:
    """Hand out the message as it was stored."""
    return _file(opening.opened(request, unit, row, "eml"), f"{row['queue_id']}.eml")


@require_GET
@_of_entry
def package(request: HttpRequest, unit: str, row: Row) -> HttpResponse:
    """Hand out the message as a package for the diary system."""
    raw = opening.opened(request, unit, row, "handover")
    (reviewed,) = with_items(unit, [row])
    about = handover.Handover(
        municipality=settings.KOMMUNPOST.municipality.name,
        unit_name=unit_name(request, unit),
        number=reviewed["item"].number if reviewed["item"] else "",
        by=request.who.name,
        at=timezone.now(),
    )
    return _file(handover.package(row, raw, about), f"{row['queue_id']}.zip")


@require_GET
@_of_entry
def forward(request: HttpRequest, unit: str, row: Row) -> HttpResponse:
    """Hand out a draft that forwards the message to another authority."""
    if row["recipient_unit"] != unit:  # the unit sent it itself
        raise Http404
    draft = forwarding.letter(
        opening.opened(request, unit, row, "forward"),
        received=row["accepted_at"],
        subject=row["subject"],
        unit=unit_name(request, unit),
        municipality=settings.KOMMUNPOST.municipality.name,
    )
    return _file(draft, f"{row['queue_id']}-vidare.eml")


def _file(content: bytes, name: str) -> HttpResponse:
    """Answer with a file that the browser saves and never shows."""
    return HttpResponse(
        content,
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": content_disposition_header(as_attachment=True, filename=name),
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )


def _page(
    request: HttpRequest, unit: str, row: Row, more: dict[str, Any], status: int = 200
) -> HttpResponse:
    context = {"unit": unit, "unit_name": unit_name(request, unit), "row": row, **more}
    return render(request, "loglist/message.html", context, status=status)
