"""Bytes to text by the charset that mail names, or by a guess where it names none. Never raises.

Only names in a fixed table are looked up: Python keeps every name that it is ever asked for, the
unknown ones too, and among its codecs are some that are no charset of mail.
"""

import re
from encodings.aliases import aliases
from functools import lru_cache

_NAME = re.compile(r"[A-Za-z0-9_.:+()-]+")
_LONGEST_NAME = 40
_NOT_IN_KEY = re.compile(r"[^a-z0-9]")

# Those of Python's codecs that are charsets. US-ASCII is left out: what claims it and holds 8-bit
# characters is guessed, and without them the guess is ASCII.
_CHARSETS = (
    "utf_7 utf_8 utf_16 utf_16_be utf_16_le utf_32 utf_32_be utf_32_le latin_1"
    " iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_9 iso8859_10"
    " iso8859_11 iso8859_13 iso8859_14 iso8859_15 iso8859_16"
    " cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp874"
    " cp437 cp720 cp737 cp775 cp850 cp852 cp855 cp856 cp857 cp858 cp860 cp861 cp862 cp863 cp864"
    " cp865 cp866 cp869 cp1006 cp1125 hp_roman8 ptcp154 kz1048 koi8_r koi8_t koi8_u tis_620"
    " cp037 cp273 cp424 cp500 cp875 cp1026 cp1140"
    " mac_arabic mac_croatian mac_cyrillic mac_farsi mac_greek mac_iceland mac_latin2 mac_roman"
    " mac_romanian mac_turkish"
    " big5 big5hkscs cp950 gb2312 gbk gb18030 hz cp932 shift_jis shift_jis_2004 shift_jisx0213"
    " euc_jp euc_jis_2004 euc_jisx0213 iso2022_jp iso2022_jp_1 iso2022_jp_2 iso2022_jp_2004"
    " iso2022_jp_3 iso2022_jp_ext cp949 euc_kr johab iso2022_kr"
)
_CODECS = frozenset(_CHARSETS.split())
# A narrow charset's name is put on text in its superset, which reads both.
_SUPERSETS = {
    "latin_1": "cp1252",
    "iso8859_9": "cp1254",
    "iso8859_11": "cp874",
    "tis_620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "iso2022_jp": "iso2022_jp_ext",  # with half-width katakana
    "iso2022_jp_1": "iso2022_jp_ext",
}
# Names of IANA's and of the wild that Python doesn't know.
_NAMES = {
    "iso-8859-6-e": "iso8859_6",
    "iso-8859-6-i": "iso8859_6",
    "iso-8859-8-e": "iso8859_8",
    "iso-8859-8-i": "iso8859_8",
    "windows-874": "cp874",
    "windows-932": "cp932",
    "windows-936": "gbk",
    "windows-949": "cp949",
    "windows-950": "cp950",
    "cp936": "gbk",
    "unicode-1-1-utf-8": "utf_8",
    "unicode-2-0-utf-8": "utf_8",
    "utf-8mb4": "utf_8",
    "utf-8-sig": "utf_8",
    "cesu-8": "utf_8",
    "unicode-2-0-utf-7": "utf_7",
    "iso-10646-ucs-2": "utf_16",
    "ucs-2": "utf_16",
    "iso-10646-ucs-4": "utf_32",
    "ucs-4": "utf_32",
    "koi8": "koi8_r",
    "koi": "koi8_r",
    "koi8-ru": "koi8_u",
} | {f"win-{number}": f"cp{number}" for number in range(1250, 1259)}

