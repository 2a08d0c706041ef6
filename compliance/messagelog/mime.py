"""Which files a message carries, told from the heads of its parts as the body streams by.

Nothing of the body is kept or decoded: delimiter lines (RFC 2046 section 5.1.1) are looked for, and
the few header lines behind each are read. An attachment is a part that has a file name or calls
itself one, a message within the message, and what is no text where a text would stand (a scan that
nobody gave a name); what such a message carries itself is not counted again. Never raises: the
bytes come from strangers.

The work grows with the body's length and no faster: each open boundary is searched for once in each
chunk, and what begins as a delimiter does is judged by its own line alone.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from compliance.messagelog.text import charset_text, clean, readable

# Bounds on what strangers can make us do and keep. Beyond them parts are no longer looked at.
MAX_NAME = 255
MAX_LINES = 20_000  # that begin as a delimiter does
_MAX_NAMES = 100
_MAX_PARTS = 1_000
_MAX_DEPTH = 10
_MAX_BOUNDARY = 200  # RFC 2046 allows 70
_MAX_LINE = 1_000  # RFC 5321 section 4.5.3.1.6
_MAX_PART_HEAD = 16_384

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_BLANKS = b" \t\r"
# The word before the parameters, without quotes or a comment behind it.
_WORD = re.compile(rb'[\s"]*([^\s;"(]*)')
# In an encoded word, which some programs leave without quotes, a semicolon ends nothing.
_PARAMETER = re.compile(
    rb';\s*(?P<name>[^\s=;"*]+)(?:\*(?P<part>\d{1,4}))?(?P<extended>\*)?\s*='
    rb'\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"?'
    rb"|(?P<plain>(?:=\?[^\s?=;]{1,80}\?[bBqQ]\?[^?]{0,255}\?=|[^;])*+))",
    re.DOTALL,
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_MESSAGES = {b"message/rfc822", b"message/global"}  # RFC 2046 section 5.2.1, RFC 6532 section 3.7
_FILES = (b"application/", b"audio/", b"font/", b"image/", b"model/", b"video/")
# Whose parts belong to one another: pictures in a page, signatures, what a machine reads.
_BOUND = {
    *(b"multipart/related", b"multipart/alternative", b"multipart/report"),
    *(b"multipart/signed", b"multipart/encrypted"),
}


@dataclass
class Attachments:
    """What was found so far. names: of those that have one, readable, in order, at most 100."""

    count: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str | None) -> None:
        """Count one attachment."""
        self.count += 1
        if name and len(self.names) < _MAX_NAMES:
            self.names.append(name if len(name) <= MAX_NAME else name[: MAX_NAME - 1] + "…")


@dataclass(eq=False)
class _Multipart:
    """One that is open. kind: its type. delimiter: a line end, two hyphens and the boundary.

    hit: where the delimiter stands next in what is being read; the length of that if nowhere.
    """

    kind: bytes
    delimiter: bytes
    hit: int = -1


class Scanner:
    """Reads one message's body in chunks. `begin` it with the values of the message's own head.

    lines: how many lines were judged that begin as a delimiter does.
    """

    def __init__(self) -> None:
        """Wait for the head; a body without one is not scanned."""
        self.found = Attachments()
        self.lines = 0
        self._open: list[_Multipart] = []  # the outermost first
        self._rest = b"\n"  # the first delimiter may stand at the very start
        self._searched = 0  # so much of it
        self._is_in_head = False
        self._parts = 0

    def begin(self, content_type: bytes, disposition: bytes) -> None:
        """Take in the message's own Content-Type and Content-Disposition, empty if missing."""
        self._take(content_type, disposition)

    def feed(self, chunk: bytes) -> None:
        """Take in the next chunk of the body, with line ends as in SMTP."""
        if self._open:
            self._read(self._rest + chunk, is_end=False)

    def end(self) -> Attachments:
        """Return what was found; a head that the message's end cuts off counts."""
        if self._open:
            self._read(self._rest, is_end=True)
            self._open.clear()
        return self.found

    def _read(self, data: bytes, *, is_end: bool) -> None:
        """Read as far as can be told by now; keep what must be read again with what follows.

        A head that is being read begins where the data does.
        """
        for multipart in self._open:
            multipart.hit = -1
        head, position = 0, self._searched
        while self._open:
            start = self._next_hit(data, position)
            if self._is_in_head:
                end = self._end_of_head(data, head, position, start, is_end=is_end)
                if end is not None:
                    self._read_part(data[head:end])
                    position = end
                    continue
            if start == len(data):
                position = max(position, start - self._longest() + 1)
                break
            line_end = data.find(b"\n", start + 1, start + _MAX_LINE)
            if line_end < 0:
                line_end = min(start + _MAX_LINE, len(data))
                if line_end == len(data) and not is_end:
                    position = start
                    break
            if passed := self._delimiter(data[start:line_end], start):
                if self._is_in_head:
                    self._read_part(data[head:start])
                self._pass(passed[0], is_last=passed[1])
                head = line_end
            position = line_end
            if self.lines >= MAX_LINES or self._parts >= _MAX_PARTS:
                self._open.clear()
        keep = head if self._is_in_head else position
        self._rest, self._searched = data[keep:], position - keep

    def _next_hit(self, data: bytes, position: int) -> int:
        """Return where the next line begins that may be a delimiter; the data's end if none."""
        for multipart in self._open:
            if multipart.hit < position:
                hit = data.find(multipart.delimiter, position)
                multipart.hit = len(data) if hit < 0 else hit
        return min(multipart.hit for multipart in self._open)

    def _longest(self) -> int:
        return max(len(multipart.delimiter) for multipart in self._open)

    def _end_of_head(
        self, data: bytes, head: int, position: int, start: int, *, is_end: bool
    ) -> int | None:
        """Return where a head ends before a line that may be a delimiter; None if not there.

        Up to the position, where a line ended, there is no end of the head.
        """
        stop = head + _MAX_PART_HEAD
        found = _HEAD_END.search(data, max(head, position - 1), min(start + 1, stop))
        if found:
            return found.start()
        if start < len(data):
            return stop if stop <= start else None
        if is_end:
            return min(stop, len(data))
        # A delimiter that the data's end cuts off may stand before the stop.
        return stop if stop + self._longest() <= len(data) else None

    def _delimiter(self, line: bytes, start: int) -> tuple[_Multipart, bool] | None:
        """Return whose delimiter a line is and whether it is the last; None if nobody's."""
        self.lines += 1
        # One boundary may begin as another does: the longer is meant, and of two the inner.
        here = [multipart for multipart in reversed(self._open) if multipart.hit == start]
        for multipart in sorted(here, key=lambda one: -len(one.delimiter)):
            rest = line[len(multipart.delimiter) :]
            is_last = rest.startswith(b"--")
            if not rest[2 * is_last :].strip(_BLANKS):
                return multipart, is_last
        return None

    def _pass(self, multipart: _Multipart, *, is_last: bool) -> None:
        """Go on behind a delimiter: what is open within its multipart has ended."""
        if multipart in self._open:
            del self._open[self._open.index(multipart) + (not is_last) :]
        self._is_in_head = not is_last

    def _read_part(self, head: bytes) -> None:
        """Take in a part of the innermost multipart."""
        self._is_in_head = False
        self._parts += 1
        values = {b"content-type": b"", b"content-disposition": b""}
        for line in _FOLD.sub(b"", head[1:]).split(b"\n"):
            name, _, value = line.partition(b":")
            name = name.strip().lower()
            if name in values and not values[name]:
                values[name] = value.strip()
        content_type = values[b"content-type"]
        if not content_type and self._open[-1].kind == b"multipart/digest":
            content_type = b"message/rfc822"  # RFC 2046 section 5.1.5
        self._take(content_type, values[b"content-disposition"])

    def _take(self, content_type: bytes, disposition: bytes) -> None:
        """Open a multipart, or count an attachment."""
        if not content_type and not disposition:
            return
        kind, kind_parameters = _parsed(content_type)
        if kind.startswith(b"multipart/"):
            boundary = kind_parameters.raw("boundary").rstrip()
            if 0 < len(boundary) <= _MAX_BOUNDARY and len(self._open) < _MAX_DEPTH:
                self._open.append(_Multipart(kind, b"\n--" + boundary))
            return
        how, how_parameters = _parsed(disposition)
        name = how_parameters.text("filename") or kind_parameters.text("name")
        is_bound = bool(self._open) and self._open[-1].kind in _BOUND
        is_file = kind in _MESSAGES or (kind.startswith(_FILES) and not is_bound)
        if name or how == b"attachment" or is_file:
            self.found.add(name)


