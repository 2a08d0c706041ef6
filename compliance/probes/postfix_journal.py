"""Postfix's own words about a message, read from the journal. Pure: lines in, a trail out."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from compliance.postfix_lines import QUEUE_ID, outcome, queued, refusal

_MESSAGE_ID = re.compile(rf"{QUEUE_ID}: message-id=(?P<message_id><.*>)")


@dataclass(frozen=True)
class Delivery:
    """One delivery attempt: Postfix's status (sent, deferred, bounced, expired) and its reason."""

    recipient: str
    status: str
    reason: str


@dataclass(frozen=True)
class Reject:
    """A refusal before the queue; `to` is None when it came before any recipient was named."""

    to: str | None
    reply: str


@dataclass
class Trail:
    """What is known so far; `read` adds lines in the journal's order."""

    queue_ids: dict[str, str] = field(default_factory=dict)
    accepted: dict[str, None] = field(default_factory=dict)
    deliveries: dict[str, list[Delivery]] = field(default_factory=lambda: defaultdict(list))
    rejects: dict[str | None, Reject] = field(default_factory=dict)

    def read(self, lines: Iterable[str]) -> None:
        """Take in more lines; those that say nothing of these things are passed over."""
        for line in lines:
            self._read(line)

    def _read(self, line: str) -> None:
        if found := _MESSAGE_ID.match(line):
            self.queue_ids.setdefault(found["message_id"], found["queue_id"])
        elif accepted := queued(line):
            self.accepted.setdefault(accepted.queue_id)
        elif told := outcome(line):
            recipient = (told.orig_to or told.recipient).lower()
            self.deliveries[told.queue_id].append(Delivery(recipient, told.status, told.reply))
        elif refused := refusal(line):
            to = refused.recipient.lower() if refused.recipient else None
            if to or refused.by_milter:
                self.rejects[to] = Reject(to, refused.reply)

    def delivery(self, message_id: str, recipient: str) -> Delivery | None:
        """Return the last attempt to deliver a message to one recipient, if there was any."""
        attempts = self.deliveries.get(self.queue_ids.get(message_id, ""), [])
        own = [attempt for attempt in attempts if attempt.recipient == recipient.lower()]
        return own[-1] if own else None

    def rejection(self, recipient: str) -> Reject | None:
        """Return the last refusal that named this recipient, else a milter's that named nobody."""
        return self.rejects.get(recipient.lower()) or self.rejects.get(None)

    def recipients(self, queue_id: str) -> tuple[str, ...]:
        """Return the recipients that delivery has named so far, as the sender wrote them."""
        return tuple(dict.fromkeys(a.recipient for a in self.deliveries.get(queue_id, ())))
