"""CSV files: delimiter found from the heading, every broken line told with its number."""

import csv
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from compliance.directory.sources.line import Line
from compliance.directory.sources.text import read_text
from compliance.errors import Problem

_DELIMITERS = {";": "semicolon", ",": "comma", "\t": "tab"}


def read_lines(path: Path, known: Collection[str], problems: list[Problem]) -> Iterator[Line]:
    """Give the heading, then each line that has as many fields as it; empty ones are passed over.

    known: the names of columns, by which the delimiter is found. Lines that do not fit are added
    to `problems`. Raises UserError if the file is no text.
    """
    lines = re.split("\r\n|\n|\r", read_text(path))
    heading_at = next((at for at, line in enumerate(lines) if line.strip()), None)
    if heading_at is None:
        return
    delimiter = _delimiter(lines[heading_at], known)
    heading: Line | None = None
    for number, text in enumerate(lines[heading_at:], start=heading_at + 1):
        if not text.strip(f" {delimiter}"):
            continue
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


def _line(text: str, delimiter: str, where: str, problems: list[Problem]) -> Line | None:
    """Split one line by itself, so that a quote left open spoils that line alone."""
    try:
        fields = next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error as error:
        problems.append(
            Problem(
                f"the line cannot be read as CSV ({error})",
                where,
                'put a field in quotes as a whole and write a quote inside it twice, ""',
            )
        )
        return None
    return Line([field.strip() for field in fields], where)


def _is_as_wide(line: Line, heading: Line, delimiter: str, problems: list[Problem]) -> bool:
    if len(line.cells) == len(heading.cells):
        return True
    problems.append(
        Problem(
            f"there are {len(line.cells)} fields, but the heading has {len(heading.cells)}",
            line.where,
            f"separate {', '.join(heading.cells)} with a {_DELIMITERS[delimiter]}; "
            "a field that holds one stands in quotes",
        )
    )
    return False
