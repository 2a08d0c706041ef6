"""The function mailboxes of a unit: its own and those of its positions."""

from ldap3.utils.conv import escape_filter_chars

from compliance.directory.ldap import Connection, search


def of_unit(connection: Connection, base: str, unit: str) -> dict[str, str]:
    """Return the name of each address that leads to one, closed ones too, in the order of names."""
    wanted = f"(&(kommunpostKind=function)(kommunpostUnit={escape_filter_chars(unit)}))"
    found = [
        (raw["description"][0].decode(), address.decode())
        for _, raw in search(connection, base, wanted, ("description", "kommunpostAddress"))
        for address in raw.get("kommunpostAddress", [])
    ]
    return {address: name for name, address in sorted(found)}
