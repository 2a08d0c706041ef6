"""The message of an entry, opened from the archive: its page, and what is taken out of it."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from compliance.loglist.context import units_of
from compliance.loglist.message import opening, parts, rendering
from compliance.loglist.views.entries import bounded
from compliance.messagelog.formats import visible
from compliance.messagelog.reading import Row

_STATUS = {"missing": 404, "disposed": 410, "away": 503, "directory": 503, "elsewhere": 503}
_IN_NO_NAME = re.compile(r'[\\/:*?"<>|]')
_MAX_NAME = 150

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
            closed = {"why": error.why, "decision": error.decision}
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
    return file_answer(content, file_name(name, number))


@require_GET
@_of_entry
def eml(request: HttpRequest, unit: str, row: Row) -> HttpResponse:
    """Hand out the message as it was stored."""
    return file_answer(opening.opened(request, unit, row, "eml"), f"{row['queue_id']}.eml")


def file_name(name: str, number: int) -> str:
    """Return a name that any system can store an attachment under."""
    plain = _IN_NO_NAME.sub("_", visible(name)).strip(". ")
    return plain[-_MAX_NAME:] if plain else f"{number}.bin"


def file_answer(content: bytes, name: str) -> HttpResponse:
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
    unit_name = dict(units_of(request.who)).get(unit, unit)
    context = {"unit": unit, "unit_name": unit_name, "row": row, **more}
    return render(request, "loglist/message.html", context, status=status)
