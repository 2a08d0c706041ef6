"""Texts in workbooks that are written."""

import re

_WRITTEN_OUT = re.compile("_(?=[xX][0-9A-Fa-f]{4}_)")


def escaped(text: str) -> str:
    """Return a text as a cell must hold it, so that Excel shows it as it is.

    By `_xHHHH_` a cell has a character written out; a text that looks so would be read as that
    character, unseen ones too (ECMA-376 part 1, 22.9.2.19, ST_Xstring).
    """
    return _WRITTEN_OUT.sub("_x005F_", text)
