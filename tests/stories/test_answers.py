"""What a mailbox answers by itself, and to whom it never does (RFC 3834)."""

import csv
import re
import secrets
import smtplib
import time
from dataclasses import replace
from datetime import date, timedelta
from email.message import Message
from pathlib import Path

import pytest
from imapclient.exceptions import LoginError

from lablib.letters import Account, letter

PEOPLE = Path(__file__).parents[2] / "inventory/example/people.csv"
SUBJECT = "Frågor om bygglov på Åsgränd"


@pytest.fixture(scope="module")
def left(world, kommunpost, tmp_path_factory) -> tuple[Account, Account]:
    """Two who have left: one yesterday, one so long ago that the mailbox is closed."""
    yesterday, long_ago = world.colleagues(40)[-2:]
    uids = {person["address"]: person["uid"] for person in world.facts["people"]}
    last_days = {
        uids[yesterday.address]: date.today() - timedelta(days=1),
        uids[long_ago.address]: date.today() - timedelta(days=400),
    }
    changed = tmp_path_factory.mktemp("left") / "people.csv"
    with PEOPLE.open(encoding="utf-8", newline="") as source, changed.open("w") as target:
        rows = list(csv.DictReader(source, delimiter=";"))
        writer = csv.DictWriter(target, [*rows[0], "ends"], delimiter=";")
        writer.writeheader()
        writer.writerows({**row, "ends": last_days.get(row["id"], "")} for row in rows)
    _apply(kommunpost, "--people", str(changed))
    yield yesterday, long_ago
    _apply(kommunpost)


@pytest.fixture
def leaver(left) -> Account:
    return left[0]


@pytest.fixture
def authority(world, kommunpost) -> str:
    """The board, whose mailbox confirms what comes in with the standard words."""
    return f"kommunstyrelsen@{world.domain}"


def test_whoever_writes_to_somebody_who_has_left_is_told_where_to_write(
    world, rows, on_host, leaver
):
    sender = _somebody(world)
    note = _write(world, sender, leaver.address)
    answer = _answer(world, note)
    assert answer["Auto-Submitted"].startswith("auto-replied")
    assert answer["Subject"].split() == ["Automatiskt", "svar:", *SUBJECT.split()]
    assert leaver.address in answer["From"]
    assert answer["To"].strip("<>") == sender
    assert answer["Return-Path"] == "<>", "nobody may answer an answer"
    assert note["Message-ID"] in answer["References"]
    text = " ".join(answer.get_content().split())
    assert "finns inte längre hos" in text
    assert re.search(rf"Skriv i stället till [^:]+: \S+@{world.domain}", text)
    assert "In English: this address is no longer in use." in text
    assert leaver.name not in text
    assert _is_kept(on_host, leaver.address, note), "the letter itself has arrived"
    (row,) = rows(note["Message-ID"])
    assert row["direction"] == "in"
    (row,) = rows(answer["Message-ID"])
    assert (row["direction"], row["recipient"]) == ("out", sender)
    assert row["envelope_sender"] == ""
    assert row["subject"].split() == answer["Subject"].split()
    assert row["sender_unit"]


def test_the_same_sender_is_told_once_a_day(world, on_host, leaver):
    sender = _somebody(world)
    _answer(world, _write(world, sender, leaver.address))
    note = _write(world, sender, leaver.address, subject="Hallå?")
    assert "duplicate vacation response" in _why_silent(on_host, note)
    assert _is_kept(on_host, leaver.address, note)


