"""Our own programs ask a real Active Directory for people's passwords, as Dovecot does."""

from pathlib import Path
from typing import Any

import pytest

from compliance import settings
from compliance.directory.people_passwords import is_theirs
from compliance.errors import UserError

NO_DN = "uid=nobody,ou=people,dc=x"  # of our directory, which is not asked here


@pytest.fixture
def joined(world, server: dict[str, Any]) -> settings.Directory:
    """The lab's directory, with people's passwords in Active Directory."""
    loaded = settings.load(Path(world.facts["settings"])).require_directory()
    keys = ("uri", "base", "ca_file", "reader_dn", "reader_password_file")
    return loaded.model_copy(
        update={"logins": settings.Logins(**{key: server[key] for key in keys})}
    )


def test_the_password_in_active_directory_is_theirs_and_no_other(world, joined, person):
    assert is_theirs(joined, NO_DN, person.login, person.password)
    own = world.person(person.address).password
    for password in (own, "fel-losenord", "", "*"):
        assert not is_theirs(joined, NO_DN, person.login, password)


def test_a_disabled_account_is_refused(joined, person, accounts, on_host):
    name = next(n for n, one in accounts.items() if one.get("userPrincipalName") == person.login)
    on_host("ad", f"samba-tool user disable {name}")
    try:
        assert not is_theirs(joined, NO_DN, person.login, person.password)
    finally:
        on_host("ad", f"samba-tool user enable {name}")
    assert is_theirs(joined, NO_DN, person.login, person.password)


def test_a_login_that_is_a_filter_finds_nobody(joined, person):
    local, _, domain = person.login.partition("@")
    for login in (f"{local[:3]}*@{domain}", f"{person.login})(objectClass=user"):
        assert not is_theirs(joined, NO_DN, login, person.password)


def test_a_server_that_cannot_show_who_it_is_gets_no_password(joined, person):
    other = joined.logins.model_copy(update={"ca_file": Path("/etc/ssl/certs/ca-certificates.crt")})
    with pytest.raises(UserError, match="certificate does not fit"):
        is_theirs(joined.model_copy(update={"logins": other}), NO_DN, person.login, person.password)
