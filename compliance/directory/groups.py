"""Who may use a mailbox that is not their own (docs/decisions/0015-shared-mailboxes.md). Pure."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from compliance.directory.model import Access, Organisation, Right, Status


@dataclass(frozen=True, slots=True)
class Group:
    """People (ids) who have a right in the mailbox of `holder`, e.g. `unit:ks`; never nobody."""

    holder: str
    right: Right
    members: tuple[str, ...]


def groups_of(organisation: Organisation) -> Iterator[Group]:
    """Give every group that has a member who can log in.

    Whoever keeps a function mailbox read (watcher and deputy of a unit, holders of a position)
    may write in it and send as it. They review a unit's log list too, unless others are named. The
    deputy of somebody on leave may write in that mailbox.
    organisation: as it is today, with those in service alone.
    """
    present = {person.id for person in organisation.people if person.status is not Status.SUSPENDED}
    for unit in organisation.units:
        keepers = (unit.watch.watcher, unit.watch.deputy)
        yield from _of_function(f"unit:{unit.id}", keepers, unit.access, present)
        reviewers = unit.access.get(Right.REVIEWER, keepers)
        yield from _group(f"unit:{unit.id}", Right.REVIEWER, reviewers, present)
    for position in organisation.positions:
        yield from _of_function(
            f"position:{position.id}", position.holders, position.access, present
        )
    for person in organisation.people:
        if person.status is Status.ON_LEAVE:
            yield from _group(f"person:{person.id}", Right.WRITER, (person.deputy,), present)


def _of_function(
    holder: str, keepers: Iterable[str], access: Access, present: Container[str]
) -> Iterator[Group]:
    writers = (*keepers, *access.get(Right.WRITER, ()))
    readers = (person for person in access.get(Right.READER, ()) if person not in writers)
    senders = (*keepers, *access.get(Right.SENDER, ()))
    yield from _group(holder, Right.READER, readers, present)
    yield from _group(holder, Right.WRITER, writers, present)
    yield from _group(holder, Right.SENDER, senders, present)


def _group(
    holder: str, right: Right, people: Iterable[str], present: Container[str]
) -> Iterator[Group]:
    members = tuple(person for person in dict.fromkeys(people) if person in present)
    if members:
        yield Group(holder, right, members)
