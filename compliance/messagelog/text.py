"""Header bytes to text that a person can read and PostgreSQL can store. Never raises.

The bytes come from strangers. RFC 2047 encoded words are decoded in whatever charset they claim
(`encoded_words.py`), raw 8-bit text is UTF-8 or else windows-1252, and what can't be decoded shows
as U+FFFD (`charsets.py`).
"""

import re
import unicodedata

from compliance.messagelog.charsets import charset_text, eight_bit
from compliance.messagelog.encoded_words import decoded

__all__ = ["INDEXED_CHARACTERS", "bounded", "charset_text", "clean", "eight_bit", "readable"]

# So much of any text, whatever its characters, fits an index of PostgreSQL (2,704 bytes).
INDEXED_CHARACTERS = 600

_PLAIN = re.compile(rb"[\x20-\x7e]*")
_FOLD = re.compile(rb"(\r\n|\r|\n)(?=[ \t])")

# All else may have to be taken out or composed: Latin letters, dashes, quotes and € don't.
_UNUSUAL = re.compile("[^\x20-\x7e\xa0-\xac\xae-\u02ff\u2010-\u2027\u2030-\u203a\u20ac]")
# Line and paragraph separators break a list's row; the rest turn text around or hide in it.
_TO_SPACE = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029], " ")
_TURNING = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_INVISIBLE = [0xAD, 0x200B, *range(0x2060, 0x2065), *range(0x206A, 0x2070), 0xFEFF]
_TAGS = range(0xE0000, 0xE0080)
_DROPPED = dict.fromkeys([*_TURNING, *_INVISIBLE, *_TAGS], "")
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
_CLEANING = _TO_SPACE | _DROPPED | _SURROGATES

_MAX_MARKS = 30
_MAY_BE_MARKS = re.compile(rf"[^\x00-\u02ff\w]{{{_MAX_MARKS + 1},}}")
_JOINER = "\u034f"  # COMBINING GRAPHEME JOINER, which isn't seen and ends a run of marks


def readable(raw: bytes) -> str:
    """Return a header's value as text: decoded, unfolded, in form C, without control characters.

    raw: the value as it stood in the message, folds included. The result is as of `clean`.
    """
    if _PLAIN.fullmatch(raw) and b"=?" not in raw:
        return raw.decode("ascii").strip()
    unfolded = _FOLD.sub(b"", raw)
    return clean(decoded(unfolded) if b"=?" in unfolded else eight_bit(unfolded))


def clean(text: str) -> str:
    """Make any text safe to store in one row and to show in one line.

    The result is in form C and holds no NUL, no line end, no lone surrogate and no character that
    turns the direction of text around (U+202A to U+202E, U+2066 to U+2069). Nor does it hold what
    is never seen but stands within words, where it hides them from a search: soft hyphens, zero
    width spaces and no-break spaces, word joiners, and tags, without which the flags of England,
    Scotland and Wales are black. Kept are the joiners U+200C and U+200D, with which Persian and
    emoji are written, and the marks U+200E, U+200F and U+061C, which mixed Hebrew and Arabic need
    and which the readers' pages write out. The message's own bytes stand in `subject_raw`.
    """
    if not _UNUSUAL.search(text):  # most has nothing of all this
        return text.strip()
    return unicodedata.normalize("NFC", _stream_safe(text.translate(_CLEANING))).strip()


def bounded(text: str, limit: int) -> str:
    """Cut a text that is longer than so many characters, and mark that it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _stream_safe(text: str) -> str:
    """Break runs of more than 30 combining marks, as UAX #15's Stream-Safe Text Process does.

    Putting marks in order takes quadratic time; no language needs half as many.
    """
    return _MAY_BE_MARKS.sub(lambda found: _broken_up(found[0]), text)


def _broken_up(signs: str) -> str:
    """Put a joiner behind every 30th of marks that follow each other, counted decomposed."""
    result: list[str] = []
    marks = 0
    for sign in signs:
        decomposed = unicodedata.normalize("NFD", sign)
        if not unicodedata.combining(decomposed[0]):
            marks = 0
        elif marks + len(decomposed) > _MAX_MARKS:
            result.append(_JOINER)
            marks = len(decomposed)
        else:
            marks += len(decomposed)
        result.append(sign)
    return "".join(result)
