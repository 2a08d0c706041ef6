"""Addresses out of envelopes and From headers, as strangers write them. Never raises.

An envelope address has two forms here. `of_envelope` gives it as Postfix writes it in its log, by
which entries and outcomes are matched. `key_of` gives the one form in which addresses are compared,
whatever Postfix still rewrites (trivial-rewrite(8)): never compare an address by another.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from compliance.messagelog.text import clean, eight_bit, readable

# It begins where a word begins: tried at each letter of a long word, it would take quadratic time.
_ADDRESS = re.compile(r"(?<![^\s<>()\",;:@])[^\s<>()\",;:@]++@[^\s<>()\",;:@]+")
_OPENERS = {'"': '"', "<": ">", "(": ")"}
# What may end what each of them opens, or hides the sign behind it.
_TO_CLOSE = {'"': re.compile(r'[\\"]'), "<": re.compile(r"[<>]"), "(": re.compile(r"[\\()]")}
_ORDINARY = re.compile(r'[^"<(,;:@]+')
_DOMAIN_LITERAL = re.compile(r"@\[[^\[\]\\<>()\",;@\s]*\]")  # RFC 5321 section 4.1.3
_WRITTEN_ODDLY = re.compile(r"[\"\\()\s]")
# What a local part may be without quotes (RFC 5321 section 4.1.2), with 8-bit characters.
_DOT_STRING = re.compile(r"[^\s()<>@,;:\\\".\[\]]+(?:\.[^\s()<>@,;:\\\".\[\]]+)*")
_TO_ESCAPE = re.compile(r"([\"\\])")


def of_envelope(path: bytes) -> str:
    """Return the address of a MAIL or RCPT argument as Postfix's log has it.

    That is without angle brackets, source route (RFC 5321 appendix C) and comments, and with quotes
    around the local part only where it needs them. The null sender is the empty string. Case is
    kept: the local part is the other side's.
    """
    text = clean(eight_bit(path))
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    if text.startswith("@"):
        text = text.partition(":")[2] or text
    return _plainly(text) if _WRITTEN_ODDLY.search(text) else text


def _plainly(text: str) -> str:
    """Return an address without comments, spaces between words, and needless quotes.

    As in Postfix the last @ is before the domain, though it be quoted.
    """
    words: list[str] = []
    position, is_quoted, depth = 0, False, 0
    while position < len(text):
        character = text[position]
        is_escaped = character == "\\" and position + 1 < len(text)
        if is_escaped:
            position += 1
            character = text[position]
        position += 1
        if not is_escaped and not is_quoted and character in "()":
            depth = max(0, depth + (1 if character == "(" else -1))
        elif depth:
            continue
        elif not is_escaped and character == '"':
            is_quoted = not is_quoted
        elif is_escaped or is_quoted or not character.isspace():
            words.append(character)
    whole = "".join(words)
    local, at, domain = whole.rpartition("@") if "@" in whole else (whole, "", "")
    if local and not _DOT_STRING.fullmatch(local):
        local = '"' + _TO_ESCAPE.sub(r"\\\1", local) + '"'
    return f"{local}{at}{domain}"


@lru_cache(maxsize=256)  # the same few are asked for many times while a message is judged
def key_of(address: str, origin: str = "") -> str:
    """Return the form in which addresses are compared here: lower case, as in the directory.

    It is what Postfix makes of the address at last: without route, needless quotes and the dot
    behind the domain. Where there is no domain it is what stands before a `!` or behind a `%`, or
    else the origin, the domain that this host's own mail is from (empty: none is added).
    """
    plain = of_envelope(address.encode("utf-8", "replace")).lower().rstrip(".@")
    if not plain or "@" in plain:
        return plain
    if not plain.startswith('"'):
        site, bang, user = plain.partition("!")
        if not bang:
            user, _, site = plain.rpartition("%")
        if site.strip(".") and user:
            return f"{user}@{site.rstrip('.')}"
    return f"{plain}@{origin.lower()}" if origin else plain


def domain_of(address: str, origin: str = "") -> str:
    """Return the domain as `key_of` has it, or an empty string."""
    key = key_of(address, origin)
    return key.rpartition("@")[2] if "@" in key else ""


def without_extension(address: str) -> str:
    """Return the address without its `+extension` (Postfix's recipient_delimiter)."""
    local, at, domain = address.rpartition("@")
    base = local.partition("+")[0]
    return f"{base}{at}{domain}" if base else address


@dataclass(frozen=True)
class Mailboxes:
    """What a From header names (RFC 5322 section 3.4).

    addresses: where answers go. shown: addresses that stand in display names, group names and
    comments, which many programs show instead. sound: False if brackets, quotes or comments don't
    close, so that two readers may read it differently.
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
        sound = sound and closed and all(len(piece.angles) < 2 for piece in pieces)
        # A name with a comma that lacks its quotes: `Berg, Bo <bo@b.example>`.
        has_address = any(piece.angles or "@" in piece.name for piece in pieces)
        for piece in pieces:
            names = piece.comments
            if piece.angles or (has_address and "@" not in piece.name):
                addresses += [angle.strip() for angle in piece.angles]
                names = [*names, piece.name]
            elif piece.name:
                addresses.append(piece.name)
            for name in names:
                shown += _ADDRESS.findall(readable(name.encode("utf-8")))
    return Mailboxes(tuple(addresses), tuple(shown), sound)


def bare(address: str) -> str:
    """Return an address of a header as it is looked for: without what its writer left around it.

    That is brackets, a name, a route, `mailto:`, or an encoded word that holds it all. What holds
    no address, or one in quotes or brackets by the rules, stays as it stands.
    """
    if '"' in address or _ADDRESS.fullmatch(address) or _DOMAIN_LITERAL.search(address):
        return address
    return ", ".join(_ADDRESS.findall(readable(address.encode("utf-8")))) or address


@dataclass
class _Piece:
    """One mailbox of a list: what stands outside angle brackets, and inside each pair.

    comments: what stands in parentheses, and the group's name before it.
    """

    text: list[str] = field(default_factory=list)
    angles: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return all that stands outside brackets and comments."""
        return "".join(self.text).strip()


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
            else:
                pieces[-1].comments.append(inner)
            position = stop + 1
            continue
        if ordinary := _ORDINARY.match(text, position):
            pieces[-1].text.append(ordinary[0])
            position = ordinary.end()
            continue
        if character in ",;":
            pieces.append(_Piece())
        elif character == ":":  # what stands before it is a group's name
            pieces[-1].comments.append(pieces[-1].name)
            pieces[-1].text.clear()
        elif literal := _DOMAIN_LITERAL.match(text, position):
            pieces[-1].text.append(literal[0])
            position = literal.end()
            continue
        else:
            pieces[-1].text.append(character)
        position += 1
    return pieces, closed


def _closing(text: str, start: int) -> int | None:
    """Return where the quote, bracket or (nesting) comment that opens at start ends."""
    opener = text[start]
    closer, signs = _OPENERS[opener], _TO_CLOSE[opener]
    depth = 1
    position = start + 1
    while found := signs.search(text, position):
        position = found.end()
        if found[0] == "\\":
            position += 1
        elif found[0] == closer and (opener == closer or depth == 1):
            return found.start()
        else:
            depth += 1 if found[0] == opener else -1
    return None
