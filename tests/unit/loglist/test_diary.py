"""A unit's diary in the log list: exports handed over, and what the program matches by them."""

import uuid

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from . import conftest

HEADING = "Diarienummer;Datum;Riktning;Part;Ärendemening;Sekretess;Offentlig ärendemening"
MAPPING = """
columns:
  number: Diarienummer
  day: Datum
  direction: Riktning
  party: Part
  subject: Ärendemening
  restriction: Sekretess
  public_subject: Offentlig ärendemening
directions: {in: [In], out: [Ut]}
numbers: {authorities: [MBN, KS]}
"""
ROWS = [
    "MBN 2026/12-1;2026-03-02;In;Åsa Öberg;Buller från Ekmans Åkeri;;",
    "MBN 2026/12-2;2026-03-03;Ut;Åsa Öberg;Begäran om komplettering;;",
    "MBN 2026/13-1;2026-03-03;In;Nils Ek;Enskilt avlopp Näs 3:12;;",
    "MBN 2026/14-1;2026-03-04;In;Eva Hemlig;Anmälan om Eva Hemlig;OSL 26:1;Anmälan",
]


@pytest.fixture
def unit(installation, monkeypatch, tmp_path):
    """Give a unit of its own, with a reviewer and a head, and the municipality's mapping."""
    from django.conf import settings

    path = tmp_path / "diary.yml"
    path.write_text(MAPPING, encoding="utf-8")
    mapped = settings.LOGLIST.model_copy(update={"diary_mapping": path})
    monkeypatch.setattr(settings, "LOGLIST", mapped)
    name = f"mbn-{uuid.uuid4().hex[:6]}"
    monkeypatch.setitem(conftest.UNITS, name, "Miljö- och byggnadsnämnden")
    for number, who, reviews in [("21", "granskare", None), ("22", "namndchef", [])]:
        account = conftest.account(number, name, reviews=reviews)
        monkeypatch.setitem(conftest.ACCOUNTS, f"{who}@sjovalla.example", account)
    return name


@pytest.fixture
def hand_over(unit, visit):
    """Hand an export over in the browser; return the page that comes."""

    def hand(rows=ROWS, who="granskare", name="diariet.csv", content=None, to=None, **more):
        if content is None:
            content = "\n".join([HEADING, *rows]).encode()
        return visit(who).post(
            f"/units/{to or unit}/diary/", {"file": SimpleUploadedFile(name, content)}, **more
        )

    return hand


@pytest.fixture
def stored(installation, unit):
    """Read what the database has of the unit's diary, as its owner."""

    def read(columns="key, party, subject", table="diaryrow", order="key"):
        with psycopg.connect(installation("owner")) as owner:
            return owner.execute(
                f"SELECT {columns} FROM loglist.loglist_{table} WHERE unit = %s ORDER BY {order}",
                [unit],
            ).fetchall()

    return read


def text(answer):
    return answer.content.decode()


def test_an_export_is_taken_in_and_told(hand_over, visit, unit):
    answer = hand_over(follow=True)
    assert answer.status_code == 200
    assert "4" in text(answer)
    assert "2026-03-02 – 2026-03-04" in text(answer)
    assert "diariet.csv" in text(answer)
    assert "Person 21" in text(answer)


def test_the_same_export_again_changes_nothing(hand_over, stored):
    hand_over()
    before = stored("id, key, party, subject", order="id")
    hand_over()
    assert stored("id, key, party, subject", order="id") == before
    assert stored("rows, added, changed, removed", "diaryimport", "id")[-1] == (4, 0, 0, 0)


def test_a_later_export_takes_the_place_of_the_days_that_it_covers(hand_over, stored):
    hand_over()
    hand_over(
        [
            "MBN 2026/12-2;2026-03-03;Ut;Åsa Öberg;Föreläggande;;",
            "MBN 2026/15-1;2026-03-05;In;Nils Ek;Fettavskiljare;;",
        ]
    )
    assert [key for key, *_ in stored()] == [
        *("MBN 2026/12-1", "MBN 2026/12-2", "MBN 2026/15-1"),
    ]
    assert stored()[1][2] == "Föreläggande"
    assert stored("rows, added, changed, removed", "diaryimport", "id")[-1] == (2, 1, 1, 2)


def test_a_diary_without_document_numbers_keeps_the_rows_of_other_days(hand_over, stored):
    hand_over(["MBN 2026/12;2026-03-02;In;Åsa Öberg;Buller;;"])
    hand_over(["MBN 2026/12;2026-03-03;Ut;Åsa Öberg;Svar;;"])
    assert [subject for *_, subject in stored()] == ["Buller", "Svar"]


def test_every_problem_is_told_with_row_and_column_and_nothing_is_taken_in(hand_over, stored):
    rows = [ROWS[0], "faktura;2026-03-03;In;X;Y;;", "MBN 2026/13-1;igår;Bort;X;Y;;"]
    answer = hand_over(rows)
    assert answer.status_code == 400
    for told in ("diariet.csv:3", "diariet.csv:4", "”faktura” är inget diarienummer"):
        assert told in text(answer)
    for told in ("”igår” är ingen dag", "”Bort” är okänt", "Inget har ändrats"):
        assert told in text(answer)
    assert stored() == []
    english = hand_over(rows, HTTP_ACCEPT_LANGUAGE="en")
    assert "column datum: &#x27;igår&#x27; is no day" in text(english)


