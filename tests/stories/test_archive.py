"""The mail of function mailboxes is archived: who has one can delete it there and nowhere else."""

import pytest

from lablib.letters import letter

STORE = "/srv/archive"
USER = "archive@archive.invalid"
STORE_CONF = "/etc/dovecot/archive/read.conf"


@pytest.fixture
def function(world):
    """The address of a function mailbox."""
    return f"registrator@{world.domain}"


@pytest.fixture
def other_function(world):
    """That of another."""
    return f"socialnamnden@{world.domain}"


def copies(on_host, message_id: str) -> int:
    """Count the archived copies, reading as root with the key."""
    search = f"search -u {USER} mailbox '20*' HEADER Message-ID '{message_id}'"
    found = on_host("mail", f"doveadm -c {STORE_CONF} {search}", check=False)
    return len(found.splitlines())


def fetched(kommunpost, reference: str, path) -> bytes:
    done = kommunpost("archive", "get", reference, "--why", "Begäran 1", "--output", str(path))
    assert done.returncode == 0, done.stderr
    return path.read_bytes()


def test_a_letter_deleted_by_its_reader_is_still_in_the_archive(
    world, rows, on_host, kommunpost, function, tmp_path
):
    note = letter(world.outsider, function, "Ärende åäö", "Rad ett\n.punkt\nSlut utan radslut")
    world.submit(world.outsider, note)
    (row,) = rows(note["Message-ID"], seconds=90)
    query = f"-u {function} mailbox INBOX HEADER Message-ID '{note['Message-ID']}'"
    stored = _until(lambda: on_host("mail", f"doveadm fetch 'text' {query}"))
    on_host("mail", f"doveadm expunge {query}")
    assert on_host("mail", f"doveadm search {query}") == ""
    raw = fetched(kommunpost, row["queue_id"], tmp_path / "brev.eml")
    # Below what this installation put on top, every byte is as it was delivered.
    own = raw[raw.index(b"Received: from mail.omvarlden") :]
    delivered = stored.partition("text:\n")[2].encode().replace(b"\n", b"\r\n")
    assert own in delivered.rstrip(b"\r\n\f") + b"\r\n"
    assert raw.endswith(b"Slut utan radslut\r\n")
    noted = on_host(
        "mail",
        "runuser -u postgres -- psql -At kommunpost -c "
        "'SELECT why FROM log.archive_reading ORDER BY number DESC LIMIT 1'",
    )
    assert noted == "Begäran 1\n"


def test_one_copy_however_many_function_mailboxes_get_it(
    world, rows, on_host, function, other_function
):
    sender = world.colleagues(1)[0]
    note = letter(sender, function, "Till två")
    world.submit(sender, note, function, other_function)
    assert len(rows(note["Message-ID"])) == 2
    assert _until(lambda: copies(on_host, note["Message-ID"])) == 1


def test_what_passes_between_individuals_is_not_archived(
    world, rows, on_host, kommunpost, function
):
    sender = world.colleagues(1)[0]
    private = letter(sender, world.commissioner.address, "Mellan två personer")
    world.submit(sender, private)
    marker = letter(sender, function, "Till registrator")
    world.submit(sender, marker)
    (row,) = rows(private["Message-ID"])
    assert _until(lambda: copies(on_host, marker["Message-ID"])) == 1
    assert copies(on_host, private["Message-ID"]) == 0
    done = kommunpost("archive", "get", row["queue_id"], "--why", "Prov")
    assert (done.returncode, "has no copy" in done.stderr) == (1, True)


def test_the_bytes_on_disk_cannot_be_read(world, rows, on_host, function, tmp_path, kommunpost):
    sender = world.colleagues(1)[0]
    note = letter(sender, function, "Hemligtamne", "Hemligtinnehall " * 50)
    world.submit(sender, note)
    (row,) = rows(note["Message-ID"])
    assert _until(lambda: copies(on_host, note["Message-ID"])) == 1
    assert b"Hemligtinnehall" in fetched(kommunpost, row["queue_id"], tmp_path / "brev.eml")
    for word in ("Hemligtamne", "Hemligtinnehall", sender.address, note["Message-ID"]):
        assert on_host("mail", f"grep -rlF '{word}' {STORE}", check=False) == ""
    # Nor through Dovecot, without the key that only root gives it.
    said = on_host("mail", f"doveadm fetch -u {USER} text mailbox '*' ALL 2>&1", check=False)
    assert "Hemligtinnehall" not in said


def test_nobody_can_write_to_the_archive(world, on_host):
    import smtplib

    sender = world.colleagues(1)[0]
    note = letter(sender, "archive+2020-01-01@archive.invalid", "Falskt")
    with pytest.raises(smtplib.SMTPException):
        world.submit(sender, note)
    with (
        pytest.raises(smtplib.SMTPException),
        smtplib.SMTP(world.service("mx")["address"], 25, timeout=60) as smtp,
    ):
        smtp.sendmail(world.outsider.address, [USER], "Subject: x\r\n\r\nx")
    assert "2020-01-01" not in on_host("mail", f"ls -a {STORE}/mail")


def _until(ask, seconds: float = 60):
    """Ask until there is something: Postfix tells nobody that it has delivered."""
    import time

    deadline = time.monotonic() + seconds
    while not (found := ask()) and time.monotonic() < deadline:
        time.sleep(0.3)
    return found
