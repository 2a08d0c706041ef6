"""Diary exports are read with public and protected apart, and every problem has its place."""

import tracemalloc
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.diary.importers import read_diary
from compliance.diary.importers.mapping import Mapping, read_mapping
from compliance.diary.match import match
from compliance.diary.record import Message
from compliance.errors import UserError
from compliance.resources import templates_dir

EXAMPLE = templates_dir().parent / "inventory/example/diary.yml"
HEADING = (
    "Diarienummer;Handlingsnr;Datum;Riktning;Avsändare/mottagare;Ärendemening;Sekretess;Lagrum;"
    "Avsändare/mottagare (offentlig);Ärendemening (offentlig);Handläggare\n"
)
ROWS = (
    "KS 2026/123;1;2026-03-03;Inkommande;Åsa Öberg;Brygga;Nej;;;;pe\n"
    "KS 2026/00124;;20260304;U;Nils Ek;Utredning om Nils Ek;Ja;OSL 26:1;Enskild;Utredning;pe\n"
)


@pytest.fixture
def mapping() -> Mapping:
    return read_mapping(EXAMPLE)


@pytest.fixture
def export(tmp_path):
    def write(text, name="diary.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_text(text, encoding=encoding)
        return path

    return write


def problems_of(path: Path, mapping: Mapping) -> list[str]:
    with pytest.raises(UserError) as caught:
        read_diary(path, mapping)
    assert all(problem.remedy for problem in caught.value.problems)
    return [f"{item.where.rpartition('/')[2]}: {item.what}" for item in caught.value.problems]


def test_to_read_a_long_diary_takes_little_more_memory_than_to_have_it(export, mapping):
    row = "KS 2026/{0};1;2026-03-03;I;Åsa Öberg {0};Ansökan om brygga nummer {0};Nej;;;;pe\n"
    path = export(HEADING + "".join(map(row.format, range(1, 5_000))))
    tracemalloc.start()
    try:
        read = read_diary(path, mapping)
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(read) == 4_999
    assert most < 2 * kept


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_an_export_is_read_as_it_was_saved(export, mapping, encoding, delimiter):
    path = export((HEADING + ROWS).replace(";", delimiter), encoding=encoding)
    first, second = read_diary(path, mapping)
    assert str(first.record.number) == "KS 2026/123-1"
    assert first.record.day == date(2026, 3, 3)
    assert (first.record.direction, second.record.direction) == ("in", "out")
    assert first.record.party == "Åsa Öberg"
    assert first.where.endswith("diary.csv:2")


def test_a_workbook_reads_as_the_text(export, mapping, tmp_path):
    book = openpyxl.Workbook()
    for line in (HEADING + ROWS).splitlines():
        book.active.append(line.split(";"))
    path = tmp_path / "diary.xlsx"
    book.save(path)
    text = read_diary(export(HEADING + ROWS), mapping)
    assert [item.record for item in read_diary(path, mapping)] == [item.record for item in text]


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-07-01", date(2026, 7, 1)),
        ("20260701", date(2026, 7, 1)),
        ("2026.7.1", date(2026, 7, 1)),
        ("2026-07-01 8:30", date(2026, 7, 1)),
        ("2026-07-01T00:00:00", date(2026, 7, 1)),
        ("2026-07-01 00:00:00.000", date(2026, 7, 1)),
        ("2026-06-30T22:30:00Z", date(2026, 7, 1)),  # midnight has passed in Sweden
        ("2026-06-30T22:30:00.123+00:00", date(2026, 7, 1)),
        ("2026-12-31T23:30:00+01:00", date(2026, 12, 31)),
        ("202607", None),  # a month
        ("2026071", None),
        ("01.07.2026", None),
        ("07/01/2026", None),
        ("2026-02-30", None),
        ("2026-07-01 25:00", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("2026-07/01", None),
        ("2026-07-01 i går", None),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "xml"])
def test_a_day_is_the_day_in_sweden_and_none_is_guessed(export, mapping, kind, written, day):
    if kind == "xml":
        path = export(erms(day=written), "diary.xml")
    else:
        path = export(f"{HEADING}KS 2026/1;;{written};I;a;b;;;;;\n")
    if day:
        assert [entry.record.day for entry in read_diary(path, mapping)] == [day]
    else:
        assert any("is no day" in told for told in problems_of(path, mapping))


