"""What is handed out: the bytes of each file, its proof, and that it is kept as it was."""

# ruff: noqa: F811 - the fixture `directory` of test_desk.py

import csv
import hashlib
import html
import io
import json
import re
import uuid
import zipfile
from datetime import UTC, datetime

import openpyxl
import psycopg
import pytest
from disclosure.test_disclosure import HOSTILE, objects_of, texts_of_pdf
from pypdf.generic import StreamObject

from compliance.messagelog.seal.sealing import Sealer
from compliance.messagelog.seal.storage import SealStore
from compliance.messagelog.seal.verifier import ExtractError, verify

from .desk import KEY, PUBLIC, add_mail, choose, fields_of, mask, register
from .test_desk import (  # noqa: F401
    SECTION,
    SEES,
    WRITES,
    directory,
    holds,
    text_of,
)

NAMES = {"las-mig.txt", "utdrag.csv", "utdrag.xlsx", "utdrag.pdf", "bevis.json"}
SECRET = "Qwerpson"


def hand_out(browser, request):
    """Look at what would be handed out, and hand it out; return the answer."""
    page = text_of(browser, f"{request}hand-out")
    (digest,) = re.findall(r'name="digest" value="(\w+)"', page)
    return browser.post(f"{request}hand-out", {"digest": digest})


def file_of(browser, request):
    answer = browser.get(f"{request}file.zip")
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")
    return answer.content


def files_of(data):
    package = zipfile.ZipFile(io.BytesIO(data))
    return {name: package.read(name) for name in package.namelist()}


def unpacked(name, data):
    """A file's bytes without compression, where a text could hide."""
    if name.endswith(".xlsx"):
        book = zipfile.ZipFile(io.BytesIO(data))
        return html.unescape(b"".join(map(book.read, book.namelist())).decode()).encode()
    if name.endswith(".pdf"):
        objects = objects_of(data)
        streams = [item.get_data() for item in objects if isinstance(item, StreamObject)]
        lines = texts_of_pdf(data).replace("\n", "")  # a word may be parted at the end of a line
        return b"".join([*streams, repr(objects).encode(), lines.encode()])
    return data


def seal(installation):
    with (
        psycopg.connect(installation("sealer")) as connection,
        SealStore.exclusive(connection) as store,
    ):
        Sealer(store, KEY, "sjovalla.example", datetime(2026, 11, 27, tzinfo=UTC)).close_days()


@pytest.fixture
def handed(visit, installation, entry):
    """Two sealed letters, in one of which every field holds the secret, and a request for them."""
    word = uuid.uuid4().hex
    secret = {
        "subject": f"{word} om {SECRET}",
        "subject_raw": f"=?utf-8?q?{SECRET}?=".encode(),
        "from_text": f"Zelda {SECRET} <{SECRET}@x.example>",
        "from_address": f"{SECRET}@x.example",
        "envelope_sender": f"bounce+{SECRET}@x.example",
        "recipient": f"{SECRET}@sjovalla.example",
        "message_id": f"<{SECRET}@x.example>",
        "attachment_names": f"{SECRET}.pdf",
        "references": f"<1.{SECRET}@x.example>",
    }
    add_mail(installation, entry, "bun", secret, {"subject": f"{word} som är öppen"})
    seal(installation)
    browser = visit("bun")
    return browser, choose(browser, register(browser, "bun"), f"q={word}")


@pytest.fixture
def no_pdf(monkeypatch):
    """Making one takes seconds, and tests of other things do without."""
    from compliance.disclosure import files

    monkeypatch.setattr(files, "_PDF_ROWS", 0)


@pytest.fixture
def masked(handed):
    """The same with all three cells of each row masked that hold the secret."""
    browser, path = handed
    text = text_of(browser, f"{path}rows")
    for row in text.split("<tr>")[2:]:
        if SECRET in row:
            cells = re.findall(r'name="((?:sender|recipient|subject)-\d+)"', row)
            fields = {**fields_of(browser, path), **dict.fromkeys(cells, SECTION)}
            assert browser.post(f"{path}rows", fields).status_code == 302
    return browser, path


def test_what_is_masked_is_in_none_of_the_bytes_that_are_handed_out(masked):
    browser, path = masked
    assert hand_out(browser, path).status_code == 302
    files = files_of(file_of(browser, path))
    assert set(files) == NAMES
    for name, data in files.items():
        bytes_ = unpacked(name, data)
        for text in (SECRET, SECRET.lower(), SECRET.encode().hex()):
            assert text.encode() not in bytes_, name
        assert SECRET.encode("utf-16-be") not in bytes_, name
        if name != "las-mig.txt":
            assert SECTION.encode() in bytes_, name
            assert "öppen".encode() in bytes_, name


