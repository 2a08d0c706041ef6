"""Tables with a heading, as CSV or as an Excel workbook: the same columns, the same problems."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compliance.directory.sources import csv_lines, workbook
from compliance.directory.sources.line import Line
from compliance.errors import Problem, UserError


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
    path: Path, required: Sequence[str], optional: Sequence[str], problems: list[Problem]
) -> list[Row]:
    """Read a table whose heading names the columns, in any order.

    What kind of file it is, is seen from its first bytes. Lines that do not fit are added to
    `problems` and left out; empty lines are passed over. Raises UserError if the file cannot be
    read, is empty or lacks a column.
    """
    read_lines = workbook.read_lines if workbook.is_workbook(path) else csv_lines.read_lines
    lines = read_lines(path, (*required, *optional), problems)
    heading = next(lines, None)
    if heading is None:
        raise UserError(
            [
                *problems,
                Problem(
                    "the file is empty",
                    str(path),
                    f"write a first line with the columns {', '.join(required)}",
                ),
            ]
        )
    columns = _columns(heading, required, optional)
    return [Row(dict(zip(columns, line.cells, strict=True)), line) for line in lines]


def _columns(heading: Line, required: Sequence[str], optional: Sequence[str]) -> list[str]:
    """Read the heading. Raises UserError with every column missing, unknown or given twice."""
    columns = [name.lower() for name in heading.cells]
    problems = [
        Problem(f"the column {name} is missing", heading.where, f"add {name} to the heading")
        for name in required
        if name not in columns
    ]
    problems += [
        Problem(
            f"{name!r} is not a known column",
            heading.where_of(columns.index(name)),
            f"use {', '.join((*required, *optional))}",
        )
        for name in dict.fromkeys(columns)
        if name not in required and name not in optional
    ]
    problems += [
        Problem(f"the column {name} stands twice", heading.where, "keep one of them")
        for name in dict.fromkeys(columns)
        if columns.count(name) > 1
    ]
    if problems:
        raise UserError(problems)
    return columns
