"""The verifier of an extract. It needs Python and its package `cryptography`, and nothing else.

An extract is JSON: rows of the message log, each with a proof that it stood, at its place, in the
log of its unit and day when the municipality signed that day. Cells that may not be disclosed are
masked; what was signed still covers them. The format is told in docs/seal-format.md, so that anyone
can write another verifier. Run this file by itself: python3 verifier.py EXTRACT [PUBLIC_KEY]

The rest of the seal takes its hashes from here, so that no formula is written twice.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

EXTRACT_FORMAT = "kommunpost-extract-1"
STATEMENT_FORMAT = "kommunpost-seal-1"
HASH_BYTES = 32
SALT_BYTES = 16

_MISSING = b"\xff\xff\xff\xff"


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


def verify_signature(key: bytes, text: str, signature: bytes) -> None:
    """Raise ExtractError unless the Ed25519 key (32 bytes) signed the text."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, text.encode("utf-8"))
    except InvalidSignature as error:
        raise ExtractError("the signature of a statement is wrong") from error


def fingerprint(key: bytes) -> str:
    """Return how people compare a public key: SHA-256 over its 32 bytes, in groups of four."""
    digits = hashlib.sha256(key).hexdigest()
    return " ".join(digits[i : i + 4] for i in range(0, len(digits), 4))


@dataclass(frozen=True)
class VerifiedRow:
    """A row that holds. cells: value by field; masked: legal basis by field. index counts from 0.

    rows: how many rows the unit's day has in all.
    """

    day: str
    unit: str | None
    index: int
    rows: int
    cells: dict[str, str | int | None]
    masked: dict[str, str]


@dataclass(frozen=True)
class Verified:
    """An extract that holds. key: the public key that all of it hangs on."""

    domain: str
    key: bytes
    rows: list[VerifiedRow]


def verify(text: str, key: bytes | None = None) -> Verified:
    """Verify an extract. key: the municipality's published key; None takes the extract's own.

    Raises ExtractError that names what doesn't hold.
    """
    try:
        return _verify(text, key)
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        if isinstance(error, ExtractError):
            raise
        raise ExtractError(f"this is not an extract as docs/seal-format.md has it ({error})") from (
            error
        )


def _verify(text: str, key: bytes | None) -> Verified:
    extract = _load(text)
    if extract["format"] != EXTRACT_FORMAT:
        raise ExtractError(f"format {extract['format']!r} is unknown here")
    own_key = bytes.fromhex(extract["key"])
    if key is not None and key != own_key:
        raise ExtractError("the extract was signed with another key than the one given")
    statements = [_statement(own_key, signed) for signed in extract["statements"]]
    by_number = {statement["number"]: statement for statement in statements}
    domains = {statement["domain"] for statement in statements}
    if len(domains) != 1:
        raise ExtractError("the extract must have statements of exactly one domain")
    rows = []
    for position, row in enumerate(extract["rows"], 1):
        try:
            rows.append(_row(row, by_number))
        except ExtractError as error:
            raise ExtractError(f"row {position}: {error}") from error
    places = {(row.day, row.unit, row.index) for row in rows}
    if len(places) != len(rows):
        raise ExtractError("a row stands there twice")
    return Verified(domains.pop(), own_key, rows)


def _load(text: str) -> dict[str, Any]:
    loaded = json.loads(text, object_pairs_hook=_unique)
    if not isinstance(loaded, dict):
        raise ExtractError("an extract is a JSON object")
    return loaded


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ExtractError("a name stands twice in one JSON object")
    return made


def _statement(key: bytes, signed: Mapping[str, str]) -> dict[str, Any]:
    verify_signature(key, signed["text"], bytes.fromhex(signed["signature"]))
    statement = _load(signed["text"])
    if statement["format"] != STATEMENT_FORMAT or statement["kind"] != "day":
        raise ExtractError("a statement does not close a day")
    return statement


