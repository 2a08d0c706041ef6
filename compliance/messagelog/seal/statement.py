"""What is signed: the roots of a day, or a lawful disposal. The text itself is what counts.

Statements are numbered from 1 without gaps, and each names the SHA-256 of the one before, so that
none can be taken away or put in. A day is closed once; entries of it that arrive later are added at
the end of its trees by a further statement, which proves that the trees only grew.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from compliance.errors import UserError
from compliance.messagelog.entry import instant
from compliance.messagelog.seal import verifier

# What to do when the seal's own tables don't hold.
CHANGED = "run `kommunpost log verify`: the database was changed"


@dataclass(frozen=True)
class Head:
    """How far one outbox's chain had come: nothing up to here may change any more."""

    host: str
    outbox: UUID
    sequence: int
    chain: bytes


@dataclass(frozen=True)
class Growth:
    """The tree that an earlier statement signed for the day, and the proof that this one grew."""

    rows: int
    root: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class UnitTree:
    """The tree of one unit and day; unit None holds entries that belong to no unit."""

    unit: str | None
    rows: int
    root: bytes
    earlier: Growth | None = None


@dataclass(frozen=True)
class Day:
    """Closes a day (UTC). entries: those of the day up to the heads, each counted once.

    revises: number of the statement that closed the day before late entries came; None if first.
    """

    day: date
    entries: int
    heads: tuple[Head, ...]
    units: tuple[UnitTree, ...]
    revises: int | None = None


@dataclass(frozen=True)
class Decision:
    """A decision on disposal. number: in the diary. kind: which entries it is about, its class."""

    number: str
    authority: str
    decided: date
    kind: str


@dataclass(frozen=True)
class Disposal:
    """A lawful destruction of a month's entries (UTC). root: of the tombstones' tree."""

    decision: Decision
    month: date
    entries: int
    root: bytes


@dataclass(frozen=True)
class Statement:
    """One numbered statement. previous: SHA-256 of the text before it, None for the first."""

    number: int
    previous: bytes | None
    made_at: datetime
    domain: str
    says: Day | Disposal


@dataclass(frozen=True)
class Signed:
    """A statement's very text, and the Ed25519 signature over its UTF-8 bytes."""

    text: str
    signature: bytes

    @property
    def digest(self) -> bytes:
        """Return what the next statement names as `previous`."""
        return hashlib.sha256(self.text.encode("utf-8")).digest()


def to_text(statement: Statement) -> str:
    """Write a statement as the text that is signed: JSON in one line."""
    says = statement.says
    plain = {
        "format": verifier.STATEMENT_FORMAT,
        "number": statement.number,
        "previous": statement.previous.hex() if statement.previous else None,
        "made_at": instant(statement.made_at),
        "domain": statement.domain,
        **(_day_to_json(says) if isinstance(says, Day) else _disposal_to_json(says)),
    }
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _day_to_json(says: Day) -> dict[str, Any]:
    return {
        "kind": "day",
        "day": says.day.isoformat(),
        "revises": says.revises,
        "entries": says.entries,
        "heads": [
            {
                "host": head.host,
                "outbox": str(head.outbox),
                "sequence": head.sequence,
                "chain": head.chain.hex(),
            }
            for head in says.heads
        ],
        "units": [_unit_to_json(unit) for unit in says.units],
    }


def _unit_to_json(unit: UnitTree) -> dict[str, Any]:
    plain: dict[str, Any] = {"unit": unit.unit, "rows": unit.rows, "root": unit.root.hex()}
    if unit.earlier is not None:
        plain["earlier"] = {
            "rows": unit.earlier.rows,
            "root": unit.earlier.root.hex(),
            "path": [node.hex() for node in unit.earlier.path],
        }
    return plain


def _disposal_to_json(says: Disposal) -> dict[str, Any]:
    return {
        "kind": "disposal",
        "decision": says.decision.number,
        "authority": says.decision.authority,
        "decided": says.decision.decided.isoformat(),
        "class": says.decision.kind,
        "month": says.month.isoformat(),
        "entries": says.entries,
        "root": says.root.hex(),
    }


