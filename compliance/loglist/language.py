"""The texts that lie beside the rules, in the language of whoever reads the page."""

from typing import Literal

from django.utils.translation import get_language

from compliance.texts import Text


def read(text: Text) -> str:
    """Give a text in the reader's language."""
    language: Literal["sv", "en"] = "en" if get_language() == "en" else "sv"
    return text.read(language)
