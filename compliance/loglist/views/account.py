"""Logging in and out, the first page, and the health of the whole."""

import time
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from compliance.errors import UserError
from compliance.loglist.context import units_of
from compliance.loglist.forms import LoginForm
from compliance.loglist.login import MustWaitError, check
from compliance.loglist.views.second_factor import PENDING_SECONDS, go_on

_LONGEST_TARGET = 1000


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """Let somebody in who has an account in the directory."""
    form = LoginForm(request.POST or None, label_suffix="")
    target = target_of(request)
    if request.method == "POST" and form.is_valid():
        try:
            found = check(form.cleaned_data["address"], form.cleaned_data["password"])
        except MustWaitError:
            form.add_error(None, _("Too many attempts. Wait a quarter of an hour and try again."))
        except UserError:
            form.add_error(None, _("The directory does not answer. Tell the IT department."))
        else:
            if found:
                return go_on(request, found, form.cleaned_data["address"], target)
            form.add_error(None, _("The address or the password is wrong."))
    shown = {
        "form": form,
        "own_passwords": settings.DIRECTORY.logins is None,
        "single_sign_on": settings.OIDC is not None,
        "target": target,
        **({} if form.is_bound else _fault(request)),
    }
    return render(request, "loglist/login.html", shown, status=400 if form.errors else 200)


def target_of(request: HttpRequest) -> str:
    """Return where somebody wanted to go before they were sent to log in: on this site only."""
    target: str = request.GET.get("next", "/")
    # A path from the top: `redirect` takes anything else for a page's name as well.
    is_ours = target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    # What a session's cookie holds besides must have room in it.
    return target if is_ours and len(target) <= _LONGEST_TARGET else "/"


def remember_fault(request: HttpRequest, kind: str, account: str = "") -> HttpResponse:
    """Go to the log-in, which says what went wrong with the municipality's account.

    kind: one of those that the log-in's page tells. account: whose, as the provider calls it.
    """
    fault = {"kind": kind, "account": account[:254], "since": int(time.time())}
    request.session["sign_on_fault"] = fault
    return redirect("login")


def _fault(request: HttpRequest) -> dict[str, Any]:
    """Return what went wrong a short while ago; it stays, for who reads it in another language."""
    fault = request.session.get("sign_on_fault")
    if fault and time.time() - fault["since"] <= PENDING_SECONDS:
        return {"fault": fault["kind"], "account": fault["account"]}
    return {}


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the session, in the database too."""
    by_provider = request.session.get("by_provider") and settings.OIDC is not None
    request.reader.close()
    request.session.flush()
    return redirect("logged-out" if by_provider else "login")


@require_GET
def health(_request: HttpRequest) -> HttpResponse:
    """Say whether the database answers; of nothing else."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@require_GET
def accessibility(request: HttpRequest) -> HttpResponse:
    """Tell how accessible the pages are, as DOS-lagen (2018:1937) 13 § asks for."""
    contact = f"postmaster@{settings.KOMMUNPOST.municipality.domain}"
    return render(request, "loglist/accessibility.html", {"contact": contact})


@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """Go to the first of the reader's units."""
    units = units_of(request.who)
    if units:
        return redirect("list", unit=units[0][0])
    return render(request, "loglist/no_unit.html")
