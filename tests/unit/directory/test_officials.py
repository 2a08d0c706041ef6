"""Whom a reviewer can ask, read from a real slapd by the role's own rules."""

from local_directory import BASE, DOMAIN

from compliance.directory import officials
from compliance.directory.ldap import connect
from compliance.directory.officials import Official


def test_a_person_is_found_by_address_and_by_id_and_nothing_else_is(directory):
    asa = f"asa.oberg@{DOMAIN}"
    with connect(directory, "reader") as connection:
        found = officials.by_address(connection, BASE, asa)
        assert found is not None
        assert (found.id, found.address) == ("person:1", asa)
        assert found.name.startswith("Åsa")
        assert officials.by_id(connection, BASE, "person:1") == found
        for address in (f"kommunstyrelsen@{DOMAIN}", "asa@omvarlden.example", "*", "", "*)(uid=*"):
            assert officials.by_address(connection, BASE, address) is None, address
        for holder in ("person:999", "unit:ks", "*", ""):
            assert officials.by_id(connection, BASE, holder) is None, holder


class Answers:
    """A directory that finds one person."""

    def __init__(self, **told):
        raw = {name: [value.encode()] for name, value in told.items()}
        self.response = [{"raw_attributes": raw}]

    def search(self, *_base, **_more):
        pass


def test_a_protected_identity_is_a_reference():
    told = {"kommunpostHolder": "person:7", "mail": "referens.7@x.example", "cn": "Åsa Ek"}
    found = officials.by_id(Answers(kommunpostReference="Referens 7", **told), BASE, "person:7")
    assert found == Official("person:7", "Referens 7", "referens.7@x.example")
