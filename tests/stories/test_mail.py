"""Mail goes in, out and inside, as people send it; each letter has its rows in the log."""

import base64
import smtplib
from email.message import EmailMessage

import pytest

from lablib.letters import letter

SWEDISH = "Frågor om bygglov på Åsgränd – ärende nr 7"


def test_an_outsider_writes_to_the_commissioner_and_it_arrives(world, rows):
    note = letter(world.outsider, world.commissioner.address, SWEDISH)
    world.submit(world.outsider, note)
    received = world.arrival(world.commissioner, note["Message-ID"])
    assert received["Subject"] == SWEDISH
    (row,) = rows(note["Message-ID"])
    assert row["direction"] == "in"
    assert row["subject"] == SWEDISH
    assert row["envelope_sender"] == world.outsider.address
    assert world.outsider.address in row["from_address"]
    assert row["recipient"] == world.commissioner.address
    assert row["recipient_unit"]
    assert row["sender_unit"] is None
    assert row["size"] > 0
    assert row["queue_id"]
    assert row["accepted_at"].endswith(("Z", "+00:00"))


def test_mail_between_the_worlds_is_encrypted_on_port_25(world):
    note = letter(world.outsider, world.commissioner.address, "Krypterat?")
    world.submit(world.outsider, note)
    received = world.arrival(world.commissioner, note["Message-ID"])
    trace = " ".join(received.get_all("Received"))
    assert world.facts["hosts"]["mail"]["fqdn"] in trace
    assert "TLSv1.3" in trace


def test_the_commissioner_answers_and_it_arrives_outside(world, rows):
    answer = letter(world.commissioner, world.outsider.address, f"Sv: {SWEDISH}")
    world.submit(world.commissioner, answer)
    assert world.arrival(world.outsider, answer["Message-ID"])["Subject"] == f"Sv: {SWEDISH}"
    (row,) = rows(answer["Message-ID"])
    assert (row["direction"], row["recipient"]) == ("out", world.outsider.address)
    assert row["sender_unit"]
    assert row["recipient_unit"] is None


def test_a_colleague_writes_to_a_colleague(world, rows):
    one, other = world.colleagues(2)
    note = letter(one, other.address, "Fika klockan tre?")
    world.submit(one, note)
    world.arrival(other, note["Message-ID"])
    (row,) = rows(note["Message-ID"])
    assert row["direction"] == "internal"
    assert row["sender_unit"]
    assert row["recipient_unit"]


def test_a_letter_to_four_and_a_blind_copy_has_a_row_for_each(world, rows):
    sender, *others = world.colleagues(5)
    note = letter(sender, ", ".join(one.address for one in others[:3]), "Kallelse")
    everyone = [*(one.address for one in others), world.outsider.address]
    world.submit(sender, note, *everyone)
    found = rows(note["Message-ID"])
    assert sorted(row["recipient"] for row in found) == sorted(everyone)
    assert {row["direction"] for row in found} == {"internal", "out"}
    assert len({row["queue_id"] for row in found}) == 1


@pytest.mark.parametrize(
    ("charset", "subject"),
    [
        ("iso-8859-1", "Överklagande av beslut i nämnden"),
        ("utf-8", "Förslag – «ny» skola i Älvdala"),
        ("windows-1252", "Priset är 5 € per kvm"),
        ("koi8-r", "Вопрос о школе"),
    ],
)
def test_an_encoded_subject_reads_as_a_person_would_read_it(world, rows, charset, subject):
    note = letter(world.outsider, world.commissioner.address, "ersätts")
    encoded = base64.b64encode(subject.encode(charset)).decode()
    raw = note.as_bytes().split(b"\r\n")
    raw = [
        f"Subject: =?{charset}?B?{encoded}?=".encode() if line.startswith(b"Subject:") else line
        for line in raw
    ]
    _send_raw(world, b"\r\n".join(raw))
    (row,) = rows(note["Message-ID"])
    assert row["subject"] == subject


def test_a_subject_in_raw_latin_1_is_readable(world, rows):
    note = letter(world.outsider, world.commissioner.address, "PLATS")
    raw = note.as_bytes().replace(b"PLATS", "Klagomål på snöröjning".encode("iso-8859-1"))
    _send_raw(world, raw)
    (row,) = rows(note["Message-ID"])
    assert row["subject"] == "Klagomål på snöröjning"


def test_a_letter_without_subject_is_delivered_and_logged(world, rows):
    note = letter(world.outsider, world.commissioner.address, "bort")
    del note["Subject"]
    world.submit(world.outsider, note)
    world.arrival(world.commissioner, note["Message-ID"])
    (row,) = rows(note["Message-ID"])
    assert row["subject"] == ""


