"""What Postfix says of a message in a line of its log. Pure: a line in, a fact out.

Texts are those of postfix(1)'s smtpd, cleanup, qmgr and delivery agents (3.10), without the name of
the program. Queue ids are the long ones (`enable_long_queue_ids = yes`): none comes twice.
"""

import re
from dataclasses import dataclass

QUEUE_ID = r"(?P<queue_id>[0-9A-Za-z]{6,})"
_QUEUED = re.compile(rf"{QUEUE_ID}: from=<.*>, size=\d+, nrcpt=(?P<recipients>\d+) \(queue active")
_REFUSED = re.compile(
    rf"{QUEUE_ID}: (?P<milter>milter-)?reject: \S+ (?:.*? )?from \S+: "
    r"(?P<reply>[^;]*)(?P<rest>.*)"
)
_TO = re.compile(r" to=<(?P<recipient>.*?)>")
_OUTCOME = re.compile(
    rf"{QUEUE_ID}: to=<(?P<recipient>.*?)>, (?:orig_to=<(?P<orig_to>.*?)>, )?"
    r"relay=(?P<relay>[^,]*), (?:conn_use=\d+, )?delay=(?P<delay>[\d.]+), .*?"
    r"dsn=(?P<dsn>\d\.\d+\.\d+), status=(?P<status>sent|deferred|bounced|expired) "
    r"\((?P<reply>.*)\)$"
)


@dataclass(frozen=True, slots=True)
class Queued:
    """A message came into the queue, to so many recipients: Postfix has accepted it."""

    queue_id: str
    recipients: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """An attempt to deliver ended. orig_to: what the sender wrote, where recipient is another.

    relay: `none` if none was reached. delay: seconds since the message came. status: `sent`,
    `deferred`, `bounced` or `expired`.
    """

    queue_id: str
    recipient: str
    orig_to: str | None
    relay: str
    delay: float
    dsn: str
    status: str
    reply: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A client was refused. queue_id: `NOQUEUE` before there is one. recipient: None if unnamed."""

    queue_id: str
    by_milter: bool
    reply: str
    recipient: str | None


def queued(text: str) -> Queued | None:
    """Read a line of qmgr; None if it says something else."""
    found = _QUEUED.match(text)
    return Queued(found["queue_id"], int(found["recipients"])) if found else None


def outcome(text: str) -> Outcome | None:
    """Read a line of a delivery agent; None if it says something else."""
    found = _OUTCOME.match(text)
    if found is None:
        return None
    return Outcome(
        found["queue_id"],
        found["recipient"],
        found["orig_to"],
        found["relay"],
        float(found["delay"]),
        found["dsn"],
        found["status"],
        found["reply"],
    )


def refusal(text: str) -> Refusal | None:
    """Read a line of smtpd or cleanup; None if it says something else."""
    found = _REFUSED.match(text)
    if found is None:
        return None
    named = _TO.search(found["rest"])
    return Refusal(
        found["queue_id"],
        found["milter"] is not None,
        found["reply"],
        named["recipient"] if named else None,
    )
