"""The list of people as HR delivers it: a folder with a full list now and then, and what changed.

`people-DAY` holds everybody on that day, `changes-FROM--TO` what came between two days. The names
make a chain, so that a delivery that is missing, repeated or out of order is seen; none of them is
ever guessed over, since what a lost file held may be somebody's leaving or protection.
The columns of changes are described in inventory/example/README.md.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from pathlib import Path

from compliance.directory.model import Person
from compliance.directory.sources import Located
from compliance.directory.sources.records import (
    PEOPLE_COLUMNS,
    PEOPLE_OPTIONAL,
    person_faults,
    person_of,
    problems_of,
    read_people,
)
from compliance.directory.sources.values import Fault, day_of, fault_of_choice, fault_of_day
from compliance.errors import Problem, UserError
from compliance.files.table import Row, read_table

_DAY = r"(\d{4}-\d\d-\d\d)"
_FULL = re.compile(rf"people-{_DAY}\.(csv|xlsx)", re.ASCII)
_CHANGES = re.compile(rf"changes-{_DAY}--{_DAY}\.(csv|xlsx)", re.ASCII)
_COLUMNS = ("change", *PEOPLE_COLUMNS, "ends")
_NAMES = "people-2026-11-20.csv for a full list, changes-2026-11-20--2026-11-21.csv for changes"


class Change(StrEnum):
    """What a row of changes says of a person."""

    ADDED = "added"
    CHANGED = "changed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, order=True)
class _Delivery:
    """One file: what it holds reaches from the end of one day to the end of another.

    A full list begins on the day on which it ends.
    """

    since: date
    until: date
    path: Path


def read_list(path: Path) -> list[Located[Person]]:
    """Read the list of people: one file, or a folder of deliveries.

    Of a folder the newest full list counts, and the changes after it in their order. Raises
    UserError with every problem: a file that is missing in between, one that stands twice, a row
    that does not fit what came before.
    """
    if not path.is_dir():
        return read_people(path)
    full, changes = _chain(path)
    people = _People(read_people(full.path))
    problems: list[Problem] = []
    for delivery in changes:
        for row, change in _rows(delivery.path, problems):
            problem = people.take(row, change)
            if problem:
                problems.append(problem)
    if problems:
        raise UserError(problems)
    return people.lines()


def _chain(folder: Path) -> tuple[_Delivery, list[_Delivery]]:
    """Give the newest full list and the changes after it. Raises UserError if one is missing."""
    problems: list[Problem] = []
    found = sorted(_deliveries(folder, problems))
    full = [delivery for delivery in found if delivery.since == delivery.until]
    if problems or not full:
        raise UserError(
            problems
            or [Problem("there is no full list of people", str(folder), f"name files {_NAMES}")]
        )
    newest = full[-1]
    until = newest.until
    later = [item for item in found if item.since != item.until and item.until > until]
    problems += [
        Problem("there are two full lists of one day", str(item.path), "remove one of them")
        for item in full[:-1]
        if item.until == until
    ]
    for item in later:
        if item.since > until:
            problems.append(
                Problem(
                    f"the changes from {until} to {item.since} are missing",
                    str(item.path),
                    f"have them delivered anew, or a full list of {item.since} or later",
                )
            )
        elif item.since < until:
            problems.append(
                Problem(
                    f"these changes begin on {item.since}, but what is delivered before reaches "
                    f"to {until}",
                    str(item.path),
                    "keep one delivery for each day, or ask for a full list",
                )
            )
        until = max(until, item.until)
    if problems:
        raise UserError(problems)
    return newest, later


def _deliveries(folder: Path, problems: list[Problem]) -> Iterator[_Delivery]:
    """Give every file by its name; one that we cannot place may be the one that is missing."""
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        match = _FULL.fullmatch(path.name) or _CHANGES.fullmatch(path.name)
        days = match.groups()[:-1] if match else ()
        fault = next(filter(None, map(fault_of_day, days)), None)
        if not days or fault or (len(days) > 1 and days[0] >= days[1]):
            problems.append(
                Problem("the name of the file is no delivery's", str(path), f"write {_NAMES}")
            )
            continue
        yield _Delivery(date.fromisoformat(days[0]), date.fromisoformat(days[-1]), path)


def _rows(path: Path, problems: list[Problem]) -> Iterator[tuple[Row, Change]]:
    """Give the sound rows of a file of changes; there may be none, when nothing happened."""
    try:
        rows = list(read_table(path, _COLUMNS, PEOPLE_OPTIONAL, problems))
    except UserError as error:
        problems += error.problems
        return
    for row in rows:
        found = problems_of(row, _faults(row))
        problems += found
        if not found:
            yield row, Change(row.fields["change"])


def _faults(row: Row) -> dict[str, Fault | None]:
    """Of somebody who ends, only the id and the last day are read."""
    change = row.fields["change"]
    faults = {"change": fault_of_choice(change, list(Change)), **person_faults(row)}
    if change != Change.ENDED:
        return faults
    missing = None if row.fields["ends"] else ("the last day is missing", "write it as 2026-10-15")
    return {"id": faults["id"], "ends": missing or fault_of_day(row.fields["ends"])}


class _People:
    """Everybody, with the changes laid over one by one. Somebody elected again has two lines."""

    def __init__(self, people: list[Located[Person]]) -> None:
        self._lines: dict[str, list[Located[Person]]] = {}
        for person in people:
            self._lines.setdefault(person.value.id, []).append(person)
        for lines in self._lines.values():
            lines.sort(key=lambda line: line.value.starts or date.min)

    def lines(self) -> list[Located[Person]]:
        return [line for lines in self._lines.values() for line in lines]

    def take(self, row: Row, change: Change) -> Problem | None:
        """Lay a row over what is known; tell what does not fit, and leave it as it was."""
        number = row.fields["id"]
        lines = self._lines.setdefault(number, [])
        if change is Change.ADDED:
            return self._add(row, lines)
        if not lines:
            return Problem(
                f"{number} is {change}, but nobody with this id came before",
                row.where_of("id"),
                "write added, or ask whether a delivery is missing",
            )
        last = lines[-1].value
        if change is Change.CHANGED:
            lines[-1] = _changed(last, row)
            return None
        ends = day_of(row.fields["ends"])
        if last.starts and ends and ends < last.starts:
            return Problem(
                f"{number} ends before the first day in service, {last.starts}",
                row.where_of("ends"),
                "write the last day in service",
            )
        lines[-1] = Located(replace(last, ends=ends), row.where)
        return None

    @staticmethod
    def _add(row: Row, lines: list[Located[Person]]) -> Problem | None:
        """Add a person, or another time in service after one that has ended."""
        added = person_of(row)
        if lines and (lines[-1].value.ends or date.max) >= (added.value.starts or date.min):
            return Problem(
                f"{added.value.id} is added, but is in service already",
                row.where_of("id"),
                "write changed, or see whether the delivery came twice; first at "
                + lines[-1].where,
            )
        lines.append(added)
        return None


def _changed(before: Person, row: Row) -> Located[Person]:
    """Take what the row says; a column that is not in the heading says nothing.

    Nor does an empty `protected`: only a word takes the protection from anyone (P1).
    """
    told = person_of(row).value
    values = {column: getattr(told, column) for column in row.fields if column != "change"}
    if told.protected is None:
        values["protected"] = before.protected
    return Located(replace(before, **values), row.where)
