"""Text files as offices save them: UTF-8 with or without byte order mark, or Windows-1252."""

import codecs
from pathlib import Path

from compliance.errors import UserError

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path) -> str:
    """Read a whole text file. Raises UserError if it cannot be read or is no text.

    Windows-1252 is taken only when the bytes are not UTF-8, which Swedish text in Windows-1252
    practically never is.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError.of(
            f"the file cannot be read ({error.strerror})",
            str(path),
            "check the path in the settings and who may read the file",
        ) from error
    if data.startswith(_UTF16):
        raise UserError.of("the text is UTF-16", str(path), "save it as CSV UTF-8")
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise UserError.of(
            "there is a NUL byte; this is no text file", f"{path}:{line}", "export the file anew"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _windows_1252(path, data)


def _windows_1252(path: Path, data: bytes) -> str:
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UserError.of(
            f"the byte {data[error.start]:#04x} is neither UTF-8 nor Windows-1252",
            f"{path}:{line}",
            "save the file as UTF-8",
        ) from error
