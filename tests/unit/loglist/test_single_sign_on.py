"""Single sign-on, against a real OpenID provider, a real slapd and a real PostgreSQL.

The provider stands for the municipality's ADFS or Entra ID (tests/openid_site.py).
"""

import html
import re
import time
from urllib.parse import parse_qsl, urlsplit

import psycopg
import pyotp
import pytest
from local_directory import BASE, DOMAIN
from messagelog.conftest import entry, new_log, server  # noqa: F401
from openid_provider import CLIENT, SECRET, LocalProvider, new_key

from compliance.directory.ldap import connect
from compliance.settings import SingleSignOn

from .test_login import ASA, DN, directory  # noqa: F401 - a fixture
from .test_second_factor import STEP, clock  # noqa: F401 - a fixture

SITE = "https://loggningslista.intranat.sjovalla.example"
STRANGER = f"ingen@{DOMAIN}"
BUTTON = "/login/single-sign-on"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    provider = LocalProvider(tmp_path_factory.mktemp("openid"), SITE, [ASA, STRANGER])
    (provider.folder / "secret").write_text(f"{SECRET}\n", encoding="utf-8")
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture
def provider(running):
    running.twist()
    return running


@pytest.fixture
def set_up(installation, directory, provider, monkeypatch):  # noqa: F811
    """Set the log list up with the provider; called again, with other settings."""
    from django.conf import settings
    from django.core.cache import cache

    from compliance.loglist import single_sign_on

    monkeypatch.setattr(single_sign_on, "ANSWER_SECONDS", 300)

    def change(**other):
        cache.clear()
        given = {
            "issuer": provider.issuer,
            "client_id": CLIENT,
            "client_secret_file": provider.folder / "secret",
            "ca_file": provider.certificate,
        }
        monkeypatch.setattr(settings, "OIDC", SingleSignOn(**given | other))

    monkeypatch.setattr(settings, "DIRECTORY", directory)
    change()
    yield change
    cache.clear()


@pytest.fixture
def person(visit, set_up, provider):
    """Log a person in by the button; return their browser and where the log list sent it."""

    def log_in(who=ASA, button=BUTTON, browser=None):
        browser = browser or visit()
        return browser, browser.get(path_of(provider.vouch(leave(browser, button), who)))

    return log_in


def leave(browser, button=BUTTON) -> str:
    answer = browser.get(button)
    assert answer.status_code == 302
    return answer["Location"]


def path_of(address: str) -> str:
    assert address.startswith(SITE), address
    return address.removeprefix(SITE)


def reasons(caplog) -> list[str]:
    """Return why the log list has refused, as the technician reads it."""
    known = ("had not been sent", "the state is not", "invalid_grant")
    told = [record.getMessage() for record in caplog.records if record.name.startswith("compl")]
    return [next((words for words in known if words in text), text) for text in told]


def assert_refused(browser, answer, *told):
    """Nothing is open, and the log-in says why."""
    assert answer["Location"] == "/login"
    assert "token" not in browser.session
    assert browser.get("/units/ks/").status_code == 302
    page = browser.get("/login").content.decode()
    for words in ('role="alert"', *told):
        assert words in page


def test_a_person_logs_in_with_the_municipalitys_account(person):
    browser, answer = person()
    assert answer["Location"] == "/"
    page = browser.get("/units/ks/")
    assert page.status_code == 200
    assert "Åsa Ek" in page.content.decode()
    assert browser.get("/units/bun/").status_code == 404


def test_they_come_to_the_page_that_they_wanted(person):
    _browser, answer = person(button=f"{BUTTON}?next=/units/ks/review/%3Fdirection%3Din")
    assert answer["Location"] == "/units/ks/review/?direction=in"


@pytest.mark.parametrize(
    "target", ["https://fel.example/", "//fel.example/", "/%5Cfel.example", "javascript:alert(1)"]
)
def test_nobody_is_sent_to_another_site(person, target):
    _browser, answer = person(button=f"{BUTTON}?next={target}")
    assert answer["Location"] == "/"


