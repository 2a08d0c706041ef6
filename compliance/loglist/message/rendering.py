"""What a page shows of a message: headers, text, and the list of what is attached."""

import unicodedata
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from compliance.clock import SWEDEN
from compliance.loglist.message import parts
from compliance.loglist.message.html_text import text_of
from compliance.loglist.message.parts import Part
from compliance.messagelog.formats import visible
from compliance.messagelog.text import charset_text, readable

# What is shown at most; the message itself is handed out whole.
MAX_TEXT = 100_000
_MAX_ENCODED = 4_000_000
_MAX_HEADER = 2_000
_HEADERS = ("from", "reply-to", "to", "cc", "date", "subject")


@dataclass(frozen=True)
class Attachment:
    """number: counted from 1 within the message. name: empty if it has none. size: in bytes."""

    number: int
    name: str
    kind: str
    size: int


@dataclass(frozen=True)
class Letter:
    """headers: the names of `_HEADERS` that the message has, and what they say, Date in
    Swedish time.

    text: lines in which nothing is unseen. is_from_html: there was no plain text. has_html: beside
    the text stands HTML, which may say something else. is_whole: all of it is here.
    """

    headers: dict[str, str]
    text: str
    is_from_html: bool
    has_html: bool
    is_whole: bool
    attachments: tuple[Attachment, ...]


def read(raw: bytes) -> Letter:
    """Read a message for showing. Never raises, and its output is bounded."""
    message = parts.read(raw)
    bodies = _bodies(raw, message.root)
    texts = [_text(raw, part) for part in bodies]
    text = "\n\n".join(text for text, _ in texts)
    return Letter(
        headers=_headers(message.headers),
        text=_lines(text[:MAX_TEXT]),
        is_from_html=any(part.kind == "text/html" for part in bodies),
        has_html=any(
            part.kind == "text/html" and part not in bodies for part in _unattached(message.root)
        ),
        is_whole=message.is_whole and len(text) <= MAX_TEXT and all(whole for _, whole in texts),
        attachments=tuple(
            Attachment(number, part.name, part.kind, len(part.content(raw)))
            for number, part in enumerate(_attached(message.root), 1)
        ),
    )


def _headers(held: parts.Headers) -> dict[str, str]:
    found = {name: _header(held[name]) for name in _HEADERS if name in held}
    if "date" in found:
        found["date"] = _swedish_time(found["date"])
    return found


def _swedish_time(text: str) -> str:
    """Write a Date (RFC 5322 3.6.1) as Swedes do, in Swedish time; one that is none as it is."""
    try:
        at = parsedate_to_datetime(text)
        return f"{at.astimezone(SWEDEN):%Y-%m-%d %H:%M:%S}" if at.tzinfo else text
    except (ValueError, OverflowError, TypeError, IndexError):
        return text


def attachment(raw: bytes, number: int) -> tuple[str, bytes] | None:
    """Return name and decoded content of an attachment by its number; None if there is none."""
    found = _attached(parts.read(raw).root)
    if not 1 <= number <= len(found):
        return None
    part = found[number - 1]
    return part.name, part.content(raw)


def attachments(raw: bytes) -> list[tuple[str, bytes]]:
    """Return name and decoded content of every attachment, in order."""
    return [(part.name, part.content(raw)) for part in _attached(parts.read(raw).root)]


def _is_text(part: Part) -> bool:
    return part.kind in ("text/plain", "text/html") and not part.is_attachment


def _unattached(root: Part) -> list[Part]:
    return [part for part in root.leaves() if _is_text(part)]


def _attached(root: Part) -> list[Part]:
    return [part for part in root.leaves() if not _is_text(part)]


def _bodies(raw: bytes, part: Part) -> list[Part]:
    """Choose what is shown: of alternatives the plain text if it says anything, else the HTML."""
    if part.kind != "multipart/alternative":
        inner = [body for child in part.children for body in _bodies(raw, child)]
        return inner or ([part] if not part.children and _is_text(part) else [])
    choices = [bodies for child in part.children if (bodies := _bodies(raw, child))]
    plain = [bodies for bodies in choices if any(_says_plainly(raw, one) for one in bodies)]
    return (plain or choices[-1:] or [[]])[0]


def _says_plainly(raw: bytes, part: Part) -> bool:
    """Say whether a part is plain text in which anything is seen: many have a hard space alone."""
    return part.kind == "text/plain" and any(map(_is_seen, _text(raw, part)[0]))


def _is_seen(sign: str) -> bool:
    return not sign.isspace() and unicodedata.category(sign) not in ("Cc", "Cf")


def _text(raw: bytes, part: Part) -> tuple[str, bool]:
    """Return a part's text; whether it is whole."""
    decoded = charset_text(part.content(raw, _MAX_ENCODED), part.charset)
    text = decoded.encode("utf-8", "replace").decode("utf-8")  # some charsets give lone surrogates
    is_whole = part.end - part.start <= _MAX_ENCODED
    if part.kind != "text/html":
        return text, is_whole
    text, is_all = text_of(text)
    return text, is_whole and is_all


def _header(values: list[bytes]) -> str:
    return " | ".join(map(readable, values))[:_MAX_HEADER]


def _lines(text: str) -> str:
    """Write out in each line what can't be seen, and leave out empty lines at the end."""
    return "\n".join(visible(line.replace("\t", "    ")) for line in text.splitlines()).rstrip()
