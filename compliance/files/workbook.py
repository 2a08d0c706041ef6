"""Excel workbooks (.xlsx, ECMA-376): one visible sheet with a heading, read as a stream.

A workbook comes from outside, so nothing in it is trusted: what it unfolds to is bounded before it
is opened, and whatever the library stumbles over becomes a UserError. What Excel shows and what
the file holds can differ (formulas, merged cells); such cells are refused rather than guessed,
since a field taken for empty may be somebody's protected identity (P1).
"""

import re
import warnings
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any
from xml.parsers import expat
from zipfile import ZipFile

import openpyxl
from openpyxl.utils import get_column_letter

from compliance.errors import Problem, UserError
from compliance.files.line import Line
from compliance.files.text import read_start
from compliance.files.xstring import unescaped

_ZIP = b"PK\x03\x04"
_OLE2 = bytes.fromhex("d0cf11e0a1b11ae1")  # old Excel, and new Excel behind a password (MS-CFB)
_UNFOLDED_MAX = 128 * 1024 * 1024  # bytes; 100,000 people take some 60 MB
_ROWS = 1_048_576  # as many as Excel has
_COLUMNS = 64  # far more than any of our tables; further out nothing is looked for
_CHUNK = 65536  # bytes
_PADDED = re.compile("0+")  # the format that shows 123 as 00123

# openpyxl ships no types: a sheet is its ReadOnlyWorksheet, a cell its ReadOnlyCell.
_Sheet = Any
_Cell = Any


@dataclass(frozen=True, slots=True)
class _SheetLine(Line):
    """A line that knows its cells by their names."""

    sheet: str
    number: int

    def where_of(self, at: int) -> str:
        return f"{self.sheet}, cell {get_column_letter(at + 1)}{self.number}"


def is_workbook(path: Path) -> bool:
    """Say whether a file is a workbook. Raises UserError if it is of a kind that cannot be read."""
    start = read_start(path, len(_OLE2))
    if start == _OLE2:
        raise UserError.of(
            "this is a workbook in the old Excel format, or one with a password",
            str(path),
            "save it as .xlsx without a password",
            "Filen är en Excelfil av äldre slag, eller har ett lösenord. Spara den som .xlsx utan "
            "lösenord.",
        )
    return start.startswith(_ZIP)


def read_lines(path: Path, known: Collection[str], problems: list[Problem]) -> Iterator[Line]:
    """Give the heading, then every line below it that holds something, as wide as the heading.

    known is not used: there is no delimiter to be found. Cells whose value is not certain are
    added to `problems`. Raises UserError if the file is no sound workbook, unfolds to too much, or
    has no or several visible sheets with something in them.
    """
    del known
    try:
        with warnings.catch_warnings():  # openpyxl warns of looks that it does not know
            warnings.simplefilter("ignore")
            return iter(list(_lines(path, problems)))
    except UserError:
        raise
    # A broken file makes zipfile, expat and openpyxl raise nearly anything.
    except Exception as error:
        raise UserError.of(
            f"this is no sound Excel workbook ({type(error).__name__})",
            str(path),
            "open it in Excel and save it as .xlsx anew, or save it as CSV UTF-8",
            "Det här är ingen hel Excelfil. Öppna den i Excel och spara den som .xlsx på nytt, "
            "eller som CSV UTF-8.",
        ) from error


def _lines(path: Path, problems: list[Problem]) -> Iterator[Line]:
    with ZipFile(path) as archive:
        unfolded = sum(part.file_size for part in archive.infolist())
    if unfolded > _UNFOLDED_MAX:
        raise UserError.of(
            f"the workbook unfolds to {unfolded // 1024**2} MiB, more than the "
            f"{_UNFOLDED_MAX // 1024**2} MiB that a list may take",
            str(path),
            "copy the list alone to a new workbook, or save it as CSV UTF-8",
            f"Excelfilen är för stor uppackad, mer än {_UNFOLDED_MAX // 1024**2} MiB. Kopiera "
            "listan till en ny arbetsbok, eller spara den som CSV UTF-8.",
        )
    with (
        path.open("rb") as file,
        closing(openpyxl.load_workbook(file, read_only=True, keep_links=False)) as book,
    ):
        sheet = _only_sheet(path, [s for s in book.worksheets if s.sheet_state == "visible"])
        if sheet is not None:
            yield from _Reading(f"{path}: {sheet.title}", problems).lines(sheet)


