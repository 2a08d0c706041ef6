"""The mapping of a municipality's diary export: which column holds what, and how it is written.

It is written once by whoever looks after the diary system, as in `inventory/example/diary.yml`:

    columns:
      number: Diarienummer
      day: Datum
      direction: In/Ut
      party: Avsändare/mottagare
      subject: Ärendemening
      restriction: Sekretess        # or none, if the export holds no row under secrecy
    directions:
      in: [Inkommande, I]
      out: [Utgående, U]
    open: [Nej, Offentlig]          # what restriction says of rows that anybody may read
    numbers:
      authorities: [KS, BUN]
"""

import re
from collections.abc import Mapping as Readable
from dataclasses import dataclass, field
from pathlib import Path

from compliance.diary.number_rules import COMMON_AUTHORITIES, PREFIX_LETTERS, NumberRules
from compliance.diary.record import Direction
from compliance.errors import Problem, UserError
from compliance.files.yamltree import Map, as_map, read_map

EXAMPLE = "inventory/example/diary.yml"
_REQUIRED = ("number", "day", "party", "subject", "restriction")
_OPTIONAL = ("document", "direction", "section", "public_party", "public_subject")
_DIRECTIONS: tuple[Direction, ...] = ("in", "out", "internal")
_NONE = "none"
_PREFIX = re.compile(rf"[A-ZÅÄÖ]{{1,{PREFIX_LETTERS}}}")


@dataclass(frozen=True)
class Mapping:
    """columns: our name to the export's, in lower case. directions, open: values in lower case.

    A row is under secrecy if its restriction says anything but one of `open` or nothing: what the
    mapping does not know is protected.
    """

    columns: Readable[str, str]
    directions: Readable[str, Direction] = field(default_factory=dict)
    open: frozenset[str] = frozenset()
    numbers: NumberRules = field(default_factory=NumberRules)

    def is_protected(self, restriction: str) -> bool:
        """Say whether a row with this restriction is under secrecy."""
        return restriction.strip().lower() not in self.open | {""}


def read_mapping(path: Path) -> Mapping:
    """Read a mapping. Raises UserError with every problem in it."""
    problems: list[Problem] = []
    top = read_map(path, ("columns",), problems, ("directions", "open", "numbers"), EXAMPLE)
    columns = _columns(path, top, problems)
    mapping = Mapping(
        columns,
        _directions(path, top, columns, problems),
        frozenset(value.lower() for value in top.texts("open"))
        if "open" in top.fields
        else frozenset(),
        _numbers(path, top, problems),
    )
    if problems:
        raise UserError(problems)
    return mapping


def _columns(path: Path, top: Map, problems: list[Problem]) -> dict[str, str]:
    node = top.fields.get("columns")
    found = as_map(path, node, _REQUIRED, _OPTIONAL, problems) if node else None
    if found is None:
        if node is None:
            top.text("columns")  # notes that it is missing
        return {}
    columns = {key: found.text(key).lower() for key in (*_REQUIRED, *found.fields)}
    if columns["restriction"] == _NONE:
        del columns["restriction"]
    for key, name in columns.items():
        if name and [*columns.values()].count(name) > 1:
            found.problem(key, f"the column {name!r} is named twice", "name one column for each")
    return columns


def _directions(
    path: Path, top: Map, columns: dict[str, str], problems: list[Problem]
) -> dict[str, Direction]:
    node = top.fields.get("directions")
    if node is None:
        if "direction" in columns:
            top.problem(
                "directions",
                "is missing, though columns names a direction",
                "write which values mean in, out and internal",
            )
        return {}
    found = as_map(path, node, ("in", "out"), ("internal",), problems)
    values: dict[str, Direction] = {}
    for direction in _DIRECTIONS if found else ():
        for value in found.texts(direction) if found and direction in found.fields else ():
            if found and values.setdefault(value.lower(), direction) != direction:
                found.problem(direction, f"{value!r} has two meanings", "keep one of them")
    return values


def _numbers(path: Path, top: Map, problems: list[Problem]) -> NumberRules:
    node = top.fields.get("numbers")
    found = as_map(path, node, (), ("authorities", "patterns", "dot"), problems) if node else None
    if found is None:
        return NumberRules()
    authorities = frozenset(found.texts("authorities")) if "authorities" in found.fields else None
    for prefix in authorities or ():
        if not _PREFIX.fullmatch(prefix):
            remedy = f"write 1 to {PREFIX_LETTERS} capital letters"
            found.problem("authorities", f"{prefix!r} is no prefix", remedy)
    dot = found.text("dot") if "dot" in found.fields else "plan"
    if dot not in ("document", "plan"):
        found.problem("dot", f"{dot!r} is not known", "write document or plan")
    try:
        return NumberRules(
            authorities or COMMON_AUTHORITIES,
            found.texts("patterns") if "patterns" in found.fields else (),
            "document" if dot == "document" else "plan",
        )
    except UserError as error:
        problems += [
            Problem(problem.what, found.where_of("patterns"), problem.remedy)
            for problem in error.problems
        ]
        return NumberRules()
