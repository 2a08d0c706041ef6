"""Passwords against a real slapd with the role's rules: held, opened, locked, set by a code."""

from datetime import UTC, datetime, timedelta

import pytest
from local_directory import BASE, DOMAIN

from compliance import settings
from compliance.directory import passwords
from compliance.directory.ldap import connect, password_holds
from compliance.directory.logins import Login, read_logins
from compliance.directory.plan import make_plan
from compliance.errors import UserError

from .conftest import ANSWER_DAYS, TODAY

WRONG = 10  # directory_lockout_failures
ASA, BO = f"asa.oberg@{DOMAIN}", f"bo.ek@{DOMAIN}"
DN = f"uid=1,ou=people,{BASE}"
RIGHT = "rätt häst batteri"


def _logins(directory: settings.Directory) -> dict[str, Login]:
    with connect(directory, "reader") as connection:
        return {login.address: login for login in read_logins(connection, BASE, _now())}


def _now() -> datetime:
    return datetime.now(UTC)


def test_after_wrong_passwords_a_login_is_held_and_can_be_opened(directory):
    assert passwords.set_password(directory, ASA, RIGHT)
    assert not passwords.set_password(directory, ASA, RIGHT), "it is so already"
    assert _logins(directory) == {}
    for _ in range(WRONG):
        assert not password_holds(directory, DN, "fel")
    assert not password_holds(directory, DN, RIGHT), "held"
    login = _logins(directory)[ASA]
    assert login.failures == WRONG
    assert login.held_until
    assert _now() < login.held_until <= _now() + timedelta(seconds=120)
    assert passwords.unlock(directory, ASA)
    assert password_holds(directory, DN, RIGHT)
    assert _logins(directory) == {}
    assert not passwords.unlock(directory, ASA)


def test_fewer_wrong_passwords_hold_nobody_and_a_right_one_wipes_them(directory):
    passwords.set_password(directory, ASA, RIGHT)
    for _ in range(WRONG - 1):
        password_holds(directory, DN, "fel")
    assert _logins(directory)[ASA].failures == WRONG - 1
    assert _logins(directory)[ASA].held_until is None
    assert password_holds(directory, DN, RIGHT)
    assert _logins(directory) == {}


def test_nobody_from_outside_can_hold_a_service(directory):
    dn = directory.reader_dn
    for _ in range(WRONG + 5):
        assert not password_holds(directory, dn, "fel")
    assert _logins(directory) == {}, "the reader still logs in"


def test_a_locked_login_is_refused_until_it_is_opened(directory):
    passwords.set_password(directory, BO, RIGHT)
    passwords.lock(directory, BO)
    assert not password_holds(directory, f"uid=2,ou=people,{BASE}", RIGHT)
    assert _logins(directory)[BO].is_locked
    passwords.unlock(directory, BO)
    assert password_holds(directory, f"uid=2,ou=people,{BASE}", RIGHT)


@pytest.fixture
def page(directory):
    """The directory as the page reaches it: as the service that may set passwords and no more."""
    folder = directory.writer_password_file.parent
    return directory.model_copy(
        update={
            "writer_dn": f"cn=passwords,ou=services,{BASE}",
            "writer_password_file": folder / "ldap-passwords",
        }
    )


def test_the_page_sets_a_password_by_a_code_and_can_do_nothing_else(directory, page):
    offer = passwords.offer_first_login(directory, ASA, _now())
    passwords.redeem(page, ASA, offer.code, RIGHT, _now())
    assert password_holds(directory, DN, RIGHT)
    with pytest.raises(passwords.NotTheirsError):
        passwords.redeem(page, ASA, offer.code, "ett helt annat", _now())
    with pytest.raises(UserError):
        passwords.lock(page, ASA)
    with connect(directory, "reader") as reader, connect(page, "writer") as service:
        seen = [set(found["raw_attributes"]) for found in _all_of(service)]
        assert set().union(*seen) == {"objectClass", "mail"}
        assert len(seen) < len(_all_of(reader))


def _all_of(connection):
    connection.search(BASE, "(objectClass=*)", attributes=["*"])
    return list(connection.response)


def test_a_password_is_changed_by_whoever_has_the_old_one(page, directory):
    passwords.set_password(directory, ASA, RIGHT)
    told = set()
    for address, old in ((ASA, "fel"), (ASA, ""), (BO, RIGHT), (f"ingen@{DOMAIN}", RIGHT)):
        with pytest.raises(passwords.NotTheirsError) as caught:
            passwords.change(page, address, old, "något helt annat")
        told.add(str(caught.value))
    assert len(told) == 1, "nobody learns whether there is such an address"
    with pytest.raises(passwords.RefusedPasswordError):
        passwords.change(page, ASA, RIGHT, "för kort")
    passwords.change(page, ASA, RIGHT, "något helt annat")
    assert password_holds(directory, DN, "något helt annat")


def test_a_code_sets_a_password_once(directory):
    offer = passwords.offer_first_login(directory, ASA, _now())
    assert _logins(directory)[ASA].code_until == offer.expires.replace(microsecond=0)
    with pytest.raises(UserError, match="rules refuse"):
        passwords.redeem(directory, ASA, offer.code, "för kort", _now())
    passwords.redeem(directory, ASA, offer.code.lower(), RIGHT, _now())
    assert password_holds(directory, DN, RIGHT)
    with pytest.raises(UserError, match="do not belong together"):
        passwords.redeem(directory, ASA, offer.code, "ett helt annat", _now())
    assert _logins(directory) == {}


def test_a_newer_code_an_old_one_and_a_wrong_address_are_refused_alike(directory):
    old = passwords.offer_first_login(directory, ASA, _now())
    new = passwords.offer_first_login(directory, ASA, _now())
    late = _now() + timedelta(days=8)
    tries = [(ASA, old.code, _now()), (ASA, new.code, late), (ASA, "", _now()), (BO, "", _now()),
             (BO, new.code, _now()), ("ingen@" + DOMAIN, new.code, _now())]  # fmt: skip
    told = set()
    for address, code, now in tries:
        with pytest.raises(UserError) as caught:
            passwords.redeem(directory, address, code, RIGHT, now)
        told.add(str(caught.value))
    assert len(told) == 1, "nobody learns which of the three was wrong"
    passwords.redeem(directory, ASA, new.code, RIGHT, _now())


def test_a_former_password_is_not_taken_again(directory):
    passwords.set_password(directory, ASA, RIGHT)
    passwords.set_password(directory, ASA, "något helt annat")
    with pytest.raises(UserError, match="not used before"):
        passwords.set_password(directory, ASA, RIGHT)


def test_a_plan_leaves_passwords_codes_and_locks_alone(directory, organisation):
    from compliance.directory.held import read_held

    passwords.offer_first_login(directory, ASA, _now())
    passwords.lock(directory, BO)
    with connect(directory, "reader") as connection:
        held = read_held(connection, BASE)
    assert make_plan(organisation, DOMAIN, BASE, held, TODAY, ANSWER_DAYS).is_empty