@pytest.mark.parametrize(
    "twist",
    [
        {"claims": {"nonce": "en annan"}},
        {"claims": {"nonce": None}},
        {"claims": {"aud": "ett-annat-program"}},
        {"claims": {"aud": "ett-annat-program", "azp": CLIENT}},
        {"claims": {"aud": [CLIENT, "ett-annat-program"]}},
        {"claims": {"iss": "https://annan.example"}},
        {"claims": {"exp": 1_750_000_000}},
        {"claims": {"exp": None}},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "RS512", "claims": {"at_hash": None}},  # a hash of another length would betray it
        {"key": "another"},
        {"key": "another", "kid": "okänd"},
        {"claims": {"preferred_username": None}},
        {"claims": {"preferred_username": " "}},
        {"claims": {"preferred_username": [ASA]}},
    ],
    ids=str,
)
def test_a_token_that_is_not_as_it_should_be_lets_nobody_in(person, provider, twist):
    provider.twist(**twist | ({"key": new_key()} if "key" in twist else {}))
    browser, answer = person()
    assert_refused(browser, answer, "slutfördes inte")


def test_a_new_key_of_the_providers_is_fetched(person, provider):
    from django.core.cache import cache

    person()
    cache.set("oidc_keys", {"keys": []}, 60)
    _browser, answer = person()
    assert answer["Location"] == "/"


def test_a_provider_that_calls_itself_something_else_is_not_asked(visit, set_up, provider):
    set_up(issuer=f"{provider.issuer}/")  # the address that is asked is the same
    browser = visit()
    assert_refused(browser, browser.get(BUTTON), "slutfördes inte")


def test_another_browser_cannot_use_what_somebody_was_sent_back_with(
    visit, set_up, provider, caplog
):
    address = path_of(provider.vouch(leave(visit()), ASA))
    other = visit()
    assert_refused(other, other.get(address), "slutfördes inte")
    leave(other)
    assert_refused(other, other.get(address), "slutfördes inte")
    assert reasons(caplog) == ["had not been sent", "the state is not"], "nor was the code tried"


def test_a_code_is_taken_once(visit, set_up, provider, caplog):
    """By us, whose browser forgets that it was sent; and by the provider, if it had not."""
    browser, copy = visit(), visit()
    address = path_of(provider.vouch(leave(browser), ASA))
    copy.cookies.load({name: cookie.value for name, cookie in browser.cookies.items()})
    assert browser.get(address)["Location"] == "/"
    assert browser.get(address)["Location"] == "/login"
    assert browser.get("/units/ks/").status_code == 200, "who is in stays in"
    assert_refused(copy, copy.get(address), "slutfördes inte")
    assert reasons(caplog) == ["had not been sent", "invalid_grant"]


def test_somebody_who_comes_back_too_late_begins_anew(visit, set_up, provider, monkeypatch):
    from compliance.loglist.views import single_sign_on as pages

    browser = visit()
    address = path_of(provider.vouch(leave(browser), ASA))
    later = time.time() + 601
    monkeypatch.setattr(pages.time, "time", lambda: later)
    assert browser.get(address)["Location"] == "/login"
    assert "token" not in browser.session


def test_who_says_no_at_the_provider_is_told_what_to_do(visit, set_up):
    browser = visit()
    leave(browser)
    state = browser.session["sign_on"]["state"]
    answer = browser.get(f"{BUTTON}/back?error=access_denied&state={state}")
    assert_refused(browser, answer, "slutfördes inte")


def test_an_account_that_the_directory_does_not_know_gets_no_further(person):
    browser, answer = person(STRANGER)
    assert_refused(browser, answer, STRANGER, "har inte tillgång")


def test_what_the_provider_calls_an_account_is_shown_as_text(person, provider):
    provider.twist(claims={"preferred_username": "<b>x</b>\u202e*"})
    browser, answer = person()
    assert_refused(browser, answer, "<bdi>&lt;b&gt;x&lt;/b&gt;⟦U+202E⟧*</bdi>")


