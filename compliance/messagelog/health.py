"""How the message log is: what a host and the database tell of it, and what of that is wrong.

Looked at on a mail host it is about that host's outbox and the database; elsewhere about the
database and all mail hosts.
"""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from compliance.errors import Problem, UserError
from compliance.messagelog import reconcile, store
from compliance.messagelog.outbox import segments
from compliance.messagelog.outbox_reader import OutboxReader
from compliance.settings import Capture, Log

# Shipper and follower say every ten seconds that they have come to the end.
LATE = timedelta(minutes=15)
# A day is closed and compared in the first hour of the next one (UTC).
LATE_DAYS = 2
NEARLY_FULL = 0.10
FEWEST_MONTHS = 2
_TRIAL_BYTES = 4096


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


@dataclass(frozen=True)
class HostHealth:
    """Up to when a mail host's outbox and journal are in the database; None: not at all."""

    host: str
    shipped_until: datetime | None
    followed_until: datetime | None


@dataclass(frozen=True)
class StoreHealth:
    """The database. Days are UTC; None: none yet. reconcile_status: that command's exit code."""

    sealed: date | None
    reconciled: date | None
    reconcile_status: int | None
    months_ahead: int


@dataclass(frozen=True)
class Health:
    """All that was seen. problems: what is wrong, and what to do; in the order of their weight."""

    at: datetime
    outbox: OutboxHealth | None
    hosts: tuple[HostHealth, ...]
    store: StoreHealth | None
    problems: tuple[Problem, ...]


def look(log: Log, own: Capture | None, now: datetime) -> Health:
    """See how the log is. own: this host's part in it, None where no mail is logged."""
    problems: list[Problem] = []
    hosts: tuple[HostHealth, ...] = ()
    kept: StoreHealth | None = None
    outbox: OutboxHealth | None = None
    position: int | None = None
    try:
        with store.session(log) as connection:
            hosts, kept = _ask(connection, own.host if own else None)
            if own:
                position = _position(connection, own.outbox)
    except UserError as error:
        problems += error.problems
    if own:
        problems = _trial(own.outbox) + problems
        try:
            outbox = _outbox(own, position)
        except UserError as error:
            problems = error.problems + problems
        except OSError as error:
            problems.insert(0, _unreadable(own.outbox, error))
    problems += judge(now, outbox, hosts, kept)
    return Health(now, outbox, hosts, kept, tuple(problems))


def judge(
    now: datetime,
    outbox: OutboxHealth | None,
    hosts: tuple[HostHealth, ...],
    kept: StoreHealth | None,
) -> list[Problem]:
    """Say what is wrong with what was seen."""
    found: list[Problem] = []
    if outbox:
        found += _judge_outbox(now, outbox)
    for host in hosts:
        found += _judge_host(now, host)
    return found + (_judge_store(now, kept) if kept else [])


def _judge_outbox(now: datetime, outbox: OutboxHealth) -> list[Problem]:
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
                f"an entry has waited {_age(now, outbox.oldest_unshipped)} for the database",
                str(outbox.folder),
                "read `journalctl -u kommunpost-shipper`; nothing is lost while the disk has space",
            )
        )
    return found


def _judge_host(now: datetime, host: HostHealth) -> list[Problem]:
    found = []
    for until, what, service in (
        (host.shipped_until, "the outbox was last shipped to its end", "kommunpost-shipper"),
        (host.followed_until, "the journal was last read to its end", "kommunpost-follower"),
    ):
        # Before the first mail nothing was shipped; an entry that waits is found in the outbox.
        if until is None and service == "kommunpost-shipper":
            continue
        if until is None or now - until > LATE:
            when = f"{_age(now, until)} ago" if until else "never"
            remedy = f"see on that host that {service} runs, and read `journalctl -u {service}`"
            found.append(Problem(f"{what} {when}", host.host, remedy))
    return found


