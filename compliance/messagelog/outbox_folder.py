"""What lies where in an outbox's folder.

    lock                         held by the one writer
    identity                     the chain's id, made once
    00000000000000000001.jsonl   segment: a head line, then one record a line (`entry.to_json`)
    mark                         how far the last segment is durable; nothing beyond may be shipped
    chain-0002/                  the next chain, with the same files; the last one is written to
    broken                       in a chain: the shipper asks the writer to begin the next one
    rescued/                     in a chain that broke: a chain of what is sound behind the break
    damage                       in a chain: what was lost or damaged, until a person removes it

A chain that broke is never written to again and never repaired; another begins beside it
(docs/decisions/0020-outbox.md).
"""

import fnmatch
import json
import os
import shutil
import uuid
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from compliance.errors import Problem, UserError
from compliance.messagelog.entry import Record, digest, from_json

DAMAGE = "damage"
REQUEST = "broken"
RESCUED = "rescued"

READ_HANDBOOK = (
    "read 'När utkorgen är skadad' in docs/handbook/e-postloggen.md; remove no file before that"
)


class BrokenChainError(UserError):
    """A chain that can't be gone on with: records are lost or damaged, or aren't those shipped."""


def listed(folder: Path, pattern: str) -> list[Path]:
    """Return the files with names of a pattern (fnmatch), in order; none if there is no folder.

    Raises OSError: Path.glob takes a folder that can't be read for an empty one, and what looks
    empty is begun anew.
    """
    try:
        found = [path for path in folder.iterdir() if fnmatch.fnmatchcase(path.name, pattern)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(found)


def segments(chain: Path) -> list[Path]:
    """Return the segments of a chain, oldest first. Raises OSError."""
    return listed(chain, "[0-9]" * 20 + ".jsonl")


def first_sequence(segment: Path) -> int:
    """Return the sequence of the first record that a segment holds or will hold."""
    return int(segment.stem)


def chains(folder: Path) -> list[Path]:
    """Return the writer's chains, oldest first; the last is written to. Raises OSError."""
    return [folder, *listed(folder, "chain-" + "[0-9]" * 4)]


def all_chains(folder: Path) -> Iterator[Path]:
    """Yield every chain in the order in which they are shipped, with what was rescued of each."""
    for chain in chains(folder):
        yield chain
        rescued = chain / RESCUED
        while rescued.is_dir():
            yield rescued
            rescued /= RESCUED


def new_chain(parent: Path, name: str, damage: Problem | None) -> Path:
    """Begin a chain, whole or not at all, with what its beginning tells a person. Raises OSError.

    A draft of that name, with records in it already, is taken as it is.
    """
    draft = parent / f"{name}.new"
    draft.mkdir(mode=0o750, exist_ok=True)
    if not (draft / "identity").exists():
        write_whole(draft / "identity", f"{uuid.uuid4()}\n".encode("ascii"))
    if damage is not None:
        told = json.dumps(asdict(damage), ensure_ascii=False)
        write_whole(draft / DAMAGE, told.encode("utf-8"))
    sync_folder(draft)
    draft.rename(parent / name)
    sync_folder(parent)
    return parent / name


def begin_next(folder: Path, damage: Problem | None) -> Path:
    """Begin the chain that follows the last one. Raises OSError."""
    last = chains(folder)[-1]
    number = 2 if last == folder else int(last.name.removeprefix("chain-")) + 1
    name = f"chain-{number:04d}"
    shutil.rmtree(folder / f"{name}.new", ignore_errors=True)
    return new_chain(folder, name, damage)


def damage_of(chain: Path, note: str = DAMAGE) -> Problem | None:
    """Return what was noted when this chain began; None once a person has removed it."""
    try:
        plain = json.loads((chain / note).read_bytes())
        return Problem(**{name: str(plain[name]) for name in ("what", "where", "remedy")})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        what = "records were lost or damaged here; the note about it cannot be read"
        return Problem(what, str(chain), READ_HANDBOOK)


def read_identity(chain: Path) -> uuid.UUID:
    """Return the chain's id. Raises OSError or ValueError if there is none."""
    return uuid.UUID((chain / "identity").read_text(encoding="ascii").strip())


def ids_of(chain: Path) -> set[uuid.UUID]:
    """Return the ids that a chain goes by: its own, and those that its segments begin with."""
    found: set[uuid.UUID] = set()
    with suppress(OSError, ValueError):
        found.add(read_identity(chain))
    for path in segments(chain):
        with suppress(OSError, ValueError), path.open("rb") as file:
            found.add(read_head(file.readline())[0])
    return found


def read_mark(chain: Path) -> tuple[int, int]:
    """Return the first sequence of the last segment and its durable size; (0, 0) if unknown."""
    try:
        first, size, checksum = (chain / "mark").read_text(encoding="ascii").split()
        if checksum == _checksum(first, size):
            return int(first), int(size)
    except (OSError, ValueError):
        pass  # never written, or caught while it was being written
    return 0, 0


def mark_line(first: str, size: str) -> bytes:
    """Return what `read_mark` reads."""
    return f"{first} {size} {_checksum(first, size)}\n".encode("ascii")


def _checksum(first: str, size: str) -> str:
    return f"{zlib.crc32(f'{first} {size}'.encode()):08x}"


_in_one_line = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def as_line(plain: dict[str, Any]) -> bytes:
    """Return a head or a record as a line of a segment."""
    return _in_one_line(plain).encode("utf-8") + b"\n"


def head_line(outbox_id: uuid.UUID, first: int, previous: bytes) -> bytes:
    """Return the line that a segment begins with. previous: the chain value before `first`."""
    return as_line({"outbox_id": str(outbox_id), "first": first, "previous": previous.hex()})


def read_head(line: bytes) -> tuple[uuid.UUID, int, bytes]:
    """Read back what `head_line` made. Raises ValueError if it isn't that."""
    try:
        head = json.loads(line)
        return uuid.UUID(head["outbox_id"]), int(head["first"]), bytes.fromhex(head["previous"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not the head of a segment") from error


def sound_record(line: bytes) -> Record | None:
    """Return the record of a line that is whole and says what its digest was made of, or None."""
    if not line.endswith(b"\n"):
        return None
    try:
        record = from_json(json.loads(line))
        own = digest(record.entry, record.seed, record.version)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None  # ValueError: bad UTF-8 and bad JSON too
    return record if own == record.digest and record.sequence > 0 else None


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that after a crash is there whole or not at all. Raises OSError."""
    draft = path.with_name(f"{path.name}.new")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make durable which files a folder has. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def ask_for_next(chain: Path, problem: Problem) -> None:
    """Ask the writer to leave this chain and begin the next one."""
    told = json.dumps(asdict(problem), ensure_ascii=False)
    write_whole(chain / REQUEST, told.encode("utf-8"))
