"""What the log answers a reader: the values that `reading.py` gives, and the states of delivery."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

Row = dict[str, Any]


@dataclass(frozen=True)
class Delivery:
    """What became of an entry at one of the places that it went to, as last told.

    recipient: another than the entry's where that is a list or an alias. status: `sent`,
    `deferred`, `bounced` or `expired`. at: of the last attempt. tls: as the journal names it.
    """

    recipient: str
    at: datetime
    status: str
    dsn: str | None
    relay: str | None
    reply: str | None
    tls: str | None


class Answered(NamedTuple):
    """An entry and one that it answers, by their places in the log. message_id: of the latter."""

    outbox: UUID
    sequence: int
    answered_outbox: UUID
    answered_sequence: int
    message_id: str


@dataclass(frozen=True)
class Session:
    """Who reads, and what they may. units: ids, without meaning if `everything`."""

    reader: str
    name: str
    units: list[str]
    everything: bool
    expires_at: datetime


@dataclass(frozen=True)
class Evidence:
    """What proves a unit's entries (docs/seal-format.md), as the database has it.

    rows: the entries whole, by column, with `version` and `seed`. leaves: by day (UTC), in the
    tree's order, each outbox with its sequences and their hashes one behind another. closings: the
    number, text and signature of the statement that closed a day; none for a day that is open.
    """

    rows: list[Row]
    leaves: dict[date, list[tuple[UUID, list[int], bytes]]]
    closings: dict[date, tuple[int, str, bytes]]


@dataclass(frozen=True)
class DayCount:
    """How many entries a unit has on a Swedish day; probes count in no other number.

    unit: '' for entries of no unit.
    """

    unit: str
    day: date
    incoming: int
    outgoing: int
    internal: int
    probes: int


@dataclass(frozen=True)
class Trace:
    """One line of the trail: who asked for what and how many rows went out. unit None: all."""

    number: int
    asked_at: datetime
    reader: str
    name: str
    action: str
    unit: str | None
    filter: dict[str, Any]
    rows: int


def worst(deliveries: Iterable[Delivery]) -> str | None:
    """Return the status that matters most where mail went to several places; None without any."""
    states = {delivery.status for delivery in deliveries}
    return next((status for status in _WORST_FIRST if status in states), None)


_WORST_FIRST = ("bounced", "expired", "deferred", "sent")
