"""Text files as offices save them: UTF-8, UTF-16 with byte order mark, or Windows-1252."""

import codecs
import re
from pathlib import Path

from compliance.errors import UserError

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SWEDISH = "åäöÅÄÖ".encode("cp1252")
# What an old Mac (Mac OS Roman) and MS-DOS (code pages 437 and 850) write for å, ä and ö. In
# Windows-1252 they are dashes, quotes and such, and Š and Œ, which hardly stand within a word. The
# Mac's ö is š there, as in Dušan; but without a vowel beside it, it is the one of Björn.
_CONSONANTS = b"bcdfghjklmnpqrstvwxzBCDFGHJKLMNPQRSTVWXZ"
_ELSEWHERE = re.compile(
    rb"(?<=[A-Za-z])[%s](?=[a-z])|(?<=[%s])\x9a(?=[%s])"
    % ("åä".encode("mac_roman") + "åäö".encode("cp850"), _CONSONANTS, _CONSONANTS)
)


def read_start(path: Path, size: int) -> bytes:
    """Read the first bytes of a file, to see of what kind it is. Raises UserError."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise _unreadable(path, error) from error


def read_text(path: Path) -> str:
    """Read a whole text file. Raises UserError if it cannot be read or is no text.

    Windows-1252 is taken only when the bytes are not UTF-8, which Swedish text in Windows-1252
    practically never is, and when they do not look like another system's letters, which would
    silently become others. Excel's "Unicode text" is UTF-16.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    if data.startswith(_UTF16):
        return _without_nul(path, _decode(path, data, "utf-16"))
    try:
        return _without_nul(path, data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        _refuse_other_letters(path, data)
        return _without_nul(path, _decode(path, data, "cp1252"))


def _decode(path: Path, data: bytes, encoding: str) -> str:
    """Decode as the last encoding that comes into question. Raises UserError with the line."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].decode(encoding, "replace").count("\n") + 1
        told = "neither UTF-8 nor Windows-1252" if encoding == "cp1252" else "no UTF-16"
        raise UserError.of(
            f"the byte {data[error.start]:#04x} is {told}",
            f"{path}:{line}",
            "save the file as UTF-8",
            "Filen är ingen text som går att läsa. Spara den som UTF-8.",
        ) from error


def _refuse_other_letters(path: Path, data: bytes) -> None:
    """Raise UserError if å, ä and ö of another system stand in a text that has none of Windows'."""
    found = _ELSEWHERE.search(data)
    if found and not any(letter in data for letter in _SWEDISH):
        line = data[: found.start()].replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1
        raise UserError.of(
            f"the byte {found[0][0]:#04x} seems to be a letter of Macintosh or MS-DOS",
            f"{path}:{line}",
            "save the file as UTF-8",
            "Filens å, ä och ö är sparade på ett äldre sätt. Spara den som UTF-8.",
        )


def _without_nul(path: Path, text: str) -> str:
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise UserError.of(
            "there is a NUL byte; this is no text file",
            f"{path}:{line}",
            "export the file anew",
            "Filen är ingen textfil. Exportera den på nytt.",
        )
    return text


def _unreadable(path: Path, error: OSError) -> UserError:
    return UserError.of(
        f"the file cannot be read ({error.strerror})",
        str(path),
        "check the path in the settings and who may read the file",
    )