def test_a_star_names_nobody(person, provider):
    provider.twist(claims={"preferred_username": "*"})
    browser, answer = person()
    assert_refused(browser, answer, "har inte tillgång")


def test_a_suspended_account_gets_no_further(person, directory):  # noqa: F811
    change(directory, DN, kommunpostStatus="suspended")
    browser, answer = person()
    assert_refused(browser, answer, "har inte tillgång")


def test_what_they_may_read_is_the_directorys_to_say_each_time(person, provider, directory):  # noqa: F811
    provider.twist(claims={"roles": ["bun"], "groups": ["bun"], "everything": True})
    browser, _answer = person()
    assert browser.get("/units/bun/").status_code == 404
    change(directory, f"cn=unit.ks.reviewer,ou=groups,{BASE}", kommunpostRight="read")
    browser, answer = person()
    assert answer["Location"] == "/"
    assert browser.get("/units/ks/").status_code == 404


def test_the_directory_being_away_lets_nobody_in(person, directory, monkeypatch):  # noqa: F811
    from django.conf import settings

    away = directory.model_copy(update={"uri": "ldapi:///nowhere"})
    monkeypatch.setattr(settings, "DIRECTORY", away)
    browser, answer = person()
    assert_refused(browser, answer, "Katalogen svarar inte")


def change(loaded, dn, **values):
    import ldap3

    with connect(loaded, "writer") as connection:
        connection.modify(
            dn, {name: [(ldap3.MODIFY_REPLACE, [value])] for name, value in values.items()}
        )


@pytest.fixture
def code(installation, clock):  # noqa: F811
    """Åsa has set up the second step; what her telephone shows."""
    from compliance.loglist import second_factor

    shows = pyotp.TOTP(second_factor.secret_for("person:1"))
    assert second_factor.is_right("person:1", shows.at(clock.now))
    clock.now += 2 * STEP
    yield shows.at(clock.now)
    with psycopg.connect(installation("owner"), autocommit=True) as owner:
        owner.execute("DELETE FROM loglist.loglist_secondfactor")
        owner.execute("DELETE FROM loglist.loglist_loginfailure")


@pytest.mark.parametrize(
    ("mfa_counts", "amr"), [(False, ["pwd", "mfa"]), (True, ["pwd"]), (True, None), (True, "mfa")]
)
def test_the_code_is_asked_for_after_the_provider_too(
    person, provider, set_up, code, mfa_counts, amr
):
    set_up(mfa_counts=mfa_counts)
    provider.twist(claims={"amr": amr})
    browser, answer = person(button=f"{BUTTON}?next=/units/ks/")
    assert "token" not in browser.session
    assert browser.get("/units/ks/").status_code == 302
    if amr == "mfa":  # RFC 8176 makes it a list
        return assert_refused(browser, answer, "slutfördes inte")
    assert answer["Location"] == "/login/code"
    assert browser.post("/login/code", {"code": "000000"}).status_code == 400
    assert browser.post("/login/code", {"code": code})["Location"] == "/units/ks/"
    return None


def test_the_code_is_not_asked_for_where_the_providers_several_factors_count(
    person, provider, set_up, code
):
    set_up(mfa_counts=True)
    provider.twist(claims={"amr": ["pwd", "mfa"]})
    browser, answer = person()
    assert answer["Location"] == "/"
    assert browser.get("/units/ks/").status_code == 200


def test_where_the_second_step_is_required_it_is_set_up_first(person, monkeypatch):
    from django.conf import settings

    monkeypatch.setattr(settings, "SECOND_FACTOR_REQUIRED", True)
    browser, answer = person()
    assert answer["Location"] == "/login/second-step"
    assert browser.get("/units/ks/").status_code == 302


def test_an_address_that_its_owner_has_not_confirmed_counts_for_nothing(person, provider, set_up):
    set_up(account_claim="email")
    provider.twist(claims={"email": ASA, "email_verified": False})
    browser, answer = person()
    assert_refused(browser, answer, "slutfördes inte")
    provider.twist(claims={"email": ASA})
    assert person()[1]["Location"] == "/"


