"""A copy of each unit's list that can be read when the web is down."""

import os
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

from compliance.loglist.reviews import with_items
from compliance.messagelog.answers import Row
from compliance.messagelog.reading import EXPORT_PAGE, Filter, Place, Reader

DAYS = 30
# What a browser still opens quickly; a unit with more gets the newest, and is told so.
MOST_ROWS = 20_000
_STYLE = Path(__file__).with_name("static") / "loglist/loglist.css"


def write_copies(reader: Reader, names: dict[str, str], folder: Path) -> int:
    """Write UNIT.html for each unit, and remove those of units that are no more.

    reader: reads all units. names: the name of each unit by its id. Returns how many were written.
    A copy is replaced when the new one is whole: a run that breaks off leaves the old one.
    """
    with translation.override(settings.LANGUAGE_CODE):
        for unit, name in names.items():
            _replace(folder / f"{unit}.html", _copy(reader, unit, name))
    for path in folder.glob("*.html"):
        if path.stem not in names:
            path.unlink()
    return len(names)


def _copy(reader: Reader, unit: str, name: str) -> str:
    now = timezone.now()
    rows = _rows(reader, Filter(unit=unit, since=now - timedelta(days=DAYS)))
    text: str = render_to_string(
        "loglist/copy.html",
        {
            "unit_name": name,
            "municipality": settings.KOMMUNPOST.municipality.name,
            "made": now,
            "days": DAYS,
            "rows": rows[:MOST_ROWS],
            "most": MOST_ROWS if len(rows) > MOST_ROWS else None,
            "style": _STYLE.read_text(encoding="utf-8"),
        },
    )
    return text


def _rows(reader: Reader, wanted: Filter) -> list[Row]:
    found: list[Row] = []
    after = None
    while len(found) <= MOST_ROWS:
        page = reader.page_with_outcomes(wanted, after, EXPORT_PAGE, action="export")
        found += with_items(wanted.unit or "", page)
        if len(page) < EXPORT_PAGE:
            break
        after = Place.of(page[-1])
    return found


def _replace(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
