"""Who can be asked about a message: people with a mailbox in use, as the directory says now."""

from collections.abc import Mapping
from dataclasses import dataclass

from ldap3.utils.conv import escape_filter_chars

from compliance.directory.ldap import Connection

_ATTRIBUTES = ["kommunpostHolder", "kommunpostReference", "displayName", "cn", "mail"]


@dataclass(frozen=True, slots=True)
class Official:
    """A person who can be written to.

    id: lasting, e.g. `person:10023`. name: as others may see it: of a protected identity only the
    reference (P1). address: the primary one, by which they log in.
    """

    id: str
    name: str
    address: str


def by_address(connection: Connection, base: str, address: str) -> Official | None:
    """Look up the person who has an address, primary or not; None if it is nobody's."""
    return _find(connection, base, "kommunpostAddress", address)


def by_id(connection: Connection, base: str, person: str) -> Official | None:
    """Look up a person by their lasting id; None if they have left or are suspended."""
    return _find(connection, base, "kommunpostHolder", person)


def _find(connection: Connection, base: str, attribute: str, value: str) -> Official | None:
    connection.search(
        f"ou=people,{base}",
        f"(&(kommunpostStatus=active)({attribute}={escape_filter_chars(value)}))",
        attributes=_ATTRIBUTES,
    )
    if len(connection.response) != 1:
        return None
    raw = connection.response[0]["raw_attributes"]
    name = _first(raw, "kommunpostReference") or _first(raw, "displayName") or _first(raw, "cn")
    return Official(_first(raw, "kommunpostHolder"), name, _first(raw, "mail"))


def _first(raw: Mapping[str, list[bytes]], name: str) -> str:
    return next((value.decode() for value in raw.get(name, ())), "")
