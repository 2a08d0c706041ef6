"""Texts in workbooks, where a cell has some characters written out by their code."""

import re

_WRITTEN_OUT = re.compile("_(?=[xX][0-9A-Fa-f]{4}_)")
_CODE = re.compile("_[xX]([0-9A-Fa-f]{4})_")
_CELL_UNITS = 32_767  # of UTF-16, where an emoji is two: what Excel takes in a cell


def escaped(text: str) -> str:
    """Return a text as a cell must hold it, so that Excel shows it as it is.

    By `_xHHHH_` a cell has a character written out; a text that looks so would be read as that
    character, unseen ones too (ECMA-376 part 1, 22.9.2.19, ST_Xstring).
    """
    return _WRITTEN_OUT.sub("_x005F_", text)


def in_cell(text: str, ending: str = "…") -> str:
    """Return a text as a cell must hold it; if it is too long for one, cut and with an ending."""
    whole = escaped(text)
    units = whole.encode("utf-16-le")
    if len(units) <= 2 * _CELL_UNITS:
        return whole
    room = _CELL_UNITS - len(ending.encode("utf-16-le")) // 2
    return units[: 2 * room].decode("utf-16-le", "ignore") + ending


def unescaped(text: str) -> str:
    """Return what Excel shows of the text that a cell holds.

    Line ends are written out by many programs. A code that no text can hold stays as it stands.
    """
    return _CODE.sub(_character, text)


def _character(code: re.Match[str]) -> str:
    number = int(code[1], 16)
    return code[0] if number == 0 or 0xD800 <= number <= 0xDFFF else chr(number)
