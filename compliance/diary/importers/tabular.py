"""Diary exports as CSV or XLSX: each row becomes a `DiaryEntry`, or a problem with its place."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

from compliance.diary.importers.days import read_day
from compliance.diary.importers.mapping import EXAMPLE, Mapping
from compliance.diary.number import DiaryNumber, parse_number
from compliance.diary.record import DiaryEntry, DiaryRecord, Direction, Protected
from compliance.errors import Problem, UserError
from compliance.files.table import Row, read_table

DOCUMENT_DIGITS = 9  # more is no document's number, and more than a database holds
_REQUIRED = ("number", "day", "party", "subject", "restriction")


def read_rows(path: Path, mapping: Mapping) -> list[DiaryEntry]:
    """Read every row. Raises UserError with every problem in the file."""
    problems: list[Problem] = []
    required = [name for key, name in mapping.columns.items() if key in _REQUIRED]
    optional = [name for key, name in mapping.columns.items() if key not in _REQUIRED]
    rows = read_table(path, (*required, *optional), (), problems, others_pass=True)
    read = (_Reader(row, mapping, problems).entry() for row in rows)
    found = with_distinct_keys(entry for entry in read if entry)
    if problems:
        raise UserError(problems)
    return found


def with_distinct_keys(entries: Iterable[DiaryEntry]) -> list[DiaryEntry]:
    """Give each entry a key of its own: its number, and ~2, ~3 where a number stands again."""
    seen: Counter[str] = Counter()
    kept = []
    for entry in entries:
        number = str(entry.record.number)
        seen[number] += 1
        key = number if seen[number] == 1 else f"{number}~{seen[number]}"
        kept.append(replace(entry, record=replace(entry.record, key=key)))
    return kept


class _Reader:
    """One row on its way to an entry."""

    def __init__(self, row: Row, mapping: Mapping, problems: list[Problem]) -> None:
        self._row, self._mapping, self._problems = row, mapping, problems

    def entry(self) -> DiaryEntry | None:
        """Give the entry; None if it had a problem, which is noted."""
        number, day, direction = self._number(), self._day(), self._direction()
        if number is None or (day is None and self._text("day")):
            return None
        party, subject = self._text("party"), self._text("subject")
        restriction = self._text("restriction")
        record = DiaryRecord("", number, day, direction, party, subject)
        if not self._mapping.is_protected(restriction):
            return DiaryEntry(record, self._row.where)
        return DiaryEntry(
            replace(record, party=self._text("public_party"), subject=self._text("public_subject")),
            self._row.where,
            Protected(party, subject, self._text("section") or restriction),
        )

    def _text(self, key: str) -> str:
        name = self._mapping.columns.get(key)
        return " ".join(self._row.fields[name].split()) if name else ""

    def _problem(self, key: str, what: str, remedy: str, swedish: str) -> None:
        name = self._mapping.columns[key]
        where = self._row.where_of(name)
        self._problems.append(
            Problem(f"column {name}: {what}", where, remedy, f"Kolumnen {name}: {swedish}")
        )

    def _number(self) -> DiaryNumber | None:
        # A workbook's number may be shown with a document of its own column.
        number = parse_number(self._text("number"), self._mapping.numbers)
        if number is None:
            self._problem(
                "number",
                f"{self._text('number')[:40]!r} is no diary number",
                f"mend it in the diary, or declare its form as a pattern as in {EXAMPLE}",
                f"”{self._text('number')[:40]}” är inget diarienummer. Rätta det i diariet, eller "
                "be it-avdelningen lägga till skrivsättet.",
            )
            return None
        document = self._text("document")
        if not document:
            return number
        if not (document.isascii() and document.isdigit() and len(document) <= DOCUMENT_DIGITS):
            self._problem(
                "document",
                f"{document[:40]!r} is no number",
                "write a whole number",
                f"”{document[:40]}” är inget nummer. Skriv ett heltal.",
            )
            return None
        return replace(number, document=int(document))

    def _day(self) -> date | None:
        text = self._text("day")
        day = read_day(text)
        if day is None and text:
            self._problem(
                "day",
                f"{text[:40]!r} is no day",
                "export days as 2026-10-15",
                f"”{text[:40]}” är ingen dag. Exportera dagar som 2026-10-15.",
            )
        return day

    def _direction(self) -> Direction | None:
        text = self._text("direction")
        if text and text.lower() not in self._mapping.directions:
            self._problem(
                "direction",
                f"{text[:40]!r} is not known",
                "write in the mapping whether it means in, out or internal",
                f"”{text[:40]}” är okänt. Be it-avdelningen ange vad det betyder: inkommen, "
                "utgående eller upprättad.",
            )
        return self._mapping.directions.get(text.lower())
