"""Where the sources contradict each other, or what they knew before: notices beside a plan. Pure.

A notice never stops a plan: HR lets somebody go on a Friday, and the list of PCs follows when
somebody has time; login must stop all the same. What cannot be right at all still stops it.
The codes are explained in docs/handbook/it-tekniker.md.
"""

from collections.abc import Container, Iterator

from compliance.directory.model import Conflict, Notice, Organisation, Role, Status, Stranger
from compliance.errors import Problem, UserError


def notices_of(organisation: Organisation, former: Container[str] = ()) -> tuple[Notice, ...]:
    """Give the conflicts between the sources.

    former: ids of people whom the directory holds from before; one of them who is not among the
    people has left. Raises UserError if a unit or position names somebody who never was there:
    that is a slip of the pen. An unknown owner is told, since PC lists are not the municipality's
    own word.
    """
    unknown = [
        stranger
        for stranger in organisation.strangers
        if stranger.role is not Role.OWNER and stranger.person not in former
    ]
    if unknown:
        raise UserError(list(map(_problem, unknown)))
    return (
        *organisation.notices,
        *_strangers(organisation, former),
        *_pcs(organisation),
        *_leaves(organisation),
    )


_LEFT = {
    Role.OWNER: Conflict.OWNER_LEFT,
    Role.WATCHER: Conflict.WATCH_LEFT,
    Role.DEPUTY: Conflict.WATCH_LEFT,
    Role.HOLDER: Conflict.HOLDER_LEFT,
    Role.READER: Conflict.ACCESS_LEFT,
    Role.WRITER: Conflict.ACCESS_LEFT,
    Role.SENDER: Conflict.ACCESS_LEFT,
    Role.REVIEWER: Conflict.ACCESS_LEFT,
    Role.STAND_IN: Conflict.LEAVE_WITHOUT_DEPUTY,
}


def _strangers(organisation: Organisation, former: Container[str]) -> Iterator[Notice]:
    for stranger in organisation.strangers:
        has_left = stranger.person in former
        conflict = _LEFT[stranger.role] if has_left else Conflict.OWNER_UNKNOWN
        yield Notice(conflict, _subject(stranger.role, stranger.of, stranger.person))


def _pcs(organisation: Organisation) -> Iterator[Notice]:
    told = {notice.subject for notice in organisation.notices}
    for pc in organisation.pcs:
        if not pc.owners and f"PC {pc.name}" not in told:
            yield Notice(Conflict.PC_WITHOUT_OWNER, f"PC {pc.name}")


def _leaves(organisation: Organisation) -> Iterator[Notice]:
    """Of a deputy who has left `_strangers` tells."""
    away = {person.id for person in organisation.people if person.status is not Status.ACTIVE}
    for person in organisation.people:
        if person.status is not Status.ON_LEAVE:
            continue
        of = f"person {person.id}"
        if not person.deputy:
            yield Notice(Conflict.LEAVE_WITHOUT_DEPUTY, of)
        elif person.deputy in away:  # oneself, too
            subject = _subject(Role.STAND_IN, of, person.deputy)
            yield Notice(Conflict.LEAVE_WITHOUT_DEPUTY, subject)


def _subject(role: Role, of: str, person: str) -> str:
    return f"{of}: {person}" if role is Role.OWNER else f"{of}: {role} {person}"


def _problem(stranger: Stranger) -> Problem:
    return Problem(
        f"{stranger.role}: there is no person {stranger.person}",
        stranger.where,
        "write the id of somebody among the people, or add the person there",
    )
