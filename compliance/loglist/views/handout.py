"""The disclosure desk: handing out, and the very file that was handed out."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from compliance.disclosure.files import fits_pdf
from compliance.disclosure.refusal import draft
from compliance.loglist.desk.cells import open_echoes, open_hints
from compliance.loglist.desk.handout import ChangedError, digest_of, refusal_of
from compliance.loglist.desk.handout import hand_out as make_files
from compliance.loglist.desk.rows import EndedError, chosen, extract
from compliance.loglist.models import Handout
from compliance.loglist.views.disclosure import about, desk_page, for_reviewers, request_of


@require_http_methods(["GET", "HEAD", "POST"])
@for_reviewers
def hand_out(request: HttpRequest, unit: str, number: int) -> HttpResponse:
    """Tell what would be handed out, and hand out just that."""
    asked = request_of(unit, number)
    if asked.ended_at is not None:
        raise EndedError
    rows = chosen(request.reader, asked)
    if not rows:
        return redirect("disclosure", unit=unit, number=number)
    shared = about(request, unit)
    made = extract(asked, rows, shared["unit_name"])
    found: dict[str, Any] = {
        **shared,
        "asked": asked,
        "rows": len(rows),
        "sections": [(str(section), cells) for section, cells in made.sections.items()],
        "hints": open_hints(rows),
        "echoes": open_echoes(rows),
        "fits_pdf": fits_pdf(made),
        "digest": digest_of(made),
    }
    if request.method == "POST":
        try:
            make_files(request.reader, asked, rows, made, request.POST.get("digest", ""))
        except ChangedError:
            found["changed"] = True
        else:
            return redirect("disclosure", unit=unit, number=number)
    status = 409 if "changed" in found else 200
    return render(request, "loglist/desk/hand_out.html", found, status=status)


@require_GET
@desk_page
def file(_request: HttpRequest, unit: str, number: int) -> HttpResponse:
    """Give the file that was handed out, unchanged."""
    kept = get_object_or_404(Handout, disclosure=request_of(unit, number))
    answer = HttpResponse(bytes(kept.file), content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="utdrag-{unit}-{number}.zip"'
    return answer


@require_GET
@desk_page
def refusal(request: HttpRequest, unit: str, number: int) -> HttpResponse:
    """Give the draft of a decision on what was not handed out, as plain text."""
    found = refusal_of(request_of(unit, number), about(request, unit)["unit_name"])
    if found is None:
        raise Http404
    text = draft(found).replace("\n", "\r\n")
    answer = HttpResponse(text.encode("utf-8-sig"), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="beslut-{unit}-{number}.txt"'
    return answer
