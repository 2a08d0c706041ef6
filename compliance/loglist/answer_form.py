"""What an official fills in who was asked about a message."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from compliance.loglist.language import read
from compliance.review.doubt import Kind, answer_faults


class AnswerForm(forms.Form):
    """An answer. Its choices and faults are those of compliance/review."""

    kind = forms.ChoiceField(
        label=_("Your answer"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose an answer.")},
    )
    matter = forms.CharField(label=_("Diary number, if you know it"), required=False, max_length=64)
    words = forms.CharField(
        label=_("In your own words"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def __init__(self, *arguments: Any, **more: Any) -> None:
        """Take what any form takes."""
        super().__init__(*arguments, **more)
        self.fields["kind"].choices = [
            (one.value, read(one.text)) for one in Kind if one is not Kind.HANDED_OVER
        ]

    def clean(self) -> dict[str, Any]:
        """Hold the answer against the rules of the review."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            kind = Kind(values["kind"])
            field = "matter" if kind is Kind.MATTER else "words"
            for fault in answer_faults(kind, values["matter"], values["words"]):
                self.add_error(field, read(fault))
        return values

    def answer(self) -> tuple[Kind, str, str]:
        """Return kind, number of the matter if it concerns one, and words; the form is valid."""
        kind = Kind(self.cleaned_data["kind"])
        matter = self.cleaned_data["matter"] if kind is Kind.MATTER else ""
        return kind, matter.strip(), self.cleaned_data["words"].strip()
