"""A message's parts, found within bounds whatever a stranger sends. Never raises.

The standard library's parser is not used: 14 MB of empty parts took it 77 s and 800 MB, and a
thousand nested parts are a RecursionError. Here parts are places in the message's bytes, and what
lies beyond the bounds is left unread.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from compliance.messagelog.mime import MAX_NAME, parameters
from compliance.messagelog.text import eight_bit, readable

_MAX_DEPTH = 10
MAX_PARTS = 500
_MAX_DELIMITERS = 5_000  # places that look like one; each costs a look
_MAX_BOUNDARY = 200  # RFC 2046 allows 70
_MAX_HEAD = 131_072
_MAX_PART_HEAD = 16_384
_MAX_FIELDS = 1_000
_MAX_VALUE = 16_384

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_PIECE = re.compile(rb"[^=]+")
_BARE_CR = re.compile(rb"\r(?!\n)")
_EMPTY_HEAD = re.compile(rb"\r?\n")
_AFTER_DELIMITER = re.compile(rb"(--)?[ \t]{0,100}(?:\r?\n|\r?\Z)")
_KIND = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}")
_MECHANISM = re.compile(r'[\s"]*([a-z0-9-]+)', re.IGNORECASE)
_NO_DIGITS = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
)

Headers = dict[str, list[bytes]]


@dataclass(frozen=True)
class Part:
    """A part of a message, or the whole.

    kind: e.g. `text/plain`, in lower case. name: the file's, readable, empty if it has none.
    start, end: where its body lies in the message. children: of a multipart.
    """

    kind: str
    charset: str
    name: str
    encoding: str
    is_attachment: bool
    start: int
    end: int
    children: tuple["Part", ...] = ()

    def leaves(self) -> Iterator["Part"]:
        """Give every part that holds no others, in order."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()

    def content(self, raw: bytes, limit: int | None = None) -> bytes:
        """Return the decoded body, made of its first `limit` encoded bytes."""
        end = self.end if limit is None else min(self.end, self.start + limit)
        body = raw[self.start : end]
        if self.encoding == "base64":
            # Some programs encode piece by piece: behind the padding of one begins another.
            decoded = bytearray()
            for piece in _PIECE.finditer(body.translate(None, _NO_DIGITS)):
                decoded += _bytes_of(piece[0])
            return bytes(decoded)
        if self.encoding == "quoted-printable":
            return binascii.a2b_qp(_with_line_ends(body))
        return body


def _bytes_of(digits: bytes) -> bytes:
    """Decode base64 without its padding; one digit alone at the end carries no byte."""
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def _with_line_ends(raw: bytes) -> bytes:
    """Write the bare CR of some programs as the line end that they mean, in as many bytes."""
    return _BARE_CR.sub(b"\n", raw)


@dataclass(frozen=True)
class Message:
    """headers: values by name in lower case, folds included. is_whole: nothing is left unread."""

    headers: Headers
    root: Part
    is_whole: bool


def read(raw: bytes) -> Message:
    """Find the headers and the parts of a message."""
    if not _HEAD_END.search(raw) and not _EMPTY_HEAD.match(raw):  # else lines end as they should
        raw = _with_line_ends(raw)
    headers, start = _head(raw, 0, len(raw), _MAX_HEAD)
    reading = _Reading(raw)
    root = reading.part(headers, start, len(raw), 0)
    return Message(headers, root, reading.is_whole)


@dataclass
class _Reading:
    raw: bytes
    is_whole: bool = True
    _parts: int = 0
    _delimiters: int = field(default=0)

    def part(self, headers: Headers, start: int, end: int, depth: int) -> Part:
        self._parts += 1
        kind, kind_parameters = _parsed(headers, "content-type")
        how, how_parameters = _parsed(headers, "content-disposition")
        name = how_parameters.get("filename") or kind_parameters.get("name") or ""
        if not _KIND.fullmatch(kind):
            kind = "text/plain"  # RFC 2045 section 5.2
        children: tuple[Part, ...] = ()
        if kind.startswith("multipart/"):
            children = self._children(kind_parameters.get("boundary", ""), start, end, depth)
        return Part(
            kind=kind if children or not kind.startswith("multipart/") else "text/plain",
            charset=kind_parameters.get("charset", "").lower()[:60],
            name=name[:MAX_NAME],
            encoding=_encoding(_first(headers, "content-transfer-encoding")),
            is_attachment=bool(name) or how == "attachment",
            start=start,
            end=end,
            children=children,
        )

    def _children(self, boundary: str, start: int, end: int, depth: int) -> tuple[Part, ...]:
        """Read what lies between a multipart's delimiters; nothing if it has none."""
        mark = boundary.rstrip().encode("utf-8", "replace")
        if not 0 < len(mark) <= _MAX_BOUNDARY or depth >= _MAX_DEPTH:
            self.is_whole = self.is_whole and depth < _MAX_DEPTH
            return ()
        found = []
        for first, last in self._between(b"--" + mark, start, end):
            if self._parts >= MAX_PARTS:
                self.is_whole = False
                break
            headers, body = _head(self.raw, first, last, _MAX_PART_HEAD)
            found.append(self.part(headers, body, last, depth + 1))
        return tuple(found)

    def _between(self, mark: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Give where each part begins and ends (RFC 2046 section 5.1.1); the last may be open."""
        opened = None
        position = start
        while (place := self.raw.find(mark, position, end)) >= 0:
            self._delimiters += 1
            if self._delimiters > _MAX_DELIMITERS:
                self.is_whole = False
                break
            position = place + len(mark)
            if place > start and self.raw[place - 1] != 0x0A:
                continue
            after = _AFTER_DELIMITER.match(self.raw, position, end)
            if after is None:  # a longer line that only begins as a delimiter does
                continue
            if opened is not None:
                yield opened, max(opened, _before_line_end(self.raw, place))
            opened, position = after.end(), after.end()
            if after[1]:
                return
        if opened is not None:
            yield opened, end


def _before_line_end(raw: bytes, place: int) -> int:
    """Return where the line before a place ends: its line end belongs to the delimiter."""
    return place - 2 if raw[place - 2 : place] == b"\r\n" else place - 1


def _head(raw: bytes, start: int, end: int, most: int) -> tuple[Headers, int]:
    """Read the headers that begin here; return them and where the body begins."""
    if empty := _EMPTY_HEAD.match(raw, start, end):
        return {}, empty.end()
    found = _HEAD_END.search(raw, start, min(end, start + most))
    stop, body = (found.start(), found.end()) if found else (min(end, start + most),) * 2
    headers: Headers = {}
    for line in _FOLD.sub(b" ", raw[start:stop]).split(b"\n", _MAX_FIELDS)[:_MAX_FIELDS]:
        name, colon, value = line.partition(b":")
        if colon:
            key = name.strip().lower().decode("ascii", "replace")
            headers.setdefault(key, []).append(value.strip()[:_MAX_VALUE])
    return headers, body


def _first(headers: Headers, name: str) -> str:
    return eight_bit(headers.get(name, [b""])[0])


def _encoding(text: str) -> str:
    """Return the mechanism alone (RFC 2045 section 6.1): a comment may follow, or a semicolon."""
    found = _MECHANISM.match(text)
    return found[1].lower() if found else ""


def _parsed(headers: Headers, name: str) -> tuple[str, dict[str, str]]:
    """Return the word before the first semicolon, and the parameters, readable."""
    text = _first(headers, name)
    return readable(text.partition(";")[0].encode("utf-8")).lower(), parameters(text)
