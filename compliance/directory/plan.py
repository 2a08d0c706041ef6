"""The plan: what must change in LDAP so that it says what the sources say. Pure.

A plan is made anew from what LDAP holds each time, so an interrupted apply is resumed by planning
and applying again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from math import ceil

from compliance.directory import naming
from compliance.directory.answers import Answers, Instead
from compliance.directory.conflicts import notices_of
from compliance.directory.lifecycle import InService, closing_day, farewell, in_service
from compliance.directory.model import MailboxKind, Notice, Organisation, Status
from compliance.directory.tree import MANAGED, Entry, Held, Values, wanted_entries, wanted_groups
from compliance.errors import UserError
from compliance.settings import ADDRESS_PATTERN

# How many mailboxes may close, and how many may get another address, without a word.
LIMIT_PERCENT = 10.0
_GONE = "no longer in the sources"


class Action(StrEnum):
    """What happens to a mailbox, or to an object beside the mailboxes such as a PC."""

    CREATE = "create"
    RENAME = "rename"
    MOVE = "move"
    UPDATE = "update"
    SUSPEND = "suspend"
    CLOSE = "close"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one entry, and why.

    mailbox is the entry as it will be. writes holds the attributes to write, an empty tuple where
    one is to be removed; empty for what is kept. is_new_entry tells a new entry from one that
    stood there without a mailbox.
    """

    action: Action
    mailbox: Entry
    reason: str
    writes: Mapping[str, Values] = field(default_factory=dict)
    is_new_entry: bool = False

    @property
    def is_leaving(self) -> bool:
        """Say whether the holder is no longer in service, and was at the last plan."""
        if self.action is Action.SUSPEND:
            return bool(self.writes.get("kommunpostClosesOn"))
        return self.action is Action.CLOSE and "kommunpostClosesOn" not in self.writes


