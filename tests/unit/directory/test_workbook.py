"""A list as an Excel workbook says the same as one in CSV; what is not certain is told by cell."""

import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from compliance.directory.sources.records import read_pcs, read_people
from compliance.errors import UserError
from compliance.files import workbook

from .conftest import PCS, PEOPLE

ROWS = [line.split(";") for line in PEOPLE.splitlines()]
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a workbook with these rows on its sheet, which may be changed before it is saved."""

    def save(rows: list[list[object]], change: Callable[[Worksheet], None] | None = None) -> Path:
        book = Workbook()
        sheet = book.active
        sheet.title = "Personer"
        for row in rows:
            sheet.append(row)
        if change:
            change(sheet)
        path = tmp_path / "people.xlsx"
        book.save(path)
        return path

    return save


def _told(path: Path) -> list[str]:
    with pytest.raises(UserError) as caught:
        read_people(path)
    assert all(problem.remedy for problem in caught.value.problems)
    return [f"{p.where.removeprefix(str(path))}: {p.what}" for p in caught.value.problems]


def _values(path: Path) -> list[object]:
    return [located.value for located in read_people(path)]


def test_a_workbook_gives_the_same_people_and_pcs_as_csv(write, tmp_path):
    csv = tmp_path / "people.csv"
    csv.write_text(PEOPLE, encoding="utf-8")
    assert _values(write(ROWS)) == _values(csv)
    pcs = tmp_path / "pcs.csv"
    pcs.write_text(PCS, encoding="utf-8")
    rows = [line.split(";") for line in PCS.splitlines()]
    assert [pc.value for pc in read_pcs(write(rows))] == [pc.value for pc in read_pcs(pcs)]


def test_cells_are_read_as_a_person_sees_them(write):
    heading = [*ROWS[0], "starts", "ends"]
    days = [date(2026, 1, 1), datetime(2026, 12, 31)]
    rows = [
        heading,
        [10023.0, "Åsa ", None, "Öberg", "employee", "ksk", "", True, *days],
        [7, "Bo", None, "Ek", "employee", 100, None, False, "2026-02-01", None],
    ]

    def pad(sheet: Worksheet) -> None:
        sheet["A3"].number_format = "00000"

    first, second = _values(write(rows, pad))
    assert (first.id, first.given_name, first.protected) == ("10023", "Åsa", True)
    assert (first.starts, first.ends) == (date(2026, 1, 1), date(2026, 12, 31))
    assert (second.id, second.unit, second.protected) == ("00007", "100", False)
    assert second.starts == date(2026, 2, 1)


def test_empty_rows_and_sheets_and_hidden_sheets_are_passed_over(write):
    def add(sheet: Worksheet) -> None:
        sheet.parent.create_sheet("Blad2")
        hidden = sheet.parent.create_sheet("Underlag", 0)
        hidden.append(["something else"])
        hidden.sheet_state = "hidden"

    path = write([[], [None, " "], ROWS[0], ROWS[1], [], ["", ""], ROWS[2]], add)
    assert [person.where for person in read_people(path)] == [
        f"{path}: Personer, row 4",
        f"{path}: Personer, row 7",
    ]


def test_several_sheets_are_refused_by_name(write):
    def add(sheet: Worksheet) -> None:
        sheet.parent.create_sheet("Timanställda").append(["id"])

    assert _told(write(ROWS, add)) == [": there are several sheets: Personer, Timanställda"]


def test_a_fault_is_told_with_sheet_row_and_cell(write):
    rows = [ROWS[0], ["1", "Åsa", "", "", "anställd", "ksk", "", "no"]]
    assert _told(write(rows)) == [
        ": Personer, cell D2: column surname: a name is missing",
        ": Personer, cell E2: column kind: 'anställd' is not known",
    ]
    heading = ["id", "given_name", "efternamn", "kind", "unit"]
    assert _told(write([heading])) == [
        ": Personer, row 1: the column surname is missing",
        ": Personer, cell C1: 'efternamn' is not a known column",
    ]


def test_a_personal_identity_number_is_refused_as_a_number_too(write):
    rows = [ROWS[0], [198112189876, *ROWS[1][1:]]]
    assert _told(write(rows)) == [
        ": Personer, cell A2: column id: the id is a personal identity number"
    ]


@pytest.mark.parametrize(
    ("cell", "value", "told"),
    [
        ("F3", '=VLOOKUP(A3,Enheter!A:B,2)', "the cell holds a formula"),
        ("F3", "#N/A", "the cell shows the error #N/A"),
        ("K3", "glömd anteckning", "the cell lies beyond the heading"),
        ("A3", 10023.5, "column id: '10023.5' is no id"),
    ],
)  # fmt: skip
def test_a_cell_whose_value_is_not_certain_is_refused(write, cell, value, told):
    def change(sheet: Worksheet) -> None:
        sheet[cell] = value

    assert _told(write(ROWS, change)) == [f": Personer, cell {cell}: {told}"]


def test_merged_cells_are_refused(write):
    """Of two protected people with one merged cell only the first would be protected (P1)."""

    def change(sheet: Worksheet) -> None:
        sheet["H2"] = "yes"
        sheet.merge_cells("H2:H3")

    assert _told(write(ROWS, change)) == [
        ": Personer: the cells H2:H3 are merged, and only the first would have a value"
    ]


def test_an_empty_workbook_is_told(write):
    assert _told(write([])) == [": the file is empty"]


def test_no_problem_tells_the_name_of_anyone(write):
    rows = [*ROWS, ["1", "Vendela", "", "Kvarnhammar", "x", "ksk", "", "yes", "", ""]]
    assert "Kvarnhammar" not in "".join(_told(write(rows)))


def _part(path: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Change one part of a workbook, as a broken or hostile program would."""
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    parts[name] = change(parts[name])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, data in parts.items():
            archive.writestr(part, data)