def test_logging_out_ends_the_session_and_offers_to_end_the_providers(person, provider):
    browser, _answer = person()
    cookie = browser.cookies["__Host-loglist"].value
    assert browser.post("/logout")["Location"] == "/logged-out"
    page = browser.get("/logged-out").content.decode()
    link = html.unescape(re.search(r'href="(https://[^"]+)"', page)[1])
    asked = dict(parse_qsl(urlsplit(link).query))
    assert link.startswith(f"{provider.issuer}/logout/?")
    assert asked == {"client_id": CLIENT, "post_logout_redirect_uri": f"{SITE}/login"}
    browser.cookies["__Host-loglist"] = cookie
    assert browser.get("/units/ks/").status_code == 302, "an old cookie opens nothing"


def test_who_came_in_by_password_is_not_sent_to_the_provider(visit, set_up):
    browser = visit("ks")
    assert browser.post("/logout")["Location"] == "/login"


def test_where_it_is_not_set_there_is_no_button_and_no_page(visit):
    browser = visit()
    page = browser.get("/login").content.decode()
    assert "single-sign-on" not in page
    assert "kommunens konto" not in page
    for path in (BUTTON, f"{BUTTON}/back?code=x&state=x", "/logged-out"):
        assert browser.get(path).status_code == 404


def test_the_button_is_a_link_that_no_policy_stops_and_its_cookie_comes_back(visit, set_up):
    """Browsers hold forms to form-action, wherever the answer sends them; links go free."""
    browser = visit()
    page = browser.get("/login?next=/units/ks/%3Fq%3Da%2526b")
    assert '<a class="button"' in page.content.decode()
    assert f'href="{BUTTON}?next=%2Funits%2Fks%2F%3Fq%3Da%2526b"' in page.content.decode()
    cookie = browser.get(BUTTON).cookies["__Host-loglist"]
    assert (cookie["samesite"], cookie["secure"], cookie["httponly"]) == ("Lax", True, True)


def test_what_is_asked_of_the_provider(visit, set_up):
    asked = dict(parse_qsl(urlsplit(leave(visit())).query))
    assert asked["response_type"] == "code"
    assert asked["scope"] == "openid profile"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{SITE}{BUTTON}/back"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 32


def test_no_code_token_or_secret_is_logged(person, provider, caplog):
    caplog.set_level("WARNING")
    provider.twist(claims={"aud": "ett-annat-program"})
    _browser, _answer = person()
    (record,) = caplog.records
    told = record.getMessage()
    assert "aud" in told
    assert not re.search(r"eyJ|code=|[\w-]{20}", told.replace("single sign-on", ""))


@pytest.fixture
def dying(tmp_path):
    """A provider of a test's own, that it may stop."""
    provider = LocalProvider(tmp_path, SITE, [ASA])
    (provider.folder / "secret").write_text(SECRET, encoding="utf-8")
    yield provider
    provider.stop()


def test_a_provider_that_is_away_is_told_and_the_password_still_opens(visit, set_up, dying):
    set_up(issuer=dying.issuer, ca_file=dying.certificate)
    dying.stop()
    browser = visit()
    assert_refused(browser, browser.get(BUTTON), "svarar inte")
    visit("ks")


def test_a_provider_that_goes_away_meanwhile_leaves_nobody_half_logged_in(visit, set_up, dying):
    dying.start()
    set_up(
        issuer=dying.issuer,
        ca_file=dying.certificate,
        client_secret_file=dying.folder / "secret",
    )
    browser = visit()
    address = path_of(dying.vouch(leave(browser), ASA))
    dying.stop()
    assert_refused(browser, browser.get(address), "svarar inte")


def test_a_provider_with_a_certificate_that_nobody_issued_is_not_believed(
    visit, set_up, provider, dying
):
    set_up(ca_file=dying.certificate)
    browser = visit()
    assert_refused(browser, browser.get(BUTTON), "svarar inte")
