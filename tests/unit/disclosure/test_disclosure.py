"""What is masked is in none of the bytes, and what anybody writes harms nobody who opens a file."""

import csv
import html
import io
import re
import zipfile

import openpyxl
import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.disclosure.files import to_csv, to_html, to_pdf, to_xlsx
from compliance.disclosure.hints import Kind, hints
from compliance.disclosure.masking import (
    PROTECTED_IDENTITY,
    Column,
    Mask,
    Masked,
    Row,
    Section,
    echoes,
    mask,
)
from compliance.errors import UserError
from compliance.safe_text import for_spreadsheet, shown

SECTION = Section(26, 1)
LONG = 400_000


def row(key="1", subject="Bygglov", protected=frozenset(), **cells):
    found = {
        Column.TIME: "2026-11-24 09.05",
        Column.DIRECTION: "In",
        Column.SENDER: "asa.oberg@post.example",
        Column.RECIPIENT: "ks@sjovalla.example",
        Column.SUBJECT: subject,
        **{Column[name.upper()]: text for name, text in cells.items()},
    }
    return Row(key, found, frozenset(protected))


def extract_of(*rows, masks=()):
    return mask(
        rows, masks, unit="Kommunstyrelsen", selection="24 november 2026", made="25 november 2026"
    )


def texts_of_pdf(data: bytes) -> str:
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def objects_of(data: bytes) -> list[object]:
    """Every object of a PDF, those in compressed streams too."""
    reader = pypdf.PdfReader(io.BytesIO(data))
    return [reader.get_object(number) for number in range(1, reader.trailer["/Size"])]


def all_bytes_of(extract) -> dict[str, bytes]:
    """Every file, unpacked, so that nothing hides behind compression."""
    workbook = zipfile.ZipFile(io.BytesIO(to_xlsx(extract, "sv")))
    pdf = to_pdf(extract, "sv")
    objects = objects_of(pdf)
    streams = [item.get_data() for item in objects if isinstance(item, pypdf.generic.StreamObject)]
    return {
        "csv": to_csv(extract, "sv"),
        "html": to_html(extract, "sv").encode(),
        "xlsx": b"".join(workbook.read(name) for name in workbook.namelist()),
        "pdf": b"".join(streams) + repr(objects).encode() + texts_of_pdf(pdf).encode(),
    }


# --- masking


def test_a_masked_cell_is_absent_from_every_file():
    secret = "Hemligtarende om Zyxvut Qwerpson"
    found = extract_of(row("1", secret), row("2"), masks=[Mask("1", Column.SUBJECT, SECTION)])
    files = all_bytes_of(found)
    for kind, data in files.items():
        for word in ("Hemligtarende", "Zyxvut", "Qwerpson"):
            assert word.encode() not in data, kind
            assert word.encode("utf-16-be") not in data, kind
    for kind in ("csv", "html", "xlsx"):
        assert "[Maskerat enligt 26 kap. 1 § OSL]" in html.unescape(files[kind].decode())
    assert "26 kap. 1 § OSL".encode() in files["pdf"]
    assert secret not in repr(found)


def test_a_mask_tells_no_length():
    short = extract_of(row("1", "x"), masks=[Mask("1", Column.SUBJECT, SECTION)])
    long = extract_of(row("1", "x" * 999), masks=[Mask("1", Column.SUBJECT, SECTION)])
    assert to_csv(short, "sv") == to_csv(long, "sv")


def test_protected_identities_are_masked_whatever_was_chosen():
    found = extract_of(row(protected={Column.SENDER}))
    assert Masked(PROTECTED_IDENTITY) in found.rows[0]
    assert b"asa.oberg" not in to_csv(found, "sv")
    assert "21 kap. 3 § OSL" in to_html(found, "sv")


def test_a_mask_that_cannot_be_is_told():
    with pytest.raises(UserError, match="not in the selection"):
        extract_of(row("1"), masks=[Mask("2", Column.SUBJECT, SECTION)])
    with pytest.raises(UserError, match="cannot be masked"):
        extract_of(row("1"), masks=[Mask("1", Column.TIME, SECTION)])


@pytest.mark.parametrize(
    ("written", "section"),
    [
        ("21 kap. 3 § OSL", "21 kap. 3 § OSL"),
        ("OSL 21:3", "21 kap. 3 § OSL"),
        ("21 kap 3 §", "21 kap. 3 § OSL"),
        ("OSL 25 kap. 17 a §", "25 kap. 17 a § OSL"),
        ("osl 25:17a", "25 kap. 17 a § OSL"),
    ],
)
def test_a_section_is_read_as_people_write_it(written, section):
    assert str(Section.parse(written)) == section


@pytest.mark.parametrize("written", ["", "hemligt", "OSL", "99 kap. 1 §", "21:3", "0 kap. 1 § OSL"])
def test_what_is_no_section_is_told(written):
    with pytest.raises(UserError, match="is no section of the secrecy act"):
        Section.parse(written)


