"""What a reviewer fills in about one row of the review, or about many at once."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from compliance.clock import today
from compliance.diary.number import parse_number
from compliance.directory.officials import Official
from compliance.errors import UserError
from compliance.loglist.diary import numbers_of
from compliance.loglist.language import read
from compliance.loglist.reviews import reasons
from compliance.review.decision import Decision, Outcome, faults, review_texts
from compliance.review.doubt import settling_faults

_log = logging.getLogger(__name__)

# Stands for whoever holds the mailbox of each row, until the directory has said who that is.
HOLDER = "holder"
_UNREADABLE = _("The number cannot be read: a setting is wrong. Tell the IT department.")
_SECRET = {"": None, "no": False, "yes": True}


class DecisionForm(forms.Form):
    """An outcome and what it needs. Its choices and faults are those of compliance/review."""

    # What is asked beside an outcome; beside the first it is told if that is missing or won't do.
    ASKED: ClassVar = {
        Outcome.REGISTERED: ("number",),
        Outcome.KEPT_IN_ORDER: ("secret",),
        Outcome.NEGLIGIBLE: ("reason",),
        Outcome.PRIVATE: (),
        Outcome.TRADE_UNION: (),
        Outcome.OTHER_AUTHORITY: ("authority",),
        Outcome.DOUBT: ("asked", "question"),
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
    asked = forms.CharField(
        label=_("Who is asked: an address, or empty for whoever holds the mailbox"),
        required=False,
        max_length=254,
    )
    question = forms.CharField(
        label=_("Question; leave empty to ask whether it concerns a matter, and which"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    why = forms.CharField(
        label=_("Reason, in words, for rows in doubt; it stands in the protocol"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *arguments: Any, settles: bool = False, **more: Any) -> None:
        """Take what any form takes. settles: it may end a doubt, which needs a reason."""
        super().__init__(*arguments, label_suffix="", **more)
        self.settles = settles
        # By item, whom the directory has for those who are to be asked.
        self.officials: Mapping[int, Official] = {}
        listed = [(one.id, f"{one.text} ({one.decision})") for one in reasons()]
        self.fields["reason"].choices = [("", _("Choose")), *listed]
        # Without a decision of the municipality's own nothing is negligible, and without an account
        # to send letters from nobody can be asked.
        closed = set() if listed else {Outcome.NEGLIGIBLE}
        if settings.KOMMUNPOST.sender is None:
            closed.add(Outcome.DOUBT)
        outcomes = [one for one in self.ASKED if one not in closed]
        self.fields["outcome"].choices = [(one.value, read(one.text)) for one in outcomes]

    def options(self) -> Iterator[tuple[Any, Any]]:
        """Give each outcome's radio button, and the fields beside it."""
        for radio in self["outcome"]:
            yield radio, [self[name] for name in self.ASKED[Outcome(radio.data["value"])]]

    def clean(self) -> dict[str, Any]:
        """Hold the decision against the rules of the review."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            field = next(iter(self.ASKED[Outcome(values["outcome"])]), None)
            try:
                made = self.decision("")
            except UserError as error:  # nobody knows how a number is to be read
                _log.error("a diary number cannot be read: %s", error)
                self.add_error(field, _UNREADABLE)
                return values
            number = values["number"].strip()
            if made.outcome is Outcome.REGISTERED and number and made.number is None:
                self.add_error(field, _("This is no diary number. Write it like KS 2026/123."))
                return values
            if made.number and made.number.year > today().year:
                self.add_error(field, _("That year is yet to come."))
                return values
            for fault in faults(made, reasons()):
                self.add_error(field, read(fault))
            if self.settles and made.outcome is not Outcome.DOUBT:
                for fault in settling_faults(made):
                    self.add_error("why", read(fault))
        return values

    def decision(self, person: str) -> Decision:
        """Return what was decided, by a person, of any row; of what was filled in only its own."""
        values = self.cleaned_data
        outcome = Outcome(values["outcome"])
        own = self.ASKED[outcome]
        given = {name: values[name] if name in own else "" for name in self.fields}
        is_doubt = outcome is Outcome.DOUBT
        return Decision(
            row="",
            outcome=outcome,
            by=person,
            at=timezone.now(),
            number=parse_number(given["number"], numbers_of()) if given["number"] else None,
            secret=_SECRET[given["secret"]],
            reason=given["reason"] or (values["why"].strip() if self.settles else ""),
            authority=given["authority"].strip(),
            asked=(given["asked"].strip() or HOLDER) if is_doubt else "",
            question=(given["question"].strip() or _usual_question()) if is_doubt else "",
        )


def _usual_question() -> str:
    return read(review_texts()["question.default"])
