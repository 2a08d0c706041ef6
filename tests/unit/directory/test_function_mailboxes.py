"""The mailboxes that a unit's list can be filtered by, read from a real slapd by its own rules."""

from ldap3 import MODIFY_ADD, MODIFY_REPLACE
from local_directory import BASE, DOMAIN

from compliance.directory import function_mailboxes
from compliance.directory.ldap import connect


def test_a_unit_has_its_own_mailbox_and_those_of_its_positions_and_no_persons(directory):
    with connect(directory, "reader") as connection:
        assert function_mailboxes.of_unit(connection, BASE, "ks") == {
            f"kommunalrad@{DOMAIN}": "Kommunalråd",
            f"kommunstyrelsen@{DOMAIN}": "Kommunstyrelsen",
        }
        for unit in ("borta", "", "*", "ks)(kommunpostUnit=*"):
            assert function_mailboxes.of_unit(connection, BASE, unit) == {}, unit


def test_what_was_a_mailboxs_address_or_is_closed_is_found_too(directory):
    dn = f"cn=kommunalrad,ou=positions,{BASE}"
    earlier = f"kommunalradet@{DOMAIN}"
    with connect(directory, "writer") as connection:
        connection.modify(dn, {"kommunpostAddress": [(MODIFY_ADD, [earlier])]})
        connection.modify(dn, {"kommunpostStatus": [(MODIFY_REPLACE, ["closed"])]})
        found = function_mailboxes.of_unit(connection, BASE, "ks")
    assert [address for address, name in found.items() if name == "Kommunalråd"] == [
        f"kommunalrad@{DOMAIN}",
        earlier,
    ]
