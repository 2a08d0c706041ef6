"""CSV tables: delimiter found from the heading, every broken line told with its number."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from compliance.directory.sources.text import read_text
from compliance.errors import Problem, UserError

_DELIMITERS = {";": "semicolon", ",": "comma", "\t": "tab"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: its fields by column, stripped, and where it stood."""

    fields: dict[str, str]
    where: str


def read_table(
    path: Path, required: Sequence[str], optional: Sequence[str], problems: list[Problem]
) -> list[Row]:
    """Read a CSV table whose heading names the columns, in any order.

    Lines that do not fit are added to `problems` and left out; empty lines are passed over.
    Raises UserError if the file is no text, is empty or lacks a column.
    """
    lines = re.split("\r\n|\n|\r", read_text(path))
    heading_at = next((at for at, line in enumerate(lines) if line.strip()), None)
    if heading_at is None:
        raise UserError.of(
            "the file is empty",
            str(path),
            f"write a first line with the columns {', '.join(required)}",
        )
    delimiter = _delimiter(lines[heading_at], {*required, *optional})
    where = f"{path}:{heading_at + 1}"
    columns = _heading(lines[heading_at], delimiter, required, optional, where)
    numbered = enumerate(lines[heading_at + 1 :], start=heading_at + 2)
    return list(_rows(path, numbered, delimiter, columns, problems))


def _delimiter(heading: str, known: set[str]) -> str:
    """Choose the delimiter that makes most of the heading's fields known columns."""

    def hits(delimiter: str) -> int:
        return sum(field.strip(' "').lower() in known for field in heading.split(delimiter))

    return max(_DELIMITERS, key=hits)


def _heading(
    line: str, delimiter: str, required: Sequence[str], optional: Sequence[str], where: str
) -> list[str]:
    """Read the heading. Raises UserError with every column missing, unknown or given twice."""
    columns = [name.lower() for name in _split(line, delimiter)]
    problems = [
        Problem(f"the column {name} is missing", where, f"add {name} to the heading")
        for name in required
        if name not in columns
    ]
    problems += [
        Problem(
            f"{name!r} is not a known column", where, f"use {', '.join((*required, *optional))}"
        )
        for name in dict.fromkeys(columns)
        if name not in required and name not in optional
    ]
    problems += [
        Problem(f"the column {name} stands twice", where, "keep one of them")
        for name in dict.fromkeys(columns)
        if columns.count(name) > 1
    ]
    if problems:
        raise UserError(problems)
    return columns


def _rows(
    path: Path,
    numbered: Iterator[tuple[int, str]],
    delimiter: str,
    columns: list[str],
    problems: list[Problem],
) -> Iterator[Row]:
    for number, line in numbered:
        if not line.strip(f" {delimiter}"):
            continue
        where = f"{path}:{number}"
        try:
            fields = _split(line, delimiter)
        except csv.Error as error:
            problems.append(
                Problem(
                    f"the line cannot be read as CSV ({error})",
                    where,
                    'put a field in quotes as a whole and write a quote inside it twice, ""',
                )
            )
            continue
        if len(fields) != len(columns):
            problems.append(
                Problem(
                    f"there are {len(fields)} fields, but the heading has {len(columns)}",
                    where,
                    f"separate {', '.join(columns)} with a {_DELIMITERS[delimiter]}; "
                    "a field that holds one stands in quotes",
                )
            )
            continue
        yield Row(dict(zip(columns, fields, strict=True)), where)


def _split(line: str, delimiter: str) -> list[str]:
    """Split one line, so that a quote left open spoils that line alone. Raises csv.Error."""
    return [field.strip() for field in next(csv.reader([line], delimiter=delimiter, strict=True))]
