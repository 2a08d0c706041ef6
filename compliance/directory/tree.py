"""The directory's layout in LDAP (docs/architecture.md): the model as entries. Pure.

An `Entry` holds only what the plan decides; passwords and operational attributes are not its.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from compliance.directory.groups import groups_of
from compliance.directory.lists import members_of
from compliance.directory.model import (
    Duty,
    MailboxKind,
    Organisation,
    Pc,
    Person,
    Position,
    Right,
    Status,
    Unit,
)
from compliance.directory.naming import SYSTEM_MAILBOXES

Values = tuple[str, ...]

# Branches whose entries the plan owns, in the order in which they are written.
LISTS = "lists"
BRANCHES = ("people", "units", "positions", "system", LISTS, "devices")
GROUPS = "groups"  # the branch of the groups, which the plan owns too

# Every attribute that the plan decides; one that an entry no longer has is removed.
MANAGED = (
    *("cn", "sn", "givenName", "employeeNumber", "employeeType", "description", "mail"),
    *("roleOccupant", "owner", "member", "memberURL"),
    *("kommunpostAddress", "kommunpostKind", "kommunpostStatus", "kommunpostHolder"),
    *("kommunpostUnit", "kommunpostUnitKind", "kommunpostParent", "kommunpostWatcher"),
    *("kommunpostDeputy", "kommunpostDuty", "kommunpostReference", "kommunpostClosesOn"),
    "kommunpostRight",
    *("kommunpostAnswer", "kommunpostInstead", "kommunpostSenders", "kommunpostAudience"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its name below the suffix, its object classes, its managed attributes."""

    rdn: str
    classes: frozenset[str]
    attributes: Mapping[str, Values]

    def first(self, attribute: str) -> str:
        """Give the only (or first) value of an attribute, or an empty string."""
        values = self.attributes.get(attribute, ())
        return values[0] if values else ""

    def having(self, **values: str) -> "Entry":
        """Give the entry with other values; an attribute whose value is empty is left out."""
        kept = {name: held for name, held in self.attributes.items() if name not in values}
        added = {name: (value,) for name, value in values.items() if value}
        return replace(self, attributes={**kept, **added})

    @property
    def address(self) -> str:
        """The primary address; empty for what has no mailbox, such as a PC."""
        return self.first("mail")

    @property
    def holder(self) -> str:
        """The lasting id of whom the mailbox belongs to, e.g. `person:10023`."""
        return self.first("kommunpostHolder")

    @property
    def kind(self) -> str:
        """individual, function or system; `device` for a PC, `list` for a distribution list."""
        other = "device" if self.is_device else "list" if self.is_list else ""
        return self.first("kommunpostKind") or other

    @property
    def is_device(self) -> bool:
        """A PC carries no mailbox."""
        return self.rdn.endswith(",ou=devices")

    @property
    def is_list(self) -> bool:
        """A distribution list has an address, but keeps nothing."""
        return self.rdn.endswith(f",ou={LISTS}")

    @property
    def leaves_no_trace(self) -> bool:
        """A PC, list or group that is gone is removed; a mailbox is closed and stays."""
        return self.is_device or self.is_list or self.rdn.endswith(f",ou={GROUPS}")

    @property
    def name(self) -> str:
        """What a person calls it; the reference in case of a protected identity."""
        return self.first("description") or self.first("cn")


