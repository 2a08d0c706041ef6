"""How the message log is: what a host and the database tell of it, and what of that is wrong.

Looked at on a mail host it is about that host's outbox and the database; elsewhere about the
database and all mail hosts.
"""

import socket
import time
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from compliance.errors import Problem, UserError
from compliance.messagelog import reconcile, store
from compliance.messagelog.entry import instant
from compliance.messagelog.outbox_health import (
    LATE,
    OutboxHealth,
    Places,
    age,
    judge_outbox,
    look_at,
    places_of,
)
from compliance.messagelog.shipped import Shipped
from compliance.settings import Capture, Log
from compliance.texts import counted

# A day is closed and compared in the first hour of the next one (UTC).
LATE_DAYS = 2
FEWEST_MONTHS = 2
# One that is started again is back before the last try.
_TRIES = 5
_PAUSE_SECONDS = 1.0
_ANSWER_SECONDS = 5.0


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
    places: Places | None = None
    try:
        with store.session(log) as connection:
            hosts, kept = _ask(connection, own.host if own else None)
            if own:
                places = places_of(Shipped(connection, own.host), own.outbox)
    except UserError as error:
        problems += error.problems
    if own:
        outbox, found = look_at(own.outbox, places)
        problems = _milter(own.socket) + found + problems
    problems += judge(now, outbox, hosts, kept)
    return Health(now, outbox, hosts, kept, tuple(problems))


def _milter(place: str) -> list[Problem]:
    """See that the milter takes connections, as Postfix makes them. place: unix:/path."""
    path = place.removeprefix("unix:")
    for number in range(_TRIES):
        if number:
            time.sleep(_PAUSE_SECONDS)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as milter:
                milter.settimeout(_ANSWER_SECONDS)
                milter.connect(path)
        except PermissionError:
            return []  # whoever looks may not; the outbox tells them so
        except OSError as error:
            why = error.strerror or str(error)
        else:
            return []
    remedy = "read `journalctl -u kommunpost-milter`; when it runs, mail is accepted by itself"
    return [Problem(f"the milter does not answer, so no mail is accepted ({why})", path, remedy)]


def judge(
    now: datetime,
    outbox: OutboxHealth | None,
    hosts: tuple[HostHealth, ...],
    kept: StoreHealth | None,
) -> list[Problem]:
    """Say what is wrong with what was seen."""
    found: list[Problem] = []
    if outbox:
        found += judge_outbox(now, outbox)
    for host in hosts:
        found += _judge_host(now, host)
    return found + (_judge_store(now, kept) if kept else [])


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
            when = f"{age(now, until)} ago" if until else "never"
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
        what = f"only {counted(kept.months_ahead, 'month is', 'months are')} made ahead"
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


def as_json(health: Health) -> dict[str, Any]:
    """Return it for a program: sizes in bytes, times ISO 8601 in UTC, days as 2026-11-25."""
    plain: dict[str, Any] = _plain(asdict(health))
    plain["healthy"] = not health.problems
    return plain


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    match value:
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case datetime():
            return instant(value)
        case date() | Path():
            return str(value)
        case _:
            return value


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
