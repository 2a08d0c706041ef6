"""Two-step verification: a code from the telephone, once."""

import re
import time

import psycopg
import pyotp
import pytest
from messagelog.conftest import entry, new_log, server  # noqa: F401

from loglist.conftest import ACCOUNTS, PASSWORD

STEP = 30


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets; telephone and web go by it."""
    from compliance.loglist import second_factor
    from compliance.loglist.views import second_factor as pages

    class Clock:
        now = time.time()

        def time(self):
            return self.now

    clock = Clock()
    for module in (second_factor, pages):
        monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def telephone(visit, clock, installation, monkeypatch):
    """Set up the second step for ks@ by the page, and return what the telephone shows."""
    from compliance.loglist import login

    monkeypatch.setattr(login, "look_up", ACCOUNTS.get)
    browser = visit("ks")
    secret = secret_on(browser.get("/second-step"))
    shows = pyotp.TOTP(secret)
    assert browser.post("/second-step", {"code": shows.at(clock.now)}).status_code == 302
    assert secret.encode() not in stored(installation)
    clock.now += 2 * STEP
    yield shows
    with psycopg.connect(installation("owner"), autocommit=True) as owner:
        owner.execute("DELETE FROM loglist.loglist_secondfactor")
        owner.execute("DELETE FROM loglist.loglist_loginfailure")


def stored(dsn) -> bytes:
    with psycopg.connect(dsn("owner")) as owner:
        row = owner.execute("SELECT secret FROM loglist.loglist_secondfactor").fetchone()
    return bytes(row[0])


def secret_on(answer) -> str:
    return re.search(r"<code>([A-Z2-7 ]+)</code>", answer.content.decode())[1].replace(" ", "")


def give_password(browser, name="ks"):
    return browser.post("/login", {"address": f"{name}@sjovalla.example", "password": PASSWORD})


def test_the_password_alone_lets_nobody_in_any_more(visit, telephone, clock):
    browser = visit()
    assert give_password(browser)["Location"] == "/login/code"
    assert browser.get("/units/ks/")["Location"].startswith("/login")
    assert browser.post("/login/code", {"code": "000000"}).status_code == 400
    answer = browser.post("/login/code", {"code": telephone.at(clock.now)})
    assert answer.status_code == 302
    assert browser.get("/units/ks/").status_code == 200


def test_a_code_is_taken_once(visit, telephone, clock):
    code = telephone.at(clock.now)
    first, second = visit(), visit()
    give_password(first)
    give_password(second)
    assert first.post("/login/code", {"code": code}).status_code == 302
    assert second.post("/login/code", {"code": code}).status_code == 400


@pytest.mark.parametrize(("off", "status"), [(-1, 302), (1, 302), (-2, 400), (2, 400)])
def test_a_clock_may_be_half_a_minute_off(visit, telephone, clock, off, status):
    clock.now += 10 * STEP
    browser = visit()
    give_password(browser)
    code = telephone.at(clock.now + off * STEP)
    assert browser.post("/login/code", {"code": code}).status_code == status


def test_guessed_codes_make_the_address_wait(visit, telephone, clock):
    browser = visit()
    give_password(browser)
    wrong = {telephone.at(clock.now + off * STEP) for off in (-1, 0, 1)}
    guesses = [f"{n:06}" for n in range(10) if f"{n:06}" not in wrong]
    for guess in guesses[:5]:
        assert browser.post("/login/code", {"code": guess}).status_code == 400
    answer = browser.post("/login/code", {"code": telephone.at(clock.now)})
    assert (answer.status_code, "Vänta" in answer.content.decode()) == (400, True)
    assert give_password(visit()).status_code == 400, "nor is the password tried"


def test_the_password_holds_for_ten_minutes_only(visit, telephone, clock):
    browser = visit()
    give_password(browser)
    clock.now += 601
    answer = browser.post("/login/code", {"code": telephone.at(clock.now)})
    assert answer["Location"] == "/login"
    assert browser.get("/units/ks/").status_code == 302


def test_who_has_no_code_sees_no_page_of_the_second_step(visit, telephone):
    assert visit().get("/login/code")["Location"] == "/login"
    assert visit().get("/login/second-step")["Location"] == "/login"
    browser = visit()
    give_password(browser)
    assert browser.get("/login/second-step")["Location"] == "/login", "the secret is shown no more"


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "١٢٣٤٥٦", "1234567", "12 34 5x"])
def test_what_is_no_code_is_refused(visit, telephone, code):
    browser = visit()
    give_password(browser)
    assert browser.post("/login/code", {"code": code}).status_code == 400


def test_where_it_is_required_nobody_comes_in_before_it_is_set_up(
    visit, installation, clock, monkeypatch
):
    from django.conf import settings

    from compliance.loglist import login

    monkeypatch.setattr(login, "look_up", ACCOUNTS.get)
    monkeypatch.setattr(settings, "SECOND_FACTOR_REQUIRED", True)
    browser = visit()
    assert give_password(browser, "bun")["Location"] == "/login/second-step"
    assert browser.get("/units/bun/").status_code == 302
    page = browser.get("/login/second-step")
    code = pyotp.TOTP(secret_on(page)).at(clock.now)
    assert browser.post("/login/second-step", {"code": code}).status_code == 302
    assert browser.get("/units/bun/").status_code == 200
    with psycopg.connect(installation("owner"), autocommit=True) as owner:
        owner.execute("DELETE FROM loglist.loglist_secondfactor")


def test_it_is_turned_off_with_a_last_code(visit, telephone, clock):
    browser = visit()
    give_password(browser)
    browser.post("/login/code", {"code": telephone.at(clock.now)})
    assert browser.post("/second-step", {"code": "000000"}).status_code == 400
    clock.now += STEP
    browser.post("/second-step", {"code": telephone.at(clock.now)})
    assert give_password(visit())["Location"] == "/"


def test_the_technician_takes_it_away(visit, telephone, installation):
    from typer.testing import CliRunner

    from compliance.loglist.commands import app

    done = CliRunner().invoke(app, ["forget-second-step", "KS@sjovalla.example"])
    assert (done.exit_code, done.output) == (0, "Person 1: two-step verification is taken away\n")
    assert give_password(visit())["Location"] == "/"
