"""The periods of a unit's review, closing one, and the protocols."""

from datetime import date

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from compliance.clock import today
from compliance.errors import UserError
from compliance.loglist.access import must_read, must_review
from compliance.loglist.context import unit_name
from compliance.loglist.models import ReviewProtocol
from compliance.loglist.periods import (
    NotThisPeriodError,
    close_period,
    deputies,
    open_periods,
    regularity,
)
from compliance.messagelog.reading import NotYoursError
from compliance.review.decision import review_texts
from compliance.review.period import Period


@require_http_methods(["GET", "HEAD", "POST"])
def periods(request: HttpRequest, unit: str) -> HttpResponse:
    """Show a unit's open and closed periods, and close one."""
    must_read(request, unit)
    if request.method != "POST":
        return _page(request, unit)
    must_review(request, unit)
    name = unit_name(request, unit)
    try:
        is_deputy = request.who.reader in deputies(unit)
    except UserError:
        return _page(request, unit, _("The directory does not answer. Tell the IT department."))
    try:
        close_period(
            unit, name, _period(request), request.who, is_deputy=is_deputy, now=timezone.now()
        )
    except NotThisPeriodError:
        return _page(request, unit, _("The period is closed already, or another comes before it."))
    except UserError:
        return _page(request, unit, _("The period is not over, or rows are left in it."))
    return redirect("periods", unit)


@require_GET
def protocol(request: HttpRequest, unit: str, number: int) -> HttpResponse:
    """Hand out a protocol, byte for byte as it was signed."""
    must_read(request, unit)
    kept = ReviewProtocol.objects.filter(unit=unit, id=number).first() if number < 2**63 else None
    if kept is None:
        raise NotYoursError
    name = f"granskningsprotokoll-{unit}-{kept.first}.pdf"
    return HttpResponse(
        bytes(kept.pdf),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _page(request: HttpRequest, unit: str, problem: str = "") -> HttpResponse:
    is_default = settings.LOGLIST.regularity is None
    return render(
        request,
        "loglist/periods.html",
        {
            "unit": unit,
            "unit_name": unit_name(request, unit),
            "may_close": unit in request.reviews,
            "open": open_periods(unit, today()),
            "closed": ReviewProtocol.objects.filter(unit=unit).defer("pdf").order_by("-first"),
            "regularity": regularity().text,
            "default": review_texts()["regularity.is-default"] if is_default else None,
            "problem": problem,
        },
        status=409 if problem else 200,
    )


def _period(request: HttpRequest) -> Period:
    """Return the period that the page showed."""
    try:
        return Period(
            *(date.fromisoformat(request.POST.get(name, "")) for name in ("first", "last"))
        )
    except ValueError as error:
        raise Http404 from error
