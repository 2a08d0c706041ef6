"""The directory as checks look at it: who a DN is, how a person is named, whose unit is whose."""

from dataclasses import dataclass
from functools import cached_property

from compliance.checks.model import Share
from compliance.directory.naming import neutral_local_part
from compliance.probes.facts import Device, DirectoryFacts, Person, Unit
from compliance.texts import Text, plain

_READING = ("reader", "writer")  # who may write may read; `sender` and `reviewer` see no mail
_OUTSIDE = Text("Utan förvaltning", "Outside any administration")


def same_dn(dn: str) -> str:
    """Return a DN in the form that is compared: LDAP ignores case and blanks around separators."""
    return ",".join(
        "=".join(side.strip().lower() for side in part.split("=", 1)) for part in dn.split(",")
    )


@dataclass(frozen=True)
class Register:
    """Look-ups over one snapshot of the directory."""

    facts: DirectoryFacts

    @cached_property
    def _people(self) -> dict[str, Person]:
        return {same_dn(person.dn): person for person in self.facts.people}

    @cached_property
    def _units(self) -> dict[str, Unit]:
        return {unit.id: unit for unit in self.facts.units}

    def person(self, dn: str) -> Person | None:
        """Return the person that a DN names, or None if the entry is gone."""
        return self._people.get(same_dn(dn))

    def owners(self) -> dict[str, list[Device]]:
        """Return each distinct PC owner's DN with that owner's PCs."""
        found: dict[str, tuple[str, list[Device]]] = {}
        for device in self.facts.devices:
            for dn in device.owners:
                found.setdefault(same_dn(dn), (dn, []))[1].append(device)
        return dict(found.values())

    @cached_property
    def _readers(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for group in self.facts.groups or ():
            if group.right in _READING:
                found.setdefault(group.holder, set()).update(map(same_dn, group.members))
        return found

    def readers(self, holder: str) -> set[str]:
        """Return the DNs, as `same_dn` has them, of those who may read a holder's mailbox."""
        return self._readers.get(holder, set())

    def former_address(self, holder: str) -> str | None:
        """Return an address that the ledger ties to a holder (`person:10023`), if any.

        Of somebody who ever was protected it is the neutral one, since the others show the name.
        """
        held = [line.address for line in self.facts.ledger if line.holder == holder]
        neutral = f"{neutral_local_part(holder.partition(':')[2])}@"
        return next((one for one in held if one.startswith(neutral)), next(iter(held), None))

    def administration(self, unit_id: str | None) -> Unit | None:
        """Climb from a unit to its administration, else its authority, else None."""
        steps = 0
        unit = self._units.get(unit_id or "")
        above = unit
        while above is not None and above.kind == "department" and steps < len(self._units):
            above = self._units.get(above.parent or "")
            steps += 1
        return above or unit

    def share(self, unit_id: str, population: int, measured: int, good: int) -> Share:
        """Make the figures of one administration, by its name."""
        unit = self._units.get(unit_id)
        name = plain(unit.name) if unit else _OUTSIDE
        return Share(unit_id, name, population, measured, good)


def subject_of(person: Person) -> str:
    """Say how a finding names a person: the reference if protected, else address or name."""
    if person.reference:
        return person.reference
    return person.mailbox.address if person.mailbox else person.name


def name_of(person: Person) -> str:
    """Return the name, or the reference that stands for it."""
    return person.reference or person.name
