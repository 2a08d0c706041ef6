"""Whose addresses are hidden: those with protected identity, with what they were called before."""

import pytest
from local_directory import BASE, DOMAIN, LocalDirectory

from compliance import settings
from compliance.directory.ldap import connect
from compliance.directory.protected import Finder, addresses

NEUTRAL, OPEN = f"p_10023@{DOMAIN}", f"asa.ek@{DOMAIN}"


@pytest.fixture
def directory(tmp_path):
    """One person is protected and was not always; another one never was."""
    slapd = LocalDirectory(tmp_path)
    slapd.start()
    loaded = settings.load(slapd.settings(tmp_path)).require_directory()
    with connect(loaded, "writer") as connection:
        for number, mail, more in (
            ("10023", NEUTRAL, {"kommunpostReference": "Person 10023"}),
            ("1", OPEN, {}),
        ):
            connection.add(
                f"uid={number},ou=people,{BASE}",
                ["inetOrgPerson", "kommunpostMailbox"],
                {
                    "cn": "x", "sn": "x", "mail": mail, "kommunpostAddress": [mail],
                    "kommunpostHolder": f"person:{number}", "kommunpostStatus": "active",
                    "kommunpostKind": "individual", **more,
                },
            )  # fmt: skip
        for address, holder in (
            (NEUTRAL, "person:10023"),
            (f"eva.strand@{DOMAIN}", "person:10023"),
            (OPEN, "person:1"),
        ):
            connection.add(
                f"kommunpostAddress={address},ou=addresses,{BASE}",
                ["kommunpostAddressRecord"],
                {"kommunpostHolder": holder, "kommunpostFirstUsed": "20260101000000Z"},
            )
    yield loaded
    slapd.stop()


def test_addresses_of_today_and_of_before(directory):
    with connect(directory, "reader") as connection:
        assert addresses(connection, BASE) == {NEUTRAL, f"eva.strand@{DOMAIN}"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"Eva <EVA.Strand@{DOMAIN}>", True),
        (f"eva.strand+jobb@{DOMAIN}", True),
        (f"Sv: {NEUTRAL}, tack", True),
        (f"geva.strand@{DOMAIN}", False),
        (f"eva.strand@{DOMAIN}x", False),
        ("eva.strand@annan.example", False),
        ("", False),
    ],
)
def test_an_address_is_found_however_it_is_written(text, found):
    finder = Finder({NEUTRAL, f"eva.strand@{DOMAIN}"})
    assert finder.is_in(text) is found
    assert not Finder(()).is_in(text)
