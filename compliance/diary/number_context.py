"""Whether something with the form of a diary number is one, by what stands around it. Pure."""

import re
from dataclasses import dataclass
from functools import cached_property

from compliance.diary.number_rules import (
    FOREIGN_SERIES,
    PREFIX_LETTERS,
    REPLY_MARKS,
    NumberRules,
)

POSSIBLE, LIKELY, CERTAIN = 1, 2, 3

_DOCUMENT_MAX = 4  # digits
_PREFIX = re.compile(
    r"(?<![A-Za-zÅÄÖåäö0-9_.-])(?:[Dd][Nn][Rr])?"
    rf"([A-Za-zÅÄÖåäö]{{1,{PREFIX_LETTERS}}})( {{0,2}}[-/:.]? {{0,2}})$"
)
# Prefixes that are Swedish words too, so read only in capitals or glued to the number.
_ALSO_WORDS = frozenset(("AN", "ON", "BIN", "TEN", "PLAN", "VAL", "REV", "VA", "ÄN", "BYGG", "KUN"))
_COMPOUND_SERIES = re.compile(r"[A-ZÅÄÖ]{2,}-[A-ZÅÄÖ]{1,6} ?$")  # HSLF-FS 2017:40
_MARKER = re.compile(
    r"""(?<![A-Za-zÅÄÖåäö])
    (?:(?P<owner>ert|er|eran|your|vårt|vår|våran|our)\s+)?
    (?:d(?:iarie)?[ .-]{0,2}n(?:umme|ume|r)?r?s?|diarie(?:numret|beteckning)|(?:ärende|arende)
      (?:[ -]?(?:nr|nummer|numret|beteckning|id))?|case\s(?:no|number)
      |reg(?:istration)?\.?\s(?:no|number)
      |(?(owner)(?:ref(?:erens|erence)?(?:[. ]?nr)?|beteckning|file\sno)|(?!)))
    \s{0,2}[.:\#]{0,2}\s{0,2}[-(]?\s?$""",
    re.VERBOSE | re.IGNORECASE,
)
# What comes before a number that belongs to something else.
_OTHER_THING = re.compile(
    r"(?:faktur|inv(?:oice)?\b|order|offert|kvitto|bokning|boknings|kund|ocr|best(?:\.|ällning)|"
    r"leverans|försäkring|skade|artikel|följesedel|tel(?:\.|efon|nr|:)|mobil|org(?:\.|anisation)|"
    r"person(?:nr|nummer)|pnr|lag(?:en)?\b|balk(?:en)?\b|förordning|direktiv|mål(?:et)?\b|domstol|"
    r"prop\.?|betänkande|motion\b|rättsfall|ticket|incident|ref(?:\.|erens)|medlem|konto|giro|"
    r"läsår|säsong|budget|period|fastighet|verksamhetsplan|§)[^;,]{0,18}$",
    re.IGNORECASE,
)
_OPENS_ADDRESS = re.compile(r"(?:@|://|www\.|=|_)[^\s]*$")


@dataclass(frozen=True)
class Form:
    """Digits in the form of a number: text[start:end], its parts as written."""

    text: str
    start: int
    end: int
    year: str
    separator: str
    inner: str
    serial: str
    tail: tuple[tuple[str, str], ...]
    reverse: bool


@dataclass(frozen=True)
class Context:
    """A form and its surroundings. marked: it is known from elsewhere to be a diary number."""

    form: Form
    rules: NumberRules
    year: int
    serial: int
    repaired: bool
    marked: bool

    @cached_property
    def before(self) -> str:
        """The text before the digits; what matters is near."""
        return self.form.text[max(0, self.form.start - 60) : self.form.start]

    @cached_property
    def _prefix(self) -> re.Match[str] | None:
        match = _PREFIX.search(self.before)
        if match is None or match[1].upper() in REPLY_MARKS or _MARKER.search(self.before):
            return None
        word = match[1].upper()
        if word in self.rules.authorities:
            is_glued = not match[2] or not match[2].isspace()
            return match if match[1].isupper() or is_glued or word not in _ALSO_WORDS else None
        return match if match[1].isupper() and len(word) <= 6 else None

    @cached_property
    def prefix_text(self) -> str:
        """The prefix before the digits as written, with what stands between."""
        return self.before[self._prefix.start(1) :] if self._prefix else ""

    @cached_property
    def authority(self) -> str:
        """The prefix in upper case, before or within the digits; else empty."""
        if self.form.inner:
            return self.form.inner.upper()
        return self._prefix[1].upper() if self._prefix else ""

    @property
    def is_known(self) -> bool:
        """The prefix is one of the municipality's own."""
        return self.authority in self.rules.authorities

    @cached_property
    def _marker(self) -> re.Match[str] | None:
        return _MARKER.search(self.before[: len(self.before) - len(self.prefix_text)])

    @property
    def is_marked(self) -> bool:
        """A word such as dnr says that this is a diary number."""
        return self.marked or self._marker is not None

    @property
    def owner(self) -> str:
        """Whose number the words before it say it is: writers, readers or nothing."""
        word = ((self._marker and self._marker["owner"]) or "").lower()
        if not word:
            return ""
        return "writers" if word.startswith(("vår", "our")) else "readers"

    @property
    def document(self) -> int | None:
        """The document's number within the case, if one is written."""
        for sign, digits in self.form.tail:
            if sign != "." or self.rules.dot == "document":
                return int(digits)
        return None


