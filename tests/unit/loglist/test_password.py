"""The pages on which people choose a password, over a real slapd as the pages reach it."""

from datetime import UTC, datetime

import pytest
from local_directory import BASE

from compliance.directory import passwords
from compliance.directory.ldap import password_holds
from loglist.test_login import ASA, DN, PASSWORD, directory  # noqa: F401

NEW = "ett annat långt lösenord"


@pytest.fixture
def slapd(directory, monkeypatch, visit):  # noqa: F811
    """The directory, with the pages on it."""
    from django.conf import settings as django_settings

    page = {
        "writer_dn": f"cn=passwords,ou=services,{BASE}",
        "writer_password_file": directory.writer_password_file.parent / "ldap-passwords",
    }
    monkeypatch.setattr(django_settings, "DIRECTORY", directory.model_copy(update=page))
    return directory


@pytest.fixture(autouse=True)
def no_failures(installation):
    """Whoever guessed in one test does not wait in the next."""
    yield
    from compliance.loglist.models import LoginFailure

    LoginFailure.objects.all().delete()


def form(proof, new=NEW, again=None, address=ASA):
    return {"address": address, "proof": proof, "new": new, "again": again or new}


def test_a_code_from_a_letter_gives_a_password_once(visit, slapd):
    code = passwords.offer_first_login(slapd, ASA, datetime.now(UTC)).code
    browser = visit()
    assert 'href="/password/first"' in browser.get("/login").content.decode()
    assert browser.get("/password/first").status_code == 200
    answer = browser.post("/password/first", form(code, address=f" {ASA.upper()} "))
    assert answer["Location"] == "/password/done"
    assert "Lösenordet är valt" in browser.get("/password/done").content.decode()
    assert password_holds(slapd, DN, NEW)
    assert browser.post("/password/first", form(code)).status_code == 400


def test_the_old_password_gives_a_new_one(visit, slapd):
    browser = visit()
    assert browser.get("/password").status_code == 200
    answer = browser.post("/password", form("fel"))
    assert "stämmer inte" in answer.content.decode()
    assert password_holds(slapd, DN, PASSWORD)
    assert browser.post("/password", form(PASSWORD))["Location"] == "/password/done"
    assert password_holds(slapd, DN, NEW)


@pytest.mark.parametrize(
    ("new", "again", "told"),
    [
        ("för kort", None, "Välj ett längre lösenord"),
        (NEW, NEW + "x", "De två är inte lika"),
        ("", "", "måste fyllas i"),
    ],
)
def test_a_password_that_will_not_do_is_told_and_nothing_is_changed(visit, slapd, new, again, told):
    answer = visit().post("/password", form(PASSWORD, new, again))
    assert (answer.status_code, told in answer.content.decode()) == (400, True)
    assert password_holds(slapd, DN, PASSWORD)


def test_no_password_stands_on_a_page(visit, slapd):
    text = visit().post("/password", form("fel", NEW, NEW + "x")).content.decode()
    assert 'value="fel"' not in text
    assert NEW not in text


def test_guessing_makes_the_address_wait(visit, slapd):
    browser = visit()
    for _ in range(5):
        browser.post("/password", form("fel"))
    answer = browser.post("/password", form(PASSWORD))
    assert "Vänta en kvart" in answer.content.decode()
    assert password_holds(slapd, DN, PASSWORD)


def test_where_active_directory_has_the_passwords_there_is_no_such_page(visit, slapd, monkeypatch):
    from django.conf import settings as django_settings

    elsewhere = django_settings.DIRECTORY.model_copy(update={"logins": object()})
    monkeypatch.setattr(django_settings, "DIRECTORY", elsewhere)
    browser = visit()
    assert "/password" not in browser.get("/login").content.decode()
    assert browser.get("/password").status_code == 404
    assert browser.get("/password/first").status_code == 404
