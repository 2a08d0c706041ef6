"""What a reviewer fills in about one row of the review, or about many at once."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from compliance.diary.number import parse_number
from compliance.diary.number_rules import NumberRules
from compliance.loglist.language import read
from compliance.loglist.reviews import reasons
from compliance.review.decision import Decision, Outcome, faults

_SECRET = {"": None, "no": False, "yes": True}


class DecisionForm(forms.Form):
    """An outcome and what it needs. Its choices and faults are those of compliance/review."""

    # What is asked beside an outcome, and where it is told if that is missing or won't do.
    ASKED: ClassVar = {
        Outcome.REGISTERED: "number",
        Outcome.KEPT_IN_ORDER: "secret",
        Outcome.NEGLIGIBLE: "reason",
        Outcome.PRIVATE: None,
        Outcome.TRADE_UNION: None,
        Outcome.OTHER_AUTHORITY: "authority",
    }

    outcome = forms.ChoiceField(
        label=_("Decision"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a decision.")},
    )
    number = forms.CharField(label=_("Diary number"), required=False, max_length=60)
    secret = forms.ChoiceField(
        label=_("Is anything in it secret?"),
        required=False,
        choices=[("", _("Choose")), ("no", _("No")), ("yes", _("Yes"))],
    )
    reason = forms.ChoiceField(label=_("Reason"), required=False)
    authority = forms.CharField(label=_("Which authority"), required=False, max_length=200)

    def __init__(self, *arguments: Any, **more: Any) -> None:
        """Take what any form takes."""
        super().__init__(*arguments, label_suffix="", **more)
        listed = [(one.id, f"{one.text} ({one.decision})") for one in reasons()]
        self.fields["reason"].choices = [("", _("Choose")), *listed]
        # Without a decision of the municipality's own nothing is negligible.
        outcomes = [one for one in self.ASKED if listed or one is not Outcome.NEGLIGIBLE]
        self.fields["outcome"].choices = [(one.value, read(one.text)) for one in outcomes]

    def options(self) -> Iterator[tuple[Any, Any]]:
        """Give each outcome's radio button, and the field beside it or None."""
        for radio in self["outcome"]:
            name = self.ASKED[Outcome(radio.data["value"])]
            yield radio, self[name] if name else None

    def clean(self) -> dict[str, Any]:
        """Hold the decision against the rules of the review."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            made = self.decision("")
            field = self.ASKED[made.outcome]
            number = values["number"].strip()
            if made.outcome is Outcome.REGISTERED and number and made.number is None:
                self.add_error(field, _("This is no diary number. Write it like KS 2026/123."))
                return values
            for fault in faults(made, reasons()):
                self.add_error(field, read(fault))
        return values

    def decision(self, person: str) -> Decision:
        """Return what was decided, by a person, of any row; of what was filled in only its own."""
        values = self.cleaned_data
        outcome = Outcome(values["outcome"])
        own = self.ASKED[outcome]
        given = {name: values[name] if name == own else "" for name in self.fields}
        return Decision(
            row="",
            outcome=outcome,
            by=person,
            at=timezone.now(),
            number=parse_number(given["number"], NumberRules()),
            secret=_SECRET[given["secret"]],
            reason=given["reason"],
            authority=given["authority"].strip(),
        )
