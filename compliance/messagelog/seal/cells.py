"""A row's cells: their salts and commitments, and the leaf that holds them.

    salts      = SHAKE-256(0x04, seed), 16 bytes for each field in the order of `entry.fields_of`
    commitment = SHA-256(0x03, salt, value with its length)          (`verifier.commitment`)
    leaf       = SHA-256(0x00, each field's name with its length and its commitment)

A salt that is disclosed tells nothing of the seed nor of the other salts.
"""

import hashlib
import struct
from functools import cache

from compliance.messagelog.entry import FIELDS, VERSION, LogEntry, fields_of, framed_fields
from compliance.messagelog.seal.verifier import SALT_BYTES, commitment, label, leaf_hash

_SALTS = struct.Struct(f"{SALT_BYTES}s" * len(FIELDS))


def salts(seed: bytes) -> tuple[bytes, ...]:
    """Return a row's salts, in the order of FIELDS; an older version uses the first of them."""
    return _SALTS.unpack(hashlib.shake_256(b"\x04" + seed).digest(_SALTS.size))


def commitments(entry: LogEntry, seed: bytes, version: int = VERSION) -> tuple[bytes, ...]:
    """Return a row's commitments, in the order of `fields_of`."""
    return tuple(map(commitment, salts(seed), framed_fields(entry, version)))


def leaf(entry: LogEntry, seed: bytes, version: int = VERSION) -> bytes:
    """Return the hash of a row's leaf: `verifier.row_leaf`, for many rows with the same names."""
    row = _row_of(fields_of(entry, version))
    return leaf_hash(row % commitments(entry, seed, version))


@cache
def _row_of(names: tuple[str, ...]) -> bytes:
    """Return a row's leaf with a place for each commitment."""
    return b"".join([label(name).replace(b"%", b"%%") + b"%b" for name in names])
