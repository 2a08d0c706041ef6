"""Holds a source's records against each other and makes one `Organisation` of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import TypeVar

from compliance.directory.model import (
    Access,
    Organisation,
    Pc,
    Person,
    Position,
    Role,
    Stranger,
    Unit,
    UnitKind,
)
from compliance.directory.sources import Located, Source, Structure
from compliance.directory.sources.values import suggestion
from compliance.errors import Problem, UserError

T = TypeVar("T")

_PARENT_KINDS = {
    UnitKind.AUTHORITY: (),
    UnitKind.ADMINISTRATION: (UnitKind.AUTHORITY,),
    UnitKind.DEPARTMENT: (UnitKind.ADMINISTRATION, UnitKind.DEPARTMENT),
}
_UNIT_REMEDY = "write the id of a unit in organisation.yml, or add the unit there"


def gather(source: Source) -> Organisation:
    """Read everything and resolve every reference; people who are not there become strangers.

    Raises UserError with all problems: first those within the files, all files together; when
    there are none, those between the records. No message holds a person's name (P1).
    """
    problems: list[Problem] = []
    structure = _read(source.structure, problems)
    people = _read(source.people, problems)
    pcs = _read(source.pcs, problems)
    if structure is None or people is None or pcs is None:
        raise UserError(problems)
    comparison = _Comparison(structure, people, pcs)
    problems = comparison.problems()
    if problems:
        raise UserError(problems)
    return Organisation(
        municipality=structure.municipality.value,
        units=tuple(unit.value for unit in structure.units),
        positions=tuple(position.value for position in structure.positions),
        people=tuple(person.value for person in people),
        pcs=tuple(pc.value for pc in pcs),
        commissioner=structure.commissioner.value,
        executive_office=structure.executive_office.value,
        strangers=tuple(comparison.strangers),
        notices=tuple(source.notices()),
    )


def _read(reader: Callable[[], T], problems: list[Problem]) -> T | None:
    try:
        return reader()
    except UserError as error:
        problems += error.problems
        return None


@dataclass
class _Comparison:
    """Checks between records; each adds to `found` what does not fit.

    Somebody who is not among the people is no fault by itself: HR lets people go before the other
    lists know it. They are kept in `strangers`.
    """

    structure: Structure
    people: Sequence[Located[Person]]
    pcs: Sequence[Located[Pc]]
    found: list[Problem] = field(default_factory=list)
    strangers: list[Stranger] = field(default_factory=list)

    def problems(self) -> list[Problem]:
        # Of two with the same id the first counts, so that a double entry is told as that alone.
        self._units = {unit.value.id: unit.value for unit in reversed(self.structure.units)}
        self._positions = {item.value.id: item.value for item in self.structure.positions}
        self._people_ids = {person.value.id for person in self.people}
        self._twice("unit", ((unit.value.id, unit.where) for unit in self.structure.units))
        self._twice("position", ((item.value.id, item.where) for item in self.structure.positions))
        self._twice("person", self._overlapping())
        self._twice("PC", ((pc.value.name, pc.where) for pc in self.pcs))
        for unit in self.structure.units:
            self._unit(unit.value, unit.where)
        for position in self.structure.positions:
            self._position(position.value, position.where)
        self._duties()
        for person in self.people:
            if person.value.protected and person.value.unit not in self._units:
                self._problem("there is no such unit", person.where, _UNIT_REMEDY)
            else:
                self._known_unit(person.value.unit, person.where)
            if person.value.deputy:
                of = f"person {person.value.id}"
                self._person(Role.STAND_IN, person.value.deputy, of, person.where)
        for pc in self.pcs:
            if pc.value.unit:
                self._known_unit(pc.value.unit, pc.where)
            for owner in pc.value.owners:
                self._person(Role.OWNER, owner, f"PC {pc.value.name}", pc.where)
        return self.found

    def _problem(self, what: str, where: str, remedy: str) -> None:
        self.found.append(Problem(what, where, remedy))

    def _twice(self, word: str, ids: Iterable[tuple[str, str]]) -> None:
        """LDAP tells no capitals from small letters, so neither may ids."""
        first: dict[str, str] = {}
        for name, where in ids:
            before = first.setdefault(name.casefold(), where)
            if before is not where:
                self._problem(
                    f"the {word} {name} stands twice, first at {before}",
                    where,
                    "remove one of the two, or give it an id of its own",
                )

    def _overlapping(self) -> Iterator[tuple[str, str]]:
        """Give everybody but those whose lines are for other times, as terms of office are."""
        lines: dict[str, list[Located[Person]]] = {}
        for person in self.people:
            lines.setdefault(person.value.id.casefold(), []).append(person)
        for found in lines.values():
            in_turn = sorted(found, key=lambda person: person.value.starts or date.min)
            follow = all(
                (before.value.ends or date.max) < (after.value.starts or date.min)
                for before, after in pairwise(in_turn)
            )
            for person in found[:1] if follow else found:
                yield person.value.id, person.where

    def _unit(self, unit: Unit, where: str) -> None:
        self._person(Role.WATCHER, unit.watch.watcher, f"unit {unit.id}", where)
        self._person(Role.DEPUTY, unit.watch.deputy, f"unit {unit.id}", where)
        if unit.watch.watcher == unit.watch.deputy:
            self._problem(
                f"unit {unit.id}: watcher and deputy are the same person",
                where,
                "name somebody else as deputy",
            )
        self._access(unit.access, f"unit {unit.id}", where)
        self._parent(unit, where)
        if unit.head is not None:
            self._head(unit, unit.head, where)

    def _parent(self, unit: Unit, where: str) -> None:
        allowed = _PARENT_KINDS[unit.kind]
        if unit.parent is None:
            if allowed:
                self._problem(
                    f"unit {unit.id} of the kind {unit.kind} needs a parent",
                    where,
                    f"write `parent:` and the id of its {allowed[0]}",
                )
            return
        parent = self._units.get(unit.parent)
        if parent is None:
            self._known_unit(unit.parent, where)
        elif parent.kind not in allowed:
            self._problem(
                f"unit {unit.id}: its parent {parent.id} is of the kind {parent.kind}",
                where,
                f"name an {allowed[0]}" if allowed else "an authority has no parent: remove it",
            )
        elif self._is_in_circle(unit):
            self._problem(
                f"unit {unit.id}: following its parents leads back to itself",
                where,
                "name the administration that it belongs to as parent",
            )

    def _head(self, unit: Unit, head: str, where: str) -> None:
        """The head is a position within the administration that it leads."""
        position = self._positions.get(head)
        if unit.kind is not UnitKind.ADMINISTRATION:
            self._problem(
                f"unit {unit.id} of the kind {unit.kind} has a head",
                where,
                "remove it: the head is that of an administration",
            )
        elif position is None or position.unit != unit.id:
            self._problem(
                f"unit {unit.id}: its head {head} is no position in it",
                where,
                f"write the id of a position whose unit is {unit.id}"
                + suggestion(head, self._positions),
            )

    def _is_in_circle(self, unit: Unit) -> bool:
        seen: set[str] = set()
        above = unit.parent
        while above in self._units and above not in seen:
            seen.add(above)
            above = self._units[above].parent
        return unit.id in seen

    def _position(self, position: Position, where: str) -> None:
        self._known_unit(position.unit, where)
        for holder in position.holders:
            self._person(Role.HOLDER, holder, f"position {position.id}", where)
        self._access(position.access, f"position {position.id}", where)

    def _access(self, access: Access, of: str, where: str) -> None:
        for right, people in access.items():
            for person in people:
                self._person(Role(right), person, of, where)

    def _duties(self) -> None:
        named, where = self.structure.commissioner.value, self.structure.commissioner.where
        commissioner = self._positions.get(named)
        if commissioner is None:
            hint = suggestion(named, self._positions)
            self._problem(
                f"commissioner: there is no position {named}",
                where,
                f"write the id of a position in this file{hint}",
            )
        elif not commissioner.holders:
            self._problem(
                f"commissioner: the position {named} has no holder", where, "name its holder"
            )
        named, where = self.structure.executive_office.value, self.structure.executive_office.where
        office = self._units.get(named)
        if office is None or office.kind is not UnitKind.ADMINISTRATION:
            self._problem(
                f"executive_office: there is no administration {named}",
                where,
                "write the id of a unit of the kind administration",
            )

    def _known_unit(self, unit: str, where: str) -> None:
        if unit not in self._units:
            self._problem(
                f"there is no unit {unit}",
                where,
                _UNIT_REMEDY + suggestion(unit, self._units),
            )

    def _person(self, role: Role, person: str, of: str, where: str) -> None:
        if person not in self._people_ids:
            self.strangers.append(Stranger(role, person, of, where))
