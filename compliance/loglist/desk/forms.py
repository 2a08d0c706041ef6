"""What is filled in at the disclosure desk."""

from datetime import date

from django import forms
from django.utils.translation import gettext_lazy as _

from compliance.clock import today


class RequestForm(forms.Form):
    """A request: what is wanted, and when it came. Nobody has to say who they are, or why."""

    asked_for = forms.CharField(
        label=_("What is asked for"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    asked_by = forms.CharField(
        label=_("Who asks and where to answer (may be left out)"),
        max_length=200,
        required=False,
    )
    received_on = forms.DateField(
        label=_("The day it came"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        initial=today,
    )

    def clean_received_on(self) -> date:
        """Refuse a day that is yet to come."""
        day: date = self.cleaned_data["received_on"]
        if day > today():
            raise forms.ValidationError(_("The day is yet to come."))
        return day


class EndForm(forms.Form):
    """Why a request ends without an extract."""

    reason = forms.CharField(
        label=_("Why nothing is handed out"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
