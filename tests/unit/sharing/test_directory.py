"""What a mail store learns from a real slapd, under its own name and with its own rights."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from local_directory import BASE, DOMAIN, LocalDirectory

from compliance import settings
from compliance.directory import passwords
from compliance.directory.ldap import connect
from compliance.sharing.wanted import Wanted, read, state_of

ANNA = f"anna@{DOMAIN}"


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[settings.Directory]:
    slapd = LocalDirectory(tmp_path)
    slapd.start()
    loaded = settings.load(slapd.settings(tmp_path)).require_directory()
    with connect(loaded, "writer") as connection:
        connection.add(
            f"uid=1,ou=people,{BASE}",
            ["inetOrgPerson", "kommunpostMailbox"],
            {
                "cn": "Anna", "sn": "Ek", "mail": ANNA, "kommunpostAddress": ANNA,
                "kommunpostHolder": "person:1", "kommunpostKind": "individual",
                "kommunpostStatus": "active",
            },
        )  # fmt: skip
    secret = tmp_path / "secrets/ldap-dovecot"
    store = {"reader_dn": f"cn=dovecot,ou=services,{BASE}", "reader_password_file": secret}
    yield loaded.model_copy(update=store)
    slapd.stop()


def _seen(directory: settings.Directory) -> tuple[str, Wanted]:
    with connect(directory, "reader") as connection:
        return state_of(connection, BASE), read(connection, BASE)


def test_the_store_hears_of_a_login_that_is_locked_and_opened(directory):
    before, found = _seen(directory)
    assert found.active == {ANNA}
    assert found.locked == frozenset()
    passwords.lock(directory, ANNA)
    during, found = _seen(directory)
    assert during != before, "or the store would not look"
    assert (found.active, found.locked) == ({ANNA}, {ANNA})
    passwords.unlock(directory, ANNA)
    after, found = _seen(directory)
    assert after != during
    assert found.locked == frozenset()