def judge(context: Context, last_year: int) -> int | None:
    """Say how certain a diary number is, from 1 to 3, or None if it is something else."""
    form = context.form
    if not context.serial or not context.rules.first_year <= context.year <= last_year:
        return None
    if _is_within_something_else(context) or _is_day(context) or _is_range(context):
        return None
    if _ends_in_the_year(context, last_year):
        return None
    if form.inner:
        return _judge_inner(context)
    if not form.separator or context.authority in FOREIGN_SERIES - context.rules.authorities:
        return None
    named = context.is_known or context.is_marked
    if (form.reverse or context.repaired or len(form.year) == 2) and not named:
        return None
    if form.separator.isspace() and not (context.is_known and len(form.serial) >= 3):
        return None
    if "." in form.separator and not named:
        return None
    if not named and _OTHER_THING.search(context.before):
        return None
    return _certainty(context)


def _judge_inner(context: Context) -> int | None:
    """2024/KS0123: the prefix stands within."""
    known = context.is_known and (context.form.inner.isupper() or context.form.separator != "")
    if not known or len(context.form.year) == 2 or context.prefix_text:
        return None
    return LIKELY if context.repaired or context.form.separator.isspace() else CERTAIN


def _certainty(context: Context) -> int:
    form = context.form
    weak = (
        form.reverse
        or context.repaired
        or len(form.year) == 2
        or form.separator.isspace()
        or "." in form.separator
    )
    if context.is_known:
        if _may_be_years_or_month(context) and not context.is_marked:
            return POSSIBLE
        return LIKELY if weak else CERTAIN
    if context.is_marked:
        return POSSIBLE if weak else LIKELY
    return POSSIBLE


def _is_within_something_else(context: Context) -> bool:
    """Part of a longer run of digits, an address, a file name or a reference to a law."""
    form = context.form
    before = context.before[: len(context.before) - len(context.prefix_text)]
    after = form.text[form.end : form.end + 12]
    if re.search(r"[0-9][-/.:,+]?$|[+/\\]$", before) or _OPENS_ADDRESS.search(before):
        return True
    if re.match(r"[@_]|[-/:.+]?[0-9]|\.(?:pdf|docx?|xlsx?|se|com|nu|jpg|png|msg|zip)\b", after):
        return True
    if len(form.tail) > 2 or any(len(digits) > _DOCUMENT_MAX for _, digits in form.tail):
        return True
    if context.authority:
        return bool(len(form.year) == 2 and re.match(r" [0-9]", after))
    # Groups of digits with spaces between are telephone numbers and sums.
    if re.search(r"[0-9] $", before) or re.match(r" [0-9]{2,3}(?![0-9])", after):
        return True
    if context.is_marked:
        return False
    in_brackets = before.rstrip().endswith("(") and ":" in form.separator  # lag (2018:218)
    return in_brackets or _COMPOUND_SERIES.search(before) is not None


def _is_day(context: Context) -> bool:
    """2024-05-13, 24-05-13, 2024/5/13, KS 13:30, 2024-05."""
    form = context.form
    if form.reverse:  # 5/2024, 05-2024
        return not context.is_marked and int(form.serial) <= 12
    month = context.serial
    if len(form.tail) == 1:
        sign, day = form.tail[0]
        if month <= 12 and int(day) <= 31 and sign == form.separator.strip():
            both_two = len(form.serial) == len(day) == 2
            return both_two or not (context.is_known or context.is_marked)
        # 2001 1224-1234: a personal number with a gap.
        return form.separator.isspace() and len(form.serial) == len(day) == 4
    if len(form.year) == 2 and not context.is_marked:
        if ":" in form.separator:
            return True
        return "-" in form.separator and len(form.serial) <= 2
    is_month = month <= 12 and len(form.serial) <= 2
    return is_month and not (context.is_known or context.is_marked)


def _ends_in_the_year(context: Context, last_year: int) -> bool:
    """KS 81/2025: the year stands last; hardly case 2025 of 1981."""
    form = context.form
    shape = len(form.year) == 2 and len(form.serial) == 4 and not form.reverse and not form.tail
    return shape and context.rules.first_year <= context.serial <= last_year


def _is_range(context: Context) -> bool:
    """2024/25, 2024-2027: a school year or a period of budgets."""
    if context.is_known or context.is_marked or context.form.reverse:
        return False
    return _looks_like_years(context)


def _looks_like_years(context: Context) -> bool:
    serial = context.serial
    if len(context.form.serial) == 4 and context.year < serial <= context.year + 15:
        return True
    return len(context.form.serial) == 2 and 0 < serial - context.year % 100 <= 5


def _may_be_years_or_month(context: Context) -> bool:
    """KS 2024-05, KS 2024-2027: with a prefix, yet perhaps no number."""
    form = context.form
    if form.reverse or form.tail or "-" not in form.separator:
        return _looks_like_years(context) and not form.tail and not form.reverse
    is_month = context.serial <= 12 and len(form.serial) == 2
    glued = not context.prefix_text.endswith(" ")
    return (is_month and not glued) or _looks_like_years(context)