def test_a_colleague_is_told_too(world, leaver):
    colleague = world.colleagues(1)[0]
    as_new = replace(colleague, address=colleague.address.replace("@", f"+{secrets.token_hex(4)}@"))
    note = letter(as_new, leaver.address, SUBJECT)
    world.submit(as_new, note)
    text = " ".join(_answer(world, note, colleague).get_content().split())
    assert "finns inte längre hos" in text


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"List-Id": "Nyheter <nyheter.omvarlden.example>"}, "mailinglist"),
        ({"Precedence": "bulk"}, "precedence=bulk"),
        ({"Auto-Submitted": "auto-replied"}, "auto-submitted"),
        ({"To": "nagon.annan@omvarlden.example"}, "implicitly delivered"),
        ({"From": "MAILER-DAEMON@omvarlden.example"}, "system address"),
        ({"Return-Path": "<>"}, "vacation reply to <>"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_no_program_and_no_list_is_answered(world, on_host, leaver, headers, reason):
    sender = _somebody(world)
    if "From" in headers:
        sender = headers["From"]
    note = _write(world, "" if "Return-Path" in headers else sender, leaver.address, **headers)
    assert reason in _why_silent(on_host, note)
    assert _is_kept(on_host, leaver.address, note)


def test_whoever_has_left_logs_in_nowhere(world, leaver):
    with pytest.raises(LoginError):
        world.mailbox(leaver)
    where = leaver.submission
    with (
        smtplib.SMTP_SSL(where["address"], where["port"], context=world.tls, timeout=60) as smtp,
        pytest.raises(smtplib.SMTPAuthenticationError),
    ):
        smtp.login(leaver.login, leaver.password)


def test_a_closed_mailbox_says_where_to_write(world, left):
    with _mx(world) as smtp:
        smtp.mail(_somebody(world))
        code, text = smtp.rcpt(left[1].address)
    assert code == 550
    assert re.search(rf"5\.1\.6 .*please write to \S+@{world.domain} instead", text.decode())
    colleague = world.colleagues(1)[0]
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        world.submit(colleague, letter(colleague, left[1].address, SUBJECT))
    assert b"5.1.6" in refused.value.recipients[left[1].address][1]


def test_a_board_confirms_what_comes_in_once_a_day(world, on_host, authority):
    sender = _somebody(world)
    answer = _answer(world, _write(world, sender, authority))
    assert answer["Auto-Submitted"].startswith("auto-replied")
    assert "har kommit in till Kommunstyrelsen" in answer.get_content()
    assert "allmän handling" in answer.get_content()
    note = _write(world, sender, authority)
    assert "duplicate vacation response" in _why_silent(on_host, note)


def test_a_mailbox_confirms_in_its_own_words(world):
    answer = _answer(world, _write(world, _somebody(world), f"registrator@{world.domain}"))
    assert "registrerar ditt ärende" in answer.get_content()


def _apply(kommunpost, *words: str) -> None:
    done = kommunpost("directory", "apply", *words)
    assert done.returncode == 0, done.stderr


def _somebody(world) -> str:
    """Give an address that never wrote before; its mail reaches the outsider."""
    local, _, domain = world.outsider.address.partition("@")
    return f"{local}+{secrets.token_hex(4)}@{domain}"


def _mx(world) -> smtplib.SMTP:
    where = world.service("mx")
    smtp = smtplib.SMTP(where["address"], where["port"], "klient.omvarlden.example", timeout=60)
    smtp.ehlo()
    return smtp


def _write(world, sender: str, to: str, subject: str = SUBJECT, **headers: str) -> Message:
    """Send a letter to the municipality's MX; an empty sender is the null sender of a bounce."""
    note = letter(sender or world.outsider.address, to, subject)
    for name, value in headers.items():
        del note[name]
        if name != "Return-Path":
            note[name] = value
    with _mx(world) as smtp:
        smtp.send_message(note, sender or "<>", [to])
    return note


def _answer(world, note: Message, reader: Account | None = None, seconds: float = 60) -> Message:
    """Wait for what was answered to a letter."""
    reader = reader or world.outsider
    return world.arrival(reader, note["Message-ID"], seconds, header="In-Reply-To")


def _is_kept(on_host, address: str, note: Message) -> bool:
    query = f"doveadm search -u {address} mailbox INBOX header Message-ID '{note['Message-ID']}'"
    return bool(on_host("mail", query).strip())


def _why_silent(on_host, note: Message, seconds: float = 30) -> str:
    """Wait for what the mail store notes of a letter that it does not answer."""
    deadline = time.monotonic() + seconds
    seek = (
        f"journalctl --unit dovecot --output cat --grep 'vacation' | grep -F '{note['Message-ID']}'"
    )
    while not (found := on_host("mail", f"{seek} || true")):
        assert time.monotonic() < deadline, "nothing is noted"
        time.sleep(0.2)  # the journal tells nobody that a line has come
    return found
