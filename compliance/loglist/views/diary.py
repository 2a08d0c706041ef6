"""A unit's diary: what the log list has of it, and handing over an export."""

import tempfile
from dataclasses import replace
from pathlib import Path

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from compliance.errors import Problem, UserError
from compliance.loglist.access import must_read, must_review
from compliance.loglist.context import unit_name
from compliance.loglist.diary import diary_of, read_export, take_over
from compliance.loglist.diary_form import DiaryForm
from compliance.loglist.reviews import OvertakenError
from compliance.loglist.suggestions import suggestion, take
from compliance.loglist.views.entries import show_entry
from compliance.loglist.views.review import here

_TOLD = 200  # problems on a page; whoever mends those comes back
_NAME = "export"


@require_http_methods(["GET", "HEAD", "POST"])
def diary(request: HttpRequest, unit: str) -> HttpResponse:
    """Show what is known of a unit's diary, and take in an export of it."""
    must_read(request, unit)
    if request.method != "POST":
        return _page(request, unit, DiaryForm(label_suffix=""))
    must_review(request, unit)
    form = DiaryForm(request.POST, request.FILES, label_suffix="")
    if not form.is_valid():
        return _page(request, unit, form, status=400)
    file = form.cleaned_data["file"]
    try:
        with tempfile.TemporaryDirectory(prefix="diary-") as folder:
            entries = read_export(_laid_down(file, Path(folder)))
    except UserError as error:
        problems = [_of_the_file(problem, file.name) for problem in error.problems]
        return _page(request, unit, form, problems, status=400)
    take_over(unit, entries, file.name, request.who)
    return redirect(f"{request.path}?done")


@require_POST
def take_suggestion(request: HttpRequest, unit: str) -> HttpResponse:
    """Register a row under the record that the program suggests, by one click."""
    must_review(request, unit)
    try:
        number, revision = map(int, request.POST.get("suggestion", "").split("."))
    except ValueError as error:
        raise Http404 from error
    if not (0 <= number < 2**63 and 0 <= revision < 2**31):
        raise Http404
    match = suggestion(unit, number)
    item = match.item
    try:
        take(match, revision, request.who)
    except OvertakenError:
        return show_entry(request, unit, item.outbox, item.sequence, is_overtaken=True)
    if "entry" in request.GET:
        return redirect("entry", unit, item.outbox, item.sequence)
    return redirect(f"{reverse('review', args=[unit])}?{here(request)}&decided=1")


def _laid_down(file: UploadedFile, folder: Path) -> Path:
    """Write an upload where the importers can read it, under a name that is not the sender's."""
    path = folder / _NAME
    with path.open("wb") as stream:
        for chunk in file.chunks():
            stream.write(chunk)
    return path


def _of_the_file(problem: Problem, name: str) -> Problem:
    """Tell a problem of the file that was handed over, as its sender knows it."""
    _, found, place = problem.where.partition(f"/{_NAME}")
    return replace(problem, where=f"{name}{place}" if found else problem.where)


def _page(
    request: HttpRequest,
    unit: str,
    form: DiaryForm,
    problems: list[Problem] | None = None,
    status: int = 200,
) -> HttpResponse:
    return render(
        request,
        "loglist/diary.html",
        {
            "unit": unit,
            "unit_name": unit_name(request, unit),
            "may_write": unit in request.reviews,
            "diary": diary_of(unit),
            "form": form,
            "problems": (problems or [])[:_TOLD],
            "count": len(problems or []),
            "is_done": "done" in request.GET,
        },
        status=status,
    )