def test_what_a_workbook_has_written_out_is_read_as_excel_shows_it(mapping, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(HEADING.strip().split(";"))
    subject = "Yttrande_x000D_\növer _x00C5_lder_x0000__xD800__x005F_x0041_"
    book.active.append(["KS 2026/1", None, "2026-03-03", "I", "a", subject])
    book.save(tmp_path / "diary.xlsx")
    (entry,) = read_diary(tmp_path / "diary.xlsx", mapping)
    assert entry.record.subject == "Yttrande över Ålder_x0000__xD800__x0041_"


def test_a_line_that_tells_excel_the_delimiter_is_no_heading(export, mapping):
    entries = read_diary(export("sep=;\n" + HEADING + ROWS, encoding="utf-8-sig"), mapping)
    assert [str(entry.record.number) for entry in entries] == ["KS 2026/123-1", "KS 2026/124"]
    assert entries[0].where.endswith("diary.csv:3")


def test_a_row_under_secrecy_shows_its_public_face_alone(export, mapping):
    _, secret = read_diary(export(HEADING + ROWS), mapping)
    assert (secret.record.party, secret.record.subject) == ("Enskild", "Utredning")
    assert secret.protected
    assert secret.protected.subject == "Utredning om Nils Ek"
    assert secret.protected.section == "OSL 26:1"


@pytest.mark.parametrize("restriction", ["Ja", "X", "Delvis", "nej?", "1"])
def test_a_restriction_that_the_mapping_does_not_know_protects(export, mapping, restriction):
    row = f"KS 2026/1;;2026-03-03;I;Nils Ek;Om Nils Ek;{restriction};;;;\n"
    (entry,) = read_diary(export(HEADING + row), mapping)
    assert (entry.record.party, entry.record.subject) == ("", "")


@given(st.text("abcåäö", min_size=3, max_size=9), st.sampled_from(["Ja", "Delvis", "?"]))
def test_what_is_protected_reaches_no_explanation(tmp_path_factory, secret, restriction):
    path = tmp_path_factory.mktemp("export") / "diary.csv"
    name = f"Hemlig{secret}"
    row = f"KS 2026/1;;2026-03-03;I;{name};Om {name};{restriction};;;;\n"
    path.write_text(HEADING + row, encoding="utf-8")
    (entry,) = read_diary(path, read_mapping(EXAMPLE))
    letter = Message(
        "m", date(2026, 3, 3), "in", (f"{name}@post.example",), (name,), f"KS 2026/1 Om {name}"
    )
    with_name = match([letter], [entry.record])["m"]
    stranger = Message("m", date(2026, 3, 3), "in", ("x@y.example",), ("Y",), "KS 2026/1 abc")
    without = match([stranger], [entry.record])["m"]
    assert name not in repr(entry.record)
    # Nor does it show in how sure the match is.
    assert [item.confidence for item in with_name.matched] == [
        item.confidence for item in without.matched
    ]


def test_every_problem_is_told_with_row_and_column(export, mapping):
    rows = (
        "KS-tjugo;;2026-03-03;I;a;b;;;;;\n"
        "KS 2026/1;ett;3 mars;Hit;a;b;;;;;\n"
        "KS 2026/2;;2026-03-03;I;a\n"
    )
    assert problems_of(export(HEADING + rows), mapping) == [
        "diary.csv:2: column diarienummer: 'KS-tjugo' is no diary number",
        "diary.csv:3: column handlingsnr: 'ett' is no number",
        "diary.csv:3: column datum: '3 mars' is no day",
        "diary.csv:3: column riktning: 'Hit' is not known",
        "diary.csv:4: there are 5 fields, but the heading has 11",
    ]


def test_a_cell_of_a_workbook_is_named(mapping, tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "Diarium"
    book.active.append(HEADING.strip().split(";"))
    book.active.append(["KS 2026/1", None, "mars"])
    book.save(tmp_path / "diary.xlsx")
    assert problems_of(tmp_path / "diary.xlsx", mapping) == [
        "diary.xlsx: Diarium, cell C2: column datum: 'mars' is no day"
    ]


def test_a_missing_column_and_an_empty_diary_are_told(export, mapping):
    assert "diary.csv:1: the column sekretess is missing" in problems_of(
        export(HEADING.replace("Sekretess", "Skydd") + ROWS), mapping
    )
    assert problems_of(export(HEADING), mapping) == ["diary.csv: there is no row below the heading"]


def test_rows_of_one_number_have_keys_of_their_own(export, mapping):
    row = "KS 2026/1;;2026-03-03;I;a;b;;;;;\n"
    keys = [item.record.key for item in read_diary(export(HEADING + row + row), mapping)]
    assert keys == ["KS 2026/1", "KS 2026/1~2"]


BAD_MAPPINGS = {
    "columns: {number: A}": "the column|party: is missing",
    "rows: 1": "'rows' is not a known key",
    "columns: {number: A, day: A, party: C, subject: D, restriction: none}": "named twice",
    "columns: {number: A, day: B, party: C, subject: D, restriction: E, direction: F}": (
        "directions: is missing"
    ),
    "columns: {number: A, day: B, party: C, subject: D, restriction: none}\n"
    "directions: {in: [I], out: [i]}": "has two meanings",
    "columns: {number: A, day: B, party: C, subject: D, restriction: none}\n"
    "numbers: {patterns: ['{year}']}": "is no pattern of diary numbers",
    "columns: {number: A, day: B, party: C, subject: D, restriction: none}\n"
    "numbers: {authorities: [Kommunstyrelsen]}": "is no prefix",
    "columns: {number: A, day: B, party: C, subject: D, restriction: none}\n"
    "numbers: {dot: comma}": "write document or plan",
}


@pytest.mark.parametrize(("text", "told"), BAD_MAPPINGS.items())
def test_a_mapping_that_does_not_fit_is_told(tmp_path, text, told):
    path = tmp_path / "diary.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=told):
        read_mapping(path)


RECORD = """
      <record systemIdentifier="1" recordPhysicalOrDigital="digitial">
        <objectId>KS 2026/123</objectId>
        <title>Begäran från Åsa Öberg</title>
        <otherTitle titleType="public">Begäran</otherTitle>
        <runningNumber>4</runningNumber>
        {restriction}
        <direction directionDefinition="incoming"/>
        <agents>
          <agent agentType="creator"><name>Registrator</name></agent>
          <agent agentType="sender"><name>Åsa Öberg</name>
            <organisation>Bolaget</organisation></agent>
        </agents>
        <dates>
          <date dateType="created">2026-03-05T00:00:00</date>
          <date dateType="received">{day}</date>
        </dates>
      </record>"""
ERMS = """<?xml version="1.0" encoding="UTF-8"?>
<erms xmlns="https://DILCIS.eu/XML/ERMS"><control/>
  <aggregations>
    <aggregation systemIdentifier="2" aggregationType="caseFile">
      <objectId>KS 2026/123</objectId>{case}%s
    </aggregation>
  </aggregations>
</erms>"""


def erms(restriction="", day="2026-03-03T00:00:00", case=""):
    return (ERMS % RECORD).replace("{case}", case).format(restriction=restriction, day=day)


def test_erms_is_read_by_its_elements(export, mapping):
    (entry,) = read_diary(export(erms(), "diary.xml"), mapping)
    record = entry.record
    assert (str(record.number), record.day) == ("KS 2026/123-4", date(2026, 3, 3))
    assert (record.direction, record.party) == ("in", "Åsa Öberg, Bolaget")
    assert record.subject == "Begäran från Åsa Öberg"
    assert entry.protected is None
    assert entry.where.endswith(":6")


_SECRET = "<restriction><regulation>OSL 26:1</regulation></restriction>"


@pytest.mark.parametrize("where", ["restriction", "case"])
def test_a_restriction_on_record_or_case_protects(export, mapping, where):
    (entry,) = read_diary(export(erms(**{where: _SECRET}), "diary.xml"), mapping)
    assert (entry.record.party, entry.record.subject) == ("", "Begäran")
    assert entry.protected
    assert entry.protected.section == "OSL 26:1"


HOSTILE = {
    "entities": '<!DOCTYPE e [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><erms>&b;</erms>',
    "a file of the machine": '<!DOCTYPE e [<!ENTITY a SYSTEM "file:///etc/passwd">]><erms>&a;</erms>',
    "an outside DTD": '<!DOCTYPE e SYSTEM "http://127.0.0.1/e.dtd"><erms/>',
    "not closed": "<erms>",
    "another vocabulary": "<html/>",
    "no namespace": "<erms/>",
    "a million levels": "<erms>" + "<a>" * 100_000,
    "unknown encoding": '<?xml version="1.0" encoding="x-none"?><erms/>',
    "no record": '<erms xmlns="https://DILCIS.eu/XML/ERMS"/>',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_xml_is_refused_in_words(export, mapping, name):
    (told,) = problems_of(export(HOSTILE[name], "diary.xml"), mapping)
    assert told.startswith("diary.xml")
    assert ("declares a document type" in told) is ("<!DOCTYPE" in HOSTILE[name])


def test_a_bad_day_and_number_are_told_with_their_lines(export, mapping):
    text = erms(day="i mars").replace("KS 2026/123", "DB42")
    assert problems_of(export(text, "diary.xml"), mapping) == [
        "diary.xml:6: record: objectId 'DB42' is no diary number, nor is its case's",
        "diary.xml:20: record: date received 'i mars' is no day",
    ]
