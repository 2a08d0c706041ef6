"""What a mailbox answers by itself (RFC 3834), and where to write instead of to a closed one.

Pure but for the templates. Who is answered, and how often, is for the mail store to say.
"""

import textwrap
from collections.abc import Mapping
from functools import cache

from compliance.directory.lifecycle import closing_day
from compliance.directory.model import STANDARD, Duty, Organisation, Status
from compliance.directory.tree import Entry
from compliance.letters import fill

_WIDTH = 76  # signs a line; RFC 5322, section 2.1.1 wants at most 78


class Instead:
    """Where to write instead of to a mailbox that nobody reads."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        """entries: all as they are to be, by their name below the suffix, in lower case."""
        self._entries = entries
        self._mailbox_of = cache(self._function_mailbox)  # of a unit's id

    def of(self, entry: Entry) -> Entry | None:
        """Give the function mailbox of the unit, of one above, or of the executive office."""
        return self._mailbox_of(entry.first("kommunpostUnit"))

    def closed(self, entry: Entry) -> Entry:
        """Give an entry that is closed with the address that a sender is told."""
        mailbox = self.of(entry)
        return entry.having(
            kommunpostAnswer="", kommunpostInstead=mailbox.address if mailbox else ""
        )

    def _function_mailbox(self, unit_id: str) -> Entry | None:
        unit = self._entries.get(f"ou={unit_id},ou=units".lower())
        for _ in range(len(self._entries)):
            if unit is None or _is_in_use(unit):
                break
            unit = self._entries.get(f"ou={unit.first('kommunpostParent')},ou=units".lower())
        if unit is not None:
            return unit
        offices = (
            office
            for office in self._entries.values()
            if Duty.EXECUTIVE_OFFICE in office.attributes.get("kommunpostDuty", ())
        )
        return next(filter(_is_in_use, offices), None)


class Answers:
    """Completes entries, given all entries as they are to be.

    A mailbox that is suspended tells where to write instead, and the function mailbox that the
    municipality wants so confirms what comes in. No name of a person stands in an answer (P1).
    """

    def __init__(self, organisation: Organisation, entries: Mapping[str, Entry]) -> None:
        """entries: by their name below the suffix, in lower case."""
        self._municipality = organisation.municipality
        self._instead = Instead(entries)
        self._acknowledgements = {
            **{f"unit:{unit.id}": unit.acknowledgement for unit in organisation.units},
            **{f"position:{post.id}": post.acknowledgement for post in organisation.positions},
        }

    def told(self, entry: Entry) -> Entry:
        """Give an entry with its answer, or with the address that is told when it is closed."""
        status = entry.first("kommunpostStatus")
        if status == Status.CLOSED:
            return self._instead.closed(entry)
        answer = ""
        if status == Status.SUSPENDED:
            answer = self._where_to_write(entry)
        elif status == Status.ACTIVE and (words := self._acknowledgements.get(entry.holder)):
            answer = self._acknowledgement(entry, words)
        return entry.having(kommunpostAnswer=answer, kommunpostInstead="")

    def _where_to_write(self, entry: Entry) -> str:
        return _letter(
            "suspended.txt.j2",
            address=entry.address,
            has_left=closing_day(entry) is not None,
            instead=self._instead.of(entry),
            municipality=self._municipality,
        )

    def _acknowledgement(self, entry: Entry, words: str) -> str:
        return _letter(
            "acknowledgement.txt.j2",
            name=entry.name,
            words="" if words == STANDARD else words,
            municipality=self._municipality,
        )


def _is_in_use(unit: Entry) -> bool:
    return bool(unit.address) and unit.first("kommunpostStatus") == Status.ACTIVE


def _letter(template: str, **values: object) -> str:
    """Fill a template, with lines that every mail program shows whole."""
    lines = fill(template, **values).strip().splitlines()
    wrapped = (
        textwrap.wrap(line, _WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
        for line in lines
    )
    return "\n".join(line for part in wrapped for line in part) + "\n"
