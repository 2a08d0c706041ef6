"""Rows as files: readable, whole, and harmless in a spreadsheet whatever a subject holds."""

import csv
import io
import json
import re
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
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
    (row,) = csv.DictReader(io.StringIO(output.getvalue(), newline=""))
    return row


def xlsx_of(path, **changes):
    formats.write_xlsx([ROW | changes], path)
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


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "＝"])
def test_csv_never_runs_as_a_formula(start):
    row = csv_of(subject=f"{start}HYPERLINK(1)")
    assert row["subject"].startswith("'")
    assert (row["size"], row["label"]) == ("12", "")


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
        formats.write_xlsx([ROW] * 3, tmp_path / "log.xlsx")


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
