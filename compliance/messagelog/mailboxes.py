"""What lies unread in function mailboxes, noted in the log's database for those who supervise."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from compliance.messagelog import store
from compliance.settings import Log


class Mailbox(NamedTuple):
    """A function mailbox of a unit, as it was when the mail store looked.

    unread_since: when its oldest unread message came; None if all was read.
    """

    address: str
    unit: str
    looked_at: datetime
    unread_since: datetime | None


def note(log: Log, boxes: Sequence[Mailbox]) -> None:
    """Note what was found, in place of all that was noted before. Raises UserError.

    log: as kommunpost_writer.
    """
    found = json.dumps([box._asdict() for box in boxes], default=datetime.isoformat)
    with store.session(log) as connection:
        connection.execute("SELECT log.note_mailboxes(%s::jsonb)", [found])
