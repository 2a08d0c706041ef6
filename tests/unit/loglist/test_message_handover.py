"""A message leaves the log list: as a package for the diary, or for another authority."""

import email
import io
import zipfile
from datetime import UTC, date, datetime
from email.policy import default

import psycopg
import pytest

from compliance.diary.importers.erms import read_erms
from compliance.diary.number_rules import NumberRules
from compliance.errors import UserError
from compliance.loglist.message import forwarding, handover

from .archived_mail import STORED, UNIT

ROW = {
    "outbox_id": "7c1f2e0a-5b52-4b52-9a53-1d1f4c3b2a10",
    "sequence": 17,
    "accepted_at": datetime(2026, 11, 24, 23, 5, tzinfo=UTC),  # the 25th in Sweden
    "direction": "in",
    "subject": "Bygglov för <altan> & garage \u202e\0",
    "from_text": "Åsa Ek <asa@omvarlden.example>",
    "envelope_sender": "asa@omvarlden.example",
    "recipient": "sbn@sjovalla.example",
}


def packed(row=ROW, raw=STORED["letter"], number="SBN 2026/412-3"):
    about = handover.Handover(
        "Sjövalla kommun", "Samhällsbyggnadsnämnden", number, "Eva Berg", datetime.now(UTC)
    )
    return zipfile.ZipFile(io.BytesIO(handover.package(row, raw, about)))


def entries(package, tmp_path):
    path = tmp_path / "metadata.xml"
    path.write_bytes(package.read("metadata.xml"))
    return read_erms(path, NumberRules())


def test_the_package_holds_the_message_and_its_files_byte_by_byte():
    package = packed()
    assert package.testzip() is None
    assert package.namelist() == [
        "metadata.xml",
        "message.eml",
        "attachments/1-ritning över altan.pdf",
        "attachments/2-2.bin",
    ]
    assert package.read("message.eml") == STORED["letter"]
    assert package.read("attachments/1-ritning över altan.pdf") == b"%PDF-1"


@pytest.mark.parametrize(
    ("direction", "party"),
    [("in", "Åsa Ek <asa@omvarlden.example>"), ("out", "sbn@sjovalla.example")],
)
def test_its_metadata_is_read_as_an_entry_of_a_diary(tmp_path, direction, party):
    (entry,) = entries(packed(ROW | {"direction": direction}), tmp_path)
    record = entry.record
    assert str(record.number) == "SBN 2026/412-3"
    assert record.day == date(2026, 11, 25)
    assert record.direction == direction
    assert record.party == party
    assert record.subject == "Bygglov för <altan> & garage ⟦U+202E⟧⟦U+0000⟧"


def test_internal_mail_is_told_as_internal(tmp_path):
    (entry,) = entries(packed(ROW | {"direction": "internal"}), tmp_path)
    assert entry.record.direction == "internal"


def test_the_case_has_the_number_without_the_documents():
    text = packed().read("metadata.xml").decode()
    assert "<objectId>SBN 2026/412</objectId>" in text
    assert 'path="attachments/1-ritning över altan.pdf"' in text


def test_before_it_is_registered_the_metadata_names_its_place_in_the_log(tmp_path):
    package = packed(number="")
    place = "7c1f2e0a-5b52-4b52-9a53-1d1f4c3b2a10:17"
    assert f"<objectId>{place}</objectId>" in package.read("metadata.xml").decode()
    with pytest.raises(UserError, match="is no diary number"):
        entries(package, tmp_path)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "C:\\windows\\x.exe", "a\u202eb\0.pdf", "..", "", "a" * 500]
)
def test_no_file_of_the_package_leaves_its_folder(name):
    safe = handover.file_name(name, 7)
    assert not set("/\\:\0\u202e") & set(safe)
    assert 0 < len(safe) <= 150
    assert safe.strip(".")