SHEET = "xl/worksheets/sheet1.xml"
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a0 "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]>"
)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        (SHEET, lambda data: data[: len(data) // 2]),
        (SHEET, lambda data: data.replace(b'r="A2"', b'r="*"')),
        (SHEET, lambda data: BOMB + data.replace(b"<t>1</t>", b"<t>&a11;</t>", 1)),
        ("xl/workbook.xml", lambda data: b""),
    ],
    ids=["cut off", "a cell without place", "entities in entities", "no workbook"],
)
def test_a_broken_or_hostile_workbook_is_told(write, part, change):
    path = write(ROWS)
    _part(path, part, change)
    told = _told(path)
    assert len(told) == 1
    assert told[0].startswith(": this is no sound Excel workbook")


def test_what_is_no_workbook_at_all_is_told(tmp_path):
    path = tmp_path / "people.xlsx"
    path.write_bytes(b"PK\x03\x04 and no more")
    assert _told(path) == [": this is no sound Excel workbook (BadZipFile)"]
    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(100))
    assert _told(path) == [": this is a workbook in the old Excel format, or one with a password"]


def test_a_workbook_that_unfolds_to_too_much_is_refused_before_it_is_opened(write, monkeypatch):
    path = write(ROWS)
    _part(path, SHEET, lambda data: data + bytes(1024 * 1024))
    monkeypatch.setattr(workbook, "_UNFOLDED_MAX", 1024 * 1024)
    monkeypatch.setattr(workbook.openpyxl, "load_workbook", None)  # it may not come to this
    told = _told(path)
    assert told == [": the workbook unfolds to 1 MiB, more than the 1 MiB that a list may take"]


def test_a_row_further_down_than_excel_has_is_told(write):
    """The library would count up to it one by one."""
    path = write(ROWS)
    _part(path, SHEET, lambda data: data.replace(b'<row r="4"', b'<row r="999999999999"'))
    assert _told(path) == [": this is no sound Excel workbook (ValueError)"]
