"""The end of a chain after any kind of stop: where the writer goes on, or that it can't."""

import logging
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from compliance.errors import Problem
from compliance.messagelog.entry import Record, first_chain, is_linked
from compliance.messagelog.outbox_folder import (
    READ_HANDBOOK,
    REQUEST,
    BrokenChainError,
    first_sequence,
    head_line,
    read_head,
    read_identity,
    read_mark,
    segments,
    sound_record,
)

_log = logging.getLogger(__name__)


class LeftChainError(Exception):
    """The chain is to be left though nothing in it is newly found damaged."""


@dataclass(frozen=True)
class Tail:
    """Where the chain stands: the last record's sequence and chain value."""

    sequence: int
    chain: bytes


@dataclass(frozen=True)
class End:
    """Where to go on. segment: the last one, None if there is none; size: its sound part, bytes."""

    outbox_id: uuid.UUID
    tail: Tail
    segment: Path | None
    size: int


@dataclass(frozen=True)
class _Scan:
    tail: Tail
    size: int
    host: str | None
    is_followed: bool


def recover(chain: Path, host: str | None = None) -> End:
    """Find the end of a chain, and set a torn tail aside.

    What is unsound beyond the mark was never answered for. Raises BrokenChainError if the chain
    lacks what was; LeftChainError if the shipper asks for another one, or if its entries are not
    those of `host`; OSError.
    """
    if (chain / REQUEST).exists():
        raise LeftChainError
    try:
        own = read_identity(chain)
    except (OSError, ValueError) as error:
        raise broken(f"the outbox's identity cannot be read ({error})", chain) from error
    found = segments(chain)
    marked, durable = read_mark(chain)
    # A segment that holds nothing yet may be missing: one whose first write failed is made anew.
    is_filled = durable > len(head_line(own, marked, bytes(32)))
    if is_filled and (not found or first_sequence(found[-1]) < marked):
        raise broken(f"the segment that begins with record {marked} is missing", chain)
    expected = marked
    while found:
        path = found.pop()
        scan = _scan(path, own)
        if scan is None:
            if is_filled and first_sequence(path) == marked:
                raise broken("a segment that held records has lost its beginning", path)
            # Cut off before its head was durable: it holds no record.
            path.unlink()
            expected = first_sequence(path)
            continue
        is_short = first_sequence(path) == marked and scan.size < durable
        if is_short or scan.is_followed or scan.tail.sequence + 1 < expected:
            what = f"what comes after record {scan.tail.sequence} is lost or damaged"
            raise broken(what, path)
        if scan.size < path.stat().st_size:
            _set_aside(path, scan.size)
        if host not in (None, scan.host or _host_before(found, own) or host):
            raise LeftChainError
        return End(own, scan.tail, path, scan.size)
    if expected > 1:
        raise broken("no segment can be read", chain)
    return End(own, Tail(0, first_chain(own)), None, 0)


def broken(what: str, where: Path) -> BrokenChainError:
    """Return the error of a chain that the writer leaves."""
    told = f"{what}; the outbox goes on in a new chain, and the shipper saves what is sound"
    return BrokenChainError([Problem(told, str(where), READ_HANDBOOK)])


def _scan(path: Path, own: uuid.UUID) -> _Scan | None:
    """Return the sound part of a segment; None if it was cut off in its head."""
    with path.open("rb") as file:
        line = file.readline()
        if not line.endswith(b"\n"):
            return None
        try:
            named, first, previous = read_head(line)
        except ValueError as error:
            raise broken("the segment's first line is damaged", path) from error
        if named != own or first != first_sequence(path):
            raise broken("the segment is not one of this outbox", path)
        tail, size, host = Tail(first - 1, previous), len(line), None
        for line in file:
            record = sound_record(line)
            if record is None or not _follows(record, tail):
                # A torn write leaves rubbish; a later record tells that it was no torn write.
                rest = [record, *(sound_record(line) for line in file)]
                is_followed = any(one and one.sequence > tail.sequence for one in rest)
                return _Scan(tail, size, host, is_followed)
            tail = Tail(record.sequence, record.chain)
            size += len(line)
            host = record.entry.host
    return _Scan(tail, size, host, is_followed=False)


def _follows(record: Record, tail: Tail) -> bool:
    return record.sequence == tail.sequence + 1 and is_linked(tail.chain, record)


def _host_before(earlier: list[Path], own: uuid.UUID) -> str | None:
    """Return the host of the last record of the segment before one that has none yet."""
    scan = _scan(earlier[-1], own) if earlier else None
    return scan.host if scan else None


def _set_aside(path: Path, size: int) -> None:
    """Cut off a torn tail, which no one got an answer for, but keep its bytes to look at."""
    with path.open("r+b") as file:
        file.seek(size)
        torn = file.read()
        path.with_suffix(f".torn-{size}").write_bytes(torn)
        file.truncate(size)
        os.fsync(file.fileno())
    _log.error("%d bytes at the end of %s were torn and are set aside", len(torn), path.name)