def test_a_bounce_to_a_resident_is_logged_too(world, rows):
    """What Postfix itself writes goes through the same log."""
    sender = world.colleagues(1)[0]
    note = letter(sender, f"finns.inte@{world.facts['outside_domain']}", "Till fel adress")
    world.submit(sender, note)
    with world.mailbox(sender) as client:
        bounce = _first_from(client, "MAILER-DAEMON")
    (row,) = rows(bounce)
    assert row["envelope_sender"] == ""
    assert row["recipient"] == sender.address


def test_every_function_mailbox_accepts_mail(world, kommunpost):
    import json

    plan = json.loads(kommunpost("directory", "plan", "--format", "json").stdout)
    functions = [box["address"] for box in plan if box["kind"] == "function"]
    assert len(functions) > 50
    with _mx(world) as smtp:
        smtp.mail(world.outsider.address)
        refused = [address for address in functions if smtp.rcpt(address)[0] != 250]
        smtp.rset()
    assert refused == []


def test_an_unknown_recipient_is_refused_at_rcpt(world):
    with _mx(world) as smtp:
        smtp.mail(world.outsider.address)
        code, text = smtp.rcpt(f"finns.inte@{world.domain}")
    assert code == 550
    assert b"5.1.1" in text


def test_an_outsider_cannot_relay(world):
    with _mx(world) as smtp:
        smtp.mail(world.outsider.address)
        code, _ = smtp.rcpt("nagon@tredje.example")
    assert code in (550, 554)


def test_an_outsider_cannot_pose_as_the_municipality(world):
    with _mx(world) as smtp:
        smtp.mail(world.commissioner.address)
        code, _ = smtp.rcpt(world.colleagues(1)[0].address)
    assert code in (550, 553, 554)


@pytest.mark.parametrize("service", ["submission", "mx"])
def test_login_without_tls_is_refused(world, service):
    where = world.service(service)
    one = world.colleagues(1)[0]
    with smtplib.SMTP(where["address"], where["port"], timeout=30) as smtp:
        smtp.ehlo("klient.example")
        assert not smtp.has_extn("auth")
        token = base64.b64encode(f"\0{one.login}\0{one.password}".encode()).decode()
        code, _ = smtp.docmd("AUTH", f"PLAIN {token}")
    assert code in (502, 503, 530, 538)


def test_a_wrong_password_is_refused(world):
    where = world.service("submissions")
    one = world.colleagues(1)[0]
    with (
        smtplib.SMTP_SSL(where["address"], where["port"], context=world.tls, timeout=60) as smtp,
        pytest.raises(smtplib.SMTPAuthenticationError),
    ):
        smtp.login(one.login, one.password + "x")


def test_nobody_sends_as_a_colleague(world):
    one, other = world.colleagues(2)
    forged = letter(other, world.commissioner.address, "Inte jag")
    where = one.submission
    with smtplib.SMTP_SSL(where["address"], where["port"], context=world.tls, timeout=60) as smtp:
        smtp.login(one.login, one.password)
        smtp.mail(other.address)
        assert smtp.rcpt(world.commissioner.address)[0] == 553
        smtp.rset()
        smtp.mail(one.address)
        assert smtp.rcpt(world.commissioner.address)[0] == 250
        code, _ = smtp.data(forged.as_bytes())
    assert code == 550, "a From that is not the sender's own must be refused"


def test_a_submission_client_with_starttls_works(world):
    one, other = world.colleagues(2)
    note: EmailMessage = letter(one, other.address, "Med STARTTLS")
    where = world.service("submission")
    with smtplib.SMTP(where["address"], where["port"], timeout=60) as smtp:
        smtp.starttls(context=world.tls)
        smtp.login(one.login, one.password)
        smtp.send_message(note)
    world.arrival(other, note["Message-ID"])


def _mx(world) -> smtplib.SMTP:
    where = world.service("mx")
    smtp = smtplib.SMTP(where["address"], where["port"], "klient.omvarlden.example", timeout=60)
    smtp.ehlo()
    return smtp


def _send_raw(world, raw: bytes) -> None:
    with _mx(world) as smtp:
        smtp.starttls(context=world.tls)
        smtp.sendmail(world.outsider.address, [world.commissioner.address], raw)


def _first_from(client, sender: str) -> str:
    client.select_folder("INBOX", readonly=True)
    while not (found := client.search(["FROM", sender])):
        client.idle()
        assert client.idle_check(timeout=60), "no bounce came"
        client.idle_done()
    fetched = client.fetch(found, ["ENVELOPE"])
    return fetched[found[-1]][b"ENVELOPE"].message_id.decode()
