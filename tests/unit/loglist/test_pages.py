"""What a reader meets: logging in, the list, and pages that load nothing from elsewhere."""

import json
import re
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from messagelog.test_formats import HOSTILE
from messagelog.test_reading import HOST, OUTBOX

from .conftest import PASSWORD

OPEN = Path("/proc/self/fd")


@pytest.fixture(autouse=True)
def _no_failures(installation):
    yield
    with psycopg.connect(installation("web")) as web:
        web.execute("DELETE FROM loglist.loglist_loginfailure")


def log_in(browser, address="ks@sjovalla.example", password=PASSWORD):
    return browser.post("/login", {"address": address, "password": password})


def test_the_right_password_leads_to_the_list(visit):
    browser = visit()
    assert log_in(browser, " KS@sjovalla.example ").status_code == 302
    assert "Kommunstyrelsen" in browser.get("/", follow=True).content.decode()


@pytest.mark.parametrize("address", ["ks@sjovalla.example", "finns-inte@sjovalla.example"])
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(visit, address):
    text = log_in(visit(), address, "fel").content.decode()
    assert "Adressen eller lösenordet stämmer inte." in text


def test_after_five_wrong_passwords_the_right_one_has_to_wait_too(visit, monkeypatch):
    browser = visit()
    for _ in range(5):
        assert log_in(browser, password="fel").status_code == 400
    answer = log_in(browser)
    assert answer.status_code == 400
    assert "Vänta en kvart" in answer.content.decode()
    assert log_in(visit(), "bun@sjovalla.example").status_code == 302, "others do not wait"
    from compliance.loglist import login

    monkeypatch.setattr(login, "WAIT", timedelta(0))
    assert log_in(browser).status_code == 302


def test_a_right_password_clears_the_failures(visit):
    browser = visit()
    for _ in range(3):
        for _ in range(3):
            log_in(browser, password="fel")
        assert log_in(browser).status_code == 302


@pytest.mark.parametrize("target", ["https://ond.example/", "//ond.example", "javascript:alert(1)"])
def test_logging_in_leads_to_no_other_site(visit, target):
    answer = visit().post(
        f"/login?next={target}", {"address": "ks@sjovalla.example", "password": PASSWORD}
    )
    assert answer["Location"] == "/"


@pytest.mark.parametrize("target", ["review", "list", "logout", "?a=b", "%23x", "..", "\\x"])
def test_what_is_no_path_leads_to_the_first_page(visit, target):
    answer = visit().post(
        f"/login?next={target}", {"address": "ks@sjovalla.example", "password": PASSWORD}
    )
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_a_form_of_another_site_is_refused(visit):
    from django.test import Client

    browser = Client(
        enforce_csrf_checks=True,
        HTTP_HOST="loggningslista.intranat.sjovalla.example",
        HTTP_X_FORWARDED_PROTO="https",
    )
    assert log_in(browser).status_code == 403


@pytest.mark.parametrize("path", ["/login", "/units/ks/", "/units/bun/"])
def test_every_page_is_strict(visit, path):
    answer = visit("ks").get(path)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer["Strict-Transport-Security"].startswith("max-age=31536000")
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "no-store"
    text = answer.content.decode()
    assert "<script" not in text
    assert " style=" not in text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', text)


def test_cookies_are_secure(visit):
    browser = visit()
    browser.get("/login")
    log_in(browser)
    for cookie in browser.cookies.values():
        assert cookie.key.startswith("__Host-")
        assert cookie["secure"]
        assert cookie["httponly"]


def test_another_host_name_is_refused(visit):
    assert visit().get("/login", HTTP_HOST="ond.example").status_code == 400


def test_health_says_ok_without_logging_in(visit):
    assert visit().get("/health").content == b"ok\n"


def test_the_list_is_in_swedish_and_in_english_on_demand(visit):
    browser = visit("ks")
    text = browser.get("/units/ks/").content.decode()
    assert '<html lang="sv">' in text
    assert "Ärendemening" in text
    assert "2026-11-24 10:09" in text, "Swedish time"
    browser.post("/language", {"language": "en", "next": "/units/ks/"})
    text = browser.get("/units/ks/").content.decode()
    assert '<html lang="en">' in text
    assert "Subject" in text


