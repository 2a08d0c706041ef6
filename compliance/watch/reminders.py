"""Who is reminded that mail lies unread, and when. Pure.

Only the age of the oldest unread message counts. Who has looked into a mailbox is not known here
and must not be: it would turn the watch over mailboxes into a watch over people.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from compliance.clock import SWEDEN
from compliance.workdays import age, is_working_day

# Whole working days unread before the first, the second and the third are told: mailboxes are read
# every working day, in absence too (W2; JO practice, so a default and no law).
STEPS = (1, 2, 3)


class Keeper(StrEnum):
    """In whose turn a mailbox is watched over."""

    WATCHER = "watcher"
    DEPUTY = "deputy"
    HEAD = "head"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a letter goes to; name is the reference in case of a protected identity (P1)."""

    address: str
    name: str


@dataclass(frozen=True)
class Watched:
    """A mailbox and those who keep it read, without those who have left or are on leave.

    unit: id of the one that it belongs to. head is always there, as the municipal executive office
    stands in for a missing one. The watcher of a position is its holder, and there is no deputy.
    """

    address: str
    name: str
    unit: str
    head: Recipient
    watcher: Recipient | None = None
    deputy: Recipient | None = None
    is_position: bool = False

    @property
    def is_kept(self) -> bool:
        """Whether anybody who is here is named to keep it read."""
        return bool(self.watcher or self.deputy)

    @property
    def chain(self) -> tuple[tuple[Keeper, Recipient], ...]:
        """Give those who can be told, in their turn: without a watcher the deputy is first."""
        turns = (
            (Keeper.WATCHER, self.watcher),
            (Keeper.DEPUTY, self.deputy),
            (Keeper.HEAD, self.head),
        )
        return tuple((keeper, person) for keeper, person in turns if person)


@dataclass(frozen=True)
class Told:
    """Who was told of one oldest message, and on which day; another oldest one begins anew."""

    arrived: datetime
    days: Mapping[Keeper, date] = field(default_factory=dict)


@dataclass(frozen=True)
class Reminder:
    """One letter that is due: to whom and in which turn; age in whole working days."""

    mailbox: Watched
    keeper: Keeper
    to: Recipient
    arrived: date
    age: int


def is_late(oldest_unread: datetime, looked_at: datetime) -> bool:
    """Say whether mail lay unread for as long as the first is told of, when it was looked at."""
    return age(oldest_unread, looked_at) >= STEPS[0]


def due(
    mailbox: Watched, oldest_unread: datetime | None, now: datetime, told: Told | None
) -> Reminder | None:
    """Give the letter that is due today for a mailbox, if any.

    oldest_unread: when the oldest unread message came, with a zone; None if all is read. At most
    one letter a working day, and each in their turn: nobody's chief hears of it before they did.
    """
    if oldest_unread is None:
        return None
    today = now.astimezone(SWEDEN).date()
    if not is_working_day(today):
        return None
    days = told.days if told and told.arrived == oldest_unread else {}
    if today in days.values():
        return None
    old = age(oldest_unread, now)
    for (keeper, person), step in zip(mailbox.chain, STEPS, strict=False):
        if keeper not in days:
            if old < step:
                return None
            arrived = oldest_unread.astimezone(SWEDEN).date()
            return Reminder(mailbox, keeper, person, arrived, old)
    return None


def after(reminder: Reminder, oldest_unread: datetime, today: date, told: Told | None) -> Told:
    """Give what is to be remembered once a reminder has been sent."""
    days = told.days if told and told.arrived == oldest_unread else {}
    return Told(oldest_unread, {**days, reminder.keeper: today})