def _row(row: Mapping[str, Any], statements: Mapping[int, dict[str, Any]]) -> VerifiedRow:
    statement = statements.get(row["statement"])
    if statement is None:
        raise ExtractError(f"statement {row['statement']} is not in the extract")
    trees = [tree for tree in statement["units"] if tree["unit"] == row["unit"]]
    if len(trees) != 1:
        raise ExtractError(f"statement {row['statement']} has no unit {row['unit']}")
    cells: dict[str, str | int | None] = {}
    masked: dict[str, str] = {}
    commitments = []
    for cell in row["cells"]:
        name = cell["field"]
        if name in cells or name in masked:
            raise ExtractError(f"field {name} stands there twice")
        commitments.append((name, _cell(cell, cells, masked)))
    path = [_hash(node) for node in row["path"]]
    size = trees[0]["rows"]
    root = root_of_path(row_leaf(commitments), row["index"], size, path)
    if root.hex() != trees[0]["root"]:
        raise ExtractError("it is not what was signed: a cell, its place or its proof was changed")
    return VerifiedRow(statement["day"], row["unit"], row["index"], size, cells, masked)


def _cell(
    cell: Mapping[str, Any], cells: dict[str, str | int | None], masked: dict[str, str]
) -> bytes:
    """File a cell under what is shown or masked; return its commitment."""
    name = cell["field"]
    if "masked" in cell:
        if not isinstance(cell["basis"], str) or not cell["basis"].strip():
            raise ExtractError(f"field {name} is masked without a legal basis")
        masked[name] = cell["basis"]
        return _hash(cell["masked"])
    salt = bytes.fromhex(cell["salt"])
    if len(salt) != SALT_BYTES:
        raise ExtractError(f"the salt of field {name} is not {SALT_BYTES} bytes")
    if "hex" in cell:
        cells[name] = cell["hex"]
        return commitment(salt, framed(bytes.fromhex(cell["hex"])))
    value = cells[name] = cell["value"]
    if value is not None and type(value) not in (str, int):
        raise ExtractError(f"field {name} is neither text, a whole number nor null")
    return commitment(salt, framed(None if value is None else str(value).encode("utf-8")))


def _hash(digits: str) -> bytes:
    value = bytes.fromhex(digits)
    if len(value) != HASH_BYTES:
        raise ExtractError(f"{digits!r} is not a SHA-256 hash")
    return value


def read_key(path: Path) -> bytes:
    """Read an Ed25519 public key (PEM) as its 32 bytes. Raises OSError or ValueError."""
    key = load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("it is not an Ed25519 key")  # noqa: TRY004 - the file is wrong
    return key.public_bytes_raw()


def describe(verified: Verified, *, key_is_known: bool) -> str:
    """Say what was verified, in plain words, one line each."""
    trees = sorted({(row.day, row.unit or "", row.rows) for row in verified.rows})
    lines = [f"{len(verified.rows)} rows of the message log of {verified.domain} hold"]
    for day, unit, rows in trees:
        shown = sum((row.day, row.unit or "") == (day, unit) for row in verified.rows)
        lines.append(f"  {day}, unit {unit or '(none)'}: {shown} of the {rows} rows of that day")
    masks = sorted({basis for row in verified.rows for basis in row.masked.values()})
    lines += [f"  masked under {basis}" for basis in masks]
    lines.append(f"Signed with the key of fingerprint {fingerprint(verified.key)}")
    if not key_is_known:
        lines.append("Compare it with the key that the municipality publishes.")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Verify the extract named; 0 if it holds, 1 if not, 2 if it can't be read."""
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write("usage: verifier.py EXTRACT [PUBLIC_KEY]\n")
        return 2
    try:
        key = read_key(Path(arguments[1])) if len(arguments) > 1 else None
        text = Path(arguments[0]).read_text(encoding="utf-8")
        verified = verify(text, key)
    except ExtractError as error:
        sys.stderr.write(f"The extract does not hold: {error}\n")
        return 1
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(describe(verified, key_is_known=key is not None) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