_BYTE_ORDER_MARKS = {
    "utf_16": (b"\xff\xfe", b"\xfe\xff"),
    "utf_32": (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff"),
}
_KOREAN = b"\x1b$)C"  # RFC 1557: stands once, before all Korean text
_BEGINNING_ANEW = frozenset({"utf_7", "hz", "iso2022_kr", *_BYTE_ORDER_MARKS}) | {
    codec for codec in _CODECS if codec.startswith("iso2022_jp")
}

# Bytes that aren't UTF-8, as Python's surrogateescape keeps them, and what they are in cp1252.
_LOOSE = re.compile("[\udc80-\udcff]")
_WHOLE = re.compile("[^\x00-\x7f\udc80-\udcff]")
_IN_CP1252 = {0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(128, 256)}
# UTF-8 of windows-1252's own characters, which would be Â, Ã or â before a sign, or of emoji, which
# would be ð before three: no Swede writes so.
_SURELY_UTF_8 = re.compile("[\x80-\xff\u2010-\u203a\u20ac\u2122\U00010000-\U0010ffff]")
_CUT = re.compile(r"(?:[\udcc2\udcc3]|[\udce2\udcf0][\udc80-\udcbf]{0,2})\Z")


def _key(name: str) -> str:
    """Return a name without what is written in many ways: ISO_8859-1, iso8859-1, ISO88591."""
    return _NOT_IN_KEY.sub("", name.lower())


_BY_KEY = {
    _key(name): _SUPERSETS.get(codec, codec)
    for name, codec in [*aliases.items(), *((codec, codec) for codec in _CODECS), *_NAMES.items()]
    if codec in _CODECS
}


def codec_of(charset: str) -> str | None:
    """Return the codec of Python's that reads a charset of mail; None if it is to be guessed.

    charset: as mail names it, in any case. US-ASCII, `8bit`, `unknown-8bit`, `x-user-defined`, no
    name and all names that nobody knows say nothing of the bytes.
    """
    return _known(charset) if len(charset) <= _LONGEST_NAME else None


@lru_cache(maxsize=256)
def _known(charset: str) -> str | None:
    if not _NAME.fullmatch(charset):
        return None
    key = _key(charset)
    return _BY_KEY.get(key) or (_BY_KEY.get(key[1:]) if key.startswith("x") else None)


def is_same(charset: str, other: str) -> bool:
    """Say whether two names are of one charset, or tell the same nothing."""
    return charset == other or codec_of(charset) == codec_of(other)


def charset_text(raw: bytes, charset: str) -> str:
    """Decode bytes in the charset that they claim, or as `eight_bit` does if that says nothing.

    What the charset doesn't know shows as U+FFFD; in UTF-8 it is read as windows-1252. UTF-16 and
    UTF-32 without byte order mark are big-endian (RFC 2781 section 4.3).
    """
    codec = codec_of(charset)
    if codec is None:
        return eight_bit(raw)
    if codec == "utf_8":
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return _mostly_utf_8(raw.decode("utf-8", "surrogateescape"))
    if codec == "iso2022_kr" and _KOREAN not in raw:
        raw = _KOREAN + raw
    marks = _BYTE_ORDER_MARKS.get(codec)
    if marks and not raw.startswith(marks):
        codec += "_be"
    return raw.decode(codec, "replace")


def joined_text(pieces: list[bytes], charset: str) -> str:
    """Decode pieces of one text, one charset's neighbouring encoded words (RFC 2047).

    They are read together, since senders cut characters between them. Where a charset shifts or
    has a byte order mark each piece begins anew, as section 5 (3) has it, unless one of them ends
    within a character or has no mark of its own.
    """
    codec = codec_of(charset)
    if len(pieces) > 1 and codec in _BEGINNING_ANEW:
        marks = _BYTE_ORDER_MARKS.get(codec)
        if all(piece.startswith(marks) if marks else _is_whole(piece, codec) for piece in pieces):
            return "".join([charset_text(piece, charset) for piece in pieces])
    return charset_text(b"".join(pieces), charset)


def eight_bit(raw: bytes) -> str:
    """Decode raw header or envelope bytes, which say no charset: UTF-8 (RFC 6532) or windows-1252.

    What isn't all UTF-8 is UTF-8 with bytes of windows-1252 between if one of its UTF-8 characters
    is Latin-1, a dash, a quote, € or beyond U+FFFF, or if they outnumber those bytes; else it is
    windows-1252.
    A character that the end cuts off shows as U+FFFD.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "surrogateescape")
    if _SURELY_UTF_8.search(text) or len(_WHOLE.findall(text)) > len(_LOOSE.findall(text)):
        return _mostly_utf_8(text)
    return raw.decode("cp1252", "replace")


def _mostly_utf_8(escaped: str) -> str:
    """Read UTF-8 that surrogateescape decoded: loose bytes are windows-1252."""
    return _CUT.sub("\ufffd", escaped).translate(_IN_CP1252)


def _is_whole(raw: bytes, codec: str) -> bool:
    try:
        raw.decode(codec)
    except UnicodeDecodeError:
        return False
    return True