def _judge_store(now: datetime, kept: StoreHealth) -> list[Problem]:
    found = []
    oldest = now.date() - timedelta(days=LATE_DAYS)
    for day, what, service in (
        (kept.sealed, "sealed", "kommunpost-log-seal"),
        (kept.reconciled, "compared with the mail hosts' records", "kommunpost-log-reconcile"),
    ):
        if day and day < oldest:
            remedy = f"read `journalctl -u {service}`, and start it"
            found.append(Problem(f"{day} is the last day that was {what}", "the log", remedy))
    if kept.reconcile_status not in (None, reconcile.AGREE, reconcile.ONLY_LOGGED):
        what = f"the comparison of {kept.reconciled} ended with status {kept.reconcile_status}"
        remedy = f"run `kommunpost log reconcile --day {kept.reconciled}`, which says why"
        found.append(Problem(what, "the log", remedy))
    if kept.months_ahead < FEWEST_MONTHS:
        what = f"only {kept.months_ahead} months are made ahead"
        remedy = "read `journalctl -u kommunpost-log-maintain`, and start it"
        found.append(Problem(what, "the log", remedy))
    return found


def _ask(
    connection: psycopg.Connection[Any], own_host: str | None
) -> tuple[tuple[HostHealth, ...], StoreHealth]:
    rows = connection.execute("SELECT host, shipped_until, followed_until FROM log.host_health()")
    hosts = [HostHealth(*row) for row in rows]
    if own_host:
        hosts = [one for one in hosts if one.host == own_host] or [HostHealth(own_host, None, None)]
    row = connection.execute(
        "SELECT sealed, reconciled, reconcile_status, months_ahead FROM log.store_health()"
    ).fetchone()
    return tuple(hosts), StoreHealth(*row or (None, None, None, 0))


def _position(connection: psycopg.Connection[Any], folder: Path) -> int:
    row = connection.execute("SELECT log.position_of(%s)", [OutboxReader(folder).id]).fetchone()
    return int(row[0]) if row else 0


def _outbox(capture: Capture, position: int | None) -> OutboxHealth:
    """Look at the outbox; position: the last sequence that the database has, if it could say."""
    folder = capture.outbox
    disk = os.statvfs(folder)
    reader = OutboxReader(folder)
    oldest: datetime | None = None
    if position is not None:
        reader.seek(position)
        waiting = reader.read(1).lines
        oldest = datetime.fromisoformat(json.loads(waiting[0])["accepted_at"]) if waiting else None
    size = sum(path.stat().st_size for path in segments(folder))
    frame = disk.f_frsize
    return OutboxHealth(folder, size, disk.f_bavail * frame, disk.f_blocks * frame, oldest)


def _trial(folder: Path) -> list[Problem]:
    """Write as the milter does, beside its segments, and say if that fails."""
    path = folder / "trial"
    try:
        with path.open("wb") as file:
            file.write(bytes(_TRIAL_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        remedy = "mend the disk or free space there; then mail is accepted again by itself"
        what = f"the outbox cannot write, so no mail is accepted ({error.strerror})"
        return [Problem(what, str(folder), remedy)]
    finally:
        with suppress(OSError):  # a disk that can only be read refuses this too
            path.unlink()
    return []


def _unreadable(folder: Path, error: OSError) -> Problem:
    remedy = "run as root or the user kommunpost, on a mail host"
    return Problem(f"the outbox cannot be read ({error.strerror})", str(folder), remedy)


def _age(now: datetime, then: datetime) -> str:
    minutes = int((now - then).total_seconds() // 60)
    return f"{minutes} minutes" if minutes < 180 else f"{minutes // 60} hours"


def as_json(health: Health) -> dict[str, Any]:
    """Return it for a program: sizes in bytes, times ISO 8601 in UTC, days as 2026-11-25."""
    plain = asdict(health)
    plain["healthy"] = not health.problems
    return plain


def as_text(health: Health) -> list[str]:
    """Return the lines that a technician reads."""
    lines = []
    if box := health.outbox:
        waits = f", oldest not shipped {_at(box.oldest_unshipped)}" if box.oldest_unshipped else ""
        lines.append(
            f"outbox: {box.bytes / 2**20:,.1f} MiB, {box.free / 2**20:,.0f} of "
            f"{box.capacity / 2**20:,.0f} MiB free{waits}"
        )
    lines += [
        f"{one.host}: shipped until {_at(one.shipped_until)}, journal read until "
        f"{_at(one.followed_until)}"
        for one in health.hosts
    ]
    if kept := health.store:
        ended = f" (status {kept.reconcile_status})" if kept.reconciled else ""
        lines.append(
            f"sealed: {kept.sealed or 'nothing yet'}; reconciled: "
            f"{kept.reconciled or 'nothing yet'}{ended}; months ahead: {kept.months_ahead}"
        )
    lines += [str(problem) for problem in health.problems] or ["all is well"]
    return lines


def _at(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment else "never"
