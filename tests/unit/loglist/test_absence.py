"""A message of somebody's own mailbox, opened in their absence by two persons, and not by one."""

import io
import json
import re
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from compliance.directory.log_readers import LogReader
from compliance.messagelog import archive_door
from compliance.settings import Archive, Log

from . import conftest
from .archived_mail import PERSON, ROWS, UNIT

HOLDER = "person:eva"
WHY = "Överklagandetiden går ut i dag\noch Eva svarar inte <b>"


@pytest.fixture
def page(archived):
    """The address of the entry of a letter to somebody's own mailbox."""
    return archived("personal")


@pytest.fixture
def town(enter, installation, monkeypatch):
    """A municipality that has turned it on; nobody has asked for anything. Returns who visits."""
    from django.conf import settings

    from compliance.loglist.message import absence

    with psycopg.connect(installation("owner"), autocommit=True) as owner:
        owner.execute("TRUNCATE loglist.loglist_absencerequest")
    chosen = settings.LOGLIST.model_copy(update={"absence": True})
    monkeypatch.setattr(settings, "LOGLIST", chosen)
    found = [SimpleNamespace(holder=HOLDER, is_function=False)]
    directory = SimpleNamespace(mailboxes=lambda _, address: found if address == PERSON else [])
    monkeypatch.setattr(absence, "Ldap", lambda _settings: directory)
    for name, id_, reviews in (
        ("kollega", "person:kollega", [UNIT]),
        ("eva", HOLDER, [UNIT]),
        ("eva-chef", HOLDER, []),
    ):
        known = LogReader(
            dn="uid=8", id=id_, name=f"Person {name}", units={UNIT: "Kultur"},
            reviews=frozenset(reviews), everything=False,
        )  # fmt: skip
        monkeypatch.setitem(conftest.ACCOUNTS, f"{name}@sjovalla.example", known)
    return enter


def ask(browser, page, reason=WHY):
    return browser.post(f"{page}/absence", {"reason": reason})


def agree(browser, page):
    """Agree to the last request about an entry, by its page or by hand."""
    from compliance.loglist.models import AbsenceRequest
    from compliance.loglist.work import worker

    with worker():
        last = AbsenceRequest.objects.order_by("id").last()
    return browser.post(f"{page}/absence", {"agree": last.id if last else 0})


def shift(installation, **times):
    """Let a request's times lie so long ago."""
    with psycopg.connect(installation("owner"), autocommit=True) as owner:
        for column, ago in times.items():
            owner.execute(
                f"UPDATE loglist.loglist_absencerequest SET {column} = {column} - %s::interval",
                [ago],
            )


def text_of(answer):
    return answer.content.decode()


def opened(browser, page):
    return "Som det kom fram" in text_of(browser.get(f"{page}/message"))


@pytest.mark.parametrize("second", ["kff-chef", "chef"])
def test_whoever_reviews_asks_another_agrees_and_then_it_is_opened(town, page, second):
    browser = town("kff")
    closed = text_of(browser.get(f"{page}/message"))
    (link,) = re.findall(r'href="([^"]+)">öppna det i innehavarens frånvaro', closed)
    assert ask(browser, page).status_code == 302
    assert not opened(browser, page), "one is not enough"
    agreeing = town(second)
    listed = text_of(agreeing.get(f"/units/{UNIT}/absences/"))
    assert link in listed
    assert "Eva svarar inte &lt;b&gt;" in listed
    assert "Godkänn, i mitt namn" in text_of(agreeing.get(link))
    assert agree(agreeing, page).status_code == 302
    assert "Öppna meddelandet" in text_of(browser.get(link))
    assert opened(browser, page)
    assert "Som det kom fram" in text_of(browser.get(f"{page}/message.eml"))


def test_both_names_and_the_reason_stand_in_the_trail(town, page, installation):
    browser = town("kff")
    ask(browser, page)
    agree(town("kff-chef"), page)
    assert opened(browser, page)
    trail = text_of(town("chef").get(f"/trail/{UNIT}/"))
    assert "öppnat: visat; i innehavarens frånvaro, skäl: Överklagandetiden" in trail
    assert "godkänt av: Person kff-chef" in trail
    assert "<b>" not in trail
    with psycopg.connect(installation("owner")) as owner:
        noted = owner.execute(
            "SELECT r.reader, r.name, a.mailbox FROM log.archive_reading AS a "
            "JOIN log.reading AS r ON r.number = a.reading JOIN log.entry AS e "
            "USING (outbox_id, sequence) WHERE e.queue_id = %s ORDER BY a.number DESC LIMIT 1",
            [ROWS["personal"][0]],
        ).fetchone()
    assert noted == ("person:kff", "Person kff", PERSON)


@pytest.mark.parametrize("second", ["kff", "kollega", "eva", "eva-chef", "ks", "ingen"])
def test_neither_the_asker_nor_a_fellow_reviewer_nor_the_holder_agrees(town, page, second):
    ask(town("kff"), page)
    other = town(second)
    assert "Godkänn, i mitt namn" not in text_of(other.get(f"{page}/absence"))
    assert agree(other, page).status_code == 404
    assert not opened(town("kff"), page)