@dataclass(frozen=True, slots=True)
class Held:
    """What LDAP holds now: entries and groups by their name below the suffix, and the ledger."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    ledger: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, Entry] = field(default_factory=dict)


def wanted_entries(
    organisation: Organisation, addresses: Mapping[str, str], base: str
) -> Iterator[Entry]:
    """Give every entry that the sources ask for, people first.

    addresses: holder to primary address, for every holder. base: the LDAP suffix.
    """
    tree = _Tree(organisation, addresses, base)
    yield from map(tree.person, organisation.people)
    yield from map(tree.unit, organisation.units)
    yield from map(tree.position, organisation.positions)
    yield from map(tree.system, SYSTEM_MAILBOXES)
    yield from (tree.mailing_list(unit) for unit in organisation.units if unit.mailing_list)
    yield from map(tree.device, organisation.pcs)


def wanted_groups(organisation: Organisation, base: str) -> Iterator[Entry]:
    """Give the groups of those who may use a mailbox that is not their own."""
    for group in groups_of(organisation):
        name = _group_name(group.holder, group.right)
        attributes = {
            "cn": (name,),
            "member": tuple(_dn(person, base) for person in group.members),
            "kommunpostHolder": (group.holder,),
            "kommunpostRight": (group.right.value,),
        }
        classes = frozenset({"groupOfNames", "kommunpostGroup"})
        yield Entry(f"cn={name},ou={GROUPS}", classes, attributes)


class _Tree:
    """Makes entries; each method is one row of the table in docs/architecture.md."""

    def __init__(self, organisation: Organisation, addresses: Mapping[str, str], base: str) -> None:
        self._organisation = organisation
        self._addresses = addresses
        self._base = base
        self._heads = {unit.head for unit in organisation.units if unit.head}
        self._sent_by_others = {
            group.holder for group in groups_of(organisation) if group.right is Right.SENDER
        }

    def person(self, person: Person) -> Entry:
        shown = person.display_name
        names = (
            {"sn": shown, "givenName": shown, "kommunpostReference": shown}
            if person.protected
            else {"sn": person.surname, "givenName": person.given_name}
        )
        is_on_leave = person.status is Status.ON_LEAVE
        return self._entry(
            f"uid={person.id},ou=people",
            {"inetOrgPerson", "kommunpostMailbox"},
            cn=shown,
            **names,
            employeeNumber=person.id,
            employeeType=person.kind,
            kommunpostDeputy=self._dn(person.deputy) if is_on_leave and person.deputy else "",
            **self._mailbox(
                f"person:{person.id}",
                MailboxKind.INDIVIDUAL,
                person.unit,
                Status.ACTIVE if is_on_leave else person.status,
            ),
        )

    def unit(self, unit: Unit) -> Entry:
        is_office = unit.id == self._organisation.executive_office
        return self._entry(
            f"ou={unit.id},ou=units",
            {"organizationalUnit", "kommunpostMailbox"},
            description=unit.name,
            kommunpostUnitKind=unit.kind,
            kommunpostParent=unit.parent or "",
            kommunpostWatcher=self._dn(unit.watch.watcher),
            kommunpostDeputy=self._dn(unit.watch.deputy),
            kommunpostDuty=Duty.EXECUTIVE_OFFICE if is_office else "",
            **self._mailbox(f"unit:{unit.id}", MailboxKind.FUNCTION, unit.id),
        )

    def position(self, position: Position) -> Entry:
        duties = (
            (Duty.COMMISSIONER, position.id == self._organisation.commissioner),
            (Duty.HEAD, position.id in self._heads),
        )
        return self._entry(
            f"cn={position.id},ou=positions",
            {"organizationalRole", "kommunpostMailbox"},
            cn=position.id,
            description=position.name,
            roleOccupant=tuple(map(self._dn, position.holders)),
            kommunpostDuty=tuple(duty.value for duty, is_theirs in duties if is_theirs),
            **self._mailbox(f"position:{position.id}", MailboxKind.FUNCTION, position.unit),
        )

    def system(self, name: str) -> Entry:
        office = self._organisation.executive_office
        return self._entry(
            f"cn={name},ou=system",
            {"organizationalRole", "kommunpostMailbox"},
            cn=name,
            description=SYSTEM_MAILBOXES[name],
            **self._mailbox(f"system:{name}", MailboxKind.SYSTEM, office),
        )

    def mailing_list(self, unit: Unit) -> Entry:
        holder = f"list:{unit.id}"
        return self._entry(
            f"cn={unit.id},ou={LISTS}",
            {"groupOfURLs", "kommunpostList"},
            cn=unit.id,
            description=f"Alla i {unit.name}",
            mail=self._addresses[holder],
            memberURL=members_of(unit, self._organisation.units, self._base),
            kommunpostAddress=self._addresses[holder],
            kommunpostHolder=holder,
            kommunpostUnit=unit.id,
            kommunpostAudience=unit.mailing_list or "",
        )

    def device(self, pc: Pc) -> Entry:
        return self._entry(
            f"cn={pc.name},ou=devices",
            {"device", "kommunpostUnitMember"},
            cn=pc.name,
            owner=tuple(map(self._dn, pc.owners)),
            kommunpostUnit=pc.unit,
        )

    def _mailbox(
        self, holder: str, kind: MailboxKind, unit: str, status: Status = Status.ACTIVE
    ) -> dict[str, str]:
        address = self._addresses[holder]
        return {
            "mail": address,
            "kommunpostAddress": address,
            "kommunpostHolder": holder,
            "kommunpostKind": kind,
            "kommunpostStatus": status,
            "kommunpostUnit": unit,
            "kommunpostSenders": self._senders(holder),
        }

    def _senders(self, holder: str) -> str:
        """Name the group of those who may send as a mailbox, if it has one."""
        group = f"cn={_group_name(holder, Right.SENDER)},ou={GROUPS},{self._base}"
        return group if holder in self._sent_by_others else ""

    def _dn(self, person_id: str) -> str:
        return _dn(person_id, self._base)

    @staticmethod
    def _entry(rdn: str, classes: set[str], **attributes: str | Values) -> Entry:
        """Make an entry; an attribute without a value is left out, as LDAP has it."""
        listed = {
            name: (str(value),) if isinstance(value, str) else value
            for name, value in attributes.items()
            if value
        }
        return Entry(rdn, frozenset(classes), listed)


def _group_name(holder: str, right: Right) -> str:
    return f"{holder.replace(':', '.')}.{right}"


def _dn(person_id: str, base: str) -> str:
    return f"uid={person_id},ou=people,{base}"
