"""Reads from LDAP what it holds now: entries and groups that a plan owns, and the ledger."""

from collections.abc import Iterator

from ldap3.core.exceptions import LDAPNoSuchObjectResult
from ldap3.utils.conv import escape_filter_chars

from compliance.directory.ldap import Connection, search
from compliance.directory.tree import BRANCHES, GROUPS, MANAGED, Entry, Held, Values
from compliance.errors import UserError

_ATTRIBUTES = (*MANAGED, "objectClass")
_WATCH = ("kommunpostWatcher", "kommunpostDeputy", "roleOccupant")
_ANY = "(objectClass=*)"
_LEDGER = ("kommunpostAddress", "kommunpostHolder")


def read_held(connection: Connection, base: str) -> Held:
    """Read what a plan owns, and the ledger. Raises UserError if a branch is missing."""
    entries: dict[str, Entry] = {}
    for branch in BRANCHES:
        entries |= _branch(connection, branch, base)
    groups = _branch(connection, GROUPS, base)
    ledger = {
        attributes["kommunpostAddress"][0]: attributes["kommunpostHolder"][0]
        for _, attributes in _search(connection, f"ou=addresses,{base}", _LEDGER)
    }
    return Held(entries, ledger, groups)


def read_watch(connection: Connection, base: str) -> dict[str, Entry]:
    """Read units and positions, and those people whom they name to watch or hold them.

    What `compliance.watch.keepers` goes by, without the rest of a large directory. Raises UserError
    if a branch is missing.
    """
    entries = _branch(connection, "units", base) | _branch(connection, "positions", base)
    named = {
        escape_filter_chars(dn.partition(",")[0].partition("=")[2])
        for entry in entries.values()
        for attribute in _WATCH
        for dn in entry.attributes.get(attribute, ())
    }
    people = f"(|{''.join(f'(uid={one})' for one in sorted(named))})"
    return entries | (_branch(connection, "people", base, people) if named else {})


def _branch(
    connection: Connection, branch: str, base: str, condition: str = _ANY
) -> dict[str, Entry]:
    found = _search(connection, f"ou={branch},{base}", _ATTRIBUTES, condition)
    entries = (_entry(dn, attributes, base) for dn, attributes in found)
    return {entry.rdn.lower(): entry for entry in entries}


def _entry(dn: str, attributes: dict[str, Values], base: str) -> Entry:
    rdn = dn[: -len(base) - 1]
    return Entry(rdn, frozenset(attributes.pop("objectClass")), attributes)


def _search(
    connection: Connection, branch: str, attributes: tuple[str, ...], condition: str = _ANY
) -> Iterator[tuple[str, dict[str, Values]]]:
    """Give the entries right below a branch with those of the attributes that they have."""
    try:
        for dn, raw in search(connection, branch, condition, attributes, "LEVEL"):
            yield dn, {name: tuple(map(bytes.decode, values)) for name, values in raw.items()}
    except LDAPNoSuchObjectResult as error:
        raise UserError.of(
            f"the directory has no {branch}",
            remedy="run playbooks/site.yml first; it makes the empty directory",
        ) from error
