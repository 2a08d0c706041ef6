"""What was kept back may be appealed: disposal waits for that, and for the court."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import psycopg
import pytest
from django.db import IntegrityError

from .desk import choose, mask, register
from .test_desk import WRITES, holds, text_of

SECTION = "26 kap. 1 § OSL"


@pytest.fixture(autouse=True)
def _directory(monkeypatch, installation):
    from compliance.loglist.desk import rows

    monkeypatch.setattr(rows, "_protected_addresses", frozenset)


@pytest.fixture
def refused(visit):
    """A request that ended without an extract."""
    browser = visit("bun")
    path = register(browser, "bun")
    assert browser.post(f"{path}end", {"reason": "Sekretess"}).status_code == 302
    return browser, path


def hold_of(installation, path):
    """Return until when the hold of a request stands; None: until further notice."""
    with psycopg.connect(installation("owner")) as owner:
        return owner.execute(
            "SELECT until FROM log.hold WHERE why = %s",
            [f"request for the log list, number {path.split('/')[-2]}"],
        ).fetchone()[0]


def told(browser, path):
    """Return what the page says of the request."""
    return text_of(browser, path).partition("<dl>")[2].partition("</dl>")[0]


def note(browser, path, what):
    assert browser.post(f"{path}appeal", {"is": what}).status_code == 302


def test_after_a_refusal_disposal_waits_for_an_appeal(refused, installation):
    browser, path = refused
    until = hold_of(installation, path)
    assert abs(until - datetime.now(UTC) - timedelta(days=56)) < timedelta(minutes=5)
    assert f"Väntar till {until.astimezone().date()}" in text_of(browser, path)


def test_after_a_masked_extract_too(visit, installation):
    browser = visit("bun")
    path = choose(browser, register(browser, "bun"))
    mask(browser, path, "subject", SECTION)
    page = text_of(browser, f"{path}hand-out")
    digest = page.partition('name="digest" value="')[2].partition('"')[0]
    before = holds(installation, "bun")
    assert browser.post(f"{path}hand-out", {"digest": digest}).status_code == 302
    assert holds(installation, "bun") == before
    assert hold_of(installation, path) is not None


def test_an_appeal_holds_until_the_case_is_closed(refused, installation):
    browser, path = refused
    note(browser, path, "appealed")
    assert hold_of(installation, path) is None
    appealed = told(browser, path)
    assert "Väntar tills vidare: beslutet är överklagat." in appealed
    assert appealed.count("Person 2") == 3, "who registered, ended and noted it"
    note(browser, path, "appealed")
    assert told(browser, path) == appealed, "a second click changes nothing"
    note(browser, path, "over")
    assert hold_of(installation, path) <= datetime.now(UTC)
    closed = told(browser, path)
    assert "målet är avslutat" in closed
    for what in ("over", "appealed"):
        note(browser, path, what)
        assert told(browser, path) == closed
    assert "Målet är avslutat</button>" not in text_of(browser, path)


def test_a_case_that_never_began_is_not_closed(refused, installation):
    browser, path = refused
    until = hold_of(installation, path)
    note(browser, path, "over")
    assert hold_of(installation, path) == until


def test_when_nobody_has_appealed_disposal_goes_on_by_itself(refused, monkeypatch):
    from compliance.loglist.models import disclosure

    later = SimpleNamespace(now=lambda: datetime.now(UTC) + timedelta(days=57))
    monkeypatch.setattr(disclosure, "timezone", later)
    browser, path = refused
    assert "ingen har överklagat i tid" in text_of(browser, path)


@pytest.mark.parametrize("role", [role for role in WRITES if role])
def test_only_who_reviews_the_unit_notes_an_appeal(visit, refused, installation, role):
    _, path = refused
    answer = visit(role).post(f"{path}appeal", {"is": "appealed"})
    assert (answer.status_code == 302) is ("bun" in WRITES[role])
    assert (hold_of(installation, path) is None) is ("bun" in WRITES[role])


def test_an_open_request_is_not_appealed(visit):
    browser = visit("bun")
    path = register(browser, "bun")
    assert browser.post(f"{path}appeal", {"is": "appealed"}).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        "held_until = NULL",
        "appealed_at = now(), reason = 'annat'",
        "appeal_over_at = now()",
        "appealed_at = now(), appeal_over_at = now()",
        "appealed_by = 'Någon annan'",
    ],
)
def test_the_database_lets_nothing_else_be_changed(refused, installation, change):
    browser, path = refused
    with psycopg.connect(installation("web"), autocommit=True) as web:
        web.execute("SELECT set_config('loglist.token', %s, false)", [browser.session["token"]])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            web.execute(
                f"UPDATE loglist.loglist_disclosure SET {change} WHERE id = %s",
                [int(path.split("/")[-2])],
            )


@pytest.mark.parametrize(
    "change",
    [
        "appealed_at = now()",
        "appealed_by = 'Någon annan'",
        "appeal_over_at = now()",
        "appeal_over_by = 'Någon annan'",
        "held_until = now()",
        "ended_at = now(), outcome = 'not-handed-out', appealed_at = now()",
    ],
)
def test_nothing_of_an_appeal_is_noted_while_a_request_is_open(visit, installation, change):
    browser = visit("bun")
    number = int(register(browser, "bun").split("/")[-2])
    with psycopg.connect(installation("web"), autocommit=True) as web:
        web.execute("SELECT set_config('loglist.token', %s, false)", [browser.session["token"]])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            web.execute(f"UPDATE loglist.loglist_disclosure SET {change} WHERE id = %s", [number])


def test_a_request_does_not_begin_with_an_appeal(visit, installation):
    from compliance.loglist.login import read_as
    from compliance.loglist.models import Disclosure

    browser = visit("bun")
    read_as(browser.session["token"])
    for name in ("held_until", "appealed_at", "appeal_over_at"):
        with pytest.raises(IntegrityError, match="disclosure_open_without_appeal"):
            Disclosure.objects.create(
                unit="bun", asked_for="x", received_on="2026-11-25", **{name: datetime.now(UTC)}
            )
