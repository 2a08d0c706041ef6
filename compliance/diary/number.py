"""Diary numbers in running text, in all the forms that people write them. Pure.

A number is an authority's prefix, a year, a serial within the year and perhaps a document's number
within the case: `KS 2024/123-5`. Forms seen in use are in decision 51. What is read is told with
how certain it is; days, telephone, personal, organisation and invoice numbers are not read.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum

from compliance.diary.number_context import Context, Form, judge
from compliance.diary.number_rules import PREFIX_LETTERS, NumberRules

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－"), "-")
_SLASHES = dict.fromkeys(map(ord, "∕⁄／"), "/")
_SIGNS = {**_DASHES, **_SLASHES, **dict.fromkeys(map(ord, "：∶"), ":")}
_LETTERS_FOR_DIGITS = str.maketrans("OoIl", "0011")

_DIGIT = "[0-9OoIl]"
_LETTER = "A-Za-zÅÄÖåäö"
# More groups than stand behind any number: whatever has so many is none, and a text of nothing else
# would be walked to its end from each of its places.
_TAIL_MAX = 3
_CORE = re.compile(
    rf"""(?<![0-9])
    (?P<year>[12Il][0-9Oo]{_DIGIT}{_DIGIT}|[0-9]{{2}})
    (?P<separator>\ {{0,2}}[/:.-]?\ {{0,2}})
    (?:(?![OoIl]{{1,3}}[0-9])(?P<inner>[{_LETTER}]{{1,{PREFIX_LETTERS}}})
      (?P<inner_separator>\ ?[/:-]?\ ?))?
    (?P<serial>{_DIGIT}{{1,7}})
    (?P<tail>(?:\ ?[-/:.]\ ?[0-9]{{1,9}}){{0,{_TAIL_MAX}}})
    (?![0-9{_LETTER}_])""",
    re.VERBOSE,
)
# 123/2024: used in older diaries, so read only behind a marker or a known prefix.
_REVERSED = re.compile(
    rf"(?<![0-9])(?P<serial>[0-9]{{1,5}})(?P<separator> ?[/-] ?)(?P<year>(?:19|20)[0-9]{{2}})"
    rf"(?P<tail>)(?![0-9{_LETTER}_])(?! ?[-/:.] ?[0-9])"
)
_WRITTEN = re.compile(r"(?:(\w+) )?([0-9]{4})/([0-9]+)(?:-([0-9]+))?")  # by `DiaryNumber`
_TAIL = re.compile(r" ?([-/:.]) ?([0-9]+)")
_MARKER = re.compile(r"(?i)d(?:iarie)?\.? ?n(?:umme)?r\.?:?")
_SPACED_DOCUMENT = re.compile(rf" ([0-9]{{1,3}})(?![0-9{_LETTER}_])(?! ?[-/:.]?[0-9])")


class Certainty(IntEnum):
    """How sure it is that this is a diary number, before any diary has been looked into."""

    POSSIBLE = 1
    LIKELY = 2
    CERTAIN = 3


class Repair(StrEnum):
    """What had to be put right to read a number."""

    SIGN = "sign"  # an unusual dash, slash or space
    SPACES = "spaces"
    LETTER_FOR_DIGIT = "letter-for-digit"
    SHORT_YEAR = "short-year"
    ORDER = "order"  # the serial before the year, or the prefix within


class Owner(StrEnum):
    """Whose number the writer says it is."""

    WRITERS = "writers"  # vårt dnr
    READERS = "readers"  # ert dnr
    UNSAID = ""


@dataclass(frozen=True, slots=True, order=True)
class DiaryNumber:
    """authority: prefix in upper case, empty if none is written. document: within the case."""

    authority: str
    year: int
    serial: int
    document: int | None = None

    @property
    def case(self) -> "DiaryNumber":
        """The number of the case that the document belongs to."""
        if self.document is None:
            return self
        return DiaryNumber(self.authority, self.year, self.serial)

    @classmethod
    def read(cls, written: str) -> "DiaryNumber | None":
        """Read back what `str` wrote, whatever the rules; None if it is anything else."""
        found = _WRITTEN.fullmatch(written)
        if found is None:
            return None
        authority, year, serial, document = found.groups()
        return cls(authority or "", int(year), int(serial), int(document) if document else None)

    def __str__(self) -> str:
        """Write as KS 2024/123-5."""
        prefix = f"{self.authority} " if self.authority else ""
        document = "" if self.document is None else f"-{self.document}"
        return f"{prefix}{self.year}/{self.serial}{document}"


@dataclass(frozen=True, slots=True)
class Reading:
    """A number as it stood in a text: text[start:end] == written."""

    number: DiaryNumber
    written: str
    start: int
    end: int
    certainty: Certainty
    repairs: frozenset[Repair]
    owner: Owner


def find_numbers(text: str, rules: NumberRules, written: date) -> tuple[Reading, ...]:
    """Read every diary number in a text, in the order in which they stand.

    written: the day of the text, since no diary number is of a year to come.
    """
    if not any(map(str.isdigit, text)):
        return ()
    folded = _Folded(text)
    found: list[Reading] = []
    taken = bytearray(len(folded.text))  # 1 at each sign that a number has been read of

    def take(reading: Reading) -> None:
        found.append(reading)
        start, end = folded.index_of(reading.start), folded.index_of(reading.end)
        taken[start:end] = b"\1" * (end - start)

    for start, end, number in _declared(folded.text, rules, written.year):
        take(folded.reading(start, end, number, Certainty.CERTAIN, frozenset(), ""))
    for form in _forms(folded.text):
        if not any(taken[form.start : form.end]):
            reading = _read(folded, form, rules, written.year, marked=False)
            if reading:
                take(reading)
    return tuple(sorted(found, key=lambda reading: reading.start))


def parse_number(text: str, rules: NumberRules) -> DiaryNumber | None:
    """Read a text that is known to be a diary number and nothing else, as in a diary's export."""
    folded = _Folded(text.strip())
    last = date.max.year
    for start, end, number in _declared(folded.text, rules, last):
        if end == len(folded.text) and not _MARKER.sub("", folded.text[:start]).strip():
            return number
    for form in _forms(folded.text):
        reading = _read(folded, form, rules, last, marked=True)
        if reading and reading.end == len(text.strip()) and _is_heading(text.strip(), reading):
            return reading.number
    return None