@pytest.mark.parametrize("name", ["å" * 300 + ".pdf", "😀" * 150 + ".pdf", "x." + "y" * 149])
def test_a_name_that_is_too_long_for_a_disk_is_cut_and_keeps_its_end(name, tmp_path):
    safe = handover.file_name(name, 7)
    (tmp_path / f"500-{safe}").write_bytes(b"")
    assert safe[0] not in ". "
    assert safe.endswith(name[-4:])


def test_a_forwarded_message_is_unaltered_and_its_day_of_receipt_is_told():
    raw = STORED["letter"] + b"rad med \xe5\xe4\xf6 i latin-1\r\n"
    draft = forwarding.letter(
        raw,
        received=ROW["accepted_at"],
        subject="Bygglov\r\nBcc: alla@sjovalla.example\r\n\r\nför altan",
        unit="Kommunstyrelsen",
        municipality="Sjövalla kommun",
    )
    assert raw in draft
    read = email.message_from_bytes(draft, policy=default)
    assert set(read.keys()) == {"X-Unsent", "Subject", "MIME-Version", "Content-Type"}
    assert read["Subject"].startswith("Överlämnas till er: Bygglov")
    text, original = read.iter_parts()
    assert "Kommunstyrelsen, Sjövalla kommun, den 2026-11-25 kl. 00:05" in text.get_content()
    assert original.get_content_type() == "message/rfc822"
    assert original.get_content()["Subject"] == "Bygglov för altan"


def test_a_reviewer_saves_both_from_the_page_and_the_log_tells(archived, enter, installation):
    browser = enter("kff")
    path = archived("letter")
    page = browser.get(f"{path}/message").content.decode()
    for wanted, what, begins in (
        ("/message.zip", "handover", b"PK"),
        ("/message/forward.eml", "forward", b"X-Unsent: 1"),
    ):
        assert f'href="{path}{wanted}"' in page
        answer = browser.get(path + wanted)
        assert answer.content.startswith(begins)
        assert answer["Content-Disposition"].startswith("attachment;")
        with psycopg.connect(installation("owner")) as owner:
            (why,) = owner.execute(
                "SELECT why FROM log.archive_reading ORDER BY number DESC LIMIT 1"
            ).fetchone()
        assert why == f"log list: {what}"


@pytest.mark.parametrize("page", ["/message.zip", "/message/forward.eml"])
@pytest.mark.parametrize("role", ["ks", "bun", "ingen", "kff-chef", "chef"])
def test_nobody_else_saves_them(archived, enter, role, page):
    answer = enter(role).get(archived("letter") + page)
    assert answer.status_code == (403 if role in ("kff-chef", "chef") else 404)
    assert b"altan.pdf" not in answer.content


def test_what_the_unit_sent_itself_is_not_forwarded_as_received(archived, enter):
    path = archived("sent")
    browser = enter("kff")
    assert browser.get(path + "/message/forward.eml").status_code == 404
    assert "forward.eml" not in browser.get(path + "/message").content.decode()


def test_the_number_that_the_review_gave_stands_in_the_package(archived, enter, installation):
    _, _, _, outbox, sequence = archived("letter").split("/")
    with psycopg.connect(installation("owner"), autocommit=True) as owner:
        owner.execute(
            "INSERT INTO loglist.loglist_reviewitem (unit, outbox, sequence, accepted_at, "
            "direction, outcome, number, revision) "
            "VALUES (%s, %s, %s, now(), 'in', 'registered', 'KFN 2026/7', 1) "
            # Another test may have taken the letter in.
            "ON CONFLICT (unit, outbox, sequence) DO UPDATE "
            "SET outcome = excluded.outcome, number = excluded.number",
            [UNIT, outbox, sequence],
        )
    content = enter("kff").get(archived("letter") + "/message.zip").content
    text = zipfile.ZipFile(io.BytesIO(content)).read("metadata.xml").decode()
    assert "<objectId>KFN 2026/7</objectId>" in text
