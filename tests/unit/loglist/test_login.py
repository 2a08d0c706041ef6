"""Logging in with an account of a real slapd, and where people's passwords are elsewhere."""

import pytest
from local_directory import BASE, DOMAIN, LocalDirectory

from compliance import settings
from compliance.directory import passwords
from compliance.directory.ldap import connect
from compliance.errors import UserError

ASA, PASSWORD = f"asa.ek@{DOMAIN}", "ett långt lösenord"
DN = f"uid=1,ou=people,{BASE}"


@pytest.fixture
def directory(tmp_path):
    """Åsa has a mailbox and a password, and reviews the log list of the executive board."""
    slapd = LocalDirectory(tmp_path)
    slapd.start()
    loaded = settings.load(slapd.settings(tmp_path)).require_directory()
    mailbox = {"kommunpostStatus": "active", "kommunpostKind": "individual"}
    with connect(loaded, "writer") as connection:
        connection.add(
            DN,
            ["inetOrgPerson", "kommunpostMailbox"],
            {"cn": "Åsa Ek", "sn": "Ek", "mail": ASA, "kommunpostHolder": "person:1", **mailbox},
        )
        connection.add(
            f"ou=ks,ou=units,{BASE}",
            ["organizationalUnit", "kommunpostMailbox"],
            {
                "description": "Kommunstyrelsen", "kommunpostHolder": "unit:ks",
                "kommunpostUnitKind": "authority", "kommunpostDeputy": DN,
            },
        )  # fmt: skip
        connection.add(
            f"cn=unit.ks.reviewer,ou=groups,{BASE}",
            ["groupOfNames", "kommunpostGroup"],
            {"member": DN, "kommunpostHolder": "unit:ks", "kommunpostRight": "reviewer"},
        )
    passwords.set_password(loaded, ASA, PASSWORD)
    yield loaded
    slapd.stop()


@pytest.fixture
def identify(installation, directory, monkeypatch):
    from django.conf import settings as django_settings

    from compliance.loglist import login

    def ask(address, password, directory=directory):
        monkeypatch.setattr(django_settings, "DIRECTORY", directory)
        return login.identify(address, password)

    return ask


def test_the_right_password_tells_who_it_is_and_what_they_may_read(identify):
    found = identify(ASA, PASSWORD)
    assert (found.id, found.name, found.units) == (
        "person:1", "Åsa Ek", {"ks": "Kommunstyrelsen"}
    )  # fmt: skip
    assert not found.everything


@pytest.mark.parametrize(
    ("address", "password"),
    [(ASA, "fel"), (ASA, ""), ("*", PASSWORD), (f"ingen@{DOMAIN}", PASSWORD)],
)
def test_anything_else_tells_nothing(identify, address, password):
    assert identify(address, password) is None


def test_where_passwords_are_in_active_directory_the_own_one_is_not_tried(identify, directory):
    """Nobody answers there, and that is what is told: neither yes nor a wrong password."""
    away = settings.Logins(
        uri="ldapi:///nowhere",
        base=BASE,
        reader_dn=directory.reader_dn,
        reader_password_file=directory.reader_password_file,
    )
    with pytest.raises(UserError, match="cannot be reached"):
        identify(ASA, PASSWORD, directory.model_copy(update={"logins": away}))


@pytest.mark.parametrize(("unit", "found"), [("ks", {"person:1"}), ("bun", set()), ("*", set())])
def test_the_directory_tells_who_stands_in_for_a_units_reviewer(
    identify, directory, monkeypatch, unit, found
):
    from django.conf import settings as django_settings

    from compliance.loglist.periods import deputies

    monkeypatch.setattr(django_settings, "DIRECTORY", directory)
    assert deputies(unit) == found
