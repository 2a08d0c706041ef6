"""The verifier of an extract. It needs Python and its package `cryptography`, and nothing else.

An extract is JSON: rows of the message log, each with a proof that it stood, at its place, in the
log of its unit and day when the municipality signed that day. Cells that may not be disclosed are
masked; what was signed still covers them. The format is told in docs/seal-format.md, so that anyone
can write another verifier. Run this file by itself: python3 verifier.py EXTRACT [PUBLIC_KEYS]

The rest of the seal takes its hashes from here, so that no formula is written twice.
"""

import hashlib
import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

EXTRACT_FORMAT = "kommunpost-extract-1"
STATEMENT_FORMAT = "kommunpost-seal-1"
HASH_BYTES = 32
SALT_BYTES = 16
KEY_BYTES = 32
SIGNATURE_BYTES = 64
# A file that is larger isn't read: what is made of it in memory is many times as large.
MOST_BYTES = 200_000_000
_MOST_KEYS = 100
_MOST_KEY_FILE_BYTES = 1_000_000

_MISSING = b"\xff\xff\xff\xff"
# What a field is isn't in its hash: 1234 and "1234" have the same. Fields not named here are text.
_NUMBERS = frozenset({"size", "attachments"})
_BYTES = frozenset({"subject_raw"})
_SHOWN = {"field", "salt", "value"}
_SHOWN_BYTES = {"field", "salt", "hex"}
_MASKED = {"field", "masked", "basis"}
_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_PEM = re.compile(rb"-----BEGIN .*?-----END [^\n]*", re.DOTALL)
_STEERS = re.compile(r"C.|Zl|Zp").match
_MOST_DIGITS = 19  # of 64 bits
_LONGEST_NAME = 255  # its length stands in one byte
# A longer text is cut where people read it, so that it can't fill the screen.
_MOST_SIGNS = 200
_WRONG_SHAPE = (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


class ExtractError(ValueError):
    """The extract doesn't hold, and which part of it."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf (RFC 9162 section 2.1.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node (RFC 9162 section 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that an inclusion proof leads to (RFC 9162 section 2.1.3.2).

    Raises ExtractError if a path of this length can't belong to leaf `index` of `size`.
    """
    if not 0 <= index < size:
        raise ExtractError(f"leaf {index} is not in a tree of {size}")
    node, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ExtractError("the path is too long")
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ExtractError("the path is too short")
    return root


def framed(value: bytes | None) -> bytes:
    """Return a value with its length before it; None is told from empty."""
    return _MISSING if value is None else len(value).to_bytes(4, "big") + value


def commitment(salt: bytes, framed_value: bytes) -> bytes:
    """Return what stands for a cell: without its salt it tells nothing of the value."""
    return hashlib.sha256(b"\x03" + salt + framed_value).digest()


def row_leaf(commitments: Iterable[tuple[str, bytes]]) -> bytes:
    """Return the leaf hash of a row: its cells' names and commitments, in order."""
    return leaf_hash(b"".join([label(name) + value for name, value in commitments]))


@cache
def label(name: str) -> bytes:
    """Return a field's name with its length before it."""
    data = name.encode("utf-8")
    return len(data).to_bytes(1, "big") + data


def signer(keys: Sequence[bytes], text: str, signature: bytes) -> int:
    """Return which of the Ed25519 keys (32 bytes each) signed the text, the first being 0.

    Raises ExtractError if none did.
    """
    for place, key in enumerate(keys):
        with suppress(InvalidSignature):
            Ed25519PublicKey.from_public_bytes(key).verify(signature, text.encode("utf-8"))
            return place
    raise ExtractError("the signature of a statement is wrong")


def fingerprint(key: bytes) -> str:
    """Return how people compare a public key: SHA-256 over its 32 bytes, in groups of four."""
    digits = hashlib.sha256(key).hexdigest()
    return " ".join(digits[i : i + 4] for i in range(0, len(digits), 4))


@dataclass(frozen=True)
class VerifiedRow:
    """A row that holds. cells: value by field; masked: legal basis by field. index counts from 0.

    rows: how many rows the unit's day had in all when the statement of that number was signed.
    """

    day: str
    unit: str | None
    statement: int
    index: int
    rows: int
    cells: dict[str, str | int | None]
    masked: dict[str, str]


@dataclass(frozen=True)
class Verified:
    """An extract that holds. keys: the public keys that it hangs on, oldest first.

    is_followed: another key is known that came after them, so that they should sign no more.
    """

    domain: str
    keys: tuple[bytes, ...]
    is_followed: bool
    rows: list[VerifiedRow]


@dataclass(frozen=True)
class _Statement:
    """A statement that closes a day. trees: rows in all and root, by unit.

    key: which of the extract's keys signed it, the first being 0.
    """

    key: int
    number: int
    day: str
    domain: str
    trees: dict[str | None, tuple[int, bytes]]


def verify(text: str, keys: Sequence[bytes] | None = None) -> Verified:
    """Verify an extract. keys: the municipality's published ones; None takes the extract's own.

    Raises ExtractError that names what doesn't hold.
    """
    try:
        return _verify(text, keys)
    except ExtractError:
        raise
    except json.JSONDecodeError as error:
        raise ExtractError(f"it is not JSON ({plain(str(error))})") from error
    except _WRONG_SHAPE as error:
        raise ExtractError("this is no extract as docs/seal-format.md has it") from error


def _verify(text: str, keys: Sequence[bytes] | None) -> Verified:
    extract = _load(text)
    if extract.get("format") != EXTRACT_FORMAT:
        raise ExtractError(f"this is not an extract of format {EXTRACT_FORMAT}")
    _object(extract, {"format", "key", "statements", "rows"}, "the extract")
    own_keys = _keys(extract["key"])
    known = own_keys if keys is None else tuple(keys)
    # A key that is followed by another stays published before it.
    if own_keys != known[: len(own_keys)]:
        if own_keys[: len(known)] == known:
            raise ExtractError("it has a key that follows those given: get the newest that are out")
        raise ExtractError("the extract was signed with another key than the one given")
    statements = [_statement(own_keys, one) for one in _list(extract["statements"], "statements")]
    domain = _domain(statements)
    by_number = {one.number: one for one in statements}
    rows = []
    for position, row in enumerate(_list(extract["rows"], "rows"), 1):
        try:
            rows.append(_row(row, by_number))
        except ExtractError as error:
            raise ExtractError(f"row {position}: {error}") from error
    if not rows:
        raise ExtractError("the extract has no rows")
    if len({(row.day, row.unit, row.index) for row in rows}) != len(rows):
        raise ExtractError("a row stands there twice")
    if by_number.keys() != {row.statement for row in rows}:
        raise ExtractError("the extract has a statement that no row refers to")
    signers = sorted({one.key for one in statements})
    own = tuple(own_keys[place] for place in signers)
    return Verified(domain, own, own[-1] != known[-1], rows)


def _domain(statements: Sequence[_Statement]) -> str:
    """Return whose the statements are. Raises ExtractError if they don't go together."""
    if not statements:
        raise ExtractError("the extract has no statement")
    domains = {one.domain for one in statements}
    if len(domains) != 1:
        raise ExtractError("the extract has statements of several domains")
    # Of a day that was closed again with late rows, one statement only tells how many it has.
    for several in ({one.day for one in statements}, {one.number for one in statements}):
        if len(several) != len(statements):
            raise ExtractError("the extract has two statements of one day or number")
    newest = 0
    for one in sorted(statements, key=lambda one: one.number):
        if one.key < newest:
            raise ExtractError(f"statement {one.number} is signed with a key that was followed")
        newest = one.key
    return domains.pop()


def _load(text: str) -> dict[str, Any]:
    loaded = json.loads(
        text, object_pairs_hook=_unique, parse_int=_digits,
        parse_float=_no_number, parse_constant=_no_number,
    )  # fmt: skip
    if not isinstance(loaded, dict):
        raise ExtractError("what should be a JSON object is none")
    return loaded


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ExtractError("a name stands twice in one JSON object")
    return made


def _digits(number: str) -> int:
    if len(number) > _MOST_DIGITS or number.startswith("-"):
        _no_number(number)
    return int(number)


def _no_number(number: str) -> NoReturn:
    raise ExtractError(f"{plain(number)} is not a number of at most {_MOST_DIGITS} digits alone")


def _object(
    value: object, names: set[str], what: str, *, may_have_more: bool = False
) -> dict[str, Any]:
    if isinstance(value, dict) and (
        value.keys() >= names if may_have_more else value.keys() == names
    ):
        return value
    others = "" if may_have_more else " and no other"
    raise ExtractError(f"{what} must have the names {', '.join(sorted(names))}{others}")


def _list(value: object, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise ExtractError(f"{what} must be a JSON array")
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise ExtractError(f"{what} must be text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ExtractError(f"{what} has half of a character") from error
    return value


def _whole(value: object, what: str) -> int:
    if type(value) is not int:  # a bool is an int too
        raise ExtractError(f"{what} must be a whole number")
    return value


def _bytes(value: object, size: int | None, what: str) -> bytes:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise ExtractError(f"{what} must be hexadecimal in lower case")
    made = bytes.fromhex(value)
    if size is not None and len(made) != size:
        raise ExtractError(f"{what} is not {size} bytes")
    return made


def _keys(value: object) -> tuple[bytes, ...]:
    joined = _bytes(value, None, "the key")
    keys = tuple(joined[at : at + KEY_BYTES] for at in range(0, len(joined), KEY_BYTES))
    if not keys or len(keys[-1]) != KEY_BYTES or len(set(keys)) != len(keys):
        raise ExtractError(f"the key is not {KEY_BYTES} bytes, or several such, each once")
    if len(keys) > _MOST_KEYS:
        raise ExtractError(f"it has more than {_MOST_KEYS} keys")
    return keys


def _statement(keys: Sequence[bytes], signed: object) -> _Statement:
    parts = _object(signed, {"text", "signature"}, "a statement")
    text = _text(parts["text"], "a statement's text")
    signature = _bytes(parts["signature"], SIGNATURE_BYTES, "a signature")
    key = signer(keys, text, signature)
    named = {"format", "kind", "number", "domain"}
    statement = _object(_load(text), named, "a statement", may_have_more=True)
    if statement["format"] != STATEMENT_FORMAT or statement["kind"] != "day":
        raise ExtractError("a statement does not close a day")
    _object(statement, {"day", "units"}, "a statement that closes a day", may_have_more=True)
    number = _whole(statement["number"], "a statement's number")
    if number < 1:
        raise ExtractError("statements are numbered from 1")
    domain, day = _text(statement["domain"], "a statement's domain"), _day(statement["day"])
    return _Statement(key, number, day, domain, _trees(statement["units"]))


def _day(value: object) -> str:
    day = _text(value, "a statement's day")
    with suppress(ValueError):
        if date.fromisoformat(day).isoformat() == day:
            return day
    raise ExtractError("a statement's day is not written as 2026-11-24")


def _trees(units: object) -> dict[str | None, tuple[int, bytes]]:
    trees: dict[str | None, tuple[int, bytes]] = {}
    for one in _list(units, "a statement's units"):
        tree = _object(one, {"unit", "rows", "root"}, "a statement's unit", may_have_more=True)
        unit = None if tree["unit"] is None else _text(tree["unit"], "a statement's unit")
        if unit in trees:
            raise ExtractError("a statement has a unit twice")
        trees[unit] = (_whole(tree["rows"], "rows"), _bytes(tree["root"], HASH_BYTES, "a root"))
    return trees


def _row(value: object, statements: Mapping[int, _Statement]) -> VerifiedRow:
    row = _object(value, {"statement", "unit", "index", "path", "cells"}, "it")
    statement = statements.get(_whole(row["statement"], "its statement"))
    if statement is None:
        raise ExtractError(f"statement {row['statement']} is not in the extract")
    unit = None if row["unit"] is None else _text(row["unit"], "its unit")
    if unit not in statement.trees:
        raise ExtractError(f"statement {statement.number} has no rows of {_named(unit)}")
    size, signed_root = statement.trees[unit]
    cells: dict[str, str | int | None] = {}
    masked: dict[str, str] = {}
    commitments = []
    for one in _list(row["cells"], "cells"):
        cell = _object(one, {"field"}, "a cell", may_have_more=True)
        name = _text(cell["field"], "a field's name")
        if len(name.encode("utf-8")) > _LONGEST_NAME:
            raise ExtractError(f"a field's name is longer than {_LONGEST_NAME} bytes")
        if name in cells or name in masked:
            raise ExtractError(f"field {plain(name)} stands there twice")
        commitments.append((name, _cell(name, cell, cells, masked)))
    path = [_bytes(node, HASH_BYTES, "a node of the path") for node in _list(row["path"], "path")]
    index = _whole(row["index"], "its index")
    if root_of_path(row_leaf(commitments), index, size, path) != signed_root:
        raise ExtractError("it is not what was signed: a cell, its place or its proof was changed")
    return VerifiedRow(statement.day, unit, statement.number, index, size, cells, masked)


def _cell(
    name: str, cell: Mapping[str, Any], cells: dict[str, str | int | None], masked: dict[str, str]
) -> bytes:
    """File a cell under what is shown or masked; return its commitment."""
    what = f"field {plain(name)}"
    if cell.keys() == _MASKED:
        masked[name] = _text(cell["basis"], f"the basis of {what}")
        if is_blank(masked[name]):
            raise ExtractError(f"{what} is masked without a legal basis")
        return _bytes(cell["masked"], HASH_BYTES, f"the mask of {what}")
    if cell.keys() not in (_SHOWN, _SHOWN_BYTES):
        raise ExtractError(f"{what} must have salt with value or hex, or masked with basis, alone")
    salt = _bytes(cell["salt"], SALT_BYTES, f"the salt of {what}")
    if "hex" in cell:
        if name not in _BYTES:
            raise ExtractError(f"{what} is not bytes")
        cells[name] = cell["hex"]
        return commitment(salt, framed(_bytes(cell["hex"], None, what)))
    value = cells[name] = cell["value"]
    kind = "whole number" if name in _NUMBERS else "bytes" if name in _BYTES else "text"
    if value is not None and type(value) is not {"whole number": int, "text": str}.get(kind):
        raise ExtractError(f"{what} is neither {kind} nor null")
    written = None if value is None else _text(str(value), what).encode("utf-8")
    return commitment(salt, framed(written))


def is_blank(basis: str) -> bool:
    """Return whether a legal basis has no sign that is seen."""
    return all(unicodedata.category(sign)[0] in "CZ" for sign in basis)


def read_extract(path: Path) -> str:
    """Read an extract's file. Raises OSError, ValueError if it is too large, else ExtractError."""
    try:
        return _read(path, MOST_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ExtractError(f"it is not UTF-8, from byte {error.start} on") from error


def read_keys(path: Path) -> tuple[bytes, ...]:
    """Read Ed25519 public keys (PEM, one below another), 32 bytes each.

    Raises OSError or ValueError.
    """
    content = _read(path, _MOST_KEY_FILE_BYTES)
    found = _PEM.findall(content)
    if content.count(b"-----BEGIN ") != len(found):
        raise ValueError("a key in it is cut off")
    keys = tuple(map(_key, found or [content]))
    if len(set(keys)) != len(keys):
        raise ValueError("a key stands there twice")
    return keys


def _read(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it is larger than {most} bytes")
    return content


def _key(pem: bytes) -> bytes:
    try:
        key = load_pem_public_key(pem)
    except UnsupportedAlgorithm as error:
        raise ValueError(f"its kind of key is unknown here ({error})") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("it is not an Ed25519 key")  # noqa: TRY004 - the file is wrong
    return key.public_bytes_raw()


def plain(text: str) -> str:
    """Return a text as one short line: what steers a terminal or turns the line is spelled out.

    That is Unicode's general categories C (control, direction, half a pair), Zl and Zp.
    """
    shown = [
        sign.encode("unicode_escape").decode() if _STEERS(unicodedata.category(sign)) else sign
        for sign in text[:_MOST_SIGNS]
    ]
    return "".join(shown) + ("…" if len(text) > _MOST_SIGNS else "")


def _named(unit: str | None) -> str:
    return "no unit" if unit is None else f"unit {plain(unit)}"


def describe(verified: Verified, *, key_is_known: bool) -> str:
    """Say what was verified, in plain words, one line each."""
    trees: dict[tuple[str, bool, str, int, int], int] = {}
    for row in verified.rows:
        tree = (row.day, row.unit is None, row.unit or "", row.rows, row.statement)
        trees[tree] = trees.get(tree, 0) + 1
    lines = [f"{len(verified.rows)} rows of the message log of {plain(verified.domain)} hold"]
    for (day, is_none, unit, rows, number), shown in sorted(trees.items()):
        name = _named(None if is_none else unit)
        lines.append(
            f"  {day}, {name}: {shown} of the {rows} rows of that day, by statement {number}"
        )
    masks = sorted({basis for row in verified.rows for basis in row.masked.values()})
    lines += [f"  masked under {plain(basis)}" for basis in masks]
    lines += [f"Signed with the key of fingerprint {fingerprint(key)}" for key in verified.keys]
    if verified.is_followed:
        lines.append("Another key has followed. Compare the statements with the published ones.")
    if not key_is_known:
        lines.append("Compare it with what the municipality publishes.")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Verify the extract named; 0 if it holds, 1 if not, 2 if it can't be read or told of."""
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write("usage: verifier.py EXTRACT [PUBLIC_KEYS]\n")
        return 2
    try:
        keys = read_keys(Path(arguments[1])) if len(arguments) > 1 else None
        verified = verify(read_extract(Path(arguments[0])), keys)
    except ExtractError as error:
        sys.stderr.write(f"The extract does not hold: {error}\n")
        return 1
    except (OSError, ValueError, MemoryError) as error:
        why = str(error) or "it needs more memory than there is"
        names = " or ".join(map(plain, arguments))
        sys.stderr.write(f"{names} cannot be read: {plain(why)}\n")
        return 2
    told = describe(verified, key_is_known=keys is not None) + "\n"
    try:  # a terminal that lacks a sign is shown its code
        encoding = sys.stdout.encoding
        sys.stdout.write(told.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except (OSError, AttributeError):  # the disk is full, the reader has gone, or there is none
        sys.stderr.write("The extract holds, but what it tells cannot be written.\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for Python tries once more at its end
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
