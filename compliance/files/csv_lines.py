"""CSV files: delimiter found from the heading, every broken line told with its number."""

import csv
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from compliance.errors import Problem
from compliance.files.line import Line
from compliance.files.text import read_text

_DELIMITERS = {";": "semicolon", ",": "comma", "\t": "tab", "|": "bar"}
_FOR_EXCEL = re.compile(r"sep=.?", re.IGNORECASE)  # a first line that tells Excel the delimiter
_LINES_MAX = 50  # that one row may take; what runs longer is a quote left open


def read_lines(path: Path, known: Collection[str], problems: list[Problem]) -> Iterator[Line]:
    """Give the heading, then each line that has as many fields as it; empty ones are passed over.

    known: the names of columns, by which the delimiter is found. Lines that do not fit are added
    to `problems`. Raises UserError if the file is no text.
    """
    lines = re.split("\r\n|\n|\r", read_text(path))
    above = (not line.strip() or _FOR_EXCEL.fullmatch(line.strip(' "')) for line in lines)
    heading_at = next((at for at, is_above in enumerate(above) if not is_above), None)
    if heading_at is None:
        return
    delimiter = _delimiter(lines[heading_at], known)
    heading: Line | None = None
    at = heading_at
    while at < len(lines):
        number, text = at + 1, lines[at]
        at += 1
        if not text.strip(f" {delimiter}"):
            continue
        if heading:
            taken = _lines_of_row(lines[at - 1 : at - 1 + _LINES_MAX], delimiter, heading)
            text = "\n".join(lines[at - 1 : at - 1 + taken])
            at += taken - 1
        line = _line(text, delimiter, f"{path}:{number}", problems)
        if line is None or (heading and not _is_as_wide(line, heading, delimiter, problems)):
            continue
        heading = heading or line
        yield line


def _delimiter(heading: str, known: Collection[str]) -> str:
    """Choose the delimiter that makes most of the heading's fields known columns."""

    def hits(delimiter: str) -> int:
        return sum(field.strip(' "').lower() in known for field in heading.split(delimiter))

    return max(_DELIMITERS, key=hits)


def _lines_of_row(lines: list[str], delimiter: str, heading: Line) -> int:
    """Say how many lines the first row takes: more than one if a field in quotes goes on.

    More are taken only if that gives as many fields as the heading has; else a quote was left
    open, which spoils its own line alone.
    """
    if lines[0].count('"') % 2 == 0:
        return 1
    for taken in range(2, len(lines) + 1):
        if lines[taken - 1].count('"') % 2 == 0:
            continue
        try:
            fields = _split("\n".join(lines[:taken]), delimiter)
        except csv.Error:
            return 1
        return taken if len(fields) == len(heading.cells) else 1
    return 1


def _line(text: str, delimiter: str, where: str, problems: list[Problem]) -> Line | None:
    """Split one row by itself."""
    try:
        fields = _split(text, delimiter)
    except csv.Error as error:
        problems.append(
            Problem(
                f"the line cannot be read as CSV ({error})",
                where,
                'put a field in quotes as a whole and write a quote inside it twice, ""',
                "Raden är ingen riktig CSV. Ett fält med citattecken ska stå helt inom sådana, "
                "och de inre skrivas två gånger.",
            )
        )
        return None
    return Line(fields, where)


def _split(row: str, delimiter: str) -> list[str]:
    """Split a row of one line or more. Raises csv.Error."""
    found = next(csv.reader([row], delimiter=delimiter, strict=True))
    return [field.strip() for field in found]


def _is_as_wide(line: Line, heading: Line, delimiter: str, problems: list[Problem]) -> bool:
    if len(line.cells) == len(heading.cells):
        return True
    problems.append(
        Problem(
            f"there are {len(line.cells)} fields, but the heading has {len(heading.cells)}",
            line.where,
            f"separate {', '.join(heading.cells)} with a {_DELIMITERS[delimiter]}; "
            "a field that holds one stands in quotes",
            f"Raden har {len(line.cells)} fält, men rubriken har {len(heading.cells)}. Ett fält "
            "som innehåller skiljetecknet ska stå inom citattecken.",
        )
    )
    return False
