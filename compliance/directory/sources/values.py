"""What a single value in a source may look like; shared by every reader.

Each function returns what is wrong and what to write instead, or None.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches

NAME_MAX = 200  # characters; no real name comes near
TEXT_MAX = 2400  # bytes; with the letter around it within the 4 KiB of a variable in Sieve
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_UNSEEN = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co"}
_ALLOWED_UNSEEN = "\u200c\u200d"  # joiners that some scripts write names with

Fault = tuple[str, str]


def fault_of_id(value: str) -> Fault | None:
    """An id becomes part of LDAP names and references, and lives for ever.

    Personal identity numbers are refused (P1): they would spread to the log and to reports.
    """
    if not _ID.fullmatch(value):
        return (
            f"{value!r} is no id",
            "write 1 to 32 of the signs A-Z a-z 0-9 - _, a letter or digit first",
        )
    if _is_personal_identity_number(value):
        return (
            "the id is a personal identity number",
            "use the employment number or another id that says nothing about the person",
        )
    return None


def fault_of_name(value: str, *, may_be_empty: bool = False) -> Fault | None:
    """Names are of any script, but hold no control or direction signs."""
    if not value and not may_be_empty:
        return "a name is missing", "write it in this field"
    if len(value) > NAME_MAX:
        return f"a name has {len(value)} signs", f"write at most {NAME_MAX}"
    for sign in value:
        if unicodedata.category(sign) in _UNSEEN and sign not in _ALLOWED_UNSEEN:
            return f"a name holds the unseen sign U+{ord(sign):04X}", "remove it"
    return None


def fault_of_text(value: str) -> Fault | None:
    """What a sender is answered: lines of text, no longer than Dovecot carries to the delivery."""
    size = len(value.encode())
    if size > TEXT_MAX:
        return f"the text has {size} bytes", f"write at most {TEXT_MAX}, some {TEXT_MAX} letters"
    for sign in value.replace("\n", ""):
        if unicodedata.category(sign) in _UNSEEN and sign not in _ALLOWED_UNSEEN:
            return f"the text holds the unseen sign U+{ord(sign):04X}", "remove it"
    return _fault_of_filling(value)


def fault_of_title(value: str) -> Fault | None:
    """The name of a unit or position, which stands in what its mailbox answers."""
    return fault_of_name(value) or _fault_of_filling(value)


def _fault_of_filling(value: str) -> Fault | None:
    """What a mailbox answers is handed to Dovecot, in whose settings these signs mean something."""
    if "%{" in value or "${" in value:
        return "the text holds %{ or ${, which Dovecot would fill in", "write it without"
    return None


def fault_of_choice(value: str, choices: Iterable[str]) -> Fault | None:
    """The value must be one of the choices."""
    listed = list(choices)
    return None if value in listed else (f"{value!r} is not known", f"write {' or '.join(listed)}")


def fault_of_day(value: str) -> Fault | None:
    """A day is written as 2026-10-15 (ISO 8601), or left empty."""
    if not value:
        return None
    try:
        date.fromisoformat(value if _DAY.fullmatch(value) else "")
    except ValueError:
        return f"{value!r} is no day", "write it as 2026-10-15, or leave it empty"
    return None


def day_of(value: str) -> date | None:
    """Give a day without fault, or None for an empty value."""
    return date.fromisoformat(value) if value else None


def suggestion(value: str, known: Iterable[str]) -> str:
    """Give the known value that was perhaps meant, as a hint to put last; else nothing."""
    close = get_close_matches(value, known, n=1)
    return f" (perhaps {close[0]})" if close else ""


def _is_personal_identity_number(value: str) -> bool:
    """Recognise (ÅÅ)ÅÅMMDD-NNNC, coordination numbers too, by date and check digit (Luhn)."""
    digits = re.sub("[-+]", "", value)
    match = re.fullmatch(r"(?:\d\d)?(\d\d(\d\d)(\d\d)\d{4})", digits)
    if not match:
        return False
    if not (1 <= int(match[2]) <= 12 and 1 <= int(match[3]) % 60 <= 31):
        return False
    doubled = (int(digit) * (2 - at % 2) for at, digit in enumerate(match[1]))
    return sum(number // 10 + number % 10 for number in doubled) % 10 == 0
