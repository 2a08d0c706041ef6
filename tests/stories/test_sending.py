"""Who sends as a function mailbox, where its copy lies, and who reaches a unit's list."""

import json
import smtplib

import pytest

from lablib.letters import Account, letter

BOARD = "unit:ks"


@pytest.fixture(scope="module")
def boxes(kommunpost) -> dict[str, str]:
    """Give the address of each mailbox by its holder."""
    plan = json.loads(kommunpost("directory", "plan", "--format", "json").stdout)
    return {box["holder"]: box["address"] for box in plan}


@pytest.fixture(scope="module")
def board(boxes) -> str:
    return boxes[BOARD]


@pytest.fixture(scope="module")
def member(world, kommunpost) -> Account:
    """The watcher of the board's mailbox, who may send as it."""
    return _by_id(world, "10591")


@pytest.fixture(scope="module")
def stranger(world) -> Account:
    """Somebody who may not."""
    return world.colleagues(1)[0]


def test_a_member_sends_as_the_board_and_the_copy_lies_read_in_its_sent(
    world, rows, on_host, member, board
):
    note = _as(board, world.outsider.address, "Beslut i ärende 12")
    _send(world, member, board, note)
    assert board in world.arrival(world.outsider, note["Message-ID"])["From"]
    found = on_host("mail", _seek(board, "Sent", note["Message-ID"]) + " SEEN").strip()
    assert found, "the copy lies in Sent, read"
    assert not on_host("mail", _seek(board, "INBOX", note["Message-ID"])).strip()
    assert [row["recipient"] for row in rows(note["Message-ID"])] == [world.outsider.address]
    (row,) = rows(note["Message-ID"])
    assert (row["envelope_sender"], row["sender_unit"]) == (board, "ks")
    assert row["authenticated_user"] == member.login


def test_nobody_else_sends_as_the_board(world, stranger, board):
    with _login(world, stranger) as smtp:
        smtp.mail(board)
        code, _ = smtp.rcpt(world.outsider.address)
    assert code == 553


def test_the_board_in_the_letter_needs_the_board_on_the_envelope(world, member, stranger, board):
    """Else no copy would be kept."""
    for sender in (member, stranger):
        note = _as(board, world.outsider.address, "Fel kuvert")
        assert _refusal(world, sender, sender.address, note) == (550, "5.7.1")


@pytest.mark.parametrize("header", ["From", "Sender"])
def test_nobody_is_named_as_author_who_is_not(world, stranger, member, header):
    note = letter(stranger, world.outsider.address, "Inte jag")
    if header in note:
        note.replace_header(header, member.address)
    else:
        note[header] = member.address
    assert _refusal(world, stranger, stranger.address, note) == (550, "5.7.1")


def test_a_login_does_not_send_without_a_sender(world, stranger):
    note = letter(stranger, world.outsider.address, "Avsändare saknas")
    assert _refusal(world, stranger, "", note) == (550, "5.7.1")


def test_nobody_puts_a_letter_into_sent(world, stranger, board):
    local, _, domain = board.partition("@")
    ways = [f"{local}+sent@{domain}", f"{local}+SENT@{domain}", f'"{local}+sent"@{domain}']
    where = world.service("mx")
    with smtplib.SMTP(where["address"], where["port"], "klient.omvarlden.example") as smtp:
        smtp.ehlo()
        smtp.mail(world.outsider.address)
        assert {smtp.rcpt(way)[0] for way in ways} == {550}
        assert smtp.rcpt(f"{local}+sent%{domain}")[0] in (504, 550, 554)
        assert smtp.rcpt(f"{local}+annat@{domain}")[0] == 250
    with _login(world, stranger) as smtp:
        smtp.mail(stranger.address)
        assert {smtp.rcpt(way)[0] for way in ways} == {550}


def test_a_colleague_reaches_everybody_in_the_unit(world, rows, boxes):
    members = [one for one in world.facts["people"] if one["unit"] in ("ks", "ksk", "it")]
    elsewhere = next(one for one in world.facts["people"] if one["unit"] == "bibliotek")
    sender = world.person(elsewhere["address"])
    address = f"alla.it-avdelningen@{world.domain}"
    note = letter(sender, address, "Driftstopp i kväll")
    world.submit(sender, note)
    for one in [one for one in members if one["unit"] == "it"][:2]:
        world.arrival(world.person(one["address"]), note["Message-ID"])
    (row,) = rows(note["Message-ID"])
    assert (row["recipient"], row["recipient_unit"]) == (address, "it")


def test_an_internal_list_takes_nothing_from_outside(world):
    assert _rcpt_from_outside(world, f"alla.it-avdelningen@{world.domain}") == (550, b"5.7.1")
    assert _rcpt_from_outside(world, f"Alla.IT-avdelningen+x@{world.domain}") == (550, b"5.7.1")


def test_an_open_list_takes_mail_from_outside(world):
    code, _ = _rcpt_from_outside(world, f"alla.biblioteksavdelningen@{world.domain}")
    assert code == 250


def _by_id(world, uid: str) -> Account:
    return world.person(next(p["address"] for p in world.facts["people"] if p["uid"] == uid))


def _as(sender: str, to: str, subject: str):
    note = letter("x@x.example", to, subject)
    note.replace_header("From", f"Kommunstyrelsen <{sender}>")
    return note


def _login(world, account: Account) -> smtplib.SMTP_SSL:
    where = account.submission
    smtp = smtplib.SMTP_SSL(where["address"], where["port"], context=world.tls, timeout=60)
    smtp.login(account.login, account.password)
    return smtp


def _send(world, account: Account, envelope: str, note) -> None:
    with _login(world, account) as smtp:
        smtp.send_message(note, envelope, [str(note["To"])])


def _refusal(world, account: Account, envelope: str, note) -> tuple[int, str]:
    """Say how a letter is refused at its end."""
    with pytest.raises(smtplib.SMTPDataError) as refused:
        _send(world, account, envelope or "<>", note)
    return refused.value.smtp_code, refused.value.smtp_error.decode().split()[0]


def _rcpt_from_outside(world, address: str) -> tuple[int, bytes]:
    where = world.service("mx")
    with smtplib.SMTP(where["address"], where["port"], "klient.omvarlden.example") as smtp:
        smtp.ehlo()
        smtp.mail(world.outsider.address)
        code, text = smtp.rcpt(address)
    return code, text.split()[0]


def _seek(address: str, folder: str, message_id: str) -> str:
    return f"doveadm search -u {address} mailbox {folder} header Message-ID '{message_id}'"
