"""Function mailboxes that nobody keeps read: who is named, and since when mail lies unread."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from compliance.directory import ldap
from compliance.directory.held import read_watch
from compliance.errors import UserError
from compliance.messagelog.mailboxes import Mailbox
from compliance.messagelog.reading import Reader
from compliance.watch.keepers import watched
from compliance.watch.reminders import Watched, is_late
from compliance.workdays import age

_KEPT_SECONDS = 600


@dataclass(frozen=True)
class Box:
    """A function mailbox, as far as it is known how it is watched.

    name: its address where the directory doesn't tell. is_kept: whether somebody who is here is
    named for it. unread_since, days: when its oldest unread message came, and the whole working
    days that it had lain then, if that is too long.
    """

    address: str
    name: str
    unit: str
    is_kept: bool
    unread_since: datetime | None
    days: int

    @property
    def is_unwatched(self) -> bool:
        """Whether nobody keeps it read."""
        return not self.is_kept or self.unread_since is not None


@dataclass(frozen=True)
class Watch:
    """How the mailboxes of some units are watched.

    knows_keepers: whether the directory told who is named. looked_at: when it was last noted what
    lies unread; None if it isn't known. is_stale: a whole working day has passed since then.
    not_looked_into: mailboxes of which nothing was noted then.
    """

    unwatched: list[Box]
    knows_keepers: bool
    looked_at: datetime | None
    is_stale: bool
    not_looked_into: int

    @property
    def is_known(self) -> bool:
        """Whether anything is known at all."""
        return self.knows_keepers or self.looked_at is not None


def watch_over(reader: Reader, units: Collection[str]) -> Watch:
    """Return how the mailboxes of units that the reader may see are watched."""
    noted = {box.address: box for box in reader.mailboxes() if box.unit in units}
    boxes: dict[str, Watched] = {}
    knows_keepers = True
    try:
        boxes = {box.address: box for box in _boxes() if box.unit in units}
    except UserError:
        knows_keepers = False
    # A mailbox that was closed since is none any more, if the directory says so.
    each = (_look(address, boxes, noted) for address in sorted(boxes if knows_keepers else noted))
    looked_at = max((box.looked_at for box in noted.values()), default=None)
    return Watch(
        unwatched=[box for box in each if box.is_unwatched],
        knows_keepers=knows_keepers,
        looked_at=looked_at,
        is_stale=looked_at is not None and age(looked_at, timezone.now()) > 0,
        not_looked_into=len(boxes.keys() - noted.keys()),
    )


def _look(address: str, boxes: Mapping[str, Watched], noted: Mapping[str, Mailbox]) -> Box:
    """Put together what directory and note tell of a mailbox; one of the two has it."""
    box, seen = boxes.get(address), noted.get(address)
    since, days = None, 0
    if seen and seen.unread_since and is_late(seen.unread_since, seen.looked_at):
        since, days = seen.unread_since, age(seen.unread_since, seen.looked_at)
    if box is None:
        return Box(
            address, address, noted[address].unit, is_kept=True, unread_since=since, days=days
        )
    return Box(address, box.name, box.unit, box.is_kept, unread_since=since, days=days)


def _boxes() -> list[Watched]:
    """Return every function mailbox in use; what the directory said stands for ten minutes.

    Raises UserError if it doesn't say.
    """
    boxes: list[Watched] | None = cache.get("watched")
    if boxes is None:
        base = settings.DIRECTORY.base
        with ldap.connect(settings.DIRECTORY, "reader") as connection:
            boxes = list(watched(read_watch(connection, base), base))
        if not boxes:
            raise UserError.of("the directory names no executive office", settings.DIRECTORY.uri)
        cache.set("watched", boxes, _KEPT_SECONDS)
    return boxes