@pytest.mark.usefixtures("no_pdf")
def test_the_proof_holds_shows_what_the_extract_shows_and_no_more(masked):
    browser, path = masked
    hand_out(browser, path)
    proof = files_of(file_of(browser, path))["bevis.json"].decode()
    verified = verify(proof, PUBLIC)
    masked_row = next(row for row in verified.rows if "subject" in row.masked)
    open_row = next(row for row in verified.rows if "subject" in row.cells)
    shown = {"accepted_at", "direction", "recipient", "from_text", "from_address", "subject",
             "subject_raw"}  # fmt: skip
    assert set(open_row.cells) == shown
    assert set(masked_row.cells) == {"accepted_at", "direction"}
    assert masked_row.masked["subject"] == SECTION
    assert masked_row.masked["message_id"] == "ingår inte i utdraget"
    with pytest.raises(ExtractError):
        verify(proof.replace("som är öppen", "som är ändrad"), PUBLIC)
    assert json.loads(proof)["format"] == "kommunpost-extract-1"


@pytest.mark.usefixtures("no_pdf")
def test_rows_of_a_day_that_is_not_sealed_are_told(visit, installation, entry):
    add_mail(
        installation, entry, "bun",
        {"subject": "Osedd dag", "accepted_at": datetime(2026, 11, 28, 9, tzinfo=UTC)},
    )  # fmt: skip
    browser = visit("bun")
    path = choose(browser, register(browser, "bun"), "q=Osedd")
    hand_out(browser, path)
    files = files_of(file_of(browser, path))
    assert set(files) == NAMES - {"bevis.json", "utdrag.pdf"}
    assert "Antal rader utan bevis" in files["las-mig.txt"].decode()
    assert "Rader utan bevis" in text_of(browser, path)


@pytest.mark.usefixtures("no_pdf")
def test_the_sender_is_the_envelopes_where_the_message_names_none(visit, installation, entry):
    add_mail(
        installation, entry, "bun",
        {"subject": "Utan avsändare", "from_text": "", "from_address": "",
         "envelope_sender": "kuvert@x.example"},
    )  # fmt: skip
    seal(installation)
    browser = visit("bun")
    path = choose(browser, register(browser, "bun"), "q=Utan+avs")
    hand_out(browser, path)
    files = files_of(file_of(browser, path))
    assert b"kuvert@x.example" in files["utdrag.csv"]
    (row,) = verify(files["bevis.json"].decode(), PUBLIC).rows
    assert row.cells["envelope_sender"] == "kuvert@x.example"


# --- kept as it was


