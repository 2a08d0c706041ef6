"""A reviewer opens a letter from the archive in the log list, and the log tells who did."""

import uuid

import pytest
from test_log_list import Browser, reader_of

from lablib.letters import letter


@pytest.fixture
def arrived(world, rows):
    """A letter with a drawing to the registrar: its row in the log and where its page is."""
    note = letter(
        world.outsider,
        f"registrator@{world.domain}",
        f"Bygglov {uuid.uuid4().hex[:8]}",
        "Jag vill bygga en altan.",
    )
    note.add_attachment(
        b"%PDF-1.4 ritning",
        maintype="application",
        subtype="pdf",
        filename="ritning över altan.pdf",
    )
    world.submit(world.outsider, note)
    (row,) = rows(note["Message-ID"], seconds=90)
    return row, f"/units/{row['recipient_unit']}/{row['outbox_id']}/{row['sequence']}"


def logged_in(world, chosen) -> tuple[Browser, dict]:
    reader = reader_of(world, chosen)
    browser = Browser(world)
    assert browser.log_in(reader["login"], reader["password"]) == 302
    return browser, reader


def test_a_reviewer_opens_the_letter_and_saves_its_drawing(world, arrived, on_host):
    row, path = arrived
    browser, reader = logged_in(world, lambda one: row["recipient_unit"] in one["reviews"])
    browser.wait_for(f"{path}/message", "Jag vill bygga en altan.")  # the copy is on its way
    assert "ritning över altan.pdf" in browser.text
    assert browser.open(f"{path}/message/1") == 200
    assert browser.text == "%PDF-1.4 ritning"
    assert browser.headers["content-disposition"].startswith("attachment;")
    assert browser.open(f"{path}/message.eml") == 200
    assert "Jag vill bygga en altan." in browser.text
    noted = on_host(
        "mail",
        "runuser -u postgres -- psql -At kommunpost -c "
        '"SELECT a.why, r.unit FROM log.archive_reading AS a '
        "JOIN log.reading AS r ON r.number = a.reading "
        f"WHERE a.outbox_id = '{row['outbox_id']}' AND a.sequence = {row['sequence']} "
        'ORDER BY a.number DESC LIMIT 3"',
    )
    unit = row["recipient_unit"]
    assert noted.splitlines() == [
        f"log list: eml|{unit}",
        f"log list: attachment 1|{unit}",
        f"log list: view|{unit}",
    ]
    if reader["everything"]:
        assert browser.open(f"/trail/{unit}/") == 200
        assert "öppnat: visat" in browser.text


def test_no_other_reviewer_opens_it(world, arrived):
    row, path = arrived
    browser, _ = logged_in(world, lambda one: row["recipient_unit"] not in one["units"])
    for page in ("/message", "/message.eml", "/message/1"):
        assert browser.open(path + page) == 404
        assert "altan" not in browser.text


def test_a_persons_own_letter_is_not_opened(world, rows):
    reviewer = reader_of(world, lambda one: one["reviews"] and not one["everything"])
    unit = reviewer["reviews"][0]
    colleague = next(one for one in world.facts["people"] if one["unit"] == unit and one["pc"])
    note = letter(world.outsider, colleague["address"], "Till dig", "Bara för dina ögon.")
    world.submit(world.outsider, note)
    (row,) = rows(note["Message-ID"], seconds=90)
    browser = Browser(world)
    browser.log_in(reviewer["login"], reviewer["password"])
    assert browser.open(f"/units/{unit}/{row['outbox_id']}/{row['sequence']}/message") == 403
    assert "Fråga brevlådans innehavare" in browser.text
    assert "Bara för dina ögon" not in browser.text


def test_only_the_log_lists_user_reaches_the_archive(on_host):
    ask = (
        "import socket; s = socket.socket(socket.AF_UNIX); "
        "s.connect('/run/kommunpost-archive.socket')"
    )
    for user, may in (("kommunpost_web", True), ("nobody", False), ("www-data", False)):
        said = on_host("mail", f'runuser -u {user} -- python3 -c "{ask}" 2>&1', check=False)
        assert ("PermissionError" not in said) is may, (user, said)
