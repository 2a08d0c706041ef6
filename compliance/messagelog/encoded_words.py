"""Encoded words (RFC 2047) in headers, as strangers write them, to text. Never raises.

All is done on bytes, since words also hold raw 8-bit characters, of the charset that they name;
outside words the charset of such is guessed. Takes linear time, whatever the bytes.
"""

import binascii
import re
from collections.abc import Iterator

from compliance.messagelog.charsets import eight_bit, is_same, joined_text

# Some programs write the charset in quotes or a space behind it.
_BEGINNING = re.compile(rb'=\?"?([^\s?="]{0,80})"? ?\?([bBqQ])\?')
# A question mark that should have been encoded, before an encoded character of the same word.
_WITHIN = re.compile(rb"\?=[0-9A-F]{2}(?:[^\s?=]|=(?!\?)|\?(?!=)){0,80}\?=")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")


def decoded(raw: bytes) -> str:
    """Return an unfolded header's text with each encoded word replaced by what it says.

    White space between two words doesn't count. What can't be read as a word stays as it stands.
    """
    parts: list[str] = []
    pieces: list[bytes] = []  # of neighbouring words in one charset
    charset = ""
    end = 0
    for start, stop, name, content in _words(raw):
        between = raw[end:start]
        is_apart = not end or (between and not between.isspace())
        if pieces and (is_apart or not is_same(name, charset)):
            parts.append(joined_text(pieces, charset))
            pieces = []
        if is_apart and between:
            parts.append(eight_bit(between))
        charset = name
        pieces.append(content)
        end = stop
    if pieces:
        parts.append(joined_text(pieces, charset))
    return "".join(parts) + eight_bit(raw[end:])


def _words(raw: bytes) -> Iterator[tuple[int, int, str, bytes]]:
    """Give where each word begins and ends, its charset and what its encoding stands for."""
    position = 0
    while beginning := _BEGINNING.search(raw, position):
        stop = raw.find(b"?=", beginning.end())
        while stop >= 0 and (inner := _BEGINNING.search(raw, beginning.end(), stop + 1)):
            beginning = inner  # the one before it has no end
            if stop < inner.end():
                stop = raw.find(b"?=", inner.end())
        if stop < 0:
            return
        is_quoted = beginning[2] in b"qQ"
        while is_quoted and _WITHIN.match(raw, stop):
            stop = raw.find(b"?=", stop + 1)
        content = raw[beginning.end() : stop]
        # Q as in section 4.2, where _ is a space.
        data = binascii.a2b_qp(content, header=True) if is_quoted else _from_base64(content)
        position = stop + 2
        if data or not content:
            # RFC 2231 section 5: the charset's language may follow it.
            name = beginning[1].partition(b"*")[0].decode("ascii", "replace").lower()
            yield beginning.start(), position, name, data


def _from_base64(content: bytes) -> bytes:
    """Decode base64 with whatever padding; behind padding another text may begin."""
    digits = _NOT_BASE64.sub(b"", content)
    return b"".join([_from_digits(group) for group in digits.split(b"=") if group])


def _from_digits(digits: bytes) -> bytes:
    if len(digits) % 4 == 1:  # one digit alone carries no byte
        digits = digits[:-1]
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))
