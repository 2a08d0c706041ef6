"""What slapd remembers of logins, and the code of a first login."""

from datetime import UTC, datetime, timedelta

import pytest

from compliance.directory import passwords
from compliance.directory.logins import read_logins

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


class Directory:
    """Stands where a bound connection stands, with one entry and the rule for how long."""

    def __init__(self, **attributes: str | list[str]) -> None:
        listed = {k: v if isinstance(v, list) else [v] for k, v in attributes.items()}
        self._raw = {name: [value.encode() for value in values] for name, values in listed.items()}
        self.extend = self.standard = self

    def search(self, *_: object, **__: object) -> None:
        self.response = [{"raw_attributes": {"pwdLockoutDuration": [b"120"]}}]

    def paged_search(self, *_: object, **__: object):
        yield {"type": "searchResEntry", "dn": "uid=1,ou=people", "raw_attributes": self._raw}


def _login(**attributes: str | list[str]):
    entry = {"mail": "anna.berg@sjovalla.example", "kommunpostHolder": "person:1", **attributes}
    [login] = read_logins(Directory(**entry), "dc=x", NOW)
    return login


def test_a_login_is_held_for_as_long_as_the_rule_says():
    times = ["20261125115930.123456Z", "20261125115900.000001Z"]
    login = _login(pwdFailureTime=times, pwdAccountLockedTime="20261125115930Z")
    assert login.failures == 2
    assert login.last_failure == NOW - timedelta(seconds=30)
    assert login.held_until == NOW + timedelta(seconds=90)
    assert not login.is_locked


def test_a_login_whose_time_is_over_is_held_no_longer():
    assert _login(pwdAccountLockedTime="20261125115700Z").held_until is None


def test_a_locked_login_is_told_from_a_held_one():
    login = _login(pwdAccountLockedTime=passwords.LOCKED_FOR_GOOD)
    assert login.is_locked
    assert login.held_until is None


def test_a_code_is_read_in_every_way_of_writing_it():
    hashed = passwords._hashed("ABCDE-23456")
    assert passwords._hashed(" abcde 23456\n") == hashed
    assert passwords._hashed("ABCDE-23457") != hashed


def test_logins_are_told_in_swedish_time(monkeypatch):
    from compliance.directory import password_commands

    login = _login(pwdFailureTime="20261125115930Z", pwdAccountLockedTime="20261125115930Z")
    told = "; ".join(password_commands._told(login))
    assert told == (
        "held until 2026-11-25 13:01:30; 1 wrong password, the last at 2026-11-25 12:59:30"
    )


@pytest.mark.parametrize("sign", "01IO")
def test_a_code_has_no_sign_that_looks_like_another(sign):
    assert sign not in passwords._SIGNS
