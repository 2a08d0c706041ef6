"""The holder of a mailbox hands over one message by one click, out of their own mailbox alone."""

import re
import socketserver
import sys
import threading
from contextlib import contextmanager

import psycopg
import pytest

from compliance.directory.officials import Official
from compliance.messagelog import archive_door
from compliance.settings import Archive, Log

from .archived_mail import PERSON, ROWS, STAND_IN, UNIT, message_of
from .test_review import text_of
from .test_work import taken_in

DAY = "2026-11-24"
RAW = message_of("handed", b"Subject: Privat\r\n\r\nHemligt \xff\r\n")
BUTTON = 'name="hand-over"'


class Store:
    """A mail store in a folder, behind the archive's door."""

    def __init__(self, folder):
        self.folder, self.holder = folder, PERSON
        self.lay("INBOX", RAW)

    def lay(self, place, raw, person=PERSON):
        (self.folder / person / place).mkdir(parents=True, exist_ok=True)
        (self.folder / person / place / "1.eml").write_bytes(raw)

    def take_away(self):
        (self.folder / PERSON / "INBOX/1.eml").unlink()

    def archived(self):
        return [path.read_bytes() for path in self.folder.glob(f"{DAY}/*.eml")]


@pytest.fixture
def store(archived, installation, tmp_path, monkeypatch):
    from django.conf import settings

    made = Store(tmp_path)
    log = Log(dsn=installation("web"))
    reached = Archive(command=[sys.executable, str(STAND_IN), str(tmp_path)], read_conf="/x")

    class Door(socketserver.StreamRequestHandler):
        def handle(self):
            archive_door.answer(log, reached, self.rfile, self.wfile, settings.DIRECTORY)

    @contextmanager
    def connect(_directory, _role):
        yield None

    def by_id(_connection, _base, person):
        address = {"person:4": made.holder, "person:1": "ks@sjovalla.example"}.get(person)
        return Official(person, person, address) if address else None

    monkeypatch.setattr(archive_door.ldap, "connect", connect)
    monkeypatch.setattr(archive_door.officials, "by_id", by_id)
    door = tmp_path / "door"
    with socketserver.ThreadingUnixStreamServer(str(door), Door) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        reachable = settings.LOGLIST.model_copy(update={"archive_socket": door})
        monkeypatch.setattr(settings, "LOGLIST", reachable)
        yield made
        server.shutdown()


@pytest.fixture
def question(store, archived, enter, monkeypatch):
    """Let the reviewer ask the holder about a message of their own; return the question's page."""
    from compliance.loglist import doubts

    official = Official("person:4", "Person 4", PERSON)
    monkeypatch.setattr(doubts, "look_up", lambda address: official)
    taken_in()

    def ask(name="handed", **fields):
        browser = enter("kff")
        page = archived(name)
        (row,) = re.findall(r'name="row"\s+value="([\d.]+)"', text_of(browser.get(page)))
        answer = browser.post(f"{page}/decide", {"row": row, "outcome": "doubt", **fields})
        assert answer.status_code == 302, text_of(answer)
        pages = re.findall(r'href="(/questions/\d+)"', text_of(enter("ingen").get("/questions/")))
        return pages[0]

    return ask


def traces(installation):
    with psycopg.connect(installation("owner")) as owner:
        return owner.execute(
            "SELECT a.reader, r.name, r.unit FROM log.archive_addition AS a "
            "JOIN log.reading AS r ON r.number = a.reading "
            "JOIN log.entry AS e USING (outbox_id, sequence) WHERE e.queue_id = %s",
            [ROWS["handed"][0]],
        ).fetchall()


def test_by_one_click_the_reviewer_can_open_the_message(
    question, store, archived, enter, installation
):
    page = question()
    reviewer, holder = enter("kff"), enter("ingen")
    assert reviewer.get(archived("handed") + "/message").status_code == 403
    before = len(traces(installation))
    assert BUTTON in text_of(holder.get(page))
    assert holder.post(page, {"hand-over": ""}).status_code == 302
    assert "är överlämnat" in text_of(holder.get(page))
    assert store.archived() == [RAW]
    assert reviewer.get(archived("handed") + "/message.eml").content == RAW
    assert "är överlämnat" in text_of(reviewer.get(archived("handed")))
    assert traces(installation)[before:] == [("person:4", "Person 4", UNIT)]
    assert "överlämnat av innehavaren" in text_of(enter("chef").get(f"/trail/{UNIT}/"))


def test_a_second_click_adds_no_second_copy(question, store, enter, installation):
    page, holder = question(), enter("ingen")
    for _ in range(2):
        assert holder.post(page, {"hand-over": ""}).status_code == 302
    assert len(store.archived()) == 1


@pytest.mark.parametrize("case", ["taken away", "another's", "forged", "left"])
def test_only_the_message_itself_out_of_ones_own_mailbox(question, store, enter, case):
    page, holder = question(), enter("ingen")
    if case == "taken away":
        store.take_away()
    elif case == "another's":  # somebody was asked who is not its holder
        store.holder = "nagon@sjovalla.example"
        store.lay("INBOX", b"Subject: Annat\r\n\r\n", store.holder)
    elif case == "forged":  # the queue id below another's Received header
        top = b"Received: from x by annan.example (Postfix) with ESMTP id 1\r\n"
        store.lay("INBOX", top + RAW)
    else:
        store.holder = None
    answer = holder.post(page, {"hand-over": ""})
    assert answer.status_code == 404
    assert "ligger inte i din brevlåda" in text_of(answer)
    assert store.archived() == []
    assert "<textarea" in text_of(holder.get(page))


@pytest.mark.parametrize("role", ["kff", "kff-chef", "ks", "chef", None])
def test_nobody_else_hands_it_over(question, store, enter, installation, role):
    page, before = question(), traces(installation)
    answer = enter(role).post(page, {"hand-over": ""})
    assert answer.status_code == (302 if role is None else 404)
    assert store.archived() == []
    assert traces(installation) == before


def test_what_was_sent_is_not_offered(question, store, enter):
    page = question("sent", asked=PERSON)
    assert BUTTON not in text_of(enter("ingen").get(page))
    assert enter("ingen").post(page, {"hand-over": ""}).status_code == 404


def test_a_store_that_is_away_is_told_and_nothing_is_answered(
    question, store, enter, monkeypatch, tmp_path
):
    from django.conf import settings

    page, holder = question(), enter("ingen")
    gone = settings.LOGLIST.model_copy(update={"archive_socket": tmp_path / "none"})
    monkeypatch.setattr(settings, "LOGLIST", gone)
    answer = holder.post(page, {"hand-over": ""})
    assert answer.status_code == 503
    assert "gick inte att lämna över nu" in text_of(answer)
    assert "<textarea" in text_of(holder.get(page))


@pytest.mark.parametrize("number", [0, 10**9, 2**62])
def test_the_door_takes_over_nothing_by_a_number_that_nobody_made(store, number, tmp_path):
    door = tmp_path / "door"
    assert archive_door.hand_over(door, number) == archive_door.Answer("unknown")
    assert store.archived() == []


def test_the_webs_role_hands_over_only_by_an_own_open_question(installation, store):
    with psycopg.connect(installation("web"), autocommit=True) as web:
        for statement in (
            "SELECT log.ask_addition('x', 'kff', gen_random_uuid(), 1)",
            "INSERT INTO log.archive_addition (reader, outbox_id, sequence, reading) "
            "VALUES ('person:4', gen_random_uuid(), 1, 1)",
            "SELECT * FROM log.archive_addition",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                web.execute(statement)