def workbook(cells, raw=None):
    import io
    import zipfile

    import openpyxl

    book = openpyxl.Workbook()
    for row in cells:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    if raw:
        read = zipfile.ZipFile(stream)
        parts = {name: read.read(name) for name in read.namelist()}
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
            for name, part in parts.items():
                new.writestr(name, raw(name, part))
    return stream.getvalue()


def test_a_workbook_is_taken_in(hand_over, stored):
    cells = [line.split(";") for line in [HEADING, *ROWS]]
    assert hand_over(name="d.xlsx", content=workbook(cells)).status_code == 302
    assert len(stored()) == 4


BOMB = b"<x>" + b"0" * 200_000_000
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.xlsx", lambda: workbook([["a"]], lambda n, p: BOMB if "sheet1" in n else p)),
        ("utan.xlsx", lambda: b"PK\x03\x04" + b"\0" * 200),
        ("dtd.xml", lambda: ENTITIES),
        ("utifran.xml", lambda: b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>'),
        ("tom.csv", lambda: b""),
        ("bild.png", lambda: b"\x89PNG\r\n\x1a\n\0\0"),
        ("nul.csv", lambda: f"{HEADING}\n{ROWS[0]}".replace("Buller", "\0").encode()),
        (
            "stor.csv",
            lambda: f"{HEADING}\nMBN 2026/12-{'9' * 5000};2026-03-02;In;A;B;;".encode(),
        ),
    ],
)
def test_a_hostile_file_is_refused_with_words(hand_over, stored, name, content):
    answer = hand_over(name=name, content=content())
    assert answer.status_code == 400
    assert "kunde inte tas in" in text(answer)
    assert "Traceback" not in text(answer)
    assert "root:" not in text(answer)
    assert stored() == []


def test_a_nul_hidden_in_a_workbook_harms_nobody(hand_over, stored):
    row = ["MBN 2026/12-1", "2026-03-02", "In", "A", "x_x0000_y", "", ""]
    answer = hand_over(name="d.xlsx", content=workbook([HEADING.split(";"), row]))
    assert answer.status_code in (302, 400)
    assert len(stored()) == (answer.status_code == 302)


def test_a_file_that_is_too_large_is_refused(hand_over, monkeypatch, stored):
    from compliance.loglist.diary_form import DiaryForm

    monkeypatch.setattr(DiaryForm, "MAX", 100)
    answer = hand_over()
    assert answer.status_code == 400
    assert "20 MB" in text(answer)
    assert stored() == []


def test_hostile_texts_are_shown_as_text(hand_over):
    answer = hand_over(["<script>x</script>;2026-03-03;In;X;Y;;"], name='<b>"x".csv')
    assert "<script>" not in text(answer)
    assert "<b>" not in text(answer)


@pytest.mark.parametrize(
    ("who", "reads", "writes"),
    [("granskare", True, True), ("namndchef", True, False), ("bun", False, False)],
)
def test_who_may_read_and_who_may_hand_over(hand_over, visit, unit, who, reads, writes, stored):
    answer = visit(who).get(f"/units/{unit}/diary/")
    assert answer.status_code == (200 if reads else 404)
    assert ("type=&quot;file&quot;" in text(answer) or 'type="file"' in text(answer)) == writes
    assert hand_over(who=who).status_code == (302 if writes else 404)
    assert bool(stored()) == writes


def test_nobody_hands_over_without_having_logged_in(hand_over, stored):
    assert hand_over(who=None)["Location"].startswith("/login")
    assert stored() == []


def test_protected_texts_are_kept_and_shown_to_nobody(hand_over, stored, visit, unit, installation):
    hand_over()
    assert stored("party, subject, section", "diaryprotected", "row_id") == [
        ("Eva Hemlig", "Anmälan om Eva Hemlig", "OSL 26:1")
    ]
    assert ("MBN 2026/14-1", "", "Anmälan") in stored()
    assert "Hemlig" not in text(visit("granskare").get(f"/units/{unit}/diary/"))
    with psycopg.connect(installation("web")) as web, pytest.raises(psycopg.errors.Error):
        web.execute("SELECT party FROM loglist.loglist_diaryprotected")
    hand_over([ROWS[3].replace("OSL 26:1", "")])  # it is public now
    assert stored("party", "diaryprotected", "row_id") == []


def test_a_technicians_timer_hands_over_too(unit, stored, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from compliance.errors import UserError
    from compliance.loglist import work
    from compliance.loglist.commands import app

    monkeypatch.setattr(work, "authorities", lambda: {unit: unit})
    path = tmp_path / "mbn.csv"
    path.write_text("\n".join([HEADING, *ROWS]), encoding="utf-8")
    told = CliRunner().invoke(app, ["import-diary", "--unit", unit, str(path)])
    assert "4 records from 2026-03-02 to 2026-03-04: 4 new" in told.output
    assert stored("by, file", "diaryimport", "id") == [("worker", "mbn.csv")]
    path.write_text("\n".join([HEADING, "faktura;2026-03-03;In;X;Y;;"]), encoding="utf-8")
    for wrong in (unit, "finns-inte"):
        told = CliRunner().invoke(app, ["import-diary", "--unit", wrong, str(path)])
        assert isinstance(told.exception, UserError)
    assert len(stored()) == 4
