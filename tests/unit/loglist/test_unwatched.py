"""The overview's unwatched mailboxes: which, why, of whose units, and what is not known."""

import re
from contextlib import nullcontext
from datetime import date, datetime, time, timedelta

import pytest

from compliance.clock import SWEDEN, today
from compliance.directory.model import Organisation, Person, PersonKind, Position, Unit, Watch
from compliance.directory.model import UnitKind as Kind
from compliance.directory.plan import make_plan
from compliance.directory.tree import Held
from compliance.errors import UserError
from compliance.messagelog.mailboxes import Mailbox, note
from compliance.settings import Log
from compliance.workdays import is_working_day

from .test_overview import table, text_of

DOMAIN = "sjovalla.example"
KS, BUN, RAD = (f"{name}@{DOMAIN}" for name in ("kommunstyrelsen", "skolnamnden", "kommunalrad"))
HOSTILE = "Skolnämnden \u202e<script>"


def _entries():
    watch = Watch("1", "2")
    people = tuple(
        Person(n, name, "", "Ek", PersonKind.EMPLOYEE, "ks")
        for n, name in (("1", "Ann"), ("2", "Bo"))
    )
    organisation = Organisation(
        municipality="Sjövalla kommun",
        units=(
            Unit("ks", "Kommunstyrelsen", Kind.AUTHORITY, None, watch),
            Unit("kk", "Kommunkontoret", Kind.ADMINISTRATION, "ks", watch),
            Unit("bun", "Skolnämnden", Kind.AUTHORITY, None, watch),
        ),
        positions=(Position("rad", "Kommunalråd", "ks", ()),),  # vacant
        people=people,
        pcs=(),
        commissioner="rad",
        executive_office="kk",
    )
    plan = make_plan(organisation, DOMAIN, "dc=x", Held(), date(2026, 11, 24), 90)
    found = {change.mailbox.rdn.lower(): change.mailbox for change in plan.changes}
    found["ou=bun,ou=units"] = found["ou=bun,ou=units"].having(description=HOSTILE)
    return found


@pytest.fixture
def directory(monkeypatch, visit):
    """Let the directory answer with the little town's entries, or with what a test makes it."""
    from django.core.cache import cache

    from compliance.loglist import unwatched

    cache.clear()
    answers = {"entries": _entries()}

    def read(*_):
        if answers["entries"] is None:
            raise UserError.of("the directory cannot be reached")
        return answers["entries"]

    monkeypatch.setattr(unwatched.ldap, "connect", lambda *_: nullcontext())
    monkeypatch.setattr(unwatched, "read_watch", read)
    yield answers
    cache.clear()


@pytest.fixture
def noted(installation):
    """Note mailboxes as the mail store does, and nothing more after the test."""
    log = Log(dsn=installation("writer"))
    yield lambda *boxes: note(log, boxes)
    note(log, [])


def _last_working_day():
    day = today()
    while not is_working_day(day):
        day -= timedelta(days=1)
    return day


AT = datetime.combine(_last_working_day(), time(7, 3), SWEDEN)
LONG_AGO = AT - timedelta(days=14)


def _told(text):
    if 'id="mailboxes"' not in text:
        return {}
    of_boxes = re.search(r'<caption id="mailboxes">.*?</table>', text, flags=re.S)[0]
    cells = table(f"<table>{of_boxes}")
    return {name.split()[-1]: more for name, more in cells.items() if "@" in name}


def test_a_mailbox_without_a_keeper_and_one_with_old_mail_are_told_and_why(visit, directory, noted):
    noted(
        Mailbox(KS, "ks", AT, LONG_AGO),
        Mailbox(RAD, "ks", AT, None),
        Mailbox(f"kommunkontoret@{DOMAIN}", "kk", AT, LONG_AGO),
    )
    text = text_of(visit("ks"), "/units/ks/overview/")
    told = _told(text)
    assert set(told) == {KS, RAD}
    assert told[RAD] == ["Ingen som är i tjänst", "–", "–"]
    who, since, days = told[KS]
    assert who == "Det finns någon utsedd"
    assert since == f"{LONG_AGO:%Y-%m-%d %H:%M}"
    assert int(days) >= 7
    assert f"Vad som låg oläst antecknades {AT:%Y-%m-%d %H:%M}." in text
    assert "inte känt" not in text
    assert "har inte gjorts" not in text


