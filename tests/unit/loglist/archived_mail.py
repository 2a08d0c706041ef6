"""A unit whose function mailbox has mail in an archive, behind the very door that a host has."""

import json
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from compliance.directory.log_readers import LogReader
from compliance.messagelog.entry import first_chain, link, to_json

from . import conftest
from .test_message_rendering import LETTER

UNIT = "kff"
FUNCTION = "kff@sjovalla.example"
HOST = "mail.sjovalla.example"
STAND_IN = Path(__file__).with_name("imap_of_files.py")
RECEIVED = (
    "Received: from mx.omvarlden.example (mx.omvarlden.example [192.0.2.20])\r\n"
    "\tby mail.sjovalla.example (Postfix) with ESMTPS id {}\r\n"
    "\tfor <kff@sjovalla.example>; Tue, 24 Nov 2026 09:05:00 +0000 (UTC)\r\n"
)

# What was logged: queue id, direction, from whom, to whom, on which day.
OUTSIDE, PERSON = "asa@omvarlden.example", "eva.berg@sjovalla.example"
ROWS = {
    "letter": ("4ZrAAA1", "in", OUTSIDE, FUNCTION, 24),
    "personal": ("4ZrAAA2", "in", OUTSIDE, PERSON, 24),
    "sent": ("4ZrAAA3", "out", FUNCTION, OUTSIDE, 24),
    "lost": ("4ZrAAA4", "in", OUTSIDE, FUNCTION, 24),
    "disposed": ("4ZrAAA5", "in", OUTSIDE, FUNCTION, 3),
    "hostile": ("4ZrAAA6", "in", OUTSIDE, FUNCTION, 24),
    "handed": ("4ZrAAA7", "in", OUTSIDE, PERSON, 24),
}
HOSTILE = (
    b"From: \xe2\x80\xaejag\r\nSubject: <script>alert(1)</script>\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script><p onclick=x>Hej</p>"
    b"<img src=https://spion.example/p.gif>&lt;script&gt;alert(2)&lt;/script&gt;\r\n"
    b'--b\r\nContent-Type: text/html\r\nContent-Disposition: attachment; filename="../a\xe2\x80\xae'
    b'<b>.html"\r\n\r\n<script>alert(3)</script>\r\n--b--\r\n'
)


def message_of(name: str, raw: bytes) -> bytes:
    """A message as the archive has it."""
    return RECEIVED.format(ROWS[name][0]).encode() + raw


STORED = {
    "letter": message_of("letter", LETTER),
    "personal": message_of("personal", b"Subject: Privat\r\n\r\nHemligt\r\n"),
    "sent": message_of("sent", b"Subject: Svar\r\n\r\nSvaret\r\n"),
    "hostile": message_of("hostile", HOSTILE),
}

# What lies in the folders of a person's own mailbox, and in those that another shares with them.
MAILBOX = {
    "Delade brevl&AOU-dor/annan": b"Subject: Annans\r\n\r\nAnnans\r\n",
    "Projekt/Altaner": b"Subject: Privat\r\n\r\nSom det kom fram\r\n",
}


@pytest.fixture(scope="session")
def archived(installation, entry, tmp_path_factory):
    """The unit's rows in the log, and the archive's door; what `place` says of a row by name."""
    from django.conf import settings

    outbox, chain, records = uuid.uuid4(), None, []
    chain = first_chain(outbox)
    for number, (queue_id, direction, sender, recipient, day) in enumerate(ROWS.values(), 1):
        made = entry(
            accepted_at=datetime(2026, 11, day, 9, 5, tzinfo=UTC),
            host=HOST,
            queue_id=queue_id,
            direction=direction,
            envelope_sender=sender,
            from_address=sender,
            recipient=recipient,
            sender_unit=UNIT if direction == "out" else None,
            recipient_unit=UNIT if direction == "in" else None,
        )
        record = link(chain, number, made, bytes(32))
        chain = record.chain
        records.append(to_json(record))
    with psycopg.connect(installation("writer"), autocommit=True) as writer:
        writer.execute("SELECT log.append(%s, %s, %s)", [outbox, HOST, json.dumps(records)])
    with psycopg.connect(installation("owner"), autocommit=True) as owner:
        owner.execute(
            "INSERT INTO log.archive_disposal (day, messages, decision, authority, decided) "
            "VALUES ('2026-11-03', 1, 'KS 2026/117 <b>', 'Kommunstyrelsen', '2026-10-14')"
        )
    folder = tmp_path_factory.mktemp("archive")
    (folder / "2026-11-24").mkdir()
    for name, raw in STORED.items():
        (folder / "2026-11-24" / f"{name}.eml").write_bytes(raw)
    for place, text in MAILBOX.items():
        (folder / PERSON / place).mkdir(parents=True)
        (folder / PERSON / place / "1.eml").write_bytes(message_of("personal", text))
    config = folder / "kommunpost.yml"
    config.write_text(
        f"""
municipality: {{name: Sjövalla kommun, domain: sjovalla.example}}
log: {{dsn: "{installation("web")}"}}
archive: {{command: [{sys.executable}, {STAND_IN}, {folder}], read_conf: /x, absence: true}}
""",
        encoding="utf-8",
    )
    door = settings.LOGLIST.archive_socket
    program = [str(Path(sys.executable).with_name("kommunpost")), "archive", "answer"]
    activate = ["systemd-socket-activate", "--accept", "--inetd", "-l", str(door)]
    activate += ["-E", f"KOMMUNPOST_CONFIG={config}", *program]
    with subprocess.Popen(activate, stderr=subprocess.PIPE, text=True) as listening:
        assert "Listening" in listening.stderr.readline()
        yield lambda name: f"/units/{UNIT}/{outbox}/{list(ROWS).index(name) + 1}"
        listening.terminate()


@pytest.fixture
def enter(archived, visit, monkeypatch):
    """A browser of somebody who reviews the unit, or of others; the directory knows one function
    mailbox."""
    from compliance.loglist.message import opening

    for name, reviews in (("kff", [UNIT]), ("kff-chef", [])):
        known = LogReader(
            dn="uid=7", id=f"person:{name}", name=f"Person {name}", units={UNIT: "Kultur"},
            reviews=frozenset(reviews), everything=False,
        )  # fmt: skip
        monkeypatch.setitem(conftest.ACCOUNTS, f"{name}@sjovalla.example", known)
    found = [SimpleNamespace(is_function=True)]
    directory = SimpleNamespace(mailboxes=lambda _, address: found if address == FUNCTION else [])
    monkeypatch.setattr(opening, "Ldap", lambda _settings: directory)
    return visit
