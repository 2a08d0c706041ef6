"""What a reader fills in."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from compliance.clock import midnight
from compliance.loglist.reviews import standings
from compliance.loglist.waits import WAITS, Wait
from compliance.messagelog.formats import visible
from compliance.messagelog.reading import Filter


class LoginForm(forms.Form):
    """Address and password."""

    address = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    """The six digits that a telephone shows."""

    code = forms.CharField(
        label=_("Six digits"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        ),
    )


class _NewPasswordForm(forms.Form):
    """A new password, written twice, and whose."""

    address = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )

    def __init__(self, *arguments: Any, **more: Any) -> None:
        """Take what any form takes."""
        super().__init__(*arguments, label_suffix="", **more)
        self.fields["new"] = _secret(_("New password"), "new-password")
        self.fields["again"] = _secret(_("New password once more"), "new-password")

    def clean(self) -> dict[str, Any]:
        """Refuse two that are not the same."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and values["new"] != values["again"]:
            self.add_error("again", _("The two are not the same."))
        return values


def _secret(label: Any, kind: str) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": kind})
    return forms.CharField(label=label, max_length=1000, strip=False, widget=widget)


class FirstPasswordForm(_NewPasswordForm):
    """A password by the code of a letter."""

    proof = forms.CharField(
        label=_("Code from the letter"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ChangePasswordForm(_NewPasswordForm):
    """A password in place of another."""

    proof = _secret(_("Password that you have now"), "current-password")


def _day(label: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=False, widget=widget, input_formats=["%Y-%m-%d"])


def _direction() -> forms.ChoiceField:
    choices = [
        ("", _("All")),
        ("in", _("Incoming")),
        ("out", _("Outgoing")),
        ("internal", _("Internal")),
    ]
    return forms.ChoiceField(label=_("Direction"), required=False, choices=choices)


def _waits() -> list[tuple[str, str]]:
    return [("", _("All")), *((str(wait), wait.label) for wait in WAITS)]


def _standings() -> list[tuple[str, Any]]:
    return [("", _("All")), *standings().items()]


class LeftForm(forms.Form):
    """Which rows of what is left to review are wanted."""

    direction = _direction()
    waited = forms.ChoiceField(label=_("Has waited"), required=False, choices=_waits)

    @property
    def wait(self) -> Wait | None:
        """How long the rows have waited; None: any time. The form is valid."""
        chosen = self.cleaned_data["waited"]
        return next((wait for wait in WAITS if str(wait) == chosen), None)


def _end(day: date) -> datetime | None:
    """Return when a day ends in Sweden; None of the last one there is, behind which is no time."""
    return midnight(day + timedelta(days=1)) if day < date.max else None


class FilterForm(forms.Form):
    """Which rows of a unit's list are wanted; days are Swedish, both included."""

    q = forms.CharField(label=_("In the subject"), required=False, max_length=200)
    how = forms.ChoiceField(
        label=_("Search for"),
        required=False,
        choices=[("part", _("the text as written")), ("words", _("words in any form"))],
    )
    address = forms.CharField(label=_("Sender or recipient"), required=False, max_length=320)
    mailbox = forms.CharField(
        label=_("Mailbox"), required=False, max_length=320, widget=forms.Select
    )
    direction = _direction()
    standing = forms.ChoiceField(label=_("Review"), required=False, choices=_standings)
    since = _day(_("From"))
    until = _day(_("To and including"))
    probes = forms.BooleanField(label=_("Show the audit's own mail"), required=False)

    def __init__(
        self, data: Mapping[str, Any], mailboxes: Sequence[tuple[str, str]] = (), **more: Any
    ) -> None:
        """mailboxes: addresses to choose among, with their names.

        Another that is asked for stands too: it may be closed by now, or the directory away.
        """
        super().__init__(data, **more)
        asked = data.get("mailbox", "")
        known = [("", _("All")), *mailboxes]
        others = [] if asked in dict(known) else [(asked, visible(asked))]
        self.fields["mailbox"].widget.choices = known + others

    def clean(self) -> dict[str, Any]:
        """Refuse a time that ends before it begins, and what no text in the log can hold."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = values.get("since"), values.get("until")
        if since and until and until < since:
            self.add_error("until", _("The last day is before the first."))
        return values

    def wanted(self, unit: str) -> Filter:
        """Return the filter; the form is valid."""
        values = self.cleaned_data
        text = values["q"] or None
        return Filter(
            unit=unit,
            since=values["since"] and midnight(values["since"]),
            until=values["until"] and _end(values["until"]),
            direction=values["direction"] or None,
            address=values["address"] or None,
            words=text if values["how"] == "words" else None,
            part=text if values["how"] != "words" else None,
            probes=values["probes"],
            standing=values["standing"] or None,
            mailbox=values["mailbox"] or None,
        )
