"""Addresses out of envelopes and From headers, as strangers write them. Never raises."""

import re
from dataclasses import dataclass, field

from compliance.messagelog.text import clean, eight_bit, readable

_ADDRESS = re.compile(r"[^\s<>()\",;:@]+@[^\s<>()\",;:@]+")
_OPENERS = {'"': '"', "<": ">", "(": ")"}


def of_envelope(path: bytes) -> str:
    """Return the address of a MAIL or RCPT argument, with or without its angle brackets.

    The null sender is the empty string. Case is kept: the local part is the other side's.
    """
    text = clean(eight_bit(path))
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text


def key_of(address: str) -> str:
    """Return the form in which addresses are compared here: lower case, as in the directory."""
    return address.lower()


def domain_of(address: str) -> str:
    """Return the domain in lower case, or an empty string."""
    return address.rpartition("@")[2].lower() if "@" in address else ""


def without_extension(address: str) -> str:
    """Return the address without its `+extension` (Postfix's recipient_delimiter)."""
    local, at, domain = address.rpartition("@")
    base = local.partition("+")[0]
    return f"{base}{at}{domain}" if base else address


@dataclass(frozen=True)
class Mailboxes:
    """What a From header names (RFC 5322 section 3.4).

    addresses: where answers go. shown: addresses that stand in display names, which many programs
    show instead. sound: False if brackets, quotes or comments don't close, so that two readers may
    read it differently.
    """

    addresses: tuple[str, ...]
    shown: tuple[str, ...]
    sound: bool


def of_header(values: list[bytes]) -> Mailboxes:
    """Read every From header of a message."""
    addresses: list[str] = []
    shown: list[str] = []
    sound = True
    for value in values:
        pieces, closed = _split(clean(eight_bit(value)))
        sound = sound and closed
        for piece in pieces:
            if len(piece.angles) > 1:
                sound = False
            name = "".join(piece.text).strip()
            if piece.angles:
                addresses += [angle.strip() for angle in piece.angles]
                shown += _ADDRESS.findall(readable(name.encode("utf-8")))
            elif name:
                addresses.append(name)
    return Mailboxes(tuple(addresses), tuple(shown), sound)


@dataclass
class _Piece:
    """One mailbox of a list: what stands outside angle brackets, and inside each pair."""

    text: list[str] = field(default_factory=list)
    angles: list[str] = field(default_factory=list)


def _split(text: str) -> tuple[list[_Piece], bool]:
    """Cut an address list at its commas; say whether all that opens also closes."""
    pieces = [_Piece()]
    closed = True
    position = 0
    while position < len(text):
        character = text[position]
        if character in _OPENERS:
            end = _closing(text, position)
            closed = closed and end is not None
            stop = len(text) if end is None else end
            inner = text[position + 1 : stop]
            if character == "<":
                pieces[-1].angles.append(inner)
            elif character == '"':
                pieces[-1].text.append(f'"{inner}"')
            position = stop + 1
            continue
        if character in ",;":
            pieces.append(_Piece())
        elif character == ":":  # what stands before it is a group's name
            pieces[-1].text.clear()
        else:
            pieces[-1].text.append(character)
        position += 1
    return pieces, closed


def _closing(text: str, start: int) -> int | None:
    """Return where the quote, bracket or (nesting) comment that opens at start ends."""
    opener = text[start]
    closer = _OPENERS[opener]
    depth = 0
    position = start
    while position < len(text):
        character = text[position]
        if character == "\\" and opener != "<":
            position += 1
        elif character == closer and (opener == closer or depth == 1):
            if position > start:
                return position
        elif character == opener:
            depth += 1
        elif character == closer:
            depth -= 1
        position += 1
    return None