def test_a_name_that_is_masked_once_and_open_elsewhere_is_pointed_out():
    rows = [
        row("1", sender="Zelda Qvick <zelda.qvick@post.example>"),
        row("2", "Sv: till Zelda Qvick"),
        *(row(str(n), sender="annan@x.example") for n in range(3, 20)),
    ]
    found = echoes(rows, [Mask("1", Column.SENDER, SECTION)])
    assert {(item.stands_in, item.word) for item in found} == {
        (("2", Column.SUBJECT), "zelda"),
        (("2", Column.SUBJECT), "qvick"),
    }


@pytest.mark.parametrize("written", ["Om Åsa Ek", "ÅSA EK: besked", "(Åsa\u00a0Ek)"])
def test_a_short_name_is_pointed_out_too(written):
    rows = [row("1", sender="Åsa Ek <ae@post.example>"), row("2", written), row("3", "Om en ek")]
    (echo,) = echoes(rows, [Mask("1", Column.SENDER, SECTION)])
    assert (echo.stands_in, echo.word) == (("2", Column.SUBJECT), "åsa ek")


@pytest.mark.usefixtures("patience")
@pytest.mark.parametrize("text", ["x", "a.", "1", "1 ", "Åsa ", "x-", "a@", "<", "811228-", "_"])
def test_long_texts_are_looked_through_in_their_length_not_in_its_square(text):
    """400,000 signs take some seconds, or minutes where a pattern begins anew at each."""
    long = (text * LONG)[:LONG]
    hints(long)
    echoes([row("1", long), row("2", long)], [Mask("1", Column.SUBJECT, SECTION)])


# --- hostile texts

HOSTILE = [
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</td></table><h1>x", "<!--"),
    *("<svg/onload=alert(1)>", "<iframe src=file:///etc/passwd>", "&lt;b&gt;", "&#60;b&#62;"),
    *('"><a href="javascript:alert(1)">x</a>', "<style>td{display:none}</style>", "]]>"),
    *("<link rel=stylesheet href=http://127.0.0.1/x.css>", "<object data=x>", "{{ 7*7 }}"),
    *("{% for x in y %}", "${7*7}", "#{7*7}", "<base href=//e.example>", "<bdo dir=rtl>a</bdo>"),
    *("=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x";"y")'),
    *("\t=1+1", "\r=1+1", " =1+1", "\u00a0=1+1", "'=1+1", '"=1+1"', "＝1+1", "%0A=1+1", "|calc"),
    *('=IMPORTXML("http://x","//a")', "=DDE(a;b;c)", ";=1+1", '";=1+1;"', "\n=1+1", "－1+1"),
    *("abc\u202efdp.exe", "\u2066abc\u2069", "\u200fabc", "a\u200bb", "\ufeffabc", "\u061cabc"),
    *("a\0b", "\0", "\x01\x02\x1b[31mred", "\x7f", "\ud800", "\uffff", "\U000e0041tag", "\x85x"),
    *("x" * 65_536, "å" * 65_536, "=" * 65_536, "a " * 32_768, "🙂" * 4_000, "\u0301" * 500),
    *("", " ", "''", '""', "\\", "\\n", "NULL", "1e9", "00123", "2026-11-24", "TRUE", "#REF!"),
]  # fmt: skip


def test_there_are_at_least_fifty_hostile_texts():
    assert len(set(HOSTILE)) >= 50


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_hostile_texts_are_harmless_in_csv(text):
    data = to_csv(extract_of(row(subject=text, sender=text), row("2")), "sv").decode("utf-8-sig")
    assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]", data)
    rows = list(csv.reader(io.StringIO(data, newline=""), delimiter=";"))
    assert [len(found) for found in rows] == [len(Column)] * 3
    for cell in rows[1]:
        assert not re.match(r"""[\s"]*[=+\-@|%＝＋－＠]""", cell)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_hostile_texts_are_harmless_in_a_workbook(text):
    data = to_xlsx(extract_of(row(subject=text, recipient=text)), "sv")
    sheet = zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet
    assert b"<f " not in sheet
    (cells,) = list(openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows(min_row=2))
    for cell in cells:
        assert cell.data_type in ("s", "inlineStr")
        assert cell.hyperlink is None
    assert "externalLink" not in "".join(zipfile.ZipFile(io.BytesIO(data)).namelist())


def test_a_text_that_looks_like_a_character_written_out_is_shown_as_it_is():
    data = to_xlsx(extract_of(row(subject="_x202E_gpj.exe")), "sv")
    sheet = zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")
    assert b">_x005F_x202E_gpj.exe<" in sheet


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_hostile_texts_are_harmless_on_the_page(text):
    page = to_html(extract_of(row(subject=text)), "sv")
    plain = to_html(extract_of(row(subject="x")), "sv")
    assert page.count("<") == plain.count("<")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", page)


def test_hostile_texts_are_harmless_in_the_pdf():
    """All in one, since each PDF takes a while."""
    rows = [row(str(at), text) for at, text in enumerate(HOSTILE)]
    data = to_pdf(extract_of(*rows), "sv")
    described = repr(objects_of(data))
    for action in ("/JavaScript", "/JS", "/URI", "/Launch", "/OpenAction", "/EmbeddedFile"):
        assert f"'{action}'" not in described
    text = texts_of_pdf(data)
    assert "<script>alert(1)</script>" in text
    assert "U+202E" in text
    assert "avkortat" in text