def test_days_are_swedish_and_both_included(visit):
    browser = visit("ks")
    for query, found in (
        ("since=2026-11-24&until=2026-11-24", True),
        ("until=2026-11-23", False),
        ("since=2026-11-25", False),
        ("since=0001-01-01&until=9999-12-31", True),  # the first and the last day there are
    ):
        text = browser.get(f"/units/ks/?{query}").content.decode()
        assert ("Bygglov för altan" in text) is found


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("since=2026-11-25&until=2026-11-24", "Den sista dagen ligger före den första."),
        ("since=igår", "giltigt datum"),
        ("direction=upp", "upp"),
    ],
)
def test_a_filter_that_makes_no_sense_is_told(visit, query, told):
    answer = visit("ks").get(f"/units/ks/?{query}")
    assert answer.status_code == 400
    assert told in answer.content.decode()


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_of_an_export_that_was_fetched_nothing_is_left_open(visit, form):
    browser = visit("ks")
    before = len(list(OPEN.iterdir()))
    answer = browser.get(f"/units/ks/export.{form}")
    assert b"".join(answer.streaming_content)
    answer.close()
    assert len(list(OPEN.iterdir())) == before


def test_whoever_reviews_nothing_is_told_what_to_do(visit):
    assert "Du granskar ingen enhet" in visit("ingen").get("/", follow=True).content.decode()


def test_hostile_subjects_are_shown_harmlessly(visit, installation, entry):
    import uuid

    from compliance.messagelog.entry import first_chain, link, to_json

    outbox = uuid.uuid4()
    chain, records = first_chain(outbox), []
    for number, subject in enumerate(HOSTILE, 1):
        made = entry(subject=subject.replace("\0", "\ufffd"), recipient_unit="bun")
        record = link(chain, number, made, bytes(32))
        chain = record.chain
        records.append(to_json(record))
    with psycopg.connect(installation("writer"), autocommit=True) as writer:
        writer.execute(
            "SELECT log.append(%s, %s, %s)",
            [outbox, "mail.sjovalla.example", json.dumps(records)],
        )
    browser = visit("bun")
    for path in ("/units/bun/", *(f"/units/bun/{outbox}/{n}" for n in range(1, len(HOSTILE) + 1))):
        answer = browser.get(path)
        assert answer.status_code == 200
        text = answer.content.decode()
        assert "<script>alert" not in text
        assert not set("\u202e\u2066\x1b\x85") & set(text)


def test_a_page_leads_to_the_next_and_no_further(visit, monkeypatch):
    from compliance.loglist.views import entries

    monkeypatch.setattr(entries, "PAGE", 2)
    browser = visit("ks")
    first = browser.get("/units/ks/").content.decode()
    (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = browser.get("/units/ks/" + older.replace("&amp;", "&")).content.decode()
    assert "Bygglov för altan" in second
    assert "Bygglov för altan" not in first
    assert 'rel="next"' not in second


def test_every_text_is_in_swedish():
    import gettext

    import compliance.loglist

    root = Path(compliance.loglist.__file__).parent
    with (root / "locale/sv/LC_MESSAGES/django.mo").open("rb") as stream:
        swedish = gettext.GNUTranslations(stream)._catalog
    used = set()
    for path in root.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r'translate "([^"]+)"', text))
        blocks = re.findall(r"{% blocktranslate[^%]*%}(.+?){% endblocktranslate", text)
        used |= {re.sub(r"{{ (\w+) }}", r"%(\1)s", block) for block in blocks}
    for path in root.rglob("*.py"):
        used |= set(re.findall(r'\b_\(\s*"([^"]+)"', path.read_text(encoding="utf-8")))
    assert used
    assert used - set(swedish) == set()
    source = (root / "locale/sv/LC_MESSAGES/django.po").read_text(encoding="utf-8")
    written = dict(re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', source, flags=re.M))
    assert written == {key: value for key, value in swedish.items() if key}


def test_the_list_and_the_entry_tell_what_became_of_the_mail(visit, installation, entry):
    deliveries = [("ks@x.example", "sent", "250 lagrat"), ("bun@x.example", "bounced", "550 fel")]
    with psycopg.connect(installation("owner"), autocommit=True) as owner:
        for recipient, status, reply in deliveries:
            owner.execute(
                "INSERT INTO log.delivery (host, queue_id, at, recipient, status, reply) "
                "VALUES (%s, %s, now(), %s, %s, %s)",
                [HOST, entry().queue_id, recipient, status, reply],
            )
    _, *rows = visit("ks").get("/units/ks/").content.decode().split("<tr>")
    told = {
        word: [
            subject
            for subject in ("Bygglov för altan", "Remiss")
            for row in rows
            if subject in row and word in row
        ]
        for word in ("Levererat", "Returnerat")
    }
    assert told == {"Levererat": ["Bygglov för altan"], "Returnerat": ["Remiss"]}
    assert "550 fel" in visit("bun").get(f"/units/bun/{OUTBOX}/2").content.decode()


def test_the_accessibility_statement_is_read_without_logging_in(visit):
    browser = visit()
    assert 'href="/accessibility"' in browser.get("/login").content.decode()
    text = browser.get("/accessibility").content.decode()
    assert "postmaster@sjovalla.example" in text
    assert "Sjövalla kommun står bakom" in text
