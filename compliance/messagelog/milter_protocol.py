"""The milter protocol (version 6, as Postfix speaks it) as bytes: no sockets, no meaning.

A packet is its length (4 bytes, big-endian, the command counted), one byte of command, and data.
Strings end with a NUL. The two ends that others have made are Postfix's src/milter/milter8.c and
Sendmail's libmilter; docs/decisions/0077-milter-protocol.md says why this isn't pymilter.

Postfix is asked to wait for an answer at end of message alone. So it sends the rest in few writes.
"""

import struct
from collections.abc import Iterator

VERSION = 6

# What comes: commands, as the byte's number.
ABORT, BODY, CONNECT, MACROS, END, HEADER, MAIL, NEGOTIATE, QUIT, QUIT_NEXT, RCPT = b"ABCDELMOQKR"

# What may be asked for at end of message (SMFIF_*), and in the negotiation the macros wanted.
_ADD_HEADERS, _ADD_RECIPIENT, _CHANGE_HEADERS = 0x1, 0x4, 0x10
_ADD_RECIPIENT_WITH_PARAMETERS, _CHOOSE_MACROS = 0x80, 0x100
_ACTIONS = (
    _ADD_HEADERS | _ADD_RECIPIENT | _CHANGE_HEADERS | _ADD_RECIPIENT_WITH_PARAMETERS
    | _CHOOSE_MACROS
)  # fmt: skip
# What needn't be sent (SMFIP_NO*): HELO, end of headers, unknown commands, DATA.
_UNSENT = 0x2 | 0x40 | 0x100 | 0x200
# What isn't answered (SMFIP_NR_*): headers, connect, MAIL, RCPT, body.
_UNANSWERED = 0x80 | 0x1000 | 0x4000 | 0x8000 | 0x80000

# Macros by the stage that they are wanted at (SMFIM_*): MAIL (2), where the queue id tells mail
# that didn't come by SMTP, and end of message (5). None at connect, HELO, RCPT, DATA and end of
# headers: by the name of one that nobody has, since Postfix takes an empty list for its own long.
_NO_MACRO = "{none}"
_MACROS = dict.fromkeys((0, 1, 3, 4, 6), _NO_MACRO) | {2: "i {auth_authen}", 5: "i"}

# A header field is bounded by Postfix's header_size_limit (102,400), a part of the body by 65,535.
MAX_PACKET = 1 << 20

CONTINUE = b"\x00\x00\x00\x01c"

_HEAD = struct.Struct(">IB")
_LONG = struct.Struct(">I")
_NEGOTIATION = struct.Struct(">III")


class ProtocolError(Exception):
    """What came is not the milter protocol, or not as much of it as is needed."""


class Packets:
    """Cut a stream into packets, however it comes in pieces."""

    def __init__(self) -> None:
        """Begin a stream."""
        self._parts: list[bytes] = []  # of a packet that isn't whole yet
        self._missing = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Take in the next bytes, yield each packet that is whole: its command and its data.

        To be read to its end before more is fed. Raises ProtocolError.
        """
        self._missing -= len(data)
        if self._missing > 0:  # so that a long packet is put together once, not once a piece
            self._parts.append(data)
            return
        if self._parts:
            data = b"".join([*self._parts, data])
        place, size = 0, len(data)
        while True:
            end = place + _HEAD.size
            if end <= size:
                length, command = _HEAD.unpack_from(data, place)
                if not 0 < length <= MAX_PACKET:
                    raise ProtocolError(f"a packet of {length} bytes")
                end += length - 1
            if end > size:
                break
            yield command, data[place + _HEAD.size : end]
            place = end
        self._parts = [data[place:]] if place < size else []
        self._missing = end - size


def strings(data: bytes) -> list[bytes]:
    """Return the strings that a packet's data is made of. Raises ProtocolError."""
    if not data.endswith(b"\x00"):
        raise ProtocolError("a string without its end")
    return data[:-1].split(b"\x00")


def header(data: bytes) -> tuple[str, bytes]:
    """Return a header field's name and its value, folds included, without the space before it."""
    name, _, value = data.partition(b"\x00")
    if not value.endswith(b"\x00"):
        raise ProtocolError("a header field without its end")
    return name.decode("ascii", "replace"), value[:-1]


def macros(data: bytes) -> tuple[int, dict[str, str]]:
    """Return the command that macros belong to, and their values by name, {} included."""
    words = [word.decode("utf-8", "replace") for word in strings(data[1:])] if data[1:] else []
    return data[0] if data else 0, dict(zip(words[::2], words[1::2], strict=False))


def client_address(data: bytes) -> str:
    """Return the IP address of a connect packet; empty if the client has none.

    The data: the client's name, a NUL, one byte of family, a port (2 bytes), the address, a NUL.
    """
    _, _, place = data.partition(b"\x00")
    if place[:1] not in (b"4", b"6"):
        return ""
    return place[3:].rstrip(b"\x00").decode("ascii", "replace").removeprefix("IPv6:")


def negotiate(data: bytes) -> bytes:
    """Answer the other side's offer with what this milter needs.

    Raises ProtocolError if not all of it is offered: without it messages would wait for answers
    that never come, or pass without their copy for the archive.
    """
    if len(data) < _NEGOTIATION.size:
        raise ProtocolError("an offer that is cut off")
    version, actions, events = _NEGOTIATION.unpack_from(data)
    wanted = _UNSENT | _UNANSWERED
    if version < VERSION or actions & _ACTIONS != _ACTIONS or events & wanted != wanted:
        raise ProtocolError(
            f"version {version} with actions {actions:#x} and events {events:#x} is offered, "
            f"version {VERSION} with {_ACTIONS:#x} and {wanted:#x} is needed"
        )
    lists = (_LONG.pack(stage) + names.encode() + b"\x00" for stage, names in _MACROS.items())
    return _packet(b"O", _NEGOTIATION.pack(VERSION, _ACTIONS, wanted) + b"".join(lists))


def add_header(name: str, value: str) -> bytes:
    """Ask for a header field at the end of the header."""
    return _packet(b"h", _text(name, value))


def remove_header(name: str, number: int) -> bytes:
    """Ask that one header field goes, counted from 1 among those of the name."""
    return _packet(b"m", _LONG.pack(number) + _text(name, ""))


def add_recipient(address: str, parameters: str) -> bytes:
    """Ask for one more envelope recipient, with the parameters of its RCPT (RFC 3461)."""
    return _packet(b"2", _text(f"<{address}>", parameters))


def reply(code: str, enhanced: str, text: str) -> bytes:
    """Refuse the message with an SMTP reply. The text is one line and without %."""
    return _packet(b"y", _text(f"{code} {enhanced} {text}"))


def _text(*parts: str) -> bytes:
    return b"".join(part.encode("utf-8") + b"\x00" for part in parts)


def _packet(command: bytes, data: bytes) -> bytes:
    return _LONG.pack(len(data) + 1) + command + data
