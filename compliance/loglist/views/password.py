"""Choosing a password: by the code of a letter, or in place of the one that somebody has."""

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from compliance.directory import passwords
from compliance.errors import UserError
from compliance.loglist import login
from compliance.loglist.forms import ChangePasswordForm, FirstPasswordForm

_Set = Callable[[str, str, str], None]


@sensitive_post_parameters("proof", "new", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def first(request: HttpRequest) -> HttpResponse:
    """Let somebody choose a password by the code of a letter."""

    def choose(address: str, code: str, new: str) -> None:
        passwords.redeem(settings.DIRECTORY, address, code, new, timezone.now())

    wrong = _("The address and the code do not belong together, or the code is too old.")
    return _answer(request, FirstPasswordForm, choose, wrong)


@sensitive_post_parameters("proof", "new", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest) -> HttpResponse:
    """Let somebody choose another password."""

    def choose(address: str, old: str, new: str) -> None:
        passwords.change(settings.DIRECTORY, address, old, new)

    return _answer(request, ChangePasswordForm, choose, _("The address or the password is wrong."))


@require_GET
def done(request: HttpRequest) -> HttpResponse:
    """Say that the password is chosen."""
    return render(request, "loglist/password_done.html")


def _answer(
    request: HttpRequest,
    kind: type[FirstPasswordForm | ChangePasswordForm],
    choose: _Set,
    wrong: str,
) -> HttpResponse:
    if settings.DIRECTORY.logins:
        raise Http404  # passwords are in Active Directory, and changed there
    form = kind(request.POST or None)
    if request.method == "POST" and form.is_valid() and _chosen(form, choose, wrong):
        return redirect("password-done")
    shown = {"form": form, "is_first": kind is FirstPasswordForm}
    return render(request, "loglist/password.html", shown, status=400 if form.errors else 200)


def _chosen(form: FirstPasswordForm | ChangePasswordForm, choose: _Set, wrong: str) -> bool:
    """Set the password; else say on the form why not. Wrong guesses make the address wait."""
    address = login.normal(form.cleaned_data["address"])
    try:
        login.must_not_wait(address)
        choose(address, form.cleaned_data["proof"], form.cleaned_data["new"])
    except login.MustWaitError:
        form.add_error(None, _("Too many attempts. Wait a quarter of an hour and try again."))
    except passwords.NotTheirsError:
        login.note_failure(address)
        form.add_error("proof", wrong)
    except passwords.RefusedPasswordError:
        form.add_error("new", _("Choose a longer password, and one that you have not had before."))
    except UserError:
        form.add_error(None, _("The directory does not answer. Tell the IT department."))
    else:
        return True
    return False
