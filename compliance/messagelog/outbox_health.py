"""How a mail host's outbox is: what its folder tells, held against the database."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from compliance.errors import Problem, UserError
from compliance.messagelog.outbox_folder import (
    READ_HANDBOOK,
    REQUEST,
    RESCUED,
    all_chains,
    chains,
    damage_of,
    listed,
    read_identity,
    segments,
    sound_record,
)
from compliance.messagelog.outbox_reader import NEARLY_FULL, OutboxReader, Place, accepted_at
from compliance.messagelog.shipped import Shipped

# Shipper and follower say every ten seconds that they have come to the end.
LATE = timedelta(minutes=15)
_TRIAL_BYTES = 4096

# How far the database has come with each chain.
Places = Mapping[UUID, Place]


@dataclass(frozen=True)
class OutboxHealth:
    """An outbox. bytes: its segments; free, capacity: of its file system, in bytes.

    oldest_unshipped: when the oldest entry was accepted that the database lacks; None if it has
    all, or can't be asked.
    """

    folder: Path
    bytes: int
    free: int
    capacity: int
    oldest_unshipped: datetime | None


def places_of(shipped: Shipped, folder: Path) -> Places:
    """Ask the database how far it has come with each chain of an outbox."""
    places: dict[UUID, Place] = {}
    with suppress(OSError):  # what that means `look_at` tells, here and below
        for chain in all_chains(folder):
            with suppress(OSError, ValueError):
                own = read_identity(chain)
                places[own] = shipped.place_of(own)
    return places


def look_at(folder: Path, places: Places | None) -> tuple[OutboxHealth | None, list[Problem]]:
    """Look at an outbox, and say what is wrong with its files. places: None if not known."""
    problems = _trial(folder)
    try:
        disk = os.statvfs(folder)
        oldest: datetime | None = None
        for chain in all_chains(folder):
            waiting, found = _look_at_chain(chain, places, is_live=chain == chains(folder)[-1])
            oldest = oldest or waiting
            problems += found
        sizes = [path.stat().st_size for one in all_chains(folder) for path in segments(one)]
    except OSError as error:
        unreadable = _unreadable(folder, error)
        return None, [unreadable, *(one for one in problems if one != unreadable)]
    free, capacity = (blocks * disk.f_frsize for blocks in (disk.f_bavail, disk.f_blocks))
    return OutboxHealth(folder, sum(sizes), free, capacity, oldest), problems


def _look_at_chain(
    chain: Path, places: Places | None, *, is_live: bool
) -> tuple[datetime | None, list[Problem]]:
    """Return when its oldest entry was accepted that the database lacks, and what is wrong."""
    notes = [damage_of(chain), damage_of(chain, REQUEST) if is_live else None]
    problems = [note for note in notes if note] + _torn(chain)
    if places is None or (chain / RESCUED).is_dir() or (is_live and notes[1]):
        return None, problems  # how it broke is told by the note
    try:
        reader = OutboxReader(chain, is_live=is_live)
        place = places.get(reader.id, Place())
        if place.is_closed:
            what = f"the database takes no more of this chain than record {place.sequence}"
            return None, [*problems, Problem(what, str(chain), READ_HANDBOOK)]
        reader.seek_place(place)
        waiting = reader.read(1).lines
    except UserError as error:
        return None, problems + error.problems
    return datetime.fromisoformat(accepted_at(waiting[0])) if waiting else None, problems


def _torn(chain: Path) -> list[Problem]:
    """Tell of torn ends that hold whole records: those were not torn by a stop in the middle."""
    found = []
    for path in listed(chain, "*.torn-*"):
        with path.open("rb") as file:
            whole = [record.sequence for line in file if (record := sound_record(line))]
        if whole:
            what = f"records {whole[0]} to {whole[-1]} were cut off and may not be in the log"
            found.append(Problem(what, str(path), READ_HANDBOOK))
    return found


def judge_outbox(now: datetime, outbox: OutboxHealth) -> list[Problem]:
    """Say what is wrong with an outbox that was seen."""
    found = []
    if outbox.free < outbox.capacity * NEARLY_FULL:
        found.append(
            Problem(
                f"the outbox's disk is nearly full: {outbox.free / 2**20:,.0f} MiB are free of "
                f"{outbox.capacity / 2**20:,.0f}; when it is full no mail is accepted",
                str(outbox.folder),
                "free space there; never remove a file of the outbox itself",
            )
        )
    if outbox.oldest_unshipped and now - outbox.oldest_unshipped > LATE:
        found.append(
            Problem(
                f"an entry has waited {age(now, outbox.oldest_unshipped)} for the database",
                str(outbox.folder),
                "read `journalctl -u kommunpost-shipper`; nothing is lost while the disk has space",
            )
        )
    return found


def _trial(folder: Path) -> list[Problem]:
    """Write as the milter does, beside its segments, and say if that fails."""
    path = folder / "trial"
    try:
        with path.open("wb") as file:
            file.write(bytes(_TRIAL_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except PermissionError as error:
        # Whoever looks may be somebody else than the milter, of which this tells nothing then.
        return [_unreadable(folder, error)]
    except OSError as error:
        remedy = "mend the disk or free space there; then mail is accepted again by itself"
        what = f"the outbox cannot write, so no mail is accepted ({error.strerror})"
        return [Problem(what, str(folder), remedy)]
    finally:
        with suppress(OSError):  # a disk that can only be read refuses this too
            path.unlink()
    return []


def _unreadable(folder: Path, error: OSError) -> Problem:
    remedy = (
        "run as root or the user kommunpost, on a mail host; if that is who you are, give the "
        "folder back to kommunpost: the milter needs it before it accepts mail"
    )
    return Problem(f"the outbox cannot be used ({error.strerror})", str(folder), remedy)


def age(now: datetime, then: datetime) -> str:
    """Return in words how long ago something was."""
    minutes = int((now - then).total_seconds() // 60)
    return f"{minutes} minutes" if minutes < 180 else f"{minutes // 60} hours"