@dataclass(frozen=True)
class MailboxPlan:
    """Every change in the order in which it is to be written, and the ledger's new records.

    records: address to holder, written before any entry.
    groups: changes of who may use a mailbox that is not their own, written after all else.
    active_before: how many mailboxes were not closed when the plan was made.
    notices: where the sources contradict each other; they do not stop the plan.
    """

    changes: tuple[Change, ...]
    records: Mapping[str, str]
    active_before: int
    groups: tuple[Change, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Say whether the directory already is as the sources say."""
        return not self.records and all(
            change.action is Action.KEEP for change in (*self.changes, *self.groups)
        )

    @property
    def leaving(self) -> int:
        """How many mailboxes are taken from those who have them, at once or after a time.

        One whose time is over was counted when it began.
        """
        return sum(change.is_leaving for change in self.mailboxes)

    @property
    def mailboxes(self) -> tuple[Change, ...]:
        """The changes of entries that carry a mailbox, kept ones included."""
        return tuple(change for change in self.changes if not change.mailbox.leaves_no_trace)

    def counts(self) -> Counter[Action]:
        """Count the changes by action."""
        return Counter(change.action for change in self.changes)

    @property
    def renamed(self) -> int:
        """How many mailboxes get another primary address, which is also the login."""
        return sum(change.action is Action.RENAME for change in self.mailboxes)

    def refuse_mass_closing(self, percent: float) -> None:
        """Raise UserError if more than `percent` of the mailboxes would be closed, now or later.

        A source that came half or empty looks just like many people leaving.
        """
        self._refuse(self.leaving, percent, "close", "to be closed", "--allow-closing")

    def refuse_mass_renaming(self, percent: float) -> None:
        """Raise UserError if more than `percent` of the mailboxes would get another address.

        So it looks when columns were swapped or letters mangled in an export, and an address once
        used stays used for ever.
        """
        self._refuse(self.renamed, percent, "rename", "to be renamed", "--allow-renaming")

    def _refuse(self, number: int, percent: float, verb: str, meant: str, option: str) -> None:
        if number * 100 <= percent * self.active_before:
            return
        share = number * 100 / self.active_before
        raise UserError.of(
            f"the plan would {verb} {number} of {self.active_before} mailboxes ({share:.1f} %), "
            f"more than the {percent:g} % that is allowed without a word; nothing was changed",
            "the sources",
            f"see `kommunpost directory plan`; if they truly are {meant}, run apply with "
            f"{option} {ceil(share)}",
        )


def make_plan(
    organisation: Organisation,
    domain: str,
    base: str,
    held: Held,
    today: date,
    answer_days: int,
    pattern: str = ADDRESS_PATTERN,
) -> MailboxPlan:
    """Compare the sources with what LDAP holds.

    domain: the mail domain. base: the LDAP suffix. today: the day in Sweden. answer_days: how long
    mail to somebody who has left is answered. pattern: how people are named. Linear in the number
    of people but for the sorting of newcomers. Raises UserError when a system mailbox's name is
    held by someone else, or when a unit or position names somebody whom neither the sources nor
    the directory ever knew.
    """
    service = in_service(_with_protection_kept(organisation, held), today)
    organisation = service.organisation
    notices = notices_of(organisation, _people_before(held) | service.last_days.keys())
    protected = {f"person:{person.id}" for person in organisation.people if person.protected}
    ledger = _ledger(held)
    addresses = naming.assign(_wishes(organisation, pattern), domain, _current(held), ledger)
    wanted = {
        entry.rdn.lower(): _with_old_addresses(entry, held, ledger, protected)
        for entry in wanted_entries(organisation, addresses, base)
    }
    gone = {key: entry for key, entry in held.entries.items() if key not in wanted}
    left = {
        key: farewell(entry, _last_day(entry, service), today, answer_days)
        for key, entry in gone.items()
        if not entry.leaves_no_trace
    }
    answers = Answers(organisation, {**left, **wanted})
    changes = [
        _compare(held.entries.get(key), answers.told(entry)) for key, entry in wanted.items()
    ]
    changes += [
        Change(Action.CLOSE, entry, _GONE) for entry in gone.values() if entry.leaves_no_trace
    ]
    changes += [
        _farewell(gone[key], after)
        for key, entry in left.items()
        if (after := answers.told(entry)) != gone[key]
    ]
    records = {
        address: ledger.get(address, holder)
        for address, holder in _in_use(wanted.values(), held.entries.values())
        if address not in held.ledger
    }
    return MailboxPlan(
        tuple(changes),
        records,
        active_before=_active(held),
        groups=_groups(organisation, base, held),
        notices=notices,
    )


def closing_plan(held: Held, today: date) -> MailboxPlan:
    """Close the mailboxes whose set time is over, and nothing else; no sources are needed."""
    instead = Instead(held.entries)
    changes = (
        _farewell(entry, instead.closed(farewell(entry, None, today, 0)))
        for entry in held.entries.values()
        if (closes := closing_day(entry)) and closes <= today
    )
    return MailboxPlan(tuple(changes), {}, active_before=_active(held))


def _active(held: Held) -> int:
    return sum(
        bool(entry.address)
        and not entry.leaves_no_trace
        and entry.first("kommunpostStatus") != Status.CLOSED
        for entry in held.entries.values()
    )


def _groups(organisation: Organisation, base: str, held: Held) -> tuple[Change, ...]:
    wanted = {group.rdn.lower(): group for group in wanted_groups(organisation, base)}
    changes = [_of_group(held.groups.get(key), group) for key, group in wanted.items()]
    gone = [group for key, group in held.groups.items() if key not in wanted]
    changes += [Change(Action.CLOSE, group, _members(group, None)) for group in gone]
    return tuple(changes)


def _of_group(before: Entry | None, after: Entry) -> Change:
    change = _compare(before, after)
    if change.action is Action.KEEP:
        return change
    return replace(change, reason=_members(before, after))


def _members(before: Entry | None, after: Entry | None) -> str:
    """Say who comes and who goes, by ids alone (P1): `+10591 -10471`."""
    old, new = _member_ids(before), _member_ids(after)
    comes = [f"+{one}" for one in sorted(new - old)]
    return " ".join(comes + [f"-{one}" for one in sorted(old - new)])


def _member_ids(group: Entry | None) -> set[str]:
    names = group.attributes.get("member", ()) if group else ()
    return {name.partition(",")[0].removeprefix("uid=") for name in names}


def _with_protection_kept(organisation: Organisation, held: Held) -> Organisation:
    """Let whoever is protected in the directory stay so where the sources do not say (P1)."""
    hidden = {entry.holder for entry in held.entries.values() if entry.first("kommunpostReference")}
    people = (
        replace(person, protected=f"person:{person.id}" in hidden)
        if person.protected is None
        else person
        for person in organisation.people
    )
    return replace(organisation, people=tuple(people))


def _people_before(held: Held) -> set[str]:
    """Give the ids of everybody whom the directory holds, those who have left too."""
    return {
        entry.holder.removeprefix("person:")
        for entry in held.entries.values()
        if entry.holder.startswith("person:")
    }


def _wishes(organisation: Organisation, pattern: str) -> Iterator[naming.Wish]:
    yield from naming.wishes_of_system()
    for unit in organisation.units:
        yield naming.wish_of_function(f"unit:{unit.id}", unit.name)
    for position in organisation.positions:
        yield naming.wish_of_function(f"position:{position.id}", position.name)
    for unit in organisation.units:
        if unit.mailing_list:
            yield naming.wish_of_list(unit.id, unit.name)
    for person in organisation.people:
        yield naming.wish_of_person(person, pattern)


def _current(held: Held) -> dict[str, str]:
    return {entry.holder: entry.address for entry in held.entries.values() if entry.address}


def _in_use(*entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    """Give each address that some entry carries, with its holder."""
    for group in entries:
        for entry in group:
            for address in entry.attributes.get("kommunpostAddress", ()):
                yield address, entry.holder


def _ledger(held: Held) -> dict[str, str]:
    """Complete the ledger with addresses that stand in entries alone, as after a hand's work."""
    ledger = dict(held.ledger)
    for address, holder in _in_use(held.entries.values()):
        ledger.setdefault(address, holder)
    return ledger


def _with_old_addresses(
    entry: Entry, held: Held, ledger: Mapping[str, str], protected: set[str]
) -> Entry:
    """Let the addresses that the holder had before keep delivering, but not to a protected one."""
    before = held.entries.get(entry.rdn.lower())
    if before is None or entry.is_device or entry.holder in protected:
        return entry
    old = {
        address
        for address in before.attributes.get("kommunpostAddress", ())
        if ledger[address] == entry.holder
    }
    addresses = tuple(sorted(old | {entry.address}))
    return replace(entry, attributes={**entry.attributes, "kommunpostAddress": addresses})


def _compare(before: Entry | None, after: Entry) -> Change:
    """Say what it takes to make `before` into `after`."""
    if before is None:
        return Change(Action.CREATE, after, "new in the sources", after.attributes, True)
    writes = {
        name: new
        for name in MANAGED
        if (new := after.attributes.get(name, ())) != (old := before.attributes.get(name, ()))
        and set(new) != set(old)
    }
    if not after.classes <= before.classes:
        writes["objectClass"] = tuple(sorted(before.classes | after.classes))
    if not writes:
        return Change(Action.KEEP, after, "as the sources say")
    action, reason = _judge(before, after, writes)
    return Change(action, after, reason, writes)


def _judge(before: Entry, after: Entry, writes: Mapping[str, Values]) -> tuple[Action, str]:
    """Name a change by the weightiest thing in it."""
    if not before.address and after.address:
        return Action.CREATE, "the mailbox was missing"
    if "mail" in writes:
        return Action.RENAME, f"the name changed: {after.address} instead of " + (
            "the former address" if "kommunpostReference" in after.attributes else before.address
        )
    status = after.first("kommunpostStatus")
    if status != before.first("kommunpostStatus"):
        if status == Status.SUSPENDED:
            return Action.SUSPEND, "suspended in the sources: no login, and mail is answered"
        return Action.UPDATE, f"active again after {before.first('kommunpostStatus') or 'nothing'}"
    if "kommunpostDeputy" in writes and after.kind == MailboxKind.INDIVIDUAL:
        return Action.UPDATE, _leave(after)
    if "kommunpostUnit" in writes:
        return Action.MOVE, (
            f"the unit changed: {after.first('kommunpostUnit')} instead of "
            f"{before.first('kommunpostUnit') or 'none'}"
        )
    return Action.UPDATE, _changed(writes)


def _changed(writes: Mapping[str, Values]) -> str:
    return "changed: " + ", ".join(sorted(writes))


def _leave(after: Entry) -> str:
    deputy = after.first("kommunpostDeputy").partition(",")[0].removeprefix("uid=")
    return f"on leave: {deputy} sees the mailbox" if deputy else "nobody else sees the mailbox now"


def _last_day(entry: Entry, service: InService) -> date | None:
    return service.last_days.get(entry.holder.removeprefix("person:"))


def _farewell(before: Entry, after: Entry) -> Change:
    """Name what happens to a mailbox whose holder is not in service."""
    writes = {
        name: after.attributes.get(name, ())
        for name in MANAGED
        if after.attributes.get(name, ()) != before.attributes.get(name, ())
    }
    if not {"kommunpostStatus", "kommunpostClosesOn"} & writes.keys():
        return Change(Action.UPDATE, after, _changed(writes), writes)
    closes = closing_day(after)
    if closes:
        reason = f"has left: no login, the mailbox closes on {closes}"
        return Change(Action.SUSPEND, after, reason, writes)
    reason = "has left, and the set time is over" if closing_day(before) else _GONE
    return Change(Action.CLOSE, after, reason, writes)