def _is_heading(text: str, reading: Reading) -> bool:
    """Before the number stands nothing, or a marker."""
    return not _MARKER.sub("", text[: reading.start]).strip()


class _Folded:
    """A text with one sign for each kind of dash, slash and space, and the way back."""

    def __init__(self, text: str) -> None:
        self._original = text
        if text.isascii() and text.isprintable():
            self.text, self._at = text, list(range(len(text) + 1))
            return
        signs: list[str] = []
        self._at = []
        for at, sign in enumerate(text):
            folded = _fold(sign)
            if folded:
                signs.append(folded)
                self._at.append(at)
        self._at.append(len(text))
        self.text = "".join(signs)

    def index_of(self, original: int) -> int:
        """Give the index in the folded text of one in the original, or of what is seen next."""
        return bisect_left(self._at, original)

    def reading(
        self,
        start: int,
        end: int,
        number: DiaryNumber,
        certainty: Certainty,
        repairs: frozenset[Repair],
        owner: str,
    ) -> Reading:
        first = self._at[start]
        last = self._at[end - 1] + 1
        written = self._original[first:last]
        if written != self.text[start:end]:
            repairs |= {Repair.SIGN}
        return Reading(number, written, first, last, certainty, repairs, Owner(owner))


def _fold(sign: str) -> str:
    """Fold one sign to one, or to nothing if it is not seen."""
    if sign < "\x7f":
        return " " if sign.isspace() else sign
    if sign in "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f":
        return ""
    if sign.isspace():
        return " "
    sign = sign.translate(_SIGNS)
    if sign.isdigit():
        value = unicodedata.digit(sign, None)
        return str(value) if value is not None else sign
    return sign


def _declared(
    text: str, rules: NumberRules, last_year: int
) -> Iterator[tuple[int, int, DiaryNumber]]:
    for pattern in rules.declared:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            year = int(groups["year"]) if "year" in groups else _long_year(groups["yy"], last_year)
            document = groups.get("document")
            number = DiaryNumber(
                (groups.get("authority") or groups.get("prefix") or "").upper(),
                year,
                int(groups["serial"]),
                int(document) if document else None,
            )
            if groups.get("prefix") and "yy" in groups and 1900 <= number.serial < 2100:
                continue  # KS 2026/12 is of 2026 also where 4711/26 is
            if rules.first_year <= year <= last_year and number.serial:
                yield match.start(), match.end(), number


def _forms(text: str) -> Iterator[Form]:
    """Give everything that has the form of a number; overlapping ones too, longer years first."""
    for pattern in (_CORE, _REVERSED):
        at = 0
        while match := pattern.search(text, at):
            groups = match.groupdict()
            yield Form(
                text,
                match.start(),
                match.end(),
                groups["year"],
                groups["separator"],
                groups.get("inner") or "",
                groups["serial"],
                tuple((sign, digits) for sign, digits in _TAIL.findall(groups["tail"])),
                reverse=pattern is _REVERSED,
            )
            at = match.start() + 1


def _read(
    folded: _Folded, form: Form, rules: NumberRules, last_year: int, *, marked: bool
) -> Reading | None:
    year_digits = form.year.translate(_LETTERS_FOR_DIGITS)
    serial_digits = form.serial.translate(_LETTERS_FOR_DIGITS)
    is_repaired = (year_digits, serial_digits) != (form.year, form.serial)
    if is_repaired and not any(sign.isdigit() for sign in form.serial):
        return None
    year = _long_year(year_digits, last_year) if len(year_digits) == 2 else int(year_digits)
    context = Context(form, rules, year, int(serial_digits), repaired=is_repaired, marked=marked)
    verdict = judge(context, last_year)
    if verdict is None:
        return None
    document, end = context.document, form.end
    if form.separator.isspace() and not form.tail:
        spaced = _SPACED_DOCUMENT.match(folded.text, form.end)
        if spaced and len(form.serial) >= 4:
            document, end = int(spaced[1]), spaced.end()
    repairs = set()
    if is_repaired:
        repairs.add(Repair.LETTER_FOR_DIGIT)
    if len(form.year) == 2:
        repairs.add(Repair.SHORT_YEAR)
    if form.reverse or form.inner:
        repairs.add(Repair.ORDER)
    if " " in form.separator:
        repairs.add(Repair.SPACES)
    number = DiaryNumber(context.authority, year, int(serial_digits), document)
    start = form.start - len(context.prefix_text)
    return folded.reading(start, end, number, Certainty(verdict), frozenset(repairs), context.owner)


def _long_year(two_digits: str, last_year: int) -> int:
    """Take two digits as the last such year that is not to come."""
    year = last_year - last_year % 100 + int(two_digits)
    if last_year == date.max.year:  # no day is known
        year = 2000 + int(two_digits) if int(two_digits) < 80 else 1900 + int(two_digits)
    return year if year <= last_year else year - 100
