"""Logging in, and out, with the municipality's own account (docs/decisions/0074)."""

import logging
import time
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_GET

from compliance.errors import UserError
from compliance.loglist import login, single_sign_on
from compliance.loglist.single_sign_on import ProviderAwayError, SignOnError, Vouched
from compliance.loglist.views.account import remember_fault, target_of
from compliance.loglist.views.second_factor import PENDING_SECONDS, go_on

_LOG = logging.getLogger(__name__)


@require_GET
def begin(request: HttpRequest) -> HttpResponse:
    """Send somebody to the provider."""
    _only_where_set()
    request.session.pop("sign_on_fault", None)
    try:
        address, attempt = single_sign_on.begin(_back(request))
    except SignOnError as error:
        return _failed(request, error)
    request.session["sign_on"] = {
        **attempt,
        "since": int(time.time()),
        "target": target_of(request),
    }
    return redirect(address)


@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Take somebody in who comes back from the provider; on with the second step, if it is asked.

    What they may read is the directory's to say, as with a password.
    """
    _only_where_set()
    attempt = request.session.pop("sign_on", None)
    try:
        vouched = _answer(request, attempt)
    except SignOnError as error:
        return _failed(request, error)
    try:
        found = login.look_up(login.normal(vouched.account))
    except UserError:
        return remember_fault(request, "directory")
    if found is None:
        return remember_fault(request, "unknown", vouched.account)
    return go_on(request, found, vouched.account, attempt["target"], vouched)


@require_GET
def logged_out(request: HttpRequest) -> HttpResponse:
    """Say that the log list is closed, and where to log out of the provider too.

    A link, since a browser would not follow a form's answer there (form-action 'self').
    """
    _only_where_set()
    try:
        address = single_sign_on.log_out_address(request.build_absolute_uri(reverse("login")))
    except SignOnError as error:
        _LOG.warning("single sign-on: %s", error)
        address = None
    return render(request, "loglist/logged_out.html", {"address": address})


def _answer(request: HttpRequest, attempt: dict[str, Any] | None) -> Vouched:
    """Hold what the browser brought against what it was sent with."""
    if attempt is None or time.time() - attempt["since"] > PENDING_SECONDS:
        raise SignOnError("a browser came back that had not been sent, or too long ago")
    if not constant_time_compare(request.GET.get("state", ""), attempt["state"]):
        raise SignOnError("the state is not the one that was sent")
    if "error" in request.GET:
        raise SignOnError(f"the provider says {request.GET['error']!r:.60}")
    return single_sign_on.finish(attempt, request.GET.get("code", ""), _back(request))


def _back(request: HttpRequest) -> str:
    address: str = request.build_absolute_uri(reverse("single-sign-on-back"))
    return address


def _failed(request: HttpRequest, error: SignOnError) -> HttpResponse:
    _LOG.warning("single sign-on: %s", error)
    return remember_fault(request, "away" if isinstance(error, ProviderAwayError) else "failed")


def _only_where_set() -> None:
    if settings.OIDC is None:
        raise Http404