def test_the_pdf_can_be_read_aloud():
    data = to_pdf(extract_of(row()), "sv")
    reader = pypdf.PdfReader(io.BytesIO(data))
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "sv"
    assert root["/MarkInfo"]["/Marked"]
    assert reader.metadata.title == "Utdrag ur loggningslistan – Kommunstyrelsen"
    described = repr(objects_of(data))
    for tag in ("/Table", "/TH", "/TD", "/H1"):
        assert f"'{tag}'" in described


# Excel counts UTF-16 units, where an emoji is two, and what looks like a code is written longer.
@pytest.mark.parametrize("text", ["x" * 65_536, "😀" * 20_000, "_x0041_" * 4_600])
def test_nothing_is_lost_from_a_long_text_in_csv(text):
    extract = extract_of(row(subject=text))
    assert text in to_csv(extract, "sv").decode()
    cut = openpyxl.load_workbook(io.BytesIO(to_xlsx(extract, "sv"))).active["E2"].value
    assert len(cut.encode("utf-16-le")) / 2 <= 32_767
    assert f"hela texten har {len(text)} tecken" in cut


@given(st.text(max_size=200))
def test_any_text_is_made_harmless_and_the_same_twice(text):
    safe = for_spreadsheet(text)
    assert shown(safe) == safe
    assert not re.match(r"""[\s"]*[=+\-@|%]""", safe)
    assert "\0" not in safe


def test_extracts_are_written_in_english_too():
    found = extract_of(row(), masks=[Mask("1", Column.SUBJECT, SECTION)])
    assert "[Masked under 26 kap. 1 § OSL]" in to_csv(found, "en").decode()
    assert "Extract of the log list" in to_html(found, "en")


# --- hints

NUMBER = "19811228-9874"  # a number of the tax agency's own examples


@pytest.mark.parametrize(
    "written",
    [
        *("19811228-9874", "811228-9874", "198112289874", "8112289874", "811228+9874"),
        *("811228 9874", "1981 12 28 9874", "1981-12-28-9874", "19 811228-9874", "811228–9874"),
        *("81 12 28-9874", "19811228 - 9874", "８１１２２８－９８７４", "811228\u200b-9874"),
        *("811228‑9874", "811228−9874", "19811228.9874", "811228-987 4", "Född 811228-9874."),
        *("pnr:811228-9874", "(811228-9874)", "811228\u00a0-\u00a09874", "٨١١٢٢٨-٩٨٧٤"),
    ],
)
def test_a_personal_number_is_seen_however_it_is_written(written):
    (hint,) = hints(written)
    assert hint.kind is Kind.PERSONAL_NUMBER
    assert written[hint.start : hint.end] in written.strip("().")


def test_a_coordination_number_is_seen():
    (hint,) = hints("samordningsnr 701063-2391")
    assert hint.kind is Kind.COORDINATION_NUMBER


@pytest.mark.parametrize(
    "text",
    [
        *(
            "811228-9875",
            "811328-9874",
            "KS 2026/123",
            "070-123 45 67",
            "556677-8899",
            "202100-1234",
        ),
        *("556677-8899", "811228-98745", "1811228-9874", "2024-05-13", "1234567890123456"),
    ],
)
def test_other_numbers_give_no_hint(text):
    assert hints(text) == []


@given(st.dates(), st.integers(0, 999), st.text("abcåäö ,.", max_size=10))
def test_every_valid_number_is_seen_in_any_surroundings(day, serial, around):
    if not 1900 <= day.year <= 2029:
        return
    digits = f"{day:%y%m%d}{serial:03}"
    doubled = (int(digit) * (2 - at % 2) for at, digit in enumerate(digits))
    check = -sum(number // 10 + number % 10 for number in doubled) % 10
    text = f"{around}{day:%Y%m%d}-{serial:03}{check}{around}"
    assert [hint.kind for hint in hints(text)] == [Kind.PERSONAL_NUMBER]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Klagomål från Åsa Öberg om buller", ["Åsa Öberg"]),
        ("ang Anna-Karin Ek", ["Anna-Karin Ek"]),
        ("Carl von Linné", ["Carl von Linné"]),
        ("Möte med Per Ek och Eva Strand", ["Per Ek", "Eva Strand"]),
        ("Bygglov för altan", []),
        ("per kapsulam", []),
        ("Per", []),
    ],
)
def test_names_of_persons_are_hinted_at(text, names):
    found = [text[hint.start : hint.end] for hint in hints(text)]
    assert found == names


def test_whoever_acts_for_the_municipality_is_no_private_person():
    assert hints("Mötet med Åsa Öberg", officials=["Åsa Öberg"]) == []


@given(st.text(max_size=100))
def test_hints_lie_within_any_text(text):
    for hint in hints(text):
        assert 0 <= hint.start < hint.end <= len(text)
