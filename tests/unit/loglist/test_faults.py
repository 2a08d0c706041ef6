"""What a person is told when a page can't be shown: in their language, without a traceback."""

from contextlib import contextmanager

import psycopg
import pytest

from .conftest import PASSWORD

PAGES = ["/login", "/units/ks/", "/units/ks/review/", "/overview/"]


@pytest.fixture
def owner(installation):
    with psycopg.connect(installation("owner"), autocommit=True) as connection:
        yield connection


def end_connections(admin):
    """End the web's connections, as when the database is started anew; wait until they are gone."""
    ended = admin.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE usename = 'kommunpost_web'"
    ).fetchall()
    assert ended == [(True,)] * len(ended)
    return len(ended)


@contextmanager
def database_away(server):
    """Let the web's role in no more, as while the database is being started anew."""
    with server.admin() as admin:
        admin.execute("ALTER ROLE kommunpost_web NOLOGIN")
        end_connections(admin)
        try:
            yield
        finally:
            admin.execute("ALTER ROLE kommunpost_web LOGIN")


@pytest.mark.parametrize("path", PAGES)
def test_a_database_that_is_away_is_told_and_the_next_click_finds_it_again(visit, server, path):
    browser = visit("ks")
    with database_away(server):
        answer = browser.get(path)
        text = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert "Loggningslistan kan inte svara just nu" in text
    assert "Sjövalla kommun" in text
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert browser.get(path).status_code == 200


@pytest.mark.parametrize("path", [*PAGES, "/health", "/accessibility"])
def test_nobody_notices_that_the_database_was_started_anew_between_two_clicks(visit, server, path):
    from django.db import close_old_connections

    browser = visit("ks")
    assert browser.get(path).status_code == 200
    with server.admin() as admin:
        assert end_connections(admin), "the page before left none open"
    close_old_connections()  # which Django does before each request, and its test client doesn't
    assert browser.get(path).status_code == 200


def test_it_is_told_in_english_too(visit, server):
    browser = visit("ks")
    browser.post("/language", {"language": "en", "next": "/"})
    with database_away(server):
        text = browser.get("/units/ks/").content.decode()
    assert "The log list can't answer right now" in text


def test_health_says_that_the_database_is_away(visit, server):
    browser = visit()
    with database_away(server):
        assert browser.get("/health").status_code == 503
    assert browser.get("/health").content == b"ok\n"


def test_the_journal_gets_a_line_and_no_traceback(visit, server, caplog):
    browser = visit("ks")
    with database_away(server):
        browser.get("/units/ks/")
    told = [one for one in caplog.records if one.name.startswith("compliance.loglist")]
    assert [one.exc_info for one in told] == [None]
    assert told[0].getMessage().startswith("/units/ks/: the database is away")
    assert "\n" not in told[0].getMessage()


def test_a_database_that_is_older_than_the_program_is_told(visit, owner):
    browser = visit("ks")
    owner.execute("ALTER TABLE loglist.loglist_reviewitem RENAME TO of_before")
    try:
        answer = browser.get("/units/ks/review/")
    finally:
        owner.execute("ALTER TABLE loglist.of_before RENAME TO loglist_reviewitem")
    assert answer.status_code == 503
    assert "håller på att uppdateras" in answer.content.decode()
    assert browser.get("/units/ks/review/").status_code == 200


def test_a_question_that_takes_too_long_is_given_up(visit, owner, monkeypatch):
    from django.db import connection

    browser = visit("ks")
    options = connection.settings_dict["OPTIONS"]
    monkeypatch.setitem(options, "options", options["options"].replace("=50s", "=200ms"))
    connection.close()
    with owner.transaction():
        owner.execute("LOCK TABLE log.entry IN ACCESS EXCLUSIVE MODE")
        answer = browser.get("/units/ks/")
    connection.close()
    assert answer.status_code == 503
    assert "Välj en kortare period" in answer.content.decode()
    monkeypatch.undo()


def test_a_page_that_fails_says_what_to_do_and_shows_no_traceback(visit, monkeypatch):
    from compliance.loglist.views import account

    browser = visit("ks")
    browser.raise_request_exception = False

    def failing(*_):
        raise RuntimeError("hemlig uppgift")

    monkeypatch.setattr(account, "units_of", failing)
    answer = browser.get("/")
    text = answer.content.decode()
    assert answer.status_code == 500
    assert "Säg till it-avdelningen vad du höll på med" in text
    assert "hemlig" not in text
    assert "Traceback" not in text


def test_a_form_that_is_too_old_is_told(visit):
    from django.test import Client

    browser = Client(
        enforce_csrf_checks=True,
        HTTP_HOST="loggningslista.intranat.sjovalla.example",
        HTTP_X_FORWARDED_PROTO="https",
    )
    answer = browser.post("/login", {"address": "ks@sjovalla.example", "password": PASSWORD})
    assert answer.status_code == 403
    assert "Formuläret togs inte emot" in answer.content.decode()


def test_a_question_that_nobody_understands_is_told(visit):
    answer = visit("ks").post("/login", {f"field{n}": "x" for n in range(1001)})
    assert answer.status_code == 400
    assert "Det går inte att förstå" in answer.content.decode()