@pytest.mark.parametrize("name", ["kff-chef", "chef", "eva", "ks", "ingen"])
def test_only_who_reviews_the_unit_asks_and_not_for_their_own_mailbox(town, page, name):
    browser = town(name)
    assert ask(browser, page).status_code == (400 if name == "eva" else 404)
    assert agree(town("kff-chef"), page).status_code == 404


def test_what_was_agreed_to_is_for_whoever_asked_alone(town, page):
    ask(town("kff"), page)
    agree(town("kff-chef"), page)
    for name in ("kollega", "kff-chef", "chef"):
        assert not opened(town(name), page)


def test_after_a_day_it_is_closed_again(town, page, installation):
    browser = town("kff")
    ask(browser, page)
    agree(town("kff-chef"), page)
    shift(installation, agreed_at="23 hours")
    assert opened(browser, page)
    shift(installation, agreed_at="2 hours")
    assert not opened(browser, page)
    assert "Begär godkännande" in text_of(browser.get(f"{page}/absence"))


def test_a_request_lapses_after_a_week(town, page, installation):
    ask(town("kff"), page)
    shift(installation, asked_at="8 days")
    chief = town("kff-chef")
    assert "Begäran har förfallit" in text_of(chief.get(f"{page}/absence"))
    assert agree(chief, page).status_code == 404
    assert "Ingen begäran väntar" in text_of(chief.get(f"/units/{UNIT}/absences/"))


def test_a_double_click_asks_once_and_the_first_who_agrees_counts(town, page, installation):
    browser = town("kff")
    ask(browser, page)
    ask(browser, page, "Igen")
    agree(town("kff-chef"), page)
    assert agree(town("chef"), page).status_code == 404
    with psycopg.connect(installation("owner")) as owner:
        stored = owner.execute("SELECT agreed_by FROM loglist.loglist_absencerequest").fetchall()
    assert stored == [("person:kff-chef",)]


@pytest.mark.parametrize("reason", ["", "   "])
def test_without_a_reason_nothing_is_asked(town, page, reason):
    answer = ask(town("kff"), page, reason)
    assert answer.status_code == 400
    assert "Skriv varför" in text_of(answer)
    assert agree(town("kff-chef"), page).status_code == 404


def test_a_letter_to_a_function_mailbox_or_sent_from_the_unit_is_not_asked_for(town, archived):
    answer = ask(town("kff"), archived("letter"))
    assert answer.status_code == 400
    assert "Katalogen känner ingen annan" in text_of(answer)
    assert ask(town("kff"), archived("sent")).status_code == 404


def test_it_is_off_unless_the_municipality_turns_it_on(enter, archived):
    browser, page = enter("kff"), archived("personal")
    assert "frånvaro" not in text_of(browser.get(f"{page}/message"))
    assert "frånvaro" not in text_of(browser.get(f"/units/{UNIT}/"))
    assert browser.get(f"{page}/absence").status_code == 404
    assert ask(browser, page).status_code == 404
    assert browser.get(f"/units/{UNIT}/absences/").status_code == 404


def test_the_mail_store_hands_nothing_out_where_it_is_off_whatever_the_web_says(
    town, page, installation
):
    """The web's process may be taken over; the door's own settings are root's."""
    browser = town("kff")
    ask(browser, page)
    agree(town("kff-chef"), page)
    assert opened(browser, page)
    with psycopg.connect(installation("owner")) as owner:
        (number,) = owner.execute(
            "SELECT max(number) FROM log.archive_reading WHERE mailbox IS NOT NULL"
        ).fetchone()
    output = io.BytesIO()
    door = Archive(command=["false"], read_conf=Path("/x"))
    log, question = Log(dsn=installation("web")), io.BytesIO(b"%d\n" % number)
    archive_door.answer(log, door, question, output)
    assert json.loads(output.getvalue())["state"] == "unknown"


def test_the_web_has_no_other_way_into_the_requests(town, page, installation):
    browser = town("kff")
    ask(browser, page)
    with psycopg.connect(installation("web"), autocommit=True) as web:
        web.execute("SELECT set_config('loglist.token', %s, false)", [browser.session["token"]])
        for statement in (
            "UPDATE loglist.loglist_absencerequest SET agreed_at = now()",
            "DELETE FROM loglist.loglist_absencerequest",
            "INSERT INTO loglist.loglist_absencerequest (unit) VALUES ('kff')",
            "SELECT log.ask_mailbox('x', 'kff', gen_random_uuid(), 1, 'view', '{}')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                web.execute(statement)


def test_a_message_that_is_gone_from_the_mailbox_is_told(town, page, monkeypatch):
    from compliance.loglist.message import opening

    browser = town("kff")
    ask(browser, page)
    agree(town("kff-chef"), page)
    gone = archive_door.Answer("missing"), b""
    monkeypatch.setattr(opening.archive_door, "ask", lambda *_given: gone)
    answer = browser.get(f"{page}/message")
    assert answer.status_code == 404
    assert "finns inte längre i brevlådan" in text_of(answer)


def test_whose_an_address_without_a_domain_is_can_be_told(town):
    from compliance.loglist.message import absence

    row = {"recipient_unit": UNIT, "recipient": PERSON.partition("@")[0]}
    assert absence.holder_of(UNIT, row) == HOLDER
