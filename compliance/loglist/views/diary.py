"""A unit's diary: what the log list has of it, and handing over an export."""

import tempfile
from dataclasses import replace
from pathlib import Path

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from compliance.errors import Problem, UserError
from compliance.loglist.context import units_of
from compliance.loglist.diary import diary_of, read_export, take_over
from compliance.loglist.diary_form import DiaryForm
from compliance.messagelog.reading import NotYoursError

_TOLD = 200  # problems on a page; whoever mends those comes back
_NAME = "export"


@require_http_methods(["GET", "HEAD", "POST"])
def diary(request: HttpRequest, unit: str) -> HttpResponse:
    """Show what is known of a unit's diary, and take in an export of it."""
    if not (request.who.everything or unit in request.who.units):
        raise NotYoursError
    if request.method != "POST":
        return _page(request, unit, DiaryForm(label_suffix=""))
    if unit not in request.reviews:
        raise NotYoursError
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
            "unit_name": dict(units_of(request.who)).get(unit, unit),
            "may_write": unit in request.reviews,
            "diary": diary_of(unit),
            "form": form,
            "problems": (problems or [])[:_TOLD],
            "count": len(problems or []),
            "is_done": "done" in request.GET,
        },
        status=status,
    )
