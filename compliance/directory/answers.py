"""What a sender is answered who writes to somebody who has left. Pure but for the template."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from compliance.directory.lifecycle import closing_day
from compliance.directory.model import Duty, Status
from compliance.directory.tree import Entry
from compliance.letters import render


@dataclass(frozen=True, slots=True)
class Answer:
    """An automatic answer (RFC 3834): for which mailbox, until which day, and in which words."""

    mailbox: str
    until: date
    subject: str
    body: str


def answer_of(entry: Entry, entries: Mapping[str, Entry], municipality: str) -> Answer | None:
    """Give the answer for a mailbox, or None if its holder is in service or it is closed.

    entries: as `held` reads them. The sender is told to write to the function mailbox of the unit,
    else of the unit above, else of the executive office. No name stands in it (P1): the address is
    what the sender wrote.
    """
    until = closing_day(entry)
    if until is None or entry.first("kommunpostStatus") != Status.SUSPENDED:
        return None
    instead = _function_mailbox(entry, entries)
    subject, body = render(
        "left.txt.j2", address=entry.address, instead=instead, municipality=municipality
    )
    return Answer(entry.address, until, subject, body)


def _function_mailbox(entry: Entry, entries: Mapping[str, Entry]) -> Entry | None:
    unit = entries.get(f"ou={entry.first('kommunpostUnit')},ou=units".lower())
    for _ in range(len(entries)):
        if unit is None or _is_in_use(unit):
            break
        unit = entries.get(f"ou={unit.first('kommunpostParent')},ou=units".lower())
    if unit is not None:
        return unit
    offices = (
        office
        for office in entries.values()
        if Duty.EXECUTIVE_OFFICE in office.attributes.get("kommunpostDuty", ())
    )
    return next(filter(_is_in_use, offices), None)


def _is_in_use(unit: Entry) -> bool:
    return bool(unit.address) and unit.first("kommunpostStatus") == Status.ACTIVE
