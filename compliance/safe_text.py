"""Texts from outside made harmless for those who open a file. Pure.

Subjects and addresses are written by anybody. Signs that are not seen, turn the direction of text
around or cannot stand in XML are shown by their code instead, so that nothing is lost or hidden.
"""

import re
import unicodedata

# A program that opens a CSV takes these for the beginning of a formula (OWASP, CSV Injection),
# behind spaces and quotes too, and in their full-width forms.
_FORMULA = re.compile(r"""^[\s"']*[=+\-@|%＝＋－＠]""")
_UNSEEN = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}
_JOINERS = "\u200c\u200d"  # that some scripts write words with
_GUARD = "'"  # makes a text of what follows, in every common spreadsheet


def shown(text: str) -> str:
    """Give a text in one line; signs without a shape are written as [U+202E]."""
    return part_shown(text).strip()


def part_shown(text: str) -> str:
    """Give a part of a text like `shown`, with the spaces at its ends."""
    signs = []
    for sign in text:
        if sign in "\t\n\r\v\f\u0085\u2028\u2029":
            signs.append(" ")
        elif unicodedata.category(sign) in _UNSEEN and sign not in _JOINERS:
            signs.append(f"[U+{ord(sign):04X}]")
        else:
            signs.append(sign)
    return "".join(signs)


def for_spreadsheet(text: str) -> str:
    """Give a text that no spreadsheet takes for a formula."""
    safe = shown(text)
    return _GUARD + safe if _FORMULA.match(safe) else safe
