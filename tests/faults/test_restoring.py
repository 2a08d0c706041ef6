"""What was lost comes back from the copy, and what came after it from the outboxes."""

import uuid
from datetime import UTC, datetime

import pytest
from ansible_plays import play_well

from lablib.letters import letter

ALL = "SELECT count(*) FROM log.entry"


@pytest.fixture
def restore():
    """Lay data back as a technician does, on a host that stands."""

    def run(**asked: str) -> str:
        words = [word for name, value in asked.items() for word in ("-e", f"{name}={value}")]
        return play_well("restore.yml", "--skip-tags", "deploy", *words)

    return run


def _home(on_host, address: str) -> str:
    home = on_host("mail", f"doveadm user -f home {address}").strip()
    assert home.startswith("/srv/vmail/person/")
    return home


def test_log_and_mailbox_come_back_and_later_entries_from_the_outbox(
    world, rows, ask, on_host, kommunpost, restore
):
    (colleague,) = world.colleagues(1)
    notes = [
        letter(world.outsider, colleague.address, f"Säkerhetskopia {uuid.uuid4().hex[:8]}")
        for _ in range(3)
    ]
    world.submit(world.outsider, notes[0], colleague.address)
    world.arrival(colleague, notes[0]["Message-ID"])
    assert len(rows(notes[0]["Message-ID"])) == 1
    on_host("mail", "systemctl start kommunpost-backup.service")
    world.submit(world.outsider, notes[1], colleague.address)  # in no copy
    world.arrival(colleague, notes[1]["Message-ID"])
    assert len(rows(notes[1]["Message-ID"])) == 1
    before = on_host("mail", f"runuser -u postgres -- psql -Atd kommunpost -c '{ALL}'").strip()

    on_host("mail", "runuser -u postgres -- psql -qc 'DROP DATABASE kommunpost WITH (FORCE)'")
    on_host("mail", f"rm -rf {_home(on_host, colleague.address)}")
    told = restore(host="mail")

    assert "the log is back with" in told
    assert world.arrival(colleague, notes[0]["Message-ID"])["Subject"] == notes[0]["Subject"]
    ask(f"SELECT (SELECT count(*) FROM log.entry) >= {before}", "t")
    assert [len(rows(note["Message-ID"])) for note in notes[:2]] == [1, 1], "each once"
    verified = kommunpost("log", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    world.submit(world.outsider, notes[2], colleague.address)
    assert world.arrival(colleague, notes[2]["Message-ID"])
    assert len(rows(notes[2]["Message-ID"])) == 1
    day = datetime.now(UTC).date().isoformat()
    compared = kommunpost("log", "reconcile", "--day", day)
    assert "not in the log" not in compared.stdout, compared.stdout


def test_one_mailbox_comes_back_into_a_folder_of_it(world, on_host, restore):
    (colleague,) = world.colleagues(1)
    note = letter(world.outsider, colleague.address, f"En brevlåda {uuid.uuid4().hex[:8]}")
    world.submit(world.outsider, note, colleague.address)
    world.arrival(colleague, note["Message-ID"])
    on_host("mail", "systemctl start kommunpost-backup.service")
    with world.mailbox(colleague) as inbox:
        inbox.select_folder("INBOX")
        found = inbox.search(["HEADER", "Message-ID", note["Message-ID"]])
        inbox.delete_messages(found)
        inbox.expunge()
    restore(host="mail", mailbox=colleague.address)
    with world.mailbox(colleague) as inbox:
        inbox.select_folder("Återläst/INBOX", readonly=True)
        assert inbox.search(["HEADER", "Message-ID", note["Message-ID"]])
        inbox.select_folder("INBOX", readonly=True)
        assert not inbox.search(["HEADER", "Message-ID", note["Message-ID"]])


def test_a_copy_that_was_damaged_on_the_backup_host_is_found_by_the_trial(on_host):
    on_host("mx2", "systemctl start kommunpost-backup-try.service")
    pack = on_host("copies", "find /srv/copies/mx2 -path '*/data/*' -type f | head -1").strip()
    on_host("copies", f"cp -p {pack} /root/pack && truncate -s -1 {pack}")
    try:
        on_host("mx2", "systemctl start kommunpost-backup-try.service", check=False)
        state = on_host("mx2", "/opt/kommunpost/bin/kommunpost backup state")
        assert '"trial_error": "copies of mx2' in state
    finally:
        on_host("copies", f"cp -p /root/pack {pack} && rm /root/pack")
        on_host("mx2", "systemctl start kommunpost-backup-try.service")
    assert '"trial_error": null' in on_host("mx2", "/opt/kommunpost/bin/kommunpost backup state")
