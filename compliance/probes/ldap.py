"""The directory as LDAP holds it, read as the auditor."""

from typing import Any

from compliance.directory.ldap import connect, search
from compliance.errors import UserError
from compliance.probes.errors import first_problem
from compliance.probes.facts import (
    Device,
    DirectoryFacts,
    Group,
    Held,
    Mailbox,
    Person,
    Position,
    Seen,
    SystemMailbox,
    Unit,
    now,
)
from compliance.settings import Directory

_ATTRIBUTES = [
    *("cn", "description", "mail", "uid", "ou", "owner", "roleOccupant", "employeeNumber"),
    *("kommunpostAddress", "kommunpostKind", "kommunpostStatus", "kommunpostHolder"),
    *("kommunpostUnit", "kommunpostUnitKind", "kommunpostParent", "kommunpostDuty"),
    *("kommunpostReference", "kommunpostWatcher", "kommunpostDeputy"),
    *("member", "kommunpostRight"),
]


def read(settings: Directory) -> DirectoryFacts:
    """Take a snapshot; when LDAP does not answer, the facts say why and hold nothing."""
    seen = Seen("every entry below the suffix", settings.uri, now())
    try:
        entries = _search(settings)
    except UserError as error:
        return DirectoryFacts(Seen(seen.asked, seen.of, seen.at, first_problem(error)))
    return from_entries(seen, settings.base, entries)


def from_entries(
    seen: Seen, base: str, entries: list[tuple[str, dict[str, Any]]]
) -> DirectoryFacts:
    """Sort entries (DN and decoded attributes) into facts by the branch that they lie in."""
    branches: dict[str, list[tuple[str, _Values]]] = {}
    for dn, attributes in entries:
        inner = dn[: -len(base)].rstrip(", ").lower()
        if "," in inner:
            branch = inner.rsplit(",", 1)[1].strip()
            branches.setdefault(branch, []).append((dn, _Values(attributes)))
    return DirectoryFacts(
        seen,
        people=tuple(_person(dn, v) for dn, v in branches.get("ou=people", ())),
        units=tuple(_unit(dn, v) for dn, v in branches.get("ou=units", ())),
        positions=tuple(_position(dn, v) for dn, v in branches.get("ou=positions", ())),
        system=tuple(
            SystemMailbox(dn, v.one("cn") or dn, v.mailbox())
            for dn, v in branches.get("ou=system", ())
        ),
        devices=tuple(
            Device(v.one("cn") or dn, v.all("owner"), v.one("kommunpostUnit"))
            for dn, v in branches.get("ou=devices", ())
        ),
        ledger=tuple(
            Held(v.one("kommunpostHolder") or "", v.one("kommunpostAddress") or "")
            for _, v in branches.get("ou=addresses", ())
        ),
        groups=tuple(
            Group(v.one("kommunpostHolder") or "", v.one("kommunpostRight") or "", v.all("member"))
            for _, v in branches.get("ou=groups", ())
        ),
    )


class _Values:
    """An entry's attributes; names are compared without case, as LDAP does."""

    def __init__(self, attributes: dict[str, Any]) -> None:
        self._values = {name.lower(): value for name, value in attributes.items()}

    def all(self, name: str) -> tuple[str, ...]:
        value = self._values.get(name.lower()) or ()
        return (value,) if isinstance(value, str) else tuple(str(item) for item in value)

    def one(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)

    def mailbox(self) -> Mailbox | None:
        """An entry has a mailbox when it carries mail, kind and status."""
        mail, kind, status = map(self.one, ("mail", "kommunpostKind", "kommunpostStatus"))
        if not (mail and kind and status):
            return None
        addresses = tuple(address.lower() for address in self.all("kommunpostAddress"))
        return Mailbox(mail.lower(), kind, status, addresses)


def _person(dn: str, v: _Values) -> Person:
    return Person(
        dn,
        v.one("uid") or dn,
        v.one("cn") or dn,
        v.one("kommunpostUnit"),
        v.one("kommunpostReference"),
        v.mailbox(),
    )


def _unit(dn: str, v: _Values) -> Unit:
    name = v.one("ou") or dn
    return Unit(
        dn,
        name,
        v.one("description") or name,
        v.one("kommunpostUnitKind") or "unit",
        v.one("kommunpostParent"),
        v.mailbox(),
        v.all("kommunpostWatcher"),
        v.all("kommunpostDeputy"),
    )


def _position(dn: str, v: _Values) -> Position:
    name = v.one("cn") or dn
    return Position(
        dn,
        name,
        v.one("description") or name,
        v.one("kommunpostUnit"),
        v.all("kommunpostDuty"),
        v.all("roleOccupant"),
        v.mailbox(),
    )


def _search(settings: Directory) -> list[tuple[str, dict[str, Any]]]:
    with connect(settings, "reader") as connection:
        found = search(connection, settings.base, "(objectClass=*)", _ATTRIBUTES)
        return [(dn, _decoded(raw)) for dn, raw in found]


def _decoded(raw: dict[str, list[bytes]]) -> dict[str, Any]:
    return {
        name: [value.decode("utf-8", "replace") for value in values] for name, values in raw.items()
    }
