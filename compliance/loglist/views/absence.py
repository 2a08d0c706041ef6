"""Opening a message in the holder's absence: asking, and agreeing to it."""

from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from compliance.errors import UserError
from compliance.loglist.access import must_read, must_review
from compliance.loglist.context import unit_name
from compliance.loglist.message import absence
from compliance.loglist.models.absence import AbsenceRequest, Standing
from compliance.loglist.views.entries import bounded
from compliance.messagelog.answers import Row
from compliance.messagelog.reading import NotYoursError


class AskForm(forms.Form):
    """Why the message has to be opened."""

    reason = forms.CharField(
        label=_("Why it can't wait, and what you have done to reach the holder"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Write why.")},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def of_entry(request: HttpRequest, unit: str, outbox: UUID, sequence: int) -> HttpResponse:
    """Show how it stands with an entry's message, and take a request or a second person's yes."""
    _must_be_on()
    row = request.reader.entry(unit, str(outbox), bounded(sequence))
    last = absence.last_of(unit, row)
    if request.method != "POST":
        return _page(request, unit, row, last, AskForm(label_suffix=""))
    if "agree" in request.POST:
        if last is None or str(last.id) != request.POST["agree"]:
            raise NotYoursError
        absence.agree(last)
        return redirect(request.path)
    must_review(request, unit)
    if row["recipient_unit"] != unit:  # what was sent lies with its sender, who is here
        raise Http404
    form = AskForm(request.POST, label_suffix="")
    if form.is_valid():
        holder = _holder(unit, row)
        if holder is not None and holder != request.who.reader:
            absence.ask(unit, row, holder, form.cleaned_data["reason"])
            return redirect(request.path)
        form.add_error(
            None, _("The directory knows nobody else who has this mailbox, or doesn't answer.")
        )
    return _page(request, unit, row, last, form, 400)


@require_GET
def of_unit(request: HttpRequest, unit: str) -> HttpResponse:
    """Show a unit's requests that wait for a second person."""
    _must_be_on()
    must_read(request, unit)
    context = {
        "unit": unit,
        "unit_name": unit_name(request, unit),
        "requests": absence.waiting(unit, timezone.now()),
    }
    return render(request, "loglist/absences.html", context)


def _must_be_on() -> None:
    if not absence.is_on():
        raise Http404


def _holder(unit: str, row: Row) -> str | None:
    """Return the holder; nobody, if the directory is away."""
    try:
        return absence.holder_of(unit, row)
    except (OSError, UserError):
        return None


def _page(
    request: HttpRequest,
    unit: str,
    row: Row,
    last: AbsenceRequest | None,
    form: AskForm,
    status: int = 200,
) -> HttpResponse:
    standing = last.standing(timezone.now()) if last else Standing.OVER
    context = {
        "unit": unit,
        "unit_name": unit_name(request, unit),
        "row": row,
        "last": last,
        "standing": standing.value,
        "may_ask": standing is Standing.OVER
        and unit in request.reviews
        and row["recipient_unit"] == unit,
        "may_agree": last is not None
        and standing is Standing.WAITING
        and absence.may_agree(last, request.who, request.reviews),
        "may_open": last is not None
        and standing is Standing.OPEN
        and last.asked_by == request.who.reader,
        "form": form,
    }
    return render(request, "loglist/absence.html", context, status=status)
