"""Passwords: a first one by a letter's code, a login held after wrong ones, locked and opened."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from imapclient.exceptions import LoginError

WRONG = 10  # directory_lockout_failures


@pytest.fixture
def someone(world):
    """Give people whom no other story asks for, the last ones first: their passwords change."""
    people = [p for p in reversed(world.facts["people"]) if not p["pc"]]
    return lambda number: world.person(people[number]["address"])


def _logs_in(world, account, password=None) -> bool:
    try:
        world.mailbox(account if password is None else _with(account, password)).logout()
    except LoginError:
        return False
    return True


def _with(account, password):
    from dataclasses import replace

    return replace(account, password=password)


def _login(kommunpost, account) -> dict:
    done = kommunpost("directory", "logins", "--json")
    assert done.returncode == 0, done.stderr
    found = [login for login in json.loads(done.stdout) if login["address"] == account.address]
    return found[0] if found else {}


def test_after_wrong_passwords_the_login_is_held_and_the_technician_can_open_it(
    world, kommunpost, someone
):
    account = someone(0)
    assert _logs_in(world, account)
    with ThreadPoolExecutor(WRONG) as pool:  # at once: one after the other is slowed by Dovecot
        attempts = [
            pool.submit(_logs_in, world, account, f"wrong password {n}") for n in range(WRONG)
        ]
    assert not any(attempt.result() for attempt in attempts)
    assert not _logs_in(world, account), "held: the right password is refused too"
    seen = _login(kommunpost, account)
    assert seen["failures"] >= WRONG
    assert seen["held_until"]
    told = kommunpost("directory", "logins").stdout
    assert re.search(rf"^{re.escape(account.address)}  \(person:\S+\)  held until ", told, re.M)
    opened = kommunpost("directory", "password", "unlock", account.address)
    assert opened.stdout == f"The login of {account.address} is open again.\n"
    assert _logs_in(world, account)
    assert not _login(kommunpost, account)


def test_a_login_is_locked_and_opened_by_the_technician(world, kommunpost, someone):
    account = someone(1)
    assert kommunpost("directory", "password", "lock", account.address).returncode == 0
    assert not _logs_in(world, account)
    assert _login(kommunpost, account)["is_locked"]
    assert kommunpost("directory", "password", "unlock", account.address).returncode == 0
    assert _logs_in(world, account)


def test_the_code_of_a_letter_sets_a_password_once(world, kommunpost, someone, tmp_path, on_host):
    account = someone(2)
    code_file, password_file = tmp_path / "code", tmp_path / "password"

    def redeem(code: str, password: str):
        code_file.write_text(code)
        password_file.write_text(password)
        return kommunpost(
            "directory", "password", "redeem", account.address,
            "--code-file", str(code_file), "--password-file", str(password_file),
        )  # fmt: skip

    letter = kommunpost("directory", "password", "first", account.address).stdout
    code = re.search(r"Kod: +(\S+)", letter)[1]
    assert _login(kommunpost, account)["code_until"]
    assert "do not belong together" in redeem("fel-kod", "ett helt nytt ord").stderr
    assert "rules refuse" in redeem(code, "kort").stderr, "too short, and the code still holds"
    assert redeem(code.lower(), "ett helt nytt ord").returncode == 0
    assert _logs_in(world, account, "ett helt nytt ord")
    assert not _logs_in(world, account)
    assert "do not belong together" in redeem(code, "ett ord till, ett nytt").stderr
    journal = on_host("mail", "journalctl -b --no-pager -o cat")
    assert code not in journal
    assert "ett helt nytt" not in journal


def test_a_former_password_is_not_taken_again(world, kommunpost, someone, tmp_path):
    account = someone(3)
    file = tmp_path / "password"
    for password, is_taken in (("sex korta ord i rad", True), (account.password, False)):
        file.write_text(password)
        done = kommunpost(
            "directory", "password", "set", account.address, "--password-file", str(file)
        )
        assert (done.returncode == 0) is is_taken, done.stderr
