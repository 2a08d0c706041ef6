"""Rows of the log as files: JSON Lines as they are; CSV and XLSX, in which nothing runs."""

import csv
import json
import re
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC
from typing import Any, BinaryIO, TextIO

from compliance.errors import UserError
from compliance.files import xstring
from compliance.messagelog.entry import instant

# The columns of a file, in order.
KEYS = (
    "accepted_at", "direction", "envelope_sender", "from_address", "from_text", "recipient",
    "subject", "message_id", "queue_id", "size", "sender_unit", "recipient_unit", "label", "host",
    "authenticated_user", "attachments", "attachment_names", "spam_verdict", "outbox_id",
    "sequence", "outcome",
)  # fmt: skip

# Where a spreadsheet would take what follows for a formula (OWASP, CSV Injection): full-width forms
# too, behind spaces and quotes, and where a cell would begin for a program that divides at commas.
_BEFORE_FORMULA = re.compile(r"""(^|[,;\n])(?=[\s"']*[=+\-@＝＋－＠])""")
# Control characters, and those that turn the direction of writing around (Unicode UAX #9).
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
_MARK = "\ufeff"
_ROW_LIMIT = 1_048_575  # below the heading


def visible(text: str) -> str:
    """Write out what can't be seen or would reorder the text around it, e.g. ⟦U+202E⟧."""
    return _UNSEEN.sub(lambda found: f"⟦U+{ord(found[0]):04X}⟧", text)


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with the keys of KEYS; accepted_at is ISO 8601 in UTC with microseconds."""
    return {
        **{key: row[key] for key in KEYS},
        "accepted_at": instant(row["accepted_at"].astimezone(UTC)),
        "outbox_id": str(row["outbox_id"]),
    }


def write_jsonl(rows: Iterable[dict[str, Any]], output: TextIO) -> None:
    """Write one JSON object a line, every text as the log has it."""
    for row in rows:
        output.write(json.dumps(plain(row), ensure_ascii=False) + "\n")


def write_csv(rows: Iterable[dict[str, Any]], output: TextIO) -> None:
    """Write CSV as a Swedish Excel opens it: with a mark of UTF-8, semicolons, all in quotes.

    A `'` stands before what a spreadsheet would run. output: written to as it is (newline="").
    """
    output.write(_MARK)
    writer = csv.DictWriter(
        output, KEYS, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n"
    )
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _harmless(key, value) for key, value in plain(row).items()})


def write_xlsx(rows: Iterable[dict[str, Any]], output: BinaryIO) -> None:
    """Write a workbook, row by row. Every text is a text cell, so none is a formula.

    Raises UserError if there are more rows than a sheet holds, and OSError if the workbook, or the
    sheet that is kept in the folder for temporary files until it is whole, can't be written.
    """
    from lxml.etree import LxmlError  # a host that only logs mail has it not, nor the other
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Log")
    sheet.freeze_panes = "A2"
    for column, width in {"A": 28, "C": 32, "F": 32, "G": 60}.items():
        sheet.column_dimensions[column].width = width
    number = 0
    try:
        sheet.append([_cell(sheet, key, bold=True) for key in KEYS])
        for number, row in enumerate(rows, 1):
            if number > _ROW_LIMIT:
                break
            sheet.append([_cell(sheet, _shown(key, value)) for key, value in plain(row).items()])
        book.save(output)
    except LxmlError as error:  # which tells of a full disk by a name of its own
        raise OSError(f"{tempfile.gettempdir()}: {error}") from error
    finally:
        _end(sheet)
    if number > _ROW_LIMIT:
        raise UserError.of(
            f"a sheet holds {_ROW_LIMIT} rows, and there are more",
            "--format xlsx",
            "choose a shorter time, or --format csv",
        )


def _end(sheet: Any) -> None:
    """End what writes a sheet that isn't whole; else Python tells of it when it is gone."""
    writer = sheet._writer
    for part in (sheet._rows, writer and writer.xf):
        if part is not None:
            with suppress(Exception):
                part.close()


def _harmless(key: str, value: object) -> object:
    shown = _shown(key, value)
    return _BEFORE_FORMULA.sub(r"\1'", shown) if isinstance(shown, str) else shown


def _shown(key: str, value: object) -> object:
    """Return a value as people read it: names of attachments one a line."""
    if not isinstance(value, str):
        return value
    lines = value.split("\n") if key == "attachment_names" else [value]
    return "\n".join(map(visible, lines))


def _cell(sheet: Any, value: object, *, bold: bool = False) -> object:
    """Return a cell of a value; a text stands in it as it is, whatever it looks like."""
    if not isinstance(value, str):
        return value
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font

    text = xstring.in_cell(value)
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"  # else a text that begins with = becomes a formula
    if bold:
        cell.font = Font(bold=True)
    if "\n" in text:
        cell.alignment = Alignment(wrap_text=True)
    return cell
