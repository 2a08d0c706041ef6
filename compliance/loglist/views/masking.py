"""The disclosure desk: masking the rows of a request, and seeing what would be handed out."""

import base64
import hashlib

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from compliance.disclosure.files import to_html
from compliance.loglist.desk.cells import read_sections, shown
from compliance.loglist.desk.rows import EndedError, chosen, extract, language, save_sections
from compliance.loglist.desk.sections import COMMON
from compliance.loglist.views.disclosure import about, desk_page, for_reviewers, request_of

_PAGE = 25  # rows, three cells each


@require_http_methods(["GET", "HEAD", "POST"])
@for_reviewers
def rows(request: HttpRequest, unit: str, number: int) -> HttpResponse:
    """Mask cells, page by page."""
    asked = request_of(unit, number)
    if asked.ended_at is not None:
        raise EndedError
    every = chosen(request.reader, asked)
    page = Paginator(every, _PAGE).get_page(request.GET.get("page"))
    typed = request.POST.dict() if request.method == "POST" else {}
    sections, faults = read_sections(page, typed)
    if request.method == "POST" and not faults:
        save_sections(asked, page, sections)
        on = page.next_page_number() if "next" in typed and page.has_next() else page.number
        return redirect(f"{reverse('disclosure-rows', args=[unit, number])}?page={on}")
    found = {
        **about(request, unit),
        "asked": asked,
        "page": page,
        "rows": shown(every, page, typed, faults),
        "sections": COMMON,
        "faults": len(faults),
    }
    return render(request, "loglist/desk/rows.html", found, status=400 if faults else 200)


@require_GET
@desk_page
def preview(request: HttpRequest, unit: str, number: int) -> HttpResponse:
    """Show the page that the PDF is made of, to the last sign."""
    asked = request_of(unit, number)
    if asked.ended_at is not None:
        raise EndedError
    name = about(request, unit)["unit_name"]
    page = to_html(extract(asked, chosen(request.reader, asked), name), language())
    answer = HttpResponse(page)
    # Its own style sheet stands in it and may be used; nothing else.
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    answer["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return answer