def _only_sheet(path: Path, visible: list[_Sheet]) -> _Sheet | None:
    """Give the one visible sheet that is not empty, or None. Raises UserError if several are."""
    filled = [sheet for sheet in visible if any(map(_is_filled, _rows(sheet)))]
    if len(filled) > 1:
        raise UserError.of(
            "there are several sheets: " + ", ".join(sheet.title for sheet in filled),
            str(path),
            "keep the one with the list, or hide the others",
            "Det finns flera blad: "
            + ", ".join(sheet.title for sheet in filled)
            + ". Behåll det med listan, eller dölj de andra.",
        )
    return filled[0] if filled else None


def _rows(sheet: _Sheet) -> Iterator[tuple[_Cell, ...]]:
    # What the file says of the sheet's size is not to be relied upon.
    rows: Iterator[tuple[_Cell, ...]] = sheet.iter_rows(
        min_row=1, max_row=_ROWS, min_col=1, max_col=_COLUMNS
    )
    return rows


def _is_filled(row: tuple[_Cell, ...]) -> bool:
    return any(cell.value is not None and str(cell.value).strip() for cell in row)


@dataclass
class _Reading:
    """One sheet on its way to lines. sheet: as it stands in problems."""

    sheet: str
    problems: list[Problem]

    def lines(self, sheet: _Sheet) -> Iterator[Line]:
        self._refuse_merged(sheet)
        width = 0
        for number, row in enumerate(_rows(sheet), start=1):
            if not _is_filled(row):
                continue
            if not width:
                width = max(at for at, cell in enumerate(row, start=1) if cell.value is not None)
            line = _SheetLine(
                [_text(cell) for cell in row[:width]],
                f"{self.sheet}, row {number}",
                self.sheet,
                number,
            )
            if self._is_certain(row, width, line):
                yield line

    def _refuse_merged(self, sheet: _Sheet) -> None:
        for cells in _merged(sheet):
            self.problems.append(
                Problem(
                    f"the cells {cells} are merged, and only the first would have a value",
                    self.sheet,
                    "split them and fill in each one",
                    f"Cellerna {cells} är sammanfogade. Dela dem och fyll i var och en.",
                )
            )

    def _is_certain(self, row: tuple[_Cell, ...], width: int, line: _SheetLine) -> bool:
        """Note each cell whose value is not certain; True if there is none."""
        before = len(self.problems)
        for at, cell in enumerate(row):
            fault = _fault(cell, is_outside=at >= width)
            if fault:
                self.problems.append(Problem(fault[0], line.where_of(at), fault[1], fault[2]))
        return len(self.problems) == before


def _fault(cell: _Cell, *, is_outside: bool) -> tuple[str, str, str] | None:
    """Give what is wrong, what to do, and both in Swedish."""
    if cell.value is None:
        return None
    if cell.data_type == "f":
        return (
            "the cell holds a formula",
            "copy the column and paste it as values",
            "Cellen har en formel. Kopiera kolumnen och klistra in den som värden.",
        )
    if cell.data_type == "e":
        return (
            f"the cell shows the error {cell.value}",
            "write the value itself",
            f"Cellen visar felet {cell.value}. Skriv själva värdet.",
        )
    if is_outside:
        return (
            "the cell lies beyond the heading",
            "remove it, or name its column in the heading",
            "Cellen ligger utanför rubriken. Ta bort den, eller ge dess kolumn en rubrik.",
        )
    return None


def _text(cell: _Cell) -> str:
    """Give a cell as it would stand in CSV: 10023.0 is 10023, a date 2026-10-15, TRUE yes."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and _PADDED.fullmatch(cell.number_format):
        return str(value).zfill(len(cell.number_format))
    return unescaped(str(value)).strip()


def _merged(sheet: _Sheet) -> list[str]:
    """Give the merged ranges; they stand behind the rows, where openpyxl's stream does not look.

    Raises ValueError if there are rows further down than we look.
    """
    found: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        element = name.rpartition(" ")[2]
        if element == "mergeCell":
            found.append(attributes["ref"])
        elif element == "row" and int(attributes.get("r", 0)) > _ROWS:
            raise ValueError(f"row {attributes['r']}")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    with sheet._get_source() as part:
        while chunk := part.read(_CHUNK):
            parser.Parse(chunk)
    return found
