"""Distribution lists: whom a unit's list reaches. Pure.

A list names nobody (P1): it is a search that Postfix makes at each letter, so that people come and
go without a word about it (docs/decisions/0016-sending-and-answers.md).
"""

from collections.abc import Iterable, Iterator, Mapping

from compliance.directory.model import Status, Unit


def members_of(unit: Unit, units: Iterable[Unit], base: str) -> str:
    """Give a list's members as an LDAP URL (RFC 4516): all in service in the unit or below it."""
    below: dict[str, list[Unit]] = {}
    for one in units:
        if one.parent is not None:
            below.setdefault(one.parent, []).append(one)
    within = "".join(f"(kommunpostUnit={one.id})" for one in _within(unit, below))
    wanted = f"(&(kommunpostStatus={Status.ACTIVE})(|{within}))"
    return f"ldap:///ou=people,{base}?mail?one?{wanted}"


def _within(unit: Unit, below: Mapping[str, Iterable[Unit]]) -> Iterator[Unit]:
    yield unit
    for one in below.get(unit.id, ()):
        yield from _within(one, below)
