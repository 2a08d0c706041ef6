"""Which files a message carries, told from the heads of its parts as the body streams by.

Nothing of the body is kept or decoded: delimiter lines (RFC 2046 section 5.1) are looked for, and
the few header lines behind each are read. An attachment is a part that has a file name or calls
itself one, and a message within the message; what such a message carries itself is not counted
again. Never raises: the bytes come from strangers.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from compliance.messagelog.text import charset_text, clean, eight_bit, readable

# Bounds on what strangers can make us do and keep. Beyond them parts are no longer looked at.
MAX_NAME = 255
_MAX_NAMES = 100
_MAX_PARTS = 1_000
_MAX_DEPTH = 10
_MAX_BOUNDARY = 200  # RFC 2046 allows 70
_MAX_PART_HEAD = 16_384

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_PARAMETER = re.compile(
    r';\s*(?P<name>[^\s=;"*]+)(?:\*(?P<part>\d{1,4}))?(?P<extended>\*)?\s*='
    r'\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"?|(?P<plain>[^;]*))',
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


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


class Scanner:
    """Reads one message's body in chunks. `begin` it with the values of the message's own head."""

    def __init__(self) -> None:
        """Wait for the head; a body without one is not scanned."""
        self.found = Attachments()
        self._delimiters: list[bytes] = []
        self._rest = b"\n"  # the first delimiter may stand at the very start
        self._is_in_head = False
        self._parts = 0

    def begin(self, content_type: bytes, disposition: bytes) -> None:
        """Take in the message's own Content-Type and Content-Disposition, empty if missing."""
        self._take(content_type, disposition)

    def feed(self, chunk: bytes) -> None:
        """Take in the next chunk of the body, with line ends as in SMTP."""
        if not self._delimiters:
            return
        data = self._rest + chunk
        position = 0
        while True:
            if self._is_in_head:
                end = self._read_head(data, position)
                if end is None:
                    break
                position = end
            delimiter = self._next_delimiter(data, position)
            if delimiter is None or self._parts >= _MAX_PARTS:
                position = max(position, len(data) - _MAX_BOUNDARY - 3)
                break
            position, self._is_in_head = delimiter[1], True
        self._rest = data[position:]
        if self._parts >= _MAX_PARTS:
            self._delimiters.clear()

    def end(self) -> Attachments:
        """Return what was found; a head that the message's end cuts off counts."""
        if self._is_in_head and self._delimiters:
            self._read_part(self._rest)
            self._is_in_head = False
        return self.found

    def _next_delimiter(self, data: bytes, position: int) -> tuple[int, int] | None:
        """Return where the next delimiter stands, and where it ends."""
        found = [
            (start, start + len(delimiter))
            for delimiter in self._delimiters
            if (start := data.find(delimiter, position)) >= 0
        ]
        # One boundary may begin as another does: the longer is meant.
        return min(found, key=lambda place: (place[0], -place[1])) if found else None

    def _read_head(self, data: bytes, position: int) -> int | None:
        """Read the head that begins here; return its end, or None if more must come."""
        is_whole = len(data) - position >= _MAX_PART_HEAD
        if data.startswith(b"--", position):  # the last delimiter of its multipart has none
            self._is_in_head = False
            return position
        found = _HEAD_END.search(data, position, position + _MAX_PART_HEAD)
        if found is None and not is_whole:
            return None
        end = found.start() if found else position + _MAX_PART_HEAD
        following = self._next_delimiter(data[:end], position)
        end = following[0] if following else end
        self._read_part(data[position:end])
        self._is_in_head = False
        return end

    def _read_part(self, head: bytes) -> None:
        rest_of_line, _, lines = head.partition(b"\n")
        if rest_of_line.strip():  # a longer line that only begins as a delimiter does
            return
        self._parts += 1
        values = {b"content-type": b"", b"content-disposition": b""}
        for line in _FOLD.sub(b" ", lines).split(b"\n"):
            name, _, value = line.partition(b":")
            name = name.strip().lower()
            if name in values and not values[name]:
                values[name] = value.strip()
        self._take(values[b"content-type"], values[b"content-disposition"])

    def _take(self, content_type: bytes, disposition: bytes) -> None:
        """Open a multipart, or count an attachment."""
        if not content_type and not disposition:
            return
        kind, kind_parameters = _parsed(content_type)
        if kind.startswith("multipart/"):
            boundary = kind_parameters.get("boundary", "").rstrip().encode("utf-8")
            if 0 < len(boundary) <= _MAX_BOUNDARY and len(self._delimiters) < _MAX_DEPTH:
                self._delimiters.append(b"\n--" + boundary)
            return
        how, parameters = _parsed(disposition)
        name = parameters.get("filename") or kind_parameters.get("name")
        if name or how == "attachment" or kind == "message/rfc822":
            self.found.add(name)


def _parsed(value: bytes) -> tuple[str, dict[str, str]]:
    """Return the word before the first semicolon, and the parameters, readable."""
    text = _unfolded(value)
    return text.partition(";")[0].strip().lower(), parameters(text)


def _unfolded(value: bytes) -> str:
    return eight_bit(_FOLD.sub(b"", value[:_MAX_PART_HEAD]))


def parameters(text: str) -> dict[str, str]:
    """Read a header's parameters: RFC 2231, and what programs write instead (RFC 2047, raw 8-bit).

    Names are in lower case, values readable in one line. Of several ways to write one value, the
    extended wins, as RFC 6266 section 4.3 says.
    """
    plain: dict[str, str] = {}
    parts: dict[str, dict[int, tuple[str, bool]]] = {}
    for found in _PARAMETER.finditer(text):
        name = found["name"].lower()
        quoted = found["quoted"]
        value = found["plain"].strip() if quoted is None else _ESCAPED.sub(r"\1", quoted)
        is_extended = found["extended"] is not None
        if is_extended or found["part"]:
            place = parts.setdefault(name, {})
            place.setdefault(int(found["part"] or 0), (value, is_extended))
        else:
            plain.setdefault(name, value)
    read = {name: readable(value.encode("utf-8", "replace")) for name, value in plain.items()}
    return read | {name: _joined(pieces) for name, pieces in parts.items()}


def _joined(pieces: dict[int, tuple[str, bool]]) -> str:
    """Join the pieces of one value (RFC 2231 section 4.1) and decode them together."""
    raw = bytearray()
    charset = ""
    for number in sorted(pieces):
        value, is_extended = pieces[number]
        if is_extended and not raw and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        data = value.encode("utf-8", "replace")
        raw += unquote_to_bytes(data) if is_extended else data
    return clean(charset_text(bytes(raw), charset.lower()))
