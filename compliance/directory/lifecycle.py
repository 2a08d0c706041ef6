"""Who is in service on a day, and what becomes of a mailbox whose holder has left. Pure.

The stages are described in docs/decisions/0014-life-cycle.md.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from compliance.directory.model import (
    Access,
    MailboxKind,
    Organisation,
    Pc,
    Person,
    Role,
    Status,
    Stranger,
)
from compliance.directory.tree import Entry

_TIME = "%Y%m%d000000Z"  # generalizedTime, RFC 4517 3.3.13; the hour says nothing


@dataclass(frozen=True)
class InService:
    """A municipality on one day: its organisation with those in service alone.

    last_days: id to last day in service, of those whom the sources still name although they have
    left.
    """

    organisation: Organisation
    last_days: Mapping[str, date]


def in_service(organisation: Organisation, today: date) -> InService:
    """Leave out whoever has left or has not begun; references to the former become strangers.

    Somebody elected again has a line for each term; the one that holds today counts. A PC that
    waits for somebody to begin has nobody as owner until then.
    """
    here = {person.id: person for person in organisation.people if _is_here(person, today)}
    others = [person for person in organisation.people if person.id not in here]
    last_days: dict[str, date] = {}
    for person in others:
        if person.ends and person.ends < today:
            last_days[person.id] = max(person.ends, last_days.get(person.id, date.min))
    coming = {person.id for person in others} - last_days.keys()
    present = replace(
        organisation,
        people=tuple(here.values()),
        pcs=tuple(_without(pc, coming) for pc in organisation.pcs),
    )
    strangers = (*organisation.strangers, *_references(present, last_days.keys()))
    return InService(replace(present, strangers=strangers), last_days)


def _is_here(person: Person, today: date) -> bool:
    return (person.starts or today) <= today <= (person.ends or today)


def _without(pc: Pc, people: Collection[str]) -> Pc:
    owners = tuple(owner for owner in pc.owners if owner not in people)
    return pc if owners == pc.owners else replace(pc, owners=owners)


def _references(organisation: Organisation, people: Collection[str]) -> Iterator[Stranger]:
    """Give each place where one of these people is named."""
    return (named for named in _named(organisation) if named.person in people)


def _named(organisation: Organisation) -> Iterator[Stranger]:
    """Give everybody who is named in a role."""
    for unit in organisation.units:
        of = f"unit {unit.id}"
        yield Stranger(Role.WATCHER, unit.watch.watcher, of)
        yield Stranger(Role.DEPUTY, unit.watch.deputy, of)
        yield from _with_access(unit.access, of)
    for position in organisation.positions:
        of = f"position {position.id}"
        yield from (Stranger(Role.HOLDER, person, of) for person in position.holders)
        yield from _with_access(position.access, of)
    for pc in organisation.pcs:
        yield from (Stranger(Role.OWNER, person, f"PC {pc.name}") for person in pc.owners)
    for member in organisation.people:
        yield Stranger(Role.STAND_IN, member.deputy, f"person {member.id}")


def _with_access(access: Access, of: str) -> Iterator[Stranger]:
    for right, people in access.items():
        yield from (Stranger(Role(right), person, of) for person in people)


def farewell(entry: Entry, last_day: date | None, today: date, answer_days: int) -> Entry:
    """Give an entry as it is to be now that its holder is not in service.

    A person's mailbox is suspended at once and closes `answer_days` after the last day (that of
    the sources, else today): until then mail arrives and is answered with where to write instead.
    What belongs to no person is closed at once.
    """
    if entry.first("kommunpostStatus") == Status.CLOSED:
        return entry
    closes = closing_day(entry)
    if entry.first("kommunpostKind") == MailboxKind.INDIVIDUAL:
        until = closes or (last_day or today) + timedelta(days=answer_days)
    else:
        until = today
    if today < until:
        status, closes_on = Status.SUSPENDED, _text(until)
    else:
        status, closes_on = Status.CLOSED, ""
    return entry.having(
        kommunpostStatus=status.value, kommunpostClosesOn=closes_on, kommunpostDeputy=""
    )


def closing_day(entry: Entry) -> date | None:
    """Give the day on which a mailbox closes whose holder has left, if it is not closed yet."""
    text = entry.first("kommunpostClosesOn")
    return datetime.strptime(text[:8], "%Y%m%d").date() if text else None


def _text(day: date) -> str:
    return day.strftime(_TIME)
