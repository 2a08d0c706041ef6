"""Whose log lists somebody may read, as the directory says (docs/decisions/0024-readers.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from ldap3.utils.conv import escape_filter_chars

from compliance.directory.ldap import Connection

_Raw = Mapping[str, list[bytes]]

_ATTRIBUTES = ["kommunpostHolder", "kommunpostReference", "displayName", "cn"]


@dataclass(frozen=True, slots=True)
class LogReader:
    """A person who can log in.

    dn: to hold the password against. id: lasting, e.g. `person:10023`. name: as others may see it:
    of a protected identity only the reference (P1). units: id to name of the units whose list they
    may read: those that they review or head, and all below. reviews: ids of those among them that
    they review. everything: they review for the executive office, which reads all.
    """

    dn: str
    id: str
    name: str
    units: dict[str, str]
    reviews: frozenset[str]
    everything: bool


def find(connection: Connection, base: str, address: str) -> LogReader | None:
    """Look up who logs in with an address, and what they may read; None if nobody does."""
    connection.search(
        f"ou=people,{base}",
        f"(&(kommunpostStatus=active)(mail={escape_filter_chars(address)}))",
        attributes=_ATTRIBUTES,
    )
    if len(connection.response) != 1:
        return None
    (found,) = connection.response
    person = found["raw_attributes"]
    tree = _units(connection, base)
    own = _reviewed(connection, base, found["dn"])
    reviews = frozenset(unit for unit in tree if _above(unit, tree) & own)
    heads = _headed(connection, base, found["dn"])
    everything = any(tree[unit].executive_office for unit in own if unit in tree)
    wanted = {unit for unit in tree if everything or _above(unit, tree) & (own | heads)}
    return LogReader(
        dn=found["dn"],
        id=_first(person, "kommunpostHolder"),
        name=_first(person, "kommunpostReference")
        or _first(person, "displayName")
        or _first(person, "cn"),
        units={unit: tree[unit].name for unit in tree if unit in wanted},
        reviews=reviews,
        everything=everything,
    )


@dataclass(frozen=True, slots=True)
class _Unit:
    name: str
    kind: str
    parent: str
    executive_office: bool


def _units(connection: Connection, base: str) -> dict[str, _Unit]:
    connection.search(
        f"ou=units,{base}",
        "(kommunpostUnitKind=*)",
        attributes=[
            "ou",
            "description",
            "kommunpostUnitKind",
            "kommunpostParent",
            "kommunpostDuty",
        ],
    )
    return {
        _first(found["raw_attributes"], "ou"): _Unit(
            name=_first(found["raw_attributes"], "description"),
            kind=_first(found["raw_attributes"], "kommunpostUnitKind"),
            parent=_first(found["raw_attributes"], "kommunpostParent"),
            executive_office="executive-office" in _all(found["raw_attributes"], "kommunpostDuty"),
        )
        for found in sorted(
            connection.response, key=lambda one: _first(one["raw_attributes"], "description")
        )
    }


def _reviewed(connection: Connection, base: str, dn: str) -> set[str]:
    connection.search(
        f"ou=groups,{base}",
        f"(&(kommunpostRight=reviewer)(member={escape_filter_chars(dn)}))",
        attributes=["kommunpostHolder"],
    )
    holders = (_first(found["raw_attributes"], "kommunpostHolder") for found in connection.response)
    return {holder.removeprefix("unit:") for holder in holders if holder.startswith("unit:")}


def _headed(connection: Connection, base: str, dn: str) -> set[str]:
    connection.search(
        f"ou=positions,{base}",
        f"(&(kommunpostDuty=head)(roleOccupant={escape_filter_chars(dn)}))",
        attributes=["kommunpostUnit"],
    )
    return {_first(found["raw_attributes"], "kommunpostUnit") for found in connection.response}


def _above(unit: str, tree: dict[str, _Unit]) -> set[str]:
    """Return a unit and all above it."""
    return set(_way_up(unit, tree))


def _way_up(unit: str, tree: dict[str, _Unit]) -> list[str]:
    """Return a unit and those above it. A parent that is not there, or a ring, ends the way."""
    way: list[str] = []
    while unit in tree and unit not in way:
        way.append(unit)
        unit = tree[unit].parent
    return way


def _all(attributes: _Raw, name: str) -> list[str]:
    return [value.decode() for value in attributes.get(name, ())]


def _first(attributes: _Raw, name: str) -> str:
    return next(iter(_all(attributes, name)), "")


def unit_names(connection: Connection, base: str) -> dict[str, str]:
    """Return the name of each unit by its id, in the order of names."""
    return {unit: found.name for unit, found in _units(connection, base).items()}


def authorities(connection: Connection, base: str) -> dict[str, str]:
    """Return the authority that each unit belongs to: itself if it is one, or if there is none."""
    tree = _units(connection, base)
    return {
        unit: next((one for one in _way_up(unit, tree) if tree[one].kind == "authority"), unit)
        for unit in tree
    }


def deputies(connection: Connection, base: str, unit: str) -> frozenset[str]:
    """Return the ids of those who stand in for whoever watches a unit and reviews its list."""
    connection.search(
        f"ou=units,{base}",
        f"(&(kommunpostUnitKind=*)(ou={escape_filter_chars(unit)}))",
        attributes=["kommunpostDeputy"],
    )
    named = [_all(found["raw_attributes"], "kommunpostDeputy") for found in connection.response]
    ids = set()
    for dn in chain.from_iterable(named):
        connection.search(dn, "(kommunpostHolder=*)", attributes=["kommunpostHolder"])
        ids |= {
            _first(found["raw_attributes"], "kommunpostHolder") for found in connection.response
        }
    return frozenset(ids)
