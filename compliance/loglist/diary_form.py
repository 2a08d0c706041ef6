"""What a reviewer fills in to hand over a diary."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class DiaryForm(forms.Form):
    """An export of a diary."""

    MAX = 20_000_000  # bytes

    file = forms.FileField(
        label=_("File"),
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"aria-describedby": "diary-help"}),
        error_messages={"required": _("Choose a file.")},
    )

    def clean_file(self) -> Any:
        """Refuse what is too large to be read while somebody waits."""
        file = self.cleaned_data["file"]
        if file.size > self.MAX:
            raise forms.ValidationError(_("The file is larger than 20 MB."))
        return file
