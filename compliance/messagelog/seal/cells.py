"""A row's cells: their salts and commitments, and the leaf that holds them.

    salts      = SHAKE-256(0x04, seed), 16 bytes for each field in the order of `entry.fields_of`
    commitment = SHA-256(0x03, salt, value with its length)          (`verifier.commitment`)
    leaf       = SHA-256(0x00, each field's name with its length and its commitment)

A salt that is disclosed tells nothing of the seed nor of the other salts.
"""

import hashlib

from compliance.messagelog.entry import FIELDS, VERSION, LogEntry, fields_of, framed_fields
from compliance.messagelog.seal.verifier import SALT_BYTES, commitment, row_leaf

_SALTS_BYTES = SALT_BYTES * len(FIELDS)


def salts(seed: bytes) -> list[bytes]:
    """Return a row's salts, in the order of FIELDS; an older version uses the first of them."""
    stream = hashlib.shake_256(b"\x04" + seed).digest(_SALTS_BYTES)
    return [stream[i : i + SALT_BYTES] for i in range(0, _SALTS_BYTES, SALT_BYTES)]


def commitments(entry: LogEntry, seed: bytes, version: int = VERSION) -> list[bytes]:
    """Return a row's commitments, in the order of `fields_of`."""
    framed = framed_fields(entry, version)
    return [commitment(salt, value) for salt, value in zip(salts(seed), framed, strict=False)]


def leaf(entry: LogEntry, seed: bytes, version: int = VERSION) -> bytes:
    """Return the hash of a row's leaf."""
    hidden = commitments(entry, seed, version)
    return row_leaf(zip(fields_of(entry, version), hidden, strict=True))
