"""Hints at what may need a mask: personal numbers, and names of private persons. Pure.

A hint is no decision and finds not everything: the one who hands out reads every row.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

# Dashes, spaces and dots that stand between a day of birth and the last four digits.
_BETWEEN = r"[\s\u00a0.]{0,2}[-+‐‑‒–—―−﹘﹣－/]?[\s\u00a0.]{0,2}"
_PERSONAL = re.compile(
    r"(?<!\d)((?:\d{2}[ .]?)?\d{2})[-. /]?(\d{2})[-. /]?(\d{2})"
    rf"{_BETWEEN}(\d{{3}}) ?(\d)(?!\d)"
)
_UNSEEN = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad\u202a-\u202e\u2066-\u2069]")
_NAME = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")


class Kind(StrEnum):
    """What was seen."""

    PERSONAL_NUMBER = "personal-number"
    COORDINATION_NUMBER = "coordination-number"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Hint:
    """Something in a text: text[start:end]."""

    kind: Kind
    start: int
    end: int


def hints(text: str, officials: Collection[str] = ()) -> list[Hint]:
    """Find what may need a mask in a cell, in its order.

    officials: names of those who act for the municipality, who are no private persons.
    """
    found = [*_numbers(text), *_names(text, {name.casefold() for name in officials})]
    return sorted(found, key=lambda hint: hint.start)


def _numbers(text: str) -> Iterator[Hint]:
    """Find numbers by day and check digit, however they are written (SKV 704 and 707)."""
    kept = [(at, _plain(sign)) for at, sign in enumerate(text) if not _UNSEEN.fullmatch(sign)]
    plain = "".join(sign for _, sign in kept)
    at = 0
    while match := _PERSONAL.search(plain, at):
        kind = _kind(*match.groups())
        if kind is None:
            at = match.start() + 1
            continue
        yield Hint(kind, kept[match.start()][0], kept[match.end() - 1][0] + 1)
        at = match.end()


def _plain(sign: str) -> str:
    """Give digits of other scripts and widths as 0 to 9."""
    digit = unicodedata.digit(sign, None)
    return sign if digit is None or not sign.isdecimal() else str(digit)


def _kind(year: str, month: str, day: str, serial: str, check: str) -> Kind | None:
    year = re.sub(r"\D", "", year)
    if len(year) == 4 and year[:2] not in ("18", "19", "20"):
        return None
    born = int(day) % 60 if 61 <= int(day) <= 91 else int(day)
    if not _is_day(year, int(month), born):
        return None
    digits = year[-2:] + month + day + serial + check
    doubled = (int(digit) * (2 - at % 2) for at, digit in enumerate(digits))
    if sum(number // 10 + number % 10 for number in doubled) % 10:
        return None
    return Kind.PERSONAL_NUMBER if born == int(day) else Kind.COORDINATION_NUMBER


def _is_day(year: str, month: int, day: int) -> bool:
    """Say whether there is such a day; in a century that is not said, in one of two."""
    years = [int(year)] if len(year) == 4 else [1900 + int(year), 2000 + int(year)]
    for candidate in years:
        try:
            date(candidate, month, day)
        except ValueError:
            continue
        return True
    return False


def _names(text: str, officials: Collection[str]) -> Iterator[Hint]:
    """Find a given name with the names that follow it, unless it is an official's."""
    words = list(_NAME.finditer(text))
    at = 0
    while at < len(words):
        first = words[at]
        parts = re.split("[-'’]", first[0].casefold())
        if not any(part in _given_names() for part in parts) or first[0].islower():
            at += 1
            continue
        last = at
        while last + 1 < len(words) and _follows(text, words[last], words[last + 1]):
            last += 1
        name = text[first.start() : words[last].end()]
        if last > at and name.casefold() not in officials:
            yield Hint(Kind.NAME, first.start(), words[last].end())
        at = last + 1


def _follows(text: str, before: re.Match[str], word: re.Match[str]) -> bool:
    """A name goes on with another one in capitals, or a particle, after one space."""
    between = text[before.end() : word.start()]
    is_name = not word[0].islower() or word[0] in ("af", "av", "von", "de", "al", "el")
    return between in (" ", "\u00a0") and is_name


@cache
def _given_names() -> frozenset[str]:
    words = Path(__file__).with_name("given_names.txt").read_text(encoding="utf-8").split()
    return frozenset(word.casefold() for word in words)
