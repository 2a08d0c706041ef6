"""A message is fetched from the archive, the one that was meant, and nothing else is done to it."""

# ruff: noqa: F811 - fixtures of test_archive_disposal.py and test_seal_store.py

from datetime import date

import pytest
from sealed_log import ONE, TWO, entry_of
from test_archive_disposal import archive, folder  # noqa: F401
from test_seal_store import ship  # noqa: F401

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
