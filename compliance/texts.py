"""What a person reads, in Swedish and English side by side.

Each text lies as YAML beside the code that uses it, so that none exists in one language only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import yaml

from compliance.clock import SWEDEN

Language = Literal["sv", "en"]

_MONTHS = {
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
    "en": "January February March April May June July August September October November December",
}


@dataclass(frozen=True)
class Text:
    """One text in both languages; places such as `{name}` are filled by `fill`."""

    sv: str
    en: str

    def read(self, language: Language) -> str:
        """Return the text in one language."""
        return self.sv if language == "sv" else self.en

    def fill(self, **values: object) -> "Text":
        """Fill the places. Numbers and dates follow each language's form; a Text its language.

        `{count:server|servers}` is the first word when the count is 1, else the second.
        Raises KeyError for a place that no value is given for.
        """
        return Text(_filled(self.sv, "sv", values), _filled(self.en, "en", values))


def written(value: object, language: Language) -> str:
    """Write one value for a reader: 1 080 or 1,080; 24 november 2026 or 24 November 2026."""
    if isinstance(value, Text):
        return value.read(language)
    if isinstance(value, int) and not isinstance(value, bool):
        grouped = f"{value:,}"
        return grouped.replace(",", "\u00a0") if language == "sv" else grouped
    if isinstance(value, date):
        return f"{value.day} {_MONTHS[language].split()[value.month - 1]} {value.year}"
    return str(value)


def clock(time: datetime) -> Text:
    """Write a time of day, in Sweden, as each language does: 09.30 or 09:30."""
    local = time.astimezone(SWEDEN)
    return Text(f"{local:%H.%M}", f"{local:%H:%M}")


def day(time: datetime) -> Text:
    """Write the day that it is in Sweden at this time."""
    local = time.astimezone(SWEDEN).date()
    return Text(written(local, "sv"), written(local, "en"))


def plain(value: str) -> Text:
    """Make a Text of words that are the same in both languages: a name, a server's answer."""
    return Text(value, value)


def load(path: Path) -> dict[str, Text]:
    """Read a YAML file of texts; nested keys are joined by dots. Raises ValueError on a lack."""
    return dict(leaves(yaml.safe_load(path.read_text(encoding="utf-8")), path.name))


def leaves(raw: object, where: str, prefix: str = "") -> Iterator[tuple[str, Text]]:
    """Yield each text below `raw` with its dotted key. Raises ValueError that names the place."""
    if not isinstance(raw, dict):
        raise ValueError(f"{where}: {prefix or 'the file'} must be a mapping with sv and en")  # noqa: TRY004 - the data is wrong, not the call
    if set(raw) == {"sv", "en"} and all(isinstance(text, str) for text in raw.values()):
        yield prefix, Text(raw["sv"].strip(), raw["en"].strip())
        return
    for key, value in raw.items():
        yield from leaves(value, where, f"{prefix}.{key}" if prefix else str(key))


def counted(number: int, one: str, more: str = "") -> str:
    """Write how many of something there are, in English: 1 row, 2 rows. more: if not with an s."""
    return f"{number} {one if number == 1 else more or one + 's'}"


@dataclass(frozen=True)
class _Place:
    """A value on its way into a text: as it is written, or as the word that goes with it."""

    value: object
    language: Language

    def __format__(self, words: str) -> str:
        one, divider, other = words.partition("|")
        if not divider:
            return written(self.value, self.language)
        return one if self.value == 1 else other


def _filled(template: str, language: Language, values: dict[str, object]) -> str:
    return template.format(**{key: _Place(value, language) for key, value in values.items()})
