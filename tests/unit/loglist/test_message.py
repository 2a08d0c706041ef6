"""The message of an entry, opened from the archive by whoever reviews the unit, and only them."""

import re
import socket
import subprocess
import sys

import psycopg
import pytest

from compliance.messagelog import archive_door

from .archived_mail import FUNCTION, ROWS, STORED, UNIT


def traces(installation, name):
    """What the log has noted of a row's message: by whom, and what was opened."""
    with psycopg.connect(installation("owner")) as owner:
        return owner.execute(
            "SELECT r.reader, a.reader, a.why, r.name, r.unit FROM log.archive_reading AS a "
            "JOIN log.reading AS r ON r.number = a.reading "
            "JOIN log.entry AS e USING (outbox_id, sequence) WHERE e.queue_id = %s ORDER BY 1",
            [ROWS[name][0]],
        ).fetchall()


def test_a_reviewer_opens_the_message_of_their_units_mailbox(archived, enter):
    browser = enter("kff")
    entry = browser.get(archived("letter")).content.decode()
    (link,) = re.findall(r'href="([^"]+)">Öppna meddelandet', entry)
    answer = browser.get(link)
    text = answer.content.decode()
    assert answer.status_code == 200
    for told in ("Åsa Ek &lt;asa@omvarlden.example&gt;", "Vi vill bygga en altan.",
                 "ritning över altan.pdf", "application/pdf", "har också en HTML-del"):  # fmt: skip
        assert told in text
    assert "Hej i HTML" not in text


def test_what_was_sent_from_the_mailbox_is_opened_too(archived, enter):
    assert "Svaret" in enter("kff").get(archived("sent") + "/message").content.decode()


def test_who_opened_what_is_noted_under_the_readers_own_name(archived, enter, installation):
    before = len(traces(installation, "sent"))
    browser = enter("kff")
    browser.get(archived("sent") + "/message")
    browser.get(archived("sent") + "/message.eml")
    noted = traces(installation, "sent")[before:]
    assert [why for _, _, why, _, _ in noted] == ["log list: view", "log list: eml"]
    assert {(r, a, name, unit) for r, a, _, name, unit in noted} == {
        ("person:kff", "person:kff", "Person kff", UNIT)
    }
    trail = enter("chef").get(f"/trail/{UNIT}/").content.decode()
    assert "Person kff" in trail
    assert "öppnat: visat" in trail


def test_the_file_and_the_attachments_come_out_byte_by_byte(archived, enter):
    browser = enter("kff")
    path = archived("letter")
    assert browser.get(path + "/message.eml").content == STORED["letter"]
    answer = browser.get(path + "/message/1")
    assert answer.content == b"%PDF-1"
    assert "ritning%20%C3%B6ver%20altan.pdf" in answer["Content-Disposition"]
    for number in (0, 3, 10**30):
        assert browser.get(f"{path}/message/{number}").status_code == 404


@pytest.mark.parametrize("page", ["/message.eml", "/message/1"])
def test_a_file_is_saved_and_never_shown(archived, enter, page):
    answer = enter("kff").get(archived("hostile") + page)
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["Cache-Control"] == "no-store"
    assert not re.search(r"[/\\<>\u202e]|%E2%80%AE", answer["Content-Disposition"])


def test_a_hostile_message_is_shown_harmlessly(archived, enter):
    answer = enter("kff").get(archived("hostile") + "/message")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "<script" not in text
    assert "spion.example" not in text
    assert "onclick" not in text
    assert "\u202e" not in text
    assert "&lt;script&gt;alert(2)" in text
    assert "default-src 'none'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("page", ["/message", "/message.eml", "/message/1"])
@pytest.mark.parametrize("role", ["ks", "bun", "ingen", "kff-chef", "chef", None])
def test_only_a_reviewer_of_the_unit_opens_it(archived, enter, installation, role, page):
    before = traces(installation, "letter")
    answer = enter(role).get(archived("letter") + page)
    assert answer.status_code == {None: 302, "kff-chef": 403, "chef": 403}.get(role, 404)
    for secret in ("altan.pdf", "bygga en altan", "%PDF"):
        assert secret not in answer.content.decode()
    assert traces(installation, "letter") == before
    if answer.status_code == 403:
        assert "Bara den som granskar" in answer.content.decode()
        assert "Öppna meddelandet" not in enter(role).get(archived("letter")).content.decode()


def test_another_units_entry_is_not_opened_under_ones_own(archived, enter):
    path = archived("letter").replace(f"/{UNIT}/", "/ks/")
    assert enter("ks").get(path + "/message").status_code == 404


def test_an_address_without_a_domain_is_the_municipalitys_as_for_the_milter(enter):
    from compliance.loglist.message import opening

    row = {"recipient_unit": UNIT, "recipient": FUNCTION.partition("@")[0], "sender_unit": None}
    assert opening.is_of_function_mailbox(UNIT, row)
    assert not opening.is_of_function_mailbox(UNIT, row | {"recipient": "ingen"})


def test_the_holder_of_an_individual_mailbox_is_asked(archived, enter, installation):
    before = traces(installation, "personal")
    answer = enter("kff").get(archived("personal") + "/message")
    assert answer.status_code == 403
    assert "Fråga brevlådans innehavare" in answer.content.decode()
    assert "Hemligt" not in answer.content.decode()
    assert traces(installation, "personal") == before


