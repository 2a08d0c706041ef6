"""The disclosure desk: requests, the rows chosen for them, and how they end."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from compliance.clock import today
from compliance.errors import UserError
from compliance.loglist import listing
from compliance.loglist.context import unit_name
from compliance.loglist.desk.forms import EndForm, RequestForm
from compliance.loglist.desk.handout import refusal_of
from compliance.loglist.desk.rows import MOST, EndedError, choose, in_words, still_open
from compliance.loglist.forms import FilterForm
from compliance.loglist.mailboxes import mailboxes_of
from compliance.loglist.models import Disclosure, Handout
from compliance.messagelog.reading import NotYoursError

_SAMPLE = 50  # rows that are shown before they are chosen

Page = Callable[..., HttpResponse]


def desk_page(page: Page) -> Page:
    """Let a page of a unit be seen by whoever reads it, and tell in words what stops the work."""

    @wraps(page)
    def answer(request: HttpRequest, unit: str, *rest: Any, **more: Any) -> HttpResponse:
        if not (request.who.everything or unit in request.who.units):
            raise NotYoursError
        try:
            return page(request, unit, *rest, **more)
        except EndedError:
            return _stopped(request, unit, _("The request has ended and is not changed any more."))
        except UserError:
            told = _("The directory does not answer. Tell the IT department.")
            return _stopped(request, unit, told, 503)

    return answer


def for_reviewers(page: Page) -> Page:
    """Keep a page to those who review the unit."""

    @wraps(page)
    def answer(request: HttpRequest, unit: str, *rest: Any, **more: Any) -> HttpResponse:
        if unit not in request.reviews:
            raise NotYoursError
        return page(request, unit, *rest, **more)

    return desk_page(answer)


def _stopped(request: HttpRequest, unit: str, told: str, status: int = 409) -> HttpResponse:
    found = {**about(request, unit), "told": told}
    return render(request, "loglist/desk/stopped.html", found, status=status)


def about(request: HttpRequest, unit: str) -> dict[str, Any]:
    """Return what each page of the desk shows of its unit."""
    return {
        "unit": unit,
        "unit_name": unit_name(request, unit),
        "may_write": unit in request.reviews,
    }


def request_of(unit: str, number: int) -> Disclosure:
    """Return a request of a unit; whoever may not read it gets what is not there."""
    if number >= 2**63:
        raise Http404
    found: Disclosure = get_object_or_404(Disclosure, unit=unit, pk=number)
    return found


@require_GET
@desk_page
def requests(request: HttpRequest, unit: str) -> HttpResponse:
    """Show a unit's requests, the open ones first."""
    every = list(Disclosure.objects.filter(unit=unit))
    every.sort(key=lambda one: one.ended_at is not None)
    return render(
        request, "loglist/desk/requests.html", {**about(request, unit), "requests": every}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_reviewers
def new(request: HttpRequest, unit: str) -> HttpResponse:
    """Take in a request."""
    form = RequestForm(
        request.POST or None, label_suffix="", initial={"received_on": today().isoformat()}
    )
    if request.method == "POST" and form.is_valid():
        made = Disclosure.objects.create(unit=unit, **form.cleaned_data)
        return redirect("disclosure", unit=unit, number=made.pk)
    found = {**about(request, unit), "form": form}
    return render(request, "loglist/desk/new.html", found, status=400 if form.errors else 200)


@require_GET
@desk_page
def one(request: HttpRequest, unit: str, number: int) -> HttpResponse:
    """Show a request and what there is to do next."""
    return _one(request, unit, request_of(unit, number), EndForm(label_suffix=""))


def _one(request: HttpRequest, unit: str, asked: Disclosure, form: EndForm) -> HttpResponse:
    found = {
        **about(request, unit),
        "asked": asked,
        "chosen": asked.rows.count(),
        "wanted": in_words(asked.wanted),
        "handout": Handout.objects.filter(disclosure=asked).defer("file").first(),
        "refusal": refusal_of(asked, ""),
        "form": form,
    }
    return render(request, "loglist/desk/request.html", found, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@for_reviewers
def select(request: HttpRequest, unit: str, number: int) -> HttpResponse:
    """Choose the rows by the list's own filter: look first, then take what it finds."""
    asked = request_of(unit, number)
    if asked.ended_at is not None:
        raise EndedError
    form = FilterForm(request.GET, mailboxes_of(unit), label_suffix="")
    rows: list[dict[str, Any]] = []
    if form.is_valid():
        wanted = form.wanted(unit)
        rows = listing.newest(request.reader, wanted, MOST + 1)
        if request.method == "POST" and 0 < len(rows) <= MOST:
            choose(asked, wanted, rows)
            return redirect("disclosure", unit=unit, number=number)
    found = {
        **about(request, unit),
        "asked": asked,
        "form": form,
        "rows": rows[:_SAMPLE],
        "count": len(rows),
        "more": len(rows) - _SAMPLE,
        "too_many": len(rows) > MOST,
        "most": MOST,
        "query": request.GET.urlencode(),
    }
    return render(
        request, "loglist/desk/select.html", found, status=200 if form.is_valid() else 400
    )


@require_POST
@for_reviewers
def end(request: HttpRequest, unit: str, number: int) -> HttpResponse:
    """End a request without an extract: nothing was found, it was taken back, or refused."""
    asked = request_of(unit, number)
    form = EndForm(request.POST, label_suffix="")
    if not form.is_valid():
        return _one(request, unit, asked, form)
    with still_open(asked) as held:
        held.ended_at = timezone.now()
        held.outcome = Disclosure.Outcome.NOT_HANDED_OUT
        held.reason = form.cleaned_data["reason"]
        held.save(update_fields=["ended_at", "outcome", "reason"])
    return redirect("disclosure", unit=unit, number=number)


@require_POST
@for_reviewers
def appeal(request: HttpRequest, unit: str, number: int) -> HttpResponse:
    """Note that a decision is appealed, or that the case is closed. The database says when."""
    asked = request_of(unit, number)
    if asked.held_until is None:
        raise Http404  # nothing was kept back, or the request is open
    noted = "appeal_over_at" if request.POST.get("is") == "over" else "appealed_at"
    # A second click finds it noted.
    once = Disclosure.objects.filter(pk=asked.pk, **{f"{noted}__isnull": True})
    if noted == "appealed_at" or asked.appealed_at is not None:
        once.update(**{noted: timezone.now()})
    return redirect("disclosure", unit=unit, number=number)