def _parsed(value: bytes) -> tuple[bytes, "_Parameters"]:
    """Return the word before the first semicolon in lower case, and the parameters."""
    line = _FOLD.sub(b"", value[:_MAX_PART_HEAD])
    found = _WORD.match(line)
    return found[1].lower() if found else b"", _Parameters(line)


def parameters(text: str) -> dict[str, str]:
    """Read a header's parameters: RFC 2231, and what programs write instead (RFC 2047, raw 8-bit).

    Names are in lower case, values readable in one line. Of several ways to write one value, the
    extended wins, as RFC 6266 section 4.3 says.
    """
    found = _Parameters(text.encode("utf-8", "replace"))
    return {name: found.text(name) for name in (*found.plain, *found.pieces)}


class _Parameters:
    """A header's parameters as they stand there.

    plain: the bytes of each. pieces: of those that are written by RFC 2231, by number, and whether
    the piece is extended.
    """

    def __init__(self, line: bytes) -> None:
        self.plain: dict[str, bytes] = {}
        self.pieces: dict[str, dict[int, tuple[bytes, bool]]] = {}
        for found in _PARAMETER.finditer(line):
            name = found["name"].lower().decode("ascii", "replace")
            quoted = found["quoted"]
            value = found["plain"].strip() if quoted is None else _ESCAPED.sub(rb"\1", quoted)
            if found["extended"] or found["part"]:
                place = self.pieces.setdefault(name, {})
                place.setdefault(int(found["part"] or 0), (value, bool(found["extended"])))
            elif name == "boundary" and quoted is None:
                # A token (RFC 2045 section 5.1): what stands behind it is a comment.
                self.plain.setdefault(name, (value.split(maxsplit=1) or [b""])[0])
            else:
                self.plain.setdefault(name, value)

    def raw(self, name: str) -> bytes:
        """Return a value's bytes, empty if there is none."""
        return self._joined(name)[0] if name in self.pieces else self.plain.get(name, b"")

    def text(self, name: str) -> str:
        """Return a value as a person reads it, empty if there is none."""
        if name not in self.pieces:
            return readable(self.plain.get(name, b""))
        raw, charset, is_extended = self._joined(name)
        # Some programs cut encoded words in pieces, which RFC 2231 forbids.
        return clean(charset_text(raw, charset)) if is_extended else readable(raw)

    def _joined(self, name: str) -> tuple[bytes, str, bool]:
        """Join the pieces of one value (RFC 2231 section 4.1), for they are decoded together.

        Also return the charset in lower case, and whether any piece is extended.
        """
        raw = bytearray()
        charset = b""
        pieces = self.pieces[name]
        for number in sorted(pieces):
            value, is_extended = pieces[number]
            if is_extended and not raw and value.count(b"'") >= 2:
                charset, _, value = value.split(b"'", 2)
            raw += unquote_to_bytes(value) if is_extended else value
        is_any = any(is_extended for _, is_extended in pieces.values())
        return bytes(raw), charset.decode("ascii", "replace").lower(), is_any