def from_text(text: str) -> Statement:
    """Read a statement. Raises ValueError if the text isn't one."""
    try:
        return _from_json(json.loads(text))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except (LookupError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(str(error)) from error


def _from_json(plain: dict[str, Any]) -> Statement:
    if plain["format"] != verifier.STATEMENT_FORMAT:
        raise ValueError(f"format {plain['format']!r} is unknown here")
    if plain["kind"] not in ("day", "disposal"):
        raise ValueError(f"kind {plain['kind']!r} is unknown here")
    read = _day_from_json if plain["kind"] == "day" else _disposal_from_json
    return Statement(
        int(plain["number"]),
        bytes.fromhex(plain["previous"]) if plain["previous"] else None,
        datetime.fromisoformat(plain["made_at"]),
        plain["domain"],
        read(plain),
    )


def of_log(signed: Iterable[Signed]) -> Iterator[Statement]:
    """Read the log's own statements, in order.

    Raises UserError that names one that isn't one, or that is missing.
    """
    for number, one in enumerate(signed, 1):
        try:
            statement = from_text(one.text)
        except ValueError as error:
            raise UserError.of(
                f"statement {number} cannot be read ({error})",
                "log.statement in the database",
                CHANGED,
            ) from error
        if statement.number != number:
            raise UserError.of(
                f"statement {number} is missing: statement {statement.number} stands in its place",
                "log.statement in the database",
                CHANGED,
            )
        yield statement


def _day_from_json(plain: dict[str, Any]) -> Day:
    heads = tuple(
        Head(head["host"], UUID(head["outbox"]), head["sequence"], bytes.fromhex(head["chain"]))
        for head in plain["heads"]
    )
    units = tuple(_unit_from_json(unit) for unit in plain["units"])
    day = date.fromisoformat(plain["day"])
    return Day(day, plain["entries"], heads, units, plain["revises"])


def _unit_from_json(plain: dict[str, Any]) -> UnitTree:
    earlier = None
    if "earlier" in plain:
        path = tuple(bytes.fromhex(node) for node in plain["earlier"]["path"])
        root = bytes.fromhex(plain["earlier"]["root"])
        earlier = Growth(plain["earlier"]["rows"], root, path)
    return UnitTree(plain["unit"], plain["rows"], bytes.fromhex(plain["root"]), earlier)


def _disposal_from_json(plain: dict[str, Any]) -> Disposal:
    decided = date.fromisoformat(plain["decided"])
    decision = Decision(plain["decision"], plain["authority"], decided, plain["class"])
    month = date.fromisoformat(plain["month"])
    return Disposal(decision, month, plain["entries"], bytes.fromhex(plain["root"]))


def sign(key: Ed25519PrivateKey, statement: Statement) -> Signed:
    """Sign a statement."""
    text = to_text(statement)
    return Signed(text, key.sign(text.encode("utf-8")))


def read_sealing_key(path: Path, public: Path) -> Ed25519PrivateKey:
    """Read the key that signs. public: file of the published ones, of which the last is its.

    Raises UserError, also if it isn't: what is signed stands for good.
    """
    key = _read_private_key(path)
    if key.public_key().public_bytes_raw() != read_public_keys(public)[-1]:
        raise UserError.of(
            f"the sealing key is not that of the last published one, {public}",
            str(path),
            "put back the key that signed before, from the backup; nothing was signed",
        )
    return key


def _read_private_key(path: Path) -> Ed25519PrivateKey:
    """Read an Ed25519 key in PEM without a passphrase. Raises UserError."""
    remedy = "the key is root's alone; `openssl genpkey -algorithm ed25519` makes one"
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UserError.of(
            f"the sealing key cannot be read ({error})", str(path), remedy
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UserError.of("the sealing key is not an Ed25519 key", str(path), remedy)
    return key


def read_public_keys(path: Path) -> tuple[bytes, ...]:
    """Read the published keys, 32 bytes each, oldest first. Raises UserError."""
    try:
        return verifier.read_keys(path)
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise UserError.of(
            f"the public key cannot be read ({error})",
            str(path),
            "name the municipality's published keys (nyckel.pem); where the sealing key is, "
            "`openssl pkey -in KEY -pubout` writes its public one",
        ) from error
