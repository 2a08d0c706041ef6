"""How people write diary numbers, with the slips that they make."""

import random
from dataclasses import dataclass

_FORMS = (
    ("{b} {y}/{s}", 30),
    ("{b} {y}-{s:05}", 6),
    ("{b}/{y}:{s}", 5),
    ("{b}-{y}-{s}", 6),
    ("{b}{y}/{s}", 5),
    ("{y}/{b}{s:04}", 3),
    ("{b}-{y}/{s:05}-{d}", 4),
    ("{b} {y}/{s}-{d}", 5),
    ("{b} {y}:{s}", 5),
    ("{b}/{y}/{s:04}", 3),
    ("{b} {y} {s:05}", 2),
    ("{b} {y} / {s}", 3),
    ("{b} {y}–{s:04}", 4),
    ("{b}\u00a0{y}/{s}", 4),
    ("{b} {yy:02}/{s}", 4),
    ("{b} {s}/{y}", 2),
    ("{bl} {y}/{s}", 4),
    ("{y}/{s}", 4),
    ("{y}-{s:05}", 3),
    ("{y}:{s}", 1),
    ("{b}-{y} {s:04}", 1),
)


@dataclass(frozen=True)
class Written:
    """A number as it was written. wrong: not the one that was meant."""

    text: str
    has_prefix: bool
    wrong: bool


def write_number(
    chance: random.Random, board: str, year: int, serial: int, document: int
) -> Written:
    wrong = False
    shown = serial
    if chance.random() < 0.012 and serial > 9:
        shown, wrong = _slip(chance, serial), True
    form = chance.choices([form for form, _ in _FORMS], [weight for _, weight in _FORMS])[0]
    text = form.format(b=board, bl=board.lower(), y=year, yy=year % 100, s=shown, d=document)
    if "{b}" in form and chance.random() < 0.015:
        text = text.replace("0", chance.choice("Oo"), 1)
    return Written(text, "{b" in form, wrong or shown != serial)


def foreign_number(chance: random.Random) -> str:
    """The number of a case at another authority."""
    year, serial = chance.choice((2024, 2025, 2026)), chance.randint(100, 39999)
    form = chance.choice(
        (
            "TRV {y}/{s}",
            "{s}-{y}",
            "{y}:{s}",
            "SKR{y}/{s:05}",
            "3.1.1-{s}/{y}",
            "Fi{y}/{s:05}",
            "{y}/{s:06}",
            "A{s}/{y}",
            "{s}/{y}",
        )
    )
    return form.format(y=year, s=serial)


def _slip(chance: random.Random, serial: int) -> int:
    digits = list(str(serial))
    at = chance.randrange(len(digits))
    if chance.random() < 0.5 and len(digits) > 1:
        other = at - 1 if at else 1
        digits[at], digits[other] = digits[other], digits[at]
    else:
        digits[at] = chance.choice("123456789")
    return int("".join(digits)) or serial
