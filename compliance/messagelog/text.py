"""Header bytes to text that a person can read and PostgreSQL can store. Never raises.

The bytes come from strangers. RFC 2047 encoded words are decoded in whatever charset they claim,
raw 8-bit text is UTF-8 or else windows-1252, and what can't be decoded shows as U+FFFD.
"""

import base64
import binascii
import codecs
import quopri
import re
import unicodedata

# So much of any text, whatever its characters, fits an index of PostgreSQL (2,704 bytes).
INDEXED_CHARACTERS = 600

_WORD = re.compile(r"=\?([A-Za-z0-9_.:+*-]{1,60})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN = re.compile(r"\s*")
_PLAIN = re.compile(rb"[\x20-\x7e]*")
_FOLD = re.compile(r"(\r\n|\r|\n)(?=[ \t])")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")

# Names seen in mail that Python knows by another name, or whose superset is what was meant.
_ALIASES = {
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "ansi_x3.4-1968": "cp1252",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "unicode-1-1-utf-7": "utf-7",
}
# Codecs that are text to Python but no charset of mail; some take quadratic time.
_NOT_CHARSETS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "oem"}

# Line and paragraph separators break a list's row; the rest turn text around or hide in it.
_TO_SPACE = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029], " ")
_DROPPED = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF], "")
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
_CLEANING = _TO_SPACE | _DROPPED | _SURROGATES


def readable(raw: bytes) -> str:
    """Return a header's value as text: decoded, unfolded, in form C, without control characters.

    raw: the value as it stood in the message, folds included. The result holds no NUL, no line
    end, no lone surrogate and no character that turns the direction of text around.
    """
    if _PLAIN.fullmatch(raw) and b"=?" not in raw:
        return raw.decode("ascii").strip()
    return clean(_decode_words(_FOLD.sub("", eight_bit(raw))))


def eight_bit(raw: bytes) -> str:
    """Decode raw header or envelope bytes: UTF-8 (RFC 6532), else windows-1252."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def clean(text: str) -> str:
    """Make any text safe to store in one row and to show in one line."""
    if text.isascii() and text.isprintable():  # most is, and needs nothing
        return text.strip()
    return unicodedata.normalize("NFC", text.translate(_CLEANING)).strip()


def bounded(text: str, limit: int) -> str:
    """Cut a text that is longer than so many characters, and mark that it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def charset_text(raw: bytes, charset: str) -> str:
    """Decode bytes in the charset that they claim, in lower case; else as `eight_bit` does."""
    if not raw:
        return ""
    try:
        codec = codecs.lookup(_ALIASES.get(charset, charset)).name
        if codec.replace("-", "_") not in _NOT_CHARSETS:
            return raw.decode(codec, "replace")
    except (LookupError, ValueError):
        pass  # a charset that nobody knows, or a codec that isn't one of text
    return eight_bit(raw)


def _decode_words(text: str) -> str:
    """Replace encoded words (RFC 2047) by what they say.

    White space between two of them doesn't count, and neighbours of one charset are joined before
    they are decoded, since senders split characters between them.
    """
    parts: list[str] = []
    run = bytearray()
    charset = ""
    end = 0
    for word in _WORD.finditer(text):
        adjacent = end > 0 and _BETWEEN.fullmatch(text, end, word.start()) is not None
        name = word[1].partition("*")[0].lower()  # RFC 2231 section 5: a language may follow
        if not adjacent or name != charset:
            parts.append(charset_text(bytes(run), charset))
            run.clear()
        if not adjacent:
            parts.append(text[end : word.start()])
        charset = name
        run += _word_bytes(word[2], word[3])
        end = word.end()
    return "".join([*parts, charset_text(bytes(run), charset), text[end:]])


def _word_bytes(encoding: str, content: str) -> bytes:
    raw = content.encode("utf-8", "surrogatepass")
    if encoding in "qQ":
        return quopri.decodestring(raw.replace(b"_", b"=20"))
    digits = _NOT_BASE64.sub(b"", raw)
    if len(digits) % 4 == 1:  # one digit alone carries no byte
        digits = digits[:-1]
    try:
        return base64.b64decode(digits + b"=" * (-len(digits) % 4))
    except binascii.Error:
        return raw
