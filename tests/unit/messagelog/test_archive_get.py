"""A message is fetched from the archive, the one that was meant, and nothing else is done to it."""

# ruff: noqa: F811 - fixtures of test_archive_disposal.py and test_seal_store.py

import imaplib
from datetime import UTC, date, datetime

import pytest
from sealed_log import ONE, TWO, entry_of
from test_archive_disposal import archive, folder  # noqa: F401
from test_seal_store import ship  # noqa: F401

from compliance.messagelog.archive_store import Archive

DAY = date(2026, 1, 14)


def copy_of(queue_id, host="mail.sjovalla.example"):
    return f"Received: by {host} (Postfix)\r\n\tid {queue_id}; x\r\n\r\nHej från {host}\r\n"


@pytest.fixture
def get(archive):
    """Fetch a message; return the exit code, the message and what else was told."""

    def run(reference):
        running = archive("get", reference, "--why", "Begäran 2026/88")
        message, told = running.communicate()
        return running.returncode, message, told

    return run


def test_a_queue_id_that_no_postfix_gave_reaches_no_copy_and_steers_no_archive(get, folder, ship):
    queue_id = 'q1"\r\nx DELETE 2026-01-13\r\ny NOOP "'
    ship(ONE, [entry_of(1, ONE, DAY, queue_id=queue_id)])
    code, message, told = get(f"{ONE}:1")
    assert len(list(folder.glob("*/*.eml"))) == 4
    assert (code, message) == (1, "")
    assert "the archive has no copy of this message" in told


def test_a_queue_id_that_two_hosts_gave_must_be_told_apart(get, folder, ship):
    for outbox, host in ((ONE, "mail.sjovalla.example"), (TWO, "mx2.sjovalla.example")):
        ship(outbox, [entry_of(1, outbox, DAY, queue_id="4ZrX2b0Yk1z1") for _ in "ab"])
        (folder / f"2026-01-14/{host}.eml").write_text(copy_of("4ZrX2b0Yk1z1", host))
    code, message, told = get("4ZrX2b0Yk1z1")
    assert (code, message) == (2, "")
    assert f"mail.sjovalla.example: {ONE}:1" in told
    assert f"mx2.sjovalla.example: {TWO}:1" in told
    code, message, _ = get(f"{TWO}:1")
    assert (code, message) == (0, copy_of("4ZrX2b0Yk1z1", "mx2.sjovalla.example").replace("\r", ""))


def test_a_copy_that_was_disposed_of_is_told_with_its_decision(get, archive, ship, folder):
    ship(ONE, [entry_of(1, ONE, DAY, queue_id="4ZrX2b0Yk1z1")])
    (folder / "2026-01-14/3.eml").write_text(copy_of("4ZrX2b0Yk1z1"))
    assert get("4ZrX2b0Yk1z1")[0] == 0
    plan = archive("dispose", "--dry-run").communicate()[0].split()[-1]
    archive("dispose", "--plan", plan).communicate()
    code, message, told = get("4ZrX2b0Yk1z1")
    assert (code, message) == (1, "")
    assert "disposed of under KS 2026/118 (KS, 2026-01-14)" in told


class Damaged:
    """An archive whose disk fails, as Dovecot tells it. at: the command that fails."""

    state = "AUTH"

    def __init__(self, at):
        self._at = at

    def _said(self, command, *told):
        if command == self._at:
            return "NO", [b"[SERVERBUG] Internal error occurred. Refer to server log"]
        return "OK", list(told)

    def list(self):
        return self._said("LIST", b'(\\HasNoChildren) "/" 2026-01-14')

    def select(self, folder, readonly):
        assert readonly
        if folder != "2026-01-14":
            return "NO", [b"[NONEXISTENT] Mailbox doesn't exist: " + folder.encode()]
        return self._said("SELECT", b"1")

    def search(self, *_words):
        return self._said("SEARCH", b"1")

    def fetch(self, *_words):
        return self._said("FETCH", (b"1 (BODY[] {4}", b"Hej\n"), b")")


@pytest.mark.parametrize("at", ["SELECT", "SEARCH", "FETCH"])
def test_a_copy_that_cannot_be_read_is_not_told_as_missing(at):
    kept = Archive(Damaged(at))
    with pytest.raises(imaplib.IMAP4.error, match=r"cannot be read.*SERVERBUG"):
        kept.find("mail.sjovalla.example", "q1", datetime(2026, 1, 14, 9, tzinfo=UTC))
    missing = Archive(Damaged(None)).find("h", "q1", datetime(2026, 1, 14, 9, tzinfo=UTC))
    assert missing is None


@pytest.mark.parametrize("at", ["LIST", "SELECT"])
def test_days_that_cannot_be_read_are_not_counted_as_empty(at):
    with pytest.raises(imaplib.IMAP4.error, match=r"cannot be read.*SERVERBUG"):
        Archive(Damaged(at)).days_before(date(2026, 2, 1))
    assert Archive(Damaged(None)).days_before(date(2026, 2, 1)) == [(DAY, 1)]
