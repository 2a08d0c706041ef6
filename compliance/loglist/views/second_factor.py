"""The second step of logging in, and setting it up."""

import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from compliance.directory.log_readers import LogReader
from compliance.errors import UserError
from compliance.loglist import login, second_factor
from compliance.loglist.forms import CodeForm
from compliance.loglist.single_sign_on import Vouched

# So long after the right password the code may be given.
PENDING_SECONDS = 600


def go_on(
    request: HttpRequest,
    found: LogReader,
    address: str,
    target: str,
    vouched: Vouched | None = None,
) -> HttpResponse:
    """Let somebody in whose password was right, or ask for what else is needed first.

    vouched: what the municipality's provider says, in place of a password.
    """
    asked = second_factor.is_set_up(found.id)
    needed = asked or settings.SECOND_FACTOR_REQUIRED
    if not needed or (vouched and vouched.several_factors):
        return _let_in(request, found, login.normal(address), target, vouched is not None)
    request.session.cycle_key()
    request.session["pending"] = {
        "login": login.normal(address),
        "person": found.id,
        "since": int(time.time()),
        "target": target,
        "by_provider": vouched is not None,
    }
    return redirect("code" if asked else "second-step-first")


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Ask for the code of somebody whose password, or provider, said who they are."""
    pending = _pending(request)
    if pending is None or not second_factor.is_set_up(pending["person"]):
        return redirect("login")
    form = CodeForm(request.POST or None, label_suffix="")
    if request.method == "POST" and form.is_valid():
        answer = _answer(request, form, pending)
        if answer:
            return answer
    return _page(request, "loglist/code.html", form)


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def set_up_first(request: HttpRequest) -> HttpResponse:
    """Let somebody set up the second step who may not come in without it."""
    pending = _pending(request)
    if pending is None or second_factor.is_set_up(pending["person"]):
        return redirect("login")
    form = CodeForm(request.POST or None, label_suffix="")
    if request.method == "POST" and form.is_valid():
        answer = _answer(request, form, pending)
        if answer:
            return answer
    return _page(request, "loglist/second_step.html", form, pending["person"], pending["login"])


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def own(request: HttpRequest) -> HttpResponse:
    """Let somebody who is in set up the second step, or take it away with a last code."""
    person = request.who.reader
    was_set_up = second_factor.is_set_up(person)
    form = CodeForm(request.POST or None, label_suffix="")
    if request.method == "POST" and form.is_valid() and _is_right(form, person, person):
        if was_set_up:
            second_factor.forget(person)
        return redirect("second-step")
    if was_set_up:
        return _page(request, "loglist/second_step_done.html", form)
    return _page(request, "loglist/second_step.html", form, person, request.who.name)


def _pending(request: HttpRequest) -> dict[str, Any] | None:
    """Return who has given the right password a short while ago."""
    pending: dict[str, Any] | None = request.session.get("pending")
    if pending and time.time() - pending["since"] <= PENDING_SECONDS:
        return pending
    return None


def _answer(request: HttpRequest, form: CodeForm, pending: dict[str, Any]) -> HttpResponse | None:
    """Let them in if the code is right, else say on the form why not."""
    try:
        if not _is_right(form, pending["person"], pending["login"]):
            return None
        found = login.look_up(pending["login"])
    except UserError:
        form.add_error(None, _("The directory does not answer. Tell the IT department."))
        return None
    if found is None or found.id != pending["person"]:
        return redirect("login")
    return _let_in(request, found, pending["login"], pending["target"], pending["by_provider"])


def _is_right(form: CodeForm, person: str, counted_as: str) -> bool:
    """Hold the code against the person's; wrong ones are counted like wrong passwords."""
    try:
        login.must_not_wait(counted_as)
    except login.MustWaitError:
        form.add_error(None, _("Too many attempts. Wait a quarter of an hour and try again."))
        return False
    if second_factor.is_right(person, form.cleaned_data["code"]):
        return True
    login.note_failure(counted_as)
    form.add_error("code", _("The code is wrong, or was used already. Wait for the next one."))
    return False


def _let_in(
    request: HttpRequest, found: LogReader, counted_as: str, target: str, by_provider: bool
) -> HttpResponse:
    token = login.let_in(found, counted_as)
    request.session.flush()
    request.session["token"] = token
    if by_provider:
        request.session["by_provider"] = True  # what they can log out of too
    return redirect(target)


def _page(
    request: HttpRequest, template: str, form: CodeForm, person: str = "", name: str = ""
) -> HttpResponse:
    """person: whose secret is to be shown, if any."""
    shown: dict[str, Any] = {"form": form}
    if person:
        secret = second_factor.secret_for(person)
        address = second_factor.address_of(secret, name)
        shown["secret"] = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
        shown["picture"] = second_factor.picture_of(address, _("The key as a QR code"))
    return render(request, template, shown, status=400 if form.errors else 200)
