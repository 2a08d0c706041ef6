"""An extract as CSV, XLSX and accessible PDF. What is masked is in none of their bytes."""

import csv
import io
import zipfile
from functools import cache
from typing import Any

import jinja2

from compliance.disclosure.masking import Cell, Column, Extract, Masked
from compliance.files import xstring
from compliance.pdf import render_pdf
from compliance.resources import templates_dir
from compliance.safe_text import for_spreadsheet, shown
from compliance.texts import Language, Text, load, plain

_SHOWN_MAX = 2_000  # characters of one cell on paper; the CSV has the whole
# What a PDF is made of while somebody waits: some ten seconds (decision 69).
_PDF_ROWS = 200
_PDF_SIGNS = 60_000
_WIDTHS = {Column.TIME: 18, Column.DIRECTION: 12}
_WIDE = 45


def to_csv(extract: Extract, language: Language) -> bytes:
    """Give the extract as a Swedish Excel opens it: UTF-8 with mark, semicolons, cells whole."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([column.heading.read(language) for column in Column])
    for row in extract.rows:
        writer.writerow([_spreadsheet(cell, language) for cell in row])
    return out.getvalue().encode("utf-8-sig")


def to_xlsx(extract: Extract, language: Language) -> bytes:
    """Give the extract as a workbook whose cells are texts and nothing else.

    A text that is longer than a cell may be is cut, and says so.
    """
    import openpyxl
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.utils import get_column_letter

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(_texts()["sheet"].read(language))
    sheet.freeze_panes = "A2"
    for at, column in enumerate(Column, start=1):
        sheet.column_dimensions[get_column_letter(at)].width = _WIDTHS.get(column, _WIDE)

    def cell(text: str) -> Any:
        made = WriteOnlyCell(sheet)
        made.value = xstring.in_cell(text, _cut_note(text, language))
        made.data_type = "s"  # whatever it begins with
        return made

    sheet.append([cell(column.heading.read(language)) for column in Column])
    for row in extract.rows:
        sheet.append([cell(_spreadsheet(item, language)) for item in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def to_html(extract: Extract, language: Language) -> str:
    """Give the extract as the page that the PDF is made of, and that a preview shows."""
    texts = _texts()
    rows = [[_printed(cell, language) for cell in row] for row in extract.rows]
    return (
        environment()
        .get_template("extract.html.j2")
        .render(
            language=language,
            extract=extract,
            columns=[(column.value, column.heading.read(language)) for column in Column],
            rows=rows,
            t=lambda key, **values: texts[key].fill(**values).read(language),
            sections=[(str(section), number) for section, number in extract.sections.items()],
        )
    )


def to_pdf(extract: Extract, language: Language) -> bytes:
    """Give the extract as a tagged PDF."""
    return render_pdf(to_html(extract, language))


def fits_pdf(extract: Extract) -> bool:
    """Say whether an extract is short enough for a PDF; a longer one is handed out without."""
    signs = sum(
        min(len(cell), _SHOWN_MAX) for row in extract.rows for cell in row if isinstance(cell, str)
    )
    return len(extract.rows) <= _PDF_ROWS and signs <= _PDF_SIGNS


def to_zip(extract: Extract, language: Language, proof: str | None, unproven: int) -> bytes:
    """Give everything that is handed out, in one file.

    proof: the extract as the seal proves it (JSON); None if nothing is proven. unproven: how many
    rows are not in it, since their day is not sealed yet.
    """
    texts = _texts()
    told = [texts["files.about"]]
    parts = {"csv": to_csv(extract, language), "xlsx": to_xlsx(extract, language)}
    if fits_pdf(extract):
        parts["pdf"] = to_pdf(extract, language)
    else:
        told.append(texts["files.no_pdf"])
    if proof is not None:
        parts["json"] = proof.encode()
        told.append(texts["files.proof"])
    if unproven:
        told.append(texts["files.unproven"].fill(number=unproven))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        about = "\r\n\r\n".join(text.read(language) for text in told) + "\r\n"
        package.writestr(texts["files.txt"].read(language), about.encode("utf-8-sig"))
        for kind, data in parts.items():
            package.writestr(texts[f"files.{kind}"].read(language), data)
    return out.getvalue()


def proof_basis(language: Language) -> str:
    """Say in a proof why a field is hidden that no column of an extract shows."""
    return _texts()["proof.left_out"].read(language)


def _spreadsheet(cell: Cell, language: Language) -> str:
    return cell.text.read(language) if isinstance(cell, Masked) else for_spreadsheet(cell)


def _printed(cell: Cell, language: Language) -> tuple[str, bool]:
    """Give a cell's text, and whether it is masked."""
    if isinstance(cell, Masked):
        return cell.text.read(language), True
    return _cut(shown(cell), _SHOWN_MAX, language), False


def _cut(text: str, longest: int, language: Language) -> str:
    if len(text) <= longest:
        return text
    note = _cut_note(text, language)
    return text[: longest - len(note)] + note


def _cut_note(text: str, language: Language) -> str:
    return " " + _texts()["cut"].fill(length=plain(str(len(text)))).read(language)


@cache
def _texts() -> dict[str, Text]:
    return load(templates_dir() / "disclosure" / "texts.yml")


@cache
def environment() -> jinja2.Environment:
    """Give what fills the templates that people receive; pages are escaped, plain text is not."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_dir() / "disclosure"),
        autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
