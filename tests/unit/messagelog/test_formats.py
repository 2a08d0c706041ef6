"""Rows as files: readable, whole, and harmless in a spreadsheet whatever a subject holds."""

import csv
import io
import json
import re
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import load_workbook

from compliance.errors import UserError
from compliance.messagelog import formats

ROW = dict.fromkeys(formats.KEYS) | {
    "accepted_at": datetime(2026, 11, 24, 9, 5, 0, 120, tzinfo=UTC),
    "outbox_id": uuid.UUID("7c1f2e0a-5b52-4b52-9a53-1d1f4c3b2a10"),
    "subject": 'Å, "citat"',
    "size": 12,
}
HOSTILE = [
    "=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "=cmd|' /C calc'!A0",
    "nul\x00byte", "\x1b[31mröd", "\u202egnp.exe", "\u2066x\u2069", "<script>alert(1)</script>",
    "a\r\nb", "å" * 64_000, "\ufffe", "\x85", "",
]  # fmt: skip


def csv_of(**changes):
    output = io.StringIO()
    formats.write_csv([ROW | changes], output)
    mark, text = output.getvalue()[0], output.getvalue()[1:]
    assert mark == "\ufeff", "by which Excel knows that it is UTF-8"
    (row,) = csv.DictReader(io.StringIO(text, newline=""), delimiter=";")
    return row


def xlsx_of(path, **changes):
    with path.open("wb") as output:
        formats.write_xlsx([ROW | changes], output)
    head, row = load_workbook(path)["Log"].iter_rows()
    return dict(zip([cell.value for cell in head], row, strict=True))


def test_jsonl_is_one_object_a_line_in_readable_swedish():
    output = io.StringIO()
    formats.write_jsonl([ROW, ROW], output)
    lines = output.getvalue().splitlines()
    assert len(lines) == 2
    assert "Å" in lines[0]
    row = json.loads(lines[0])
    assert list(row) == list(formats.KEYS)
    assert (row["subject"], row["accepted_at"]) == ('Å, "citat"', "2026-11-24T09:05:00.000120Z")


@pytest.mark.parametrize("text", ["😀" * 20_000, "x" + "😀" * 20_000])
def test_a_cell_holds_no_more_than_excel_counts_and_an_emoji_is_two(tmp_path, text):
    """UTF-16 units, as Excel counts them: with more it calls the workbook damaged."""
    shown = xlsx_of(tmp_path / "log.xlsx", subject=text)["subject"].value
    assert 32_765 <= len(shown.encode("utf-16-le")) / 2 <= 32_767
    assert shown[:-1] == text[: len(shown) - 1]
    assert shown[-1] == "…"


STARTS = "=+-@＝＋－＠"


@pytest.mark.parametrize("start", STARTS)
def test_csv_never_runs_as_a_formula(start):
    row = csv_of(subject=f"{start}HYPERLINK(1)")
    assert row["subject"] == f"'{start}HYPERLINK(1)"
    assert (row["size"], row["label"]) == ("12", "")


# Texts of what divides cells, begins formulas and may stand between the two.
DIVIDING = st.text(st.sampled_from([*STARTS, *" ;,\t\n\r\"'a"]), max_size=12)


@given(DIVIDING, DIVIDING, DIVIDING)
@example("hej;=cmd|' /C calc'!A0;", "hej,=cmd|' /C calc'!A0,", "a.pdf\n=b.pdf")
@pytest.mark.parametrize("delimiter", [";", ","])
def test_no_cell_is_a_formula_wherever_a_spreadsheet_divides(delimiter, first, second, names):
    output = io.StringIO()
    changes = {"from_text": first, "subject": second, "attachment_names": names}
    formats.write_csv([ROW | changes], output)
    table = csv.reader(io.StringIO(output.getvalue()[1:], newline=""), delimiter=delimiter)
    cells = [cell for line in table for cell in line]
    assert not [cell for cell in cells if cell.lstrip(" \t\r\n\"'").startswith(tuple(STARTS))
                and not cell.lstrip().startswith("'")]  # fmt: skip


def test_a_swedish_excel_shows_every_text_in_its_own_cell():
    subject = "hej;=cmd|' /C calc'!A0;"
    assert csv_of(subject=subject, label="x")["label"] == "x"
    assert csv_of(subject="Möte; kl 10, å ä ö")["subject"] == "Möte; kl 10, å ä ö"


def test_the_names_of_attachments_stand_one_a_line(tmp_path):
    names = "a.pdf\nb\u202efdp.exe\n=c.pdf"
    told = ["a.pdf", "b⟦U+202E⟧fdp.exe"]
    assert csv_of(attachment_names=names)["attachment_names"].split("\n") == [*told, "'=c.pdf"]
    cell = xlsx_of(tmp_path / "log.xlsx", attachment_names=names)["attachment_names"]
    assert cell.value.split("\n") == [*told, "=c.pdf"]
    assert cell.alignment.wrap_text, "else Excel shows them on one line"


def test_a_name_that_looks_like_a_character_written_out_is_shown_as_it_is(tmp_path):
    path = tmp_path / "log.xlsx"
    cells = xlsx_of(path, subject="_x202E_gpj.exe", from_text="_x000_ _xÅÅÅÅ_ a_x0041_b")
    # Excel reads `_xHHHH_` as the character; `_x005F_` is the underline.
    assert cells["subject"].value == "_x005F_x202E_gpj.exe"
    assert cells["from_text"].value == "_x000_ _xÅÅÅÅ_ a_x005F_x0041_b"


@pytest.mark.parametrize("subject", HOSTILE)
def test_a_hostile_subject_is_plain_text_in_a_workbook(tmp_path, subject):
    cells = xlsx_of(tmp_path / "log.xlsx", subject=subject)
    assert cells["subject"].data_type != "f"
    shown = cells["subject"].value or ""
    assert shown == formats.visible(subject)[: len(shown) - 1] + shown[-1:]
    assert cells["size"].value == 12


@given(st.text())
def test_what_is_shown_holds_nothing_unseen_and_all_that_is_seen(text):
    shown = formats.visible(text)
    assert not formats._UNSEEN.search(shown)
    assert [c for c in text if not formats._UNSEEN.match(c)] == [
        c for c in text if c in shown and not formats._UNSEEN.match(c)
    ]


def test_a_sheet_that_is_full_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "_ROW_LIMIT", 2)
    with pytest.raises(UserError, match="a sheet holds 2 rows"):
        formats.write_xlsx([ROW] * 3, io.BytesIO())


def test_the_handbook_tells_what_each_column_holds():
    handbook = Path(__file__).parents[3] / "docs/handbook/it-tekniker.md"
    (table,) = re.findall(
        r"Filen från `kommunpost log export`.*?\n\n(.*?)\n\n",
        handbook.read_text("utf-8"),
        re.DOTALL,
    )
    told = [
        name
        for line in table.splitlines()[2:]
        for name in re.findall("`(\\w+)`", line.split("|")[1])
    ]
    assert sorted(told) == sorted(formats.KEYS)
