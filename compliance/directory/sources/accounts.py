"""People and PCs out of the entries of an LDAP directory or Active Directory. Pure.

The entries come from `ldap_source`; nothing here asks a server. A DN holds names, so problems and
notices name entries by their id alone (P1).
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from compliance.directory.model import Conflict, Notice, Pc, Person, PersonKind, Status
from compliance.directory.sources import Located
from compliance.directory.sources.values import fault_of_id, fault_of_name
from compliance.errors import Problem, UserError

_DISABLED = 0x2  # ADS_UF_ACCOUNTDISABLE of userAccountControl, MS-ADTS 2.2.16
_LOCKED_FOR_GOOD = "000001010000Z"  # pwdAccountLockedTime, draft-behera-ldap-password-policy 5.3.3
_ELECTED = frozenset({"elected", "förtroendevald"})  # values of employeeType


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a kind of directory calls things. Filters say which entries are people and PCs.

    lasting_id is the attribute that stays through every change of name; it is shown where an
    entry has to be found again.
    """

    people_filter: str
    pcs_filter: str
    lasting_id: str
    department: str
    owner: str
    disabled: str

    @property
    def attributes(self) -> tuple[str, ...]:
        """Every attribute that is read, but for the one that holds the id."""
        own = (self.lasting_id, self.department, self.owner, self.disabled)
        return (*own, "cn", "givenName", "middleName", "sn", "employeeType")


ACTIVE_DIRECTORY = Dialect(
    people_filter="(&(objectCategory=person)(objectClass=user)(sn=*))",
    # But no domain controllers: ADS_UF_SERVER_TRUST_ACCOUNT, by the bit-wise matching rule.
    pcs_filter="(&(objectCategory=computer)(!(userAccountControl:1.2.840.113556.1.4.803:=8192)))",
    lasting_id="objectGUID",
    department="department",
    owner="managedBy",
    disabled="userAccountControl",
)
LDAP = Dialect(
    people_filter="(objectClass=inetOrgPerson)",
    pcs_filter="(objectClass=device)",
    lasting_id="entryUUID",
    department="ou",
    owner="owner",
    disabled="pwdAccountLockedTime",
)


@dataclass(frozen=True, slots=True)
class RawEntry:
    """An entry as it was read: its DN, and its values by attribute name in lower case."""

    dn: str
    values: Mapping[str, Sequence[bytes]]

    def texts(self, attribute: str) -> tuple[str, ...]:
        """Give an attribute's values; what is not UTF-8 comes with replacement signs.

        Both kinds of UUID come as 32 hexadecimal digits, which is as long as an id may be.
        """
        name = attribute.lower()
        found = self.values.get(name, ())
        if name == "objectguid":
            return tuple(uuid.UUID(bytes_le=bytes(raw)).hex for raw in found)
        texts = (raw.decode("utf-8", "replace").strip() for raw in found)
        return tuple(text.replace("-", "") if name == "entryuuid" else text for text in texts)

    def text(self, attribute: str) -> str:
        """Give the first value of an attribute, or an empty string."""
        return next(iter(self.texts(attribute)), "")


@dataclass(frozen=True)
class Rules:
    """How a municipality's own directory is to be read.

    server: as it stands in problems. id_attribute: whose value is the person's id. units: value of
    the department attribute to unit id. protected: DNs of people with protected identity, None if
    the directory does not say who they are.
    """

    dialect: Dialect
    server: str
    id_attribute: str
    units: Mapping[str, str]
    protected: Collection[str] | None = None


@dataclass(frozen=True)
class Accounts:
    """What the entries say: people by their DN in lower case, PCs, and what does not fit."""

    people: Mapping[str, Located[Person]]
    pcs: Sequence[Located[Pc]]
    notices: Sequence[Notice] = ()


def read_accounts(people: Sequence[RawEntry], pcs: Sequence[RawEntry], rules: Rules) -> Accounts:
    """Make people and PCs. Raises UserError with every problem, one for each unknown department.

    An account without an id is left out and told: it belongs to a program, or HR does not know it.
    """
    return _Reading(rules).run(people, pcs)