def test_what_came_the_day_before_is_not_told(visit, directory, noted):
    noted(Mailbox(BUN, "bun", AT, AT - timedelta(days=1)))
    assert _told(text_of(visit("bun"), "/units/bun/overview/")) == {}
    assert "Ingen brevlåda är obevakad" in text_of(visit("bun"), "/units/bun/overview/")


def test_a_mailbox_that_the_directory_closed_since_is_not_told(visit, directory, noted):
    noted(Mailbox(BUN, "bun", AT, LONG_AGO))
    closed = _entries()["ou=bun,ou=units"].having(kommunpostStatus="closed")
    directory["entries"] = _entries() | {"ou=bun,ou=units": closed}
    assert _told(text_of(visit("bun"), "/units/bun/overview/")) == {}


def test_a_mailbox_leads_to_its_rows(visit, directory, noted):
    browser = visit("ks")
    text = text_of(browser, "/units/ks/overview/")
    (page,) = re.findall(r'href="(/units/ks/\?address=[^"]+)"', text)
    assert f'value="{RAD}"' in text_of(browser, page)


def test_what_is_not_known_is_said(visit, directory, noted):
    text = text_of(visit("bun"), "/units/bun/overview/")
    assert "inget har antecknats ännu" in text
    noted(Mailbox(BUN, "bun", AT - timedelta(days=10), None))
    text = text_of(visit("bun"), "/units/bun/overview/")
    assert "men det har inte gjorts" in text
    directory["entries"] = _entries() | {
        "cn=rektor,ou=positions": _entries()["cn=rad,ou=positions"].having(
            kommunpostUnit="bun", mail=f"rektor@{DOMAIN}"
        )
    }
    from django.core.cache import cache

    cache.clear()
    text = text_of(visit("bun"), "/units/bun/overview/")
    assert "Brevlådor som inte undersöktes: 1." in text


@pytest.mark.parametrize("entries", [None, {}])
def test_without_the_directory_the_rest_of_the_page_comes(visit, directory, noted, entries):
    directory["entries"] = entries
    noted(Mailbox(KS, "ks", AT, LONG_AGO))
    text = text_of(visit("ks"), "/units/ks/overview/")
    assert "Katalogen svarar inte" in text
    assert _told(text)[KS][0] == "Inte känt"
    assert "E-post per dag" in text
    assert "Katalogen svarar inte" in text_of(visit("ks"), "/overview/")


@pytest.mark.parametrize(
    ("role", "may"),
    [("ks", {"ks"}), ("bun", {"bun"}), ("bada", {"ks", "bun"}), ("chef", {"ks", "bun"}),
     ("ingen", set())],
)  # fmt: skip
def test_another_units_mailboxes_are_never_shown(visit, directory, noted, role, may):
    noted(Mailbox(KS, "ks", AT, LONG_AGO), Mailbox(BUN, "bun", AT, LONG_AGO))
    browser = visit(role)
    for unit, address in (("ks", KS), ("bun", BUN)):
        answer = browser.get(f"/units/{unit}/overview/")
        assert answer.status_code == (200 if unit in may else 404)
        for other in {KS, BUN, RAD} - ({KS, RAD} if unit == "ks" else {address}):
            assert other not in answer.content.decode()
        assert (address in answer.content.decode()) == (unit in may)
        everything = browser.get("/overview/").content.decode()
        assert (f"/units/{unit}/overview/#unwatched" in everything) == (unit in may)


def test_of_all_units_the_number_leads_to_the_units_mailboxes(visit, directory, noted):
    noted(Mailbox(KS, "ks", AT, LONG_AGO), Mailbox(BUN, "bun", AT, None))
    text = text_of(visit("chef"), "/overview/")
    found = dict(re.findall(r'href="/units/(\w+)/overview/#unwatched">(\d+)</a>', text))
    assert (found["ks"], found["bun"]) == ("2", "0")
    directory["entries"] = None
    from django.core.cache import cache

    cache.clear()
    noted()
    assert "#unwatched" not in text_of(visit("chef"), "/overview/"), "not known is not none"


def test_a_name_that_would_turn_the_page_is_written_out(visit, directory, noted):
    noted(Mailbox(BUN, "bun", AT, LONG_AGO))
    text = visit("bun").get("/units/bun/overview/").content.decode()
    assert "⟦U+202E⟧&lt;script&gt;" in text
