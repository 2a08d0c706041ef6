"""Masking by the cell: what is handed out holds the legal basis where a text was. Pure.

A masked text is not covered but absent: an `Extract` has no place for it, and every file is made
of an `Extract`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from compliance.errors import UserError
from compliance.texts import Text, plain


class Column(StrEnum):
    """The columns of an extract, in their order."""

    TIME = "time"
    DIRECTION = "direction"
    SENDER = "sender"
    RECIPIENT = "recipient"
    SUBJECT = "subject"

    @property
    def heading(self) -> Text:
        """Its name for a reader."""
        return _HEADINGS[self]

    @property
    def may_be_masked(self) -> bool:
        """Subject and party may be secret; that and when something came is always public."""
        return self in (Column.SENDER, Column.RECIPIENT, Column.SUBJECT)


_HEADINGS = {
    Column.TIME: Text("Tid", "Time"),
    Column.DIRECTION: Text("Riktning", "Direction"),
    Column.SENDER: Text("Avsändare", "Sender"),
    Column.RECIPIENT: Text("Mottagare", "Recipient"),
    Column.SUBJECT: Text("Ärendemening", "Subject"),
}

_WRITTEN = (
    re.compile(
        r"(?:OSL\s*)?(\d{1,2})\s*kap\.?\s*(\d{1,2})\s*([a-z])?\s*§(?:\s*OSL)?", re.IGNORECASE
    ),
    re.compile(r"OSL\s*(\d{1,2})\s*:\s*(\d{1,2})\s*([a-z])?", re.IGNORECASE),
)
_CHAPTERS = 44  # of the act (2009:400)


@dataclass(frozen=True, slots=True, order=True)
class Section:
    """A section of offentlighets- och sekretesslagen (2009:400)."""

    chapter: int
    number: int
    letter: str = ""

    @classmethod
    def parse(cls, text: str) -> "Section":
        """Read 21 kap. 3 § OSL or OSL 21:3. Raises UserError if it is neither."""
        for form in _WRITTEN:
            match = form.fullmatch(text.strip())
            if match and 1 <= int(match[1]) <= _CHAPTERS and int(match[2]):
                return cls(int(match[1]), int(match[2]), (match[3] or "").lower())
        raise UserError.of(
            f"{text.strip()[:60]!r} is no section of the secrecy act",
            "",
            "write chapter and section, as in 21 kap. 3 § OSL",
        )

    def __str__(self) -> str:
        """Write as 21 kap. 3 § OSL."""
        letter = f" {self.letter}" if self.letter else ""
        return f"{self.chapter} kap. {self.number}{letter} § OSL"


# How a person with protected identity can be reached: secret in all administration.
PROTECTED_IDENTITY = Section(21, 3)


@dataclass(frozen=True)
class Row:
    """A row of the list as the reviewer sees it. protected: columns that would show somebody with
    a protected identity, as the directory says (P1); they are masked whatever anybody chose."""

    key: str
    cells: Mapping[Column, str]
    protected: frozenset[Column] = frozenset()


@dataclass(frozen=True, slots=True)
class Mask:
    """One cell that is not handed out, and why."""

    row: str
    column: Column
    section: Section


@dataclass(frozen=True, slots=True)
class Masked:
    """What stands where a text was: the legal basis and nothing else, not even a length."""

    section: Section

    @property
    def text(self) -> Text:
        """What the reader of an extract sees."""
        return _MASKED.fill(section=plain(str(self.section)))


_MASKED = Text("[Maskerat enligt {section}]", "[Masked under {section}]")

Cell = str | Masked


@dataclass(frozen=True)
class Extract:
    """What is handed out: cells in the order of `Column` for each row, and about the whole.

    unit: whose list. selection: in words, what was asked for. made: the day, in words.
    """

    unit: str
    selection: str
    made: str
    rows: Sequence[tuple[Cell, ...]]

    @property
    def sections(self) -> dict[Section, int]:
        """How many cells are masked under each section."""
        found: dict[Section, int] = {}
        for row in self.rows:
            for cell in row:
                if isinstance(cell, Masked):
                    found[cell.section] = found.get(cell.section, 0) + 1
        return dict(sorted(found.items()))


def mask(
    rows: Sequence[Row], masks: Iterable[Mask], *, unit: str, selection: str, made: str
) -> Extract:
    """Make an extract. Raises UserError for a mask of a row or column that cannot be masked."""
    wanted = {(item.row, item.column): item.section for item in masks}
    known = {row.key for row in rows}
    for key, column in wanted:
        if key not in known:
            raise UserError.of(
                f"the row {key} that is masked is not in the selection", unit, "select it too"
            )
        if not column.may_be_masked:
            raise UserError.of(
                f"the column {column} cannot be masked", unit, "mask sender, recipient or subject"
            )
    return Extract(unit, selection, made, [_masked_row(row, wanted) for row in rows])


def _masked_row(row: Row, wanted: Mapping[tuple[str, Column], Section]) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for column in Column:
        section = wanted.get((row.key, column))
        if column in row.protected:
            section = section or PROTECTED_IDENTITY
        cells.append(Masked(section) if section else row.cells.get(column, ""))
    return tuple(cells)


@dataclass(frozen=True, slots=True)
class Echo:
    """A masked text of which something stands open elsewhere in what would be handed out."""

    masked: tuple[str, Column]
    stands_in: tuple[str, Column]
    word: str


_WORD = re.compile(r"[^\W_]{4,}")
# Åsa Ek, Bo Ås: too short to tell anything by themselves, but not together.
_SHORT_NAME = re.compile(r"(?<![^\W_])(?=([^\W\d_]{1,3}[ \u00a0][^\W\d_]{1,3})(?![^\W_]))")
# Bounded as addresses are (RFC 5321 section 4.5.3.1): else a long text is walked anew at each sign.
_ADDRESS = re.compile(r"([^\s<>,;@]{1,64})@[^\s<>,;@]{1,255}")


def _telling(text: str) -> set[str]:
    """Give what could tell who is meant: words, short names in full, and addresses whole and by
    what is before the @.
    """
    addresses = {match[0].casefold() for match in _ADDRESS.finditer(text)}
    plain = _ADDRESS.sub(r"\1", text)
    names = (name.replace("\u00a0", " ") for name in _SHORT_NAME.findall(plain))
    names = (name.casefold() for name in names if name.istitle() or name.isupper())
    return addresses | {word.casefold() for word in _WORD.findall(plain)} | set(names)


def echoes(rows: Sequence[Row], masks: Iterable[Mask]) -> list[Echo]:
    """Find names and addresses that are masked in one cell and open in another, to be looked at.

    Words that stand in more than a tenth of the cells (a municipality's name) tell nothing.
    """
    hidden = {(item.row, item.column) for item in masks}
    hidden |= {(row.key, column) for row in rows for column in row.protected}
    open_cells: list[tuple[tuple[str, Column], set[str]]] = []
    secret: dict[str, tuple[str, Column]] = {}
    for row in rows:
        for column, text in row.cells.items():
            words = _telling(text)
            if (row.key, column) in hidden:
                secret |= {word: (row.key, column) for word in words if word not in secret}
            elif column.may_be_masked:
                open_cells.append(((row.key, column), words))
    counts: dict[str, int] = {}
    for _, words in open_cells:
        for word in words & secret.keys():
            counts[word] = counts.get(word, 0) + 1
    common = max(3, len(open_cells) // 10)
    return [
        Echo(secret[word], place, word)
        for place, words in open_cells
        for word in sorted(words & secret.keys())
        if counts[word] <= common
    ]