@pytest.mark.usefixtures("no_pdf")
def test_what_was_handed_out_whole_is_kept_and_disposal_goes_on(handed, installation):
    browser, path = handed
    before = holds(installation, "bun")
    hand_out(browser, path)
    assert holds(installation, "bun") == before - 1
    assert "Gallring" not in text_of(browser, path)
    assert browser.post(f"{path}appeal", {"is": "appealed"}).status_code == 404
    data = file_of(browser, path)
    assert file_of(browser, path) == data
    page = text_of(browser, path)
    assert hashlib.sha256(data).hexdigest() in page
    assert "Utlämnad" in page
    assert browser.get(f"{path}hand-out").status_code == 409
    assert browser.post(f"{path}hand-out", {"digest": "x"}).status_code == 409
    number = int(path.split("/")[-2])
    with psycopg.connect(installation("web"), autocommit=True) as web:
        web.execute("SELECT set_config('loglist.token', %s, false)", [browser.session["token"]])
        for statement in (
            "UPDATE loglist.loglist_handout SET file = '' WHERE disclosure_id = %s",
            "DELETE FROM loglist.loglist_handout WHERE disclosure_id = %s",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                web.execute(statement, [number])


def test_what_was_not_looked_at_is_not_handed_out(handed):
    browser, path = handed
    page = text_of(browser, f"{path}hand-out")
    (digest,) = re.findall(r'name="digest" value="(\w+)"', page)
    mask(browser, path, "subject", SECTION)
    answer = browser.post(f"{path}hand-out", {"digest": digest})
    assert answer.status_code == 409
    assert "Inget lämnades ut" in answer.content.decode()
    assert browser.get(f"{path}file.zip").status_code == 404


@pytest.mark.usefixtures("no_pdf")
def test_a_mask_that_comes_while_the_files_are_made_stops_them(handed, monkeypatch):
    from compliance.loglist.desk import handout

    browser, path = handed
    make = handout.to_zip

    def slow(*arguments):
        mask(browser, path, "subject", SECTION)
        return make(*arguments)

    monkeypatch.setattr(handout, "to_zip", slow)
    assert hand_out(browser, path).status_code == 409
    assert browser.get(f"{path}file.zip").status_code == 404


@pytest.mark.usefixtures("no_pdf")
def test_two_clicks_hand_out_once(handed):
    browser, path = handed
    page = text_of(browser, f"{path}hand-out")
    (digest,) = re.findall(r'name="digest" value="(\w+)"', page)
    answers = [browser.post(f"{path}hand-out", {"digest": digest}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 409]


@pytest.fixture(scope="module")
def done():
    return {}


@pytest.mark.parametrize("page", ["hand-out", "file.zip"])
@pytest.mark.parametrize("unit", ["ks", "bun"])
@pytest.mark.parametrize("role", SEES)
def test_files_are_for_who_reads_the_unit_and_handing_out_for_who_reviews(
    visit, done, no_pdf, role, unit, page
):
    if unit not in done:
        browser = visit("bada")
        path = choose(browser, register(browser, unit), "q=Remiss")
        hand_out(browser, path)
        done[unit] = path
    answer = visit(role).get(done[unit] + page)
    may, then = (WRITES, 409) if page == "hand-out" else (SEES, 200)
    assert answer.status_code == (302 if role is None else then if unit in may[role] else 404)
    number = done["ks" if unit == "bun" and "ks" in done else unit].split("/")[-2]
    if unit == "bun":
        assert visit("bun").get(f"/units/bun/disclosures/{number}/{page}").status_code in (
            {404} if "ks" in done else {200, 409}
        )


# --- the draft of a decision


@pytest.mark.usefixtures("no_pdf")
def test_the_decision_names_what_was_kept_back_and_no_text_of_it(masked, directory):
    directory.add("medborgare@omvarlden.example")
    browser, path = masked
    assert browser.get(f"{path}refusal.txt").status_code == 404, "the request is open"
    hand_out(browser, path)
    assert "Utkast till beslut" in text_of(browser, path)
    answer = browser.get(f"{path}refusal.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    text = answer.content.decode("utf-8-sig")
    assert f"Enligt {SECTION}:\r\n- meddelandet den 24 november 2026 kl. 10.05: avsändare" in text
    assert "Enligt 21 kap. 3 § OSL:" in text, "what nobody chose to mask too"
    assert SECRET not in text
    assert "medborgare@" not in text


@pytest.mark.usefixtures("no_pdf")
def test_where_nothing_was_kept_back_there_is_nothing_to_decide(handed, visit):
    browser, path = handed
    hand_out(browser, path)
    assert browser.get(f"{path}refusal.txt").status_code == 404
    assert "Utkast till beslut" not in text_of(browser, path)
    refused = register(browser, "bun")
    browser.post(f"{refused}end", {"reason": "Sekretess"})
    assert "avslår begäran." in browser.get(f"{refused}refusal.txt").content.decode()
    assert visit("ks").get(f"{refused}refusal.txt").status_code == 404
    assert visit("forvaltningschef").get(f"{refused}refusal.txt").status_code == 200


# --- hostile texts, and too much


def test_hostile_texts_are_harmless_in_every_file(visit, installation, entry):
    texts = [text.replace("\0", "\ufffd") for text in HOSTILE if "\ud800" not in text]
    long = [text for text in texts if len(text) >= 500]
    short = [text for text in texts if len(text) < 500]
    for address, some in (("kort@fiende.example", short), ("lang@fiende.example", long)):
        add_mail(
            installation, entry, "bun",
            *({"subject": text, "from_text": text, "from_address": address} for text in some),
        )  # fmt: skip
    seal(installation)
    browser = visit("bun")
    for address, some in (("kort@fiende.example", short), ("lang@fiende.example", long)):
        path = choose(browser, register(browser, "bun"), f"address={address}")
        assert hand_out(browser, path).status_code == 302
        files = files_of(file_of(browser, path))
        assert set(files) == NAMES
        text = files["utdrag.csv"].decode("utf-8-sig")
        assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text)
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
        assert len(rows) == len(some) + 1
        assert not any(
            re.match(r"""[\s"]*[=+\-@|%＝＋－＠]""", cell) for row in rows for cell in row
        )
        sheet = openpyxl.load_workbook(io.BytesIO(files["utdrag.xlsx"])).active
        cells = [cell for row in sheet.iter_rows() for cell in row]
        assert all(
            cell.data_type in ("s", "inlineStr", "n") and not cell.hyperlink for cell in cells
        )
        assert not any(cell.data_type == "n" and cell.value is not None for cell in cells)
        described = repr(objects_of(files["utdrag.pdf"]))
        for action in ("/JavaScript", "/JS", "/URI", "/Launch", "/OpenAction", "/EmbeddedFile"):
            assert f"'{action}'" not in described
        assert len(verify(files["bevis.json"].decode(), PUBLIC).rows) == len(some)


def test_what_is_too_long_for_a_pdf_is_handed_out_without_and_told(handed, monkeypatch):
    from compliance.disclosure import files

    monkeypatch.setattr(files, "_PDF_ROWS", 1)
    browser, path = handed
    assert "för långt för en PDF" in text_of(browser, f"{path}hand-out")
    hand_out(browser, path)
    found = files_of(file_of(browser, path))
    assert set(found) == NAMES - {"utdrag.pdf"}
    assert "för långt för en PDF" in found["las-mig.txt"].decode()


@pytest.mark.usefixtures("no_pdf")
def test_an_extract_is_handed_out_in_english_too(handed):
    browser, path = handed
    browser.post("/language", {"language": "en", "next": "/"})
    hand_out(browser, path)
    assert "extract.csv" in files_of(file_of(browser, path))
