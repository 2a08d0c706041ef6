"""What the masking page shows of each cell: hints, echoes, and what it is masked under."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from compliance.disclosure.hints import Hint, Kind, hints
from compliance.disclosure.masking import Column, Section, echoes
from compliance.errors import UserError
from compliance.loglist.desk.rows import MASKABLE, Chosen, language
from compliance.safe_text import part_shown


@dataclass(frozen=True)
class CellShown:
    """A cell that can be masked. field: its name in the form. text: None of a protected identity.

    notes: what stands open here and is masked elsewhere, in words. section: as typed or kept.
    """

    field: str
    heading: str
    text: SafeString | None
    notes: list[str]
    section: str
    fault: str


@dataclass(frozen=True)
class RowShown:
    """A row of the masking page."""

    number: int
    time: str
    direction: str
    cells: list[CellShown]


def field_of(one: Chosen, column: Column) -> str:
    """Name a cell in the form."""
    return f"{column}-{one.kept.pk}"


def read_sections(
    rows: Sequence[Chosen], typed: Mapping[str, str]
) -> tuple[dict[tuple[int, Column], str], dict[str, str]]:
    """Read what was typed for each cell: the sections, and what is wrong by the cell's name."""
    sections: dict[tuple[int, Column], str] = {}
    faults: dict[str, str] = {}
    for one in rows:
        for column in MASKABLE:
            field = field_of(one, column)
            text = typed.get(field, "").strip()
            try:
                sections[one.kept.pk, column] = str(Section.parse(text)) if text else ""
            except UserError:
                faults[field] = _("Write chapter and section, as in 21 kap. 3 § OSL.")
    return sections, faults


def shown(
    every: Sequence[Chosen],
    page: Sequence[Chosen],
    typed: Mapping[str, str],
    faults: Mapping[str, str],
) -> list[RowShown]:
    """Show a page of a request's rows. every: all its rows, since what is masked echoes in all."""
    notes = _notes(every)
    return [
        RowShown(
            one.number,
            one.row.cells[Column.TIME],
            one.row.cells[Column.DIRECTION],
            [_cell(one, column, notes, typed, faults) for column in MASKABLE],
        )
        for one in page
    ]


def open_hints(every: Sequence[Chosen]) -> int:
    """Count the cells that hold a hint and are not masked."""
    return sum(
        bool(hints(one.row.cells[column]))
        for one in every
        for column in MASKABLE
        if not getattr(one.kept, column) and column not in one.row.protected
    )


def open_echoes(every: Sequence[Chosen]) -> int:
    """Count the open cells in which something stands that is masked elsewhere."""
    return len(_notes(every))


def _notes(every: Sequence[Chosen]) -> dict[tuple[str, Column], list[str]]:
    numbers = {one.row.key: one.number for one in every}
    found: dict[tuple[str, Column], list[str]] = {}
    for echo in echoes([one.row for one in every], [item for one in every for item in one.masks]):
        note = _("“%(word)s” is masked in row %(number)s") % {
            "word": part_shown(echo.word),
            "number": numbers[echo.masked[0]],
        }
        found.setdefault(echo.stands_in, []).append(note)
    return found


def _cell(
    one: Chosen,
    column: Column,
    notes: Mapping[tuple[str, Column], list[str]],
    typed: Mapping[str, str],
    faults: Mapping[str, str],
) -> CellShown:
    field = field_of(one, column)
    return CellShown(
        field=field,
        heading=column.heading.read(language()),
        text=None if column in one.row.protected else _marked(one.row.cells[column]),
        notes=notes.get((one.row.key, column), []),
        section=typed.get(field, getattr(one.kept, column)),
        fault=faults.get(field, ""),
    )


def _marked(text: str) -> SafeString:
    """Give a text with its hints marked, and told in words beside."""
    pieces: list[SafeString] = []
    at = 0
    for hint in hints(text):
        pieces += [_piece(text[at : hint.start]), _hinted(text, hint)]
        at = hint.end
    return format_html(
        "<bdi>{}{}</bdi>", format_html_join("", "{}", ((piece,) for piece in pieces)),
        _piece(text[at:]),
    )  # fmt: skip


def _hinted(text: str, hint: Hint) -> SafeString:
    words = {
        Kind.PERSONAL_NUMBER: _("personal number?"),
        Kind.COORDINATION_NUMBER: _("coordination number?"),
        Kind.NAME: _("name?"),
    }
    return format_html(
        "<mark>{} <small>[{}]</small></mark>", _piece(text[hint.start : hint.end]), words[hint.kind]
    )


def _piece(text: str) -> SafeString:
    return format_html("{}", part_shown(text))
