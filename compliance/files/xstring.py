"""Texts in workbooks, where a cell has some characters written out by their code."""

import re

_WRITTEN_OUT = re.compile("_(?=[xX][0-9A-Fa-f]{4}_)")


_CODE = re.compile("_[xX]([0-9A-Fa-f]{4})_")


def escaped(text: str) -> str:
    """Return a text as a cell must hold it, so that Excel shows it as it is.

    By `_xHHHH_` a cell has a character written out; a text that looks so would be read as that
    character, unseen ones too (ECMA-376 part 1, 22.9.2.19, ST_Xstring).
    """
    return _WRITTEN_OUT.sub("_x005F_", text)


def unescaped(text: str) -> str:
    """Return what Excel shows of the text that a cell holds.

    Line ends are written out by many programs. A code that no text can hold stays as it stands.
    """
    return _CODE.sub(_character, text)


def _character(code: re.Match[str]) -> str:
    number = int(code[1], 16)
    return code[0] if number == 0 or 0xD800 <= number <= 0xDFFF else chr(number)
