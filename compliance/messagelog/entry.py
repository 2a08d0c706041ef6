"""What the log knows of one message and one recipient, and the bytes that seal it.

An entry is made once, when Postfix is about to accept the message, and never changed. A `Record`
is an entry with its place in the chain of the outbox that it went through:

    digest = SHA-256(0x00, version, seed, every field in the order of FIELDS)
    chain  = SHA-256(0x01, chain of the record before, sequence, digest)

A field is its length in bytes (4 bytes, big-endian) and its bytes; a missing one is the length
0xFFFFFFFF alone. Text is UTF-8, numbers are decimal digits, time is ISO 8601 as `instant` writes
it. The sequence is 8 bytes, big-endian. The first chain value of an outbox is
SHA-256(0x02, the 16 bytes of its id). `schema/0002_seal.sql` checks the same links.

The seed is 32 random bytes of this record's own. Digests and chain values are published and outlive
what is disposed of; without the seed nobody can try guesses against them.

Versions: 1 has no seed (it is empty), 1 and 2 end with client_class, 3 ends with spam_verdict, 4
has every field. What was sealed in an older version is verified in that version for good.
"""

import hashlib
import secrets
import struct
import uuid
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Literal

VERSION = 4
VERSIONS = range(1, VERSION + 1)
SEED_BYTES = 32

Direction = Literal["in", "out", "internal"]
ClientClass = Literal["local", "loopback", "private", "public"]

_MISSING = b"\xff\xff\xff\xff"
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One message to one envelope recipient.

    accepted_at: UTC, to the microsecond, read at end of message. subject: as a person reads it,
    empty if there was none. subject_raw: the header's bytes, several joined by line ends.
    from_address: the header's addresses, comma between them; from_text: the whole header, decoded.
    size: bytes of header and body as received, line ends of two bytes, without the Received line
    that Postfix adds. sender_unit, recipient_unit: as the directory said then; None outside.
    client_class: what kind of address the message came from, never the address itself.
    attachments: how many; attachment_names: those that have a name, one a line, as `mime.py` reads
    them. spam_verdict: what the municipality's own spam filter says, if it is asked.
    references: the Message-IDs that it refers to, one a line, as `message_ids.py` reads them.
    attachments and attachment_names are None in entries made before version 3, references before 4.
    """

    accepted_at: datetime
    host: str
    direction: Direction
    envelope_sender: str
    recipient: str
    from_address: str
    from_text: str
    subject: str
    subject_raw: bytes
    message_id: str
    queue_id: str
    size: int
    sender_unit: str | None
    recipient_unit: str | None
    label: str | None
    authenticated_user: str | None
    client_class: ClientClass
    attachments: int | None = None
    attachment_names: str | None = None
    spam_verdict: str | None = None
    references: str | None = None


FIELDS = tuple(field.name for field in fields(LogEntry))
# How many of the fields an entry of each version has.
_LENGTHS = {1: 17, 2: 17, 3: 20, VERSION: len(FIELDS)}
_FIELDS_OF = {version: FIELDS[:length] for version, length in _LENGTHS.items()}
_values = {names: attrgetter(*names) for names in _FIELDS_OF.values()}


@dataclass(frozen=True, slots=True)
class Record:
    """An entry and its place: the sequence counts from 1 without gaps within one outbox."""

    sequence: int
    version: int
    entry: LogEntry
    seed: bytes
    digest: bytes
    chain: bytes


def instant(moment: datetime) -> str:
    """Write a time as ISO 8601 in UTC with microseconds, e.g. 2026-11-24T09:05:00.000120Z."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def fields_of(entry: LogEntry, version: int) -> tuple[str, ...]:
    """Return the names of the fields that an entry of this version has.

    A later field that holds something counts too, so that nobody can add to an old entry unseen.
    """
    own = _FIELDS_OF.get(version, FIELDS)
    is_own = all(getattr(entry, name) is None for name in FIELDS[len(own) :])
    return own if is_own else FIELDS


def digest(entry: LogEntry, seed: bytes, version: int = VERSION) -> bytes:
    """Return the digest of all that an entry says."""
    head = b"\x00" + version.to_bytes(1, "big") + seed
    return hashlib.sha256(head + b"".join(framed_fields(entry, version))).digest()


def first_chain(outbox_id: uuid.UUID) -> bytes:
    """Return what the first record of an outbox links to."""
    return hashlib.sha256(b"\x02" + outbox_id.bytes).digest()


def new_seed() -> bytes:
    """Return the seed of a record that is being made."""
    return secrets.token_bytes(SEED_BYTES)


def link(
    previous: bytes, sequence: int, entry: LogEntry, seed: bytes, version: int = VERSION
) -> Record:
    """Give an entry its place after the record whose chain value is `previous`."""
    own = digest(entry, seed, version)
    return Record(sequence, version, entry, seed, own, chain_value(previous, sequence, own))


def chain_value(previous: bytes, sequence: int, own_digest: bytes) -> bytes:
    """Return the chain value of a record."""
    message = b"\x01" + previous + sequence.to_bytes(8, "big") + own_digest
    return hashlib.sha256(message).digest()


def to_json(record: Record) -> dict[str, Any]:
    """Return a record as flat JSON: its keys are the columns of log.entry, bytes hexadecimal."""
    names = fields_of(record.entry, record.version)
    plain = {name: getattr(record.entry, name) for name in names}
    plain["accepted_at"] = instant(record.entry.accepted_at)
    plain["subject_raw"] = record.entry.subject_raw.hex()
    return {
        "sequence": record.sequence,
        "version": record.version,
        "seed": record.seed.hex(),
        "digest": record.digest.hex(),
        "chain": record.chain.hex(),
        **plain,
    }


def from_json(plain: dict[str, Any]) -> Record:
    """Read back what `to_json` made. Raises ValueError, TypeError or KeyError if it isn't that."""
    version = plain["version"]
    seed = bytes.fromhex(plain["seed"]) if version != 1 else b""
    if version not in VERSIONS or len(seed) != (SEED_BYTES if version > 1 else 0):
        raise ValueError(f"version {version} of the record is unknown here")
    values = {name: plain[name] for name in _FIELDS_OF[version]}
    values["accepted_at"] = datetime.fromisoformat(plain["accepted_at"])
    values["subject_raw"] = bytes.fromhex(plain["subject_raw"])
    return Record(
        int(plain["sequence"]),
        version,
        LogEntry(**values),
        seed,
        bytes.fromhex(plain["digest"]),
        bytes.fromhex(plain["chain"]),
    )


def is_linked(previous: bytes, record: Record) -> bool:
    """Say whether a record's link is to the one whose chain value is `previous`.

    Its digest counts as it stands: whether that is of what the entry says, `digest` tells.
    """
    return record.chain == chain_value(previous, record.sequence, record.digest)


def framed_fields(entry: LogEntry, version: int = VERSION) -> list[bytes]:
    """Return each field's bytes with their length before them, in the order of `fields_of`."""
    framed = []
    for value in _values[fields_of(entry, version)](entry):
        if isinstance(value, str):
            data = value.encode("utf-8")
        elif value is None:
            framed.append(_MISSING)
            continue
        elif isinstance(value, bytes):
            data = value
        elif isinstance(value, int):
            data = b"%d" % value
        else:
            data = instant(value).encode("ascii")
        framed.append(_LENGTH.pack(len(data)) + data)
    return framed
