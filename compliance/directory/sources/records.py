"""The lists of people and PCs: each row becomes a `Person` or a `Pc`, or a problem.

The columns are described in inventory/example/README.md.
"""

from pathlib import Path

from compliance.directory.model import Pc, Person, PersonKind, Status
from compliance.directory.sources import Located
from compliance.directory.sources.values import (
    Fault,
    day_of,
    fault_of_choice,
    fault_of_day,
    fault_of_id,
    fault_of_name,
)
from compliance.errors import Problem, UserError
from compliance.files.table import Row, read_table

PEOPLE_COLUMNS = ("id", "given_name", "surname", "kind", "unit")
PEOPLE_OPTIONAL = ("middle_name", "status", "protected", "deputy", "starts", "ends")
PC_COLUMNS = ("name", "owners", "unit")
_PROTECTED = {"yes": True, "no": False}
_STATUSES = (Status.ACTIVE.value, Status.SUSPENDED.value, Status.ON_LEAVE.value)


def read_people(path: Path) -> list[Located[Person]]:
    """Read the list of people. Raises UserError with every problem in it."""
    problems: list[Problem] = []
    rows = list(read_table(path, PEOPLE_COLUMNS, PEOPLE_OPTIONAL, problems))
    people = [person_of(row) for row in rows if _is_sound(row, person_faults(row), problems)]
    _raise_if_any(problems)
    if not people:
        raise UserError.of("there is nobody in the file", str(path), "export the people anew")
    return people


def read_pcs(path: Path) -> list[Located[Pc]]:
    """Read the list of PCs; owners are ids with spaces between.

    Raises UserError with every problem.
    """
    problems: list[Problem] = []
    rows = list(read_table(path, PC_COLUMNS, (), problems))
    pcs = [_pc(row) for row in rows if _is_sound(row, _pc_faults(row), problems)]
    _raise_if_any(problems)
    return pcs


def person_faults(row: Row) -> dict[str, Fault | None]:
    """Say of each column what is wrong with it, None if nothing is."""
    fields = row.fields
    return {
        "id": fault_of_id(fields["id"]),
        "given_name": fault_of_name(fields["given_name"], may_be_empty=True),
        "middle_name": fault_of_name(fields.get("middle_name", ""), may_be_empty=True),
        "surname": fault_of_name(fields["surname"]),
        "kind": fault_of_choice(fields["kind"], list(PersonKind)),
        "unit": fault_of_id(fields["unit"]),
        "status": fault_of_choice(fields.get("status") or Status.ACTIVE, _STATUSES),
        "protected": fault_of_choice(fields.get("protected") or "no", _PROTECTED),
        "deputy": fault_of_id(fields["deputy"]) if fields.get("deputy") else None,
        "starts": fault_of_day(fields.get("starts", "")),
        "ends": fault_of_day(fields.get("ends", "")) or _fault_of_period(fields),
    }


def _fault_of_period(fields: dict[str, str]) -> Fault | None:
    """The last day does not come before the first. Days that are none are told by themselves."""
    starts, ends = fields.get("starts", ""), fields.get("ends", "")
    if not (starts and ends) or fault_of_day(starts) or starts <= ends:
        return None
    return f"{ends} is before {starts}", "write the last day in service, on or after the first"


def person_of(row: Row) -> Located[Person]:
    """Make a person of a row without faults."""
    fields = row.fields
    person = Person(
        id=fields["id"],
        given_name=fields["given_name"],
        middle_name=fields.get("middle_name", ""),
        surname=fields["surname"],
        kind=PersonKind(fields["kind"]),
        unit=fields["unit"],
        status=Status(fields.get("status") or Status.ACTIVE),
        protected=_PROTECTED.get(fields.get("protected", "")),
        deputy=fields.get("deputy", ""),
        starts=day_of(fields.get("starts", "")),
        ends=day_of(fields.get("ends", "")),
    )
    return Located(person, row.where)


def _pc_faults(row: Row) -> dict[str, Fault | None]:
    owners = row.fields["owners"].split()
    return {
        "name": fault_of_id(row.fields["name"]),
        "owners": next(filter(None, map(fault_of_id, owners)), None),
        "unit": fault_of_id(row.fields["unit"]),
    }


def _pc(row: Row) -> Located[Pc]:
    owners = tuple(dict.fromkeys(row.fields["owners"].split()))
    return Located(Pc(row.fields["name"], row.fields["unit"], owners), row.where)


def problems_of(row: Row, faults: dict[str, Fault | None]) -> list[Problem]:
    """Give a problem for each column of a row that has a fault.

    A row that marks a protected identity, in whatever word, may hold the name in a wrong column,
    so no value of it is told (P1).
    """
    is_protected = "yes" in row.fields.values()
    is_marked = row.fields.get("protected", "") not in {"", "no"}

    def told(column: str, what: str) -> str:
        is_hidden = is_protected or (is_marked and column != "protected")
        return f"column {column}: " + ("the value does not fit" if is_hidden else what)

    return [
        Problem(told(column, fault[0]), row.where_of(column), fault[1])
        for column, fault in faults.items()
        if fault
    ]


def _is_sound(row: Row, faults: dict[str, Fault | None], problems: list[Problem]) -> bool:
    """Note every fault of a row; True if it has none."""
    found = problems_of(row, faults)
    problems += found
    return not found


def _raise_if_any(problems: list[Problem]) -> None:
    if problems:
        raise UserError(problems)
