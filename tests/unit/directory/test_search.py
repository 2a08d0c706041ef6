"""Our way of reading answers gives what ldap3's own does, but for its second copy as text."""

import pytest
from ldap3.utils.asn1 import decode_message_fast
from local_directory import BASE

from compliance.directory.ldap import connect, search

# What slapd has made out itself and hands out only when it is named is among them.
ASKED = ["*", "memberOf", "entryUUID"]


def test_every_entry_comes_whole(directory):
    with connect(directory, "reader") as connection:
        ours = dict(search(connection, BASE, "(objectClass=*)", ASKED))
        del connection.strategy.decode_response_fast
        usual = dict(search(connection, BASE, "(objectClass=*)", ASKED))
    assert ours == usual
    assert any("Å".encode() in value for raw in ours.values() for value in raw.get("cn", ()))


def test_an_attribute_that_nobody_has_is_not_there(directory):
    with connect(directory, "reader") as connection:
        found = dict(search(connection, f"ou=units,{BASE}", "(ou=ks)", ["ou", "owner"], "LEVEL"))
    assert found == {f"ou=ks,ou=units,{BASE}": {"ou": [b"ks"]}}


# A SearchResultEntry (RFC 4511 4.5.2): `cn=g` with one value of member;range=0-0, as Active
# Directory sends a large group bit by bit.
_PART = bytes.fromhex("04016d")
_NAME = b"member;range=0-0"
_VALUES = b"\x31" + bytes([len(_PART)]) + _PART
_ATTRIBUTE = b"\x04" + bytes([len(_NAME)]) + _NAME + _VALUES
_LIST = b"\x30" + bytes([len(_ATTRIBUTE)]) + _ATTRIBUTE
_BODY = b"\x04\x04cn=g\x30" + bytes([len(_LIST)]) + _LIST
_ENTRY = b"\x64" + bytes([len(_BODY)]) + _BODY
RANGED = b"\x30" + bytes([3 + len(_ENTRY)]) + b"\x02\x01\x07" + _ENTRY


@pytest.mark.parametrize("key", ["attributes", "raw_attributes"])
def test_a_group_that_comes_in_parts_is_left_to_ldap3_which_asks_for_the_rest(directory, key):
    with connect(directory, "reader") as connection:
        answer = connection.strategy.decode_response_fast(decode_message_fast(RANGED))
    assert list(answer[key]) == ["member;range=0-0"]