class _Reading:
    """One run of `read_accounts`."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._units = {name.casefold(): unit for name, unit in rules.units.items()}
        told = rules.protected
        self._protected = None if told is None else {dn.lower() for dn in told}
        self._problems: list[Problem] = []
        self._notices: list[Notice] = []
        self._homeless: dict[str, int] = {}

    def run(self, people: Sequence[RawEntry], pcs: Sequence[RawEntry]) -> Accounts:
        persons = {entry.dn.lower(): person for entry in people if (person := self._person(entry))}
        owners = {dn: person.value for dn, person in persons.items()}
        computers = [pc for entry in pcs if (pc := self._pc(entry, owners))]
        self._problems += map(self._no_unit, self._homeless.items())
        if self._problems:
            raise UserError(self._problems)
        return Accounts(persons, computers, tuple(self._notices))

    def _person(self, entry: RawEntry) -> Located[Person] | None:
        number = entry.text(self._rules.id_attribute)
        where = self._where(entry)
        if not number:
            self._notices.append(Notice(Conflict.ACCOUNT_WITHOUT_ID, where))
            return None
        faults = {
            self._rules.id_attribute: fault_of_id(number),
            "givenName": fault_of_name(entry.text("givenName"), may_be_empty=True),
            "middleName": fault_of_name(entry.text("middleName"), may_be_empty=True),
            "sn": fault_of_name(entry.text("sn")),
        }
        is_protected = self._is_protected(entry)
        found = [
            Problem(
                f"attribute {name}: " + ("the value does not fit" if is_protected else fault[0]),
                where,
                fault[1],
            )
            for name, fault in faults.items()
            if fault
        ]
        unit = self._unit(entry)
        self._problems += found
        if found or unit is None:
            return None
        person = Person(
            id=number,
            given_name=entry.text("givenName"),
            middle_name=entry.text("middleName"),
            surname=entry.text("sn"),
            kind=_kind(entry),
            unit=unit,
            status=Status.SUSPENDED if self._is_disabled(entry) else Status.ACTIVE,
            protected=is_protected,
        )
        return Located(person, where)

    def _is_protected(self, entry: RawEntry) -> bool | None:
        return None if self._protected is None else entry.dn.lower() in self._protected

    def _unit(self, entry: RawEntry) -> str | None:
        """Give the unit that a department stands for, or count it as unknown."""
        department = entry.text(self._rules.dialect.department)
        unit = self._units.get(department.casefold())
        if unit is None:
            self._homeless[department] = self._homeless.get(department, 0) + 1
        return unit

    def _no_unit(self, counted: tuple[str, int]) -> Problem:
        department, count = counted
        told = f"the department {department!r}" if department else "no department"
        return Problem(
            f"{count} of the accounts have {told}, which is mapped to no unit",
            f"{self._rules.server}: {self._rules.dialect.department}",
            "map it to the id of a unit in directory.sources.accounts.units, or leave these "
            "accounts out by people_filter",
        )

    def _pc(self, entry: RawEntry, owners: Mapping[str, Person]) -> Located[Pc] | None:
        """Make a PC; its unit is that of its department, else its first owner's, else none."""
        name = entry.text("cn")
        where = self._where(entry)
        fault = fault_of_id(name)
        if fault:
            self._problems.append(Problem(f"attribute cn: {fault[0]}", where, fault[1]))
            return None
        if self._is_disabled(entry):
            return None  # no longer joined to the network
        named = entry.texts(self._rules.dialect.owner)
        found = [owners[dn.lower()] for dn in named if dn.lower() in owners]
        if len(found) < len(named):
            self._notices.append(Notice(Conflict.OWNER_UNKNOWN, f"PC {name}"))
        unit = self._units.get(entry.text(self._rules.dialect.department).casefold(), "")
        if not unit and found:
            unit = found[0].unit
        return Located(Pc(name, unit, tuple(owner.id for owner in found)), where)

    def _is_disabled(self, entry: RawEntry) -> bool:
        mark = entry.text(self._rules.dialect.disabled)
        if self._rules.dialect is LDAP:
            return mark == _LOCKED_FOR_GOOD
        return mark.isdigit() and bool(int(mark) & _DISABLED)

    def _where(self, entry: RawEntry) -> str:
        lasting = self._rules.dialect.lasting_id
        return f"{self._rules.server}: {lasting} {entry.text(lasting) or 'unknown'}"


def _kind(entry: RawEntry) -> PersonKind:
    is_elected = entry.text("employeeType").casefold() in _ELECTED
    return PersonKind.ELECTED if is_elected else PersonKind.EMPLOYEE
