"""Tables with a heading, as CSV or as an Excel workbook: the same columns, the same problems."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from compliance.errors import Problem, UserError
from compliance.files import csv_lines, workbook
from compliance.files.line import Line


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: its fields by column, in the order of the heading."""

    fields: dict[str, str]
    line: Line

    @property
    def where(self) -> str:
        """Where the line stood."""
        return self.line.where

    def where_of(self, column: str) -> str:
        """Where one of its fields stood."""
        return self.line.where_of(list(self.fields).index(column))


def read_table(
    path: Path,
    required: Sequence[str],
    optional: Sequence[str],
    problems: list[Problem],
    *,
    others_pass: bool = False,
) -> Iterator[Row]:
    """Read a table whose heading names the columns, in lower case and any order.

    The heading is read at once, each row as it is asked for: a diary has hundreds of thousands.

    What kind of file it is, is seen from its first bytes. others_pass: columns of other names are
    passed over, as in another program's export; in a list that people write for us they are
    mistakes. Lines that do not fit are added to `problems` and left out; empty lines are passed
    over. Raises UserError if the file cannot be read, is empty or lacks a column.
    """
    known = (*required, *optional)
    read_lines = workbook.read_lines if workbook.is_workbook(path) else csv_lines.read_lines
    lines = read_lines(path, known, problems)
    heading = next(lines, None)
    if heading is None:
        raise UserError(
            [
                *problems,
                Problem(
                    "the file is empty",
                    str(path),
                    f"write a first line with the columns {', '.join(required)}",
                    f"Filen är tom. Den första raden ska ha kolumnerna {', '.join(required)}.",
                ),
            ]
        )
    columns = [name.lower() for name in heading.cells]
    _refuse_unfit(heading, columns, required, known, others_pass=others_pass)
    # Every column keeps its place, so that a field tells in which cell it stood.
    names = _distinct(columns, known)
    return (Row(dict(zip(names, line.cells, strict=True)), line) for line in lines)


def _refuse_unfit(
    heading: Line,
    columns: list[str],
    required: Sequence[str],
    known: Sequence[str],
    *,
    others_pass: bool,
) -> None:
    """Raise UserError with every column missing, unknown or given twice."""
    problems = [
        Problem(
            f"the column {name} is missing",
            heading.where,
            f"add {name} to the heading",
            f"Kolumnen {name} saknas. Lägg till den i rubriken.",
        )
        for name in required
        if name not in columns
    ]
    problems += [
        Problem(
            f"{name!r} is not a known column",
            heading.where_of(columns.index(name)),
            f"use {', '.join(known)}",
        )
        for name in dict.fromkeys(columns)
        if not others_pass and name not in known
    ]
    problems += [
        Problem(
            f"the column {name} stands twice",
            heading.where,
            "keep one of them",
            f"Kolumnen {name} finns två gånger. Behåll en av dem.",
        )
        for name in dict.fromkeys(columns)
        if columns.count(name) > 1 and (name in known or not others_pass)
    ]
    if problems:
        raise UserError(problems)


def _distinct(columns: list[str], known: Sequence[str]) -> list[str]:
    """Name columns without meaning by their place, as another program may repeat a name."""
    return [name if name in known else f"{name}#{at}" for at, name in enumerate(columns)]