@pytest.mark.parametrize(
    ("name", "status", "told"),
    [
        ("lost", 404, "Arkivet har ingen kopia"),
        ("disposed", 410, "enligt beslut KS 2026/117 &lt;b&gt;"),
    ],
)
def test_what_the_archive_does_not_have_is_told(archived, enter, name, status, told):
    for page in ("/message", "/message.eml"):
        answer = enter("kff").get(archived(name) + page)
        assert answer.status_code == status
        assert told in answer.content.decode()


def test_an_archive_that_is_away_or_on_another_host_is_told(archived, enter, monkeypatch, tmp_path):
    from django.conf import settings

    browser = enter("kff")
    for door, told in ((tmp_path / "none", "svarar inte"), (None, "på en annan server")):
        elsewhere = settings.LOGLIST.model_copy(update={"archive_socket": door})
        monkeypatch.setattr(settings, "LOGLIST", elsewhere)
        answer = browser.get(archived("letter") + "/message")
        assert answer.status_code == 503
        assert told in answer.content.decode()


def test_a_directory_that_is_away_is_told(archived, enter, monkeypatch):
    from compliance.loglist.message import opening

    browser = enter("kff")

    def away(_settings):
        raise OSError("borta")

    monkeypatch.setattr(opening, "Ldap", away)
    answer = browser.get(archived("letter") + "/message")
    assert answer.status_code == 503
    assert "Katalogen svarar inte" in answer.content.decode()


def test_the_door_opens_for_no_number_that_nobody_asked_by(archived, installation):
    from django.conf import settings

    door = settings.LOGLIST.archive_socket
    with psycopg.connect(installation("owner"), autocommit=True) as owner:
        owner.execute(  # as the command line asks, and as the log list did an hour ago
            "INSERT INTO log.archive_reading (reader, why, outbox_id, sequence) "
            "SELECT 'eva', 'prov', outbox_id, sequence FROM log.entry WHERE queue_id = %s",
            [ROWS["letter"][0]],
        )
        owner.execute(
            "INSERT INTO log.archive_reading (asked_at, reader, why, outbox_id, sequence, reading) "
            "SELECT now() - interval '1 hour', 'eva', 'prov', outbox_id, sequence, "
            "(SELECT max(number) FROM log.reading) FROM log.entry WHERE queue_id = %s",
            [ROWS["letter"][0]],
        )
        (last,) = owner.execute("SELECT max(number) FROM log.archive_reading").fetchone()
    for number in (last, last - 1, 0, 10**9, 2**62):
        assert archive_door.ask(door, number) == (archive_door.Answer("unknown"), b"")


def test_whoever_hangs_up_before_the_answer_breaks_nothing():
    answer = (
        "import sys; from compliance.messagelog.archive_door import answer; "
        "answer(None, None, sys.stdin.buffer, sys.stdout.buffer)"
    )
    for heard in (True, False):
        ours, theirs = socket.socketpair()
        ours.shutdown(socket.SHUT_WR) if heard else ours.close()
        done = subprocess.run([sys.executable, "-c", answer], stdin=theirs, stdout=theirs)
        theirs.close()
        assert done.returncode == 0
        if heard:
            assert b"unknown" in ours.recv(1000)
            ours.close()


def test_the_webs_role_leaves_no_trace_but_by_the_sessions_own_right(installation, archived):
    with psycopg.connect(installation("web"), autocommit=True) as web:
        for statement in (
            "SELECT log.ask_message('x', 'kff', gen_random_uuid(), 1, 'view')",
            "INSERT INTO log.archive_reading (reader, why, outbox_id, sequence) "
            "VALUES ('x', 'x', gen_random_uuid(), 1)",
            "SELECT * FROM log.archive_reading",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                web.execute(statement)


@pytest.mark.parametrize(
    ("reviews", "asked", "may"),
    [
        (["kff"], "kff", True),
        ([], "kff", False),  # reads the unit, as its head
        (["ks"], "kff", False),
        (["kff", "ks"], "ks", False),  # reviews both, but the entry is the other's
    ],
)
def test_the_database_itself_holds_who_may_open(archived, enter, reviews, asked, may):
    from django.db import connection

    from compliance.loglist.login import _open_session
    from compliance.loglist.message.opening import ask
    from compliance.messagelog.reading import Identity, NotYoursError

    token = _open_session(Identity("person:9", "Nio", ["kff", "ks"]), frozenset(reviews))
    _, _, _, outbox, sequence = archived("letter").split("/")
    connection.ensure_connection()
    connection.connection.execute("SELECT set_config('loglist.token', %s, false)", [token])
    if may:
        assert ask(asked, outbox, int(sequence), "view") > 0
    else:
        with pytest.raises(NotYoursError):
            ask(asked, outbox, int(sequence), "view")


@pytest.mark.parametrize("line", [b"", b"\n", b"1; ls\n", b"-1\n", b"9" * 30, b"\xff\xfe\n"])
def test_the_door_takes_numbers_alone(archived, line):
    import socket

    from django.conf import settings

    with socket.socket(socket.AF_UNIX) as door:
        door.connect(str(settings.LOGLIST.archive_socket))
        door.sendall(line)
        door.shutdown(socket.SHUT_WR)
        assert b'"unknown"' in door.recv(1000)
