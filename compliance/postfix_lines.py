"""What Postfix says of a message in a line of its log. Pure: a line in, a fact out.

Texts are those of postfix(1)'s smtpd, cleanup, qmgr and delivery agents (3.10), without the name of
the program. Queue ids are the long ones (`enable_long_queue_ids = yes`): none comes twice.

Strangers write what stands in these lines: the addresses, and what the other side answered. So an
address ends where Postfix ends it, whatever it looks like inside (`info_log_address_format =
external`: a local part with special characters is quoted as a whole, RFC 5321 section 4.1.2), and
fields are read in Postfix's order. Postfix cuts a line at 2,000 bytes: what stands last may lack.
"""

import re
from dataclasses import dataclass

QUEUE_ID = r"(?P<queue_id>[0-9A-Za-z]{6,60})"
ADDRESS = r'(?:"(?:[^"\\]|\\.)*+"[^>]*+|(?!")[^>]*+)'
_CUT_AT = 2000
_QUEUED = re.compile(
    rf"{QUEUE_ID}: from=<{ADDRESS}>, size=\d+, nrcpt=(?P<recipients>\d{{1,9}}) \(queue active"
)
_FROM = re.compile(rf"{QUEUE_ID}: from=<")
_REFUSED = re.compile(
    rf"{QUEUE_ID}: (?P<milter>milter-)?reject: \S+ (?:.*? )?from \S+: "
    rf"(?P<reply>(?:<{ADDRESS}>|[^;])*+)(?P<rest>.*)"
)
# By header_checks, body_checks or for its MIME. What was found is quoted, and strangers wrote it;
# only what stands last is a reason of Postfix's or its rules', where there is one.
_CONTENT_REFUSED = re.compile(rf"{QUEUE_ID}: reject: (?P<found>header|body|mime-error) ")
_LAST_REASON = re.compile(r".*: (?P<reply>[45]\.\d{1,3}\.\d{1,3} .*)")
_NO_REASON = "message content rejected"  # as Postfix says where its rule gives none
_TO = re.compile(rf"; (?:from=<{ADDRESS}> )?to=<(?P<recipient>{ADDRESS})>")
_ATTEMPT = (
    rf"{QUEUE_ID}: to=<(?P<recipient>{ADDRESS})>, (?:orig_to=<(?P<orig_to>{ADDRESS})>, )?"
    r"relay=(?P<relay>[^,]*), (?:conn_use=\d+, )?delay=(?P<delay>\d{1,10}(?:\.\d+)?), "
    r"(?:[a-z]+=[^,]*, )*dsn=(?P<dsn>\d\.\d+\.\d+), "
)
_OUTCOME = re.compile(
    rf"{_ATTEMPT}status=(?P<status>sent|deferred|bounced|expired|SOFTBOUNCE) \((?P<reply>.*?)\)?$"
)
_PROBED = re.compile(rf"{_ATTEMPT}status=(?:un)?deliverable \(")


@dataclass(frozen=True, slots=True)
class Queued:
    """A message came into the queue: Postfix has accepted it.

    recipients: how many; None if the line was cut before it says so.
    """

    queue_id: str
    recipients: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """An attempt to deliver ended. orig_to: what the sender wrote, where recipient is another.

    relay: `none` if none was reached. delay: seconds since the message came. status: `sent`,
    `deferred`, `bounced` or `expired`. What would bounce but for `soft_bounce = yes` is deferred.
    reply: without its end if the line was cut.
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
    if found:
        return Queued(found["queue_id"], int(found["recipients"]))
    # That its time is up is said in such a line too, but only of what was accepted before.
    cut = _FROM.match(text) if _may_be_cut(text) else None
    return Queued(cut["queue_id"], None) if cut else None


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
        "deferred" if found["status"] == "SOFTBOUNCE" else found["status"],
        found["reply"],
    )


def probed(text: str) -> str | None:
    """Return the queue id of a message that only asked whether an address is deliverable.

    It is Postfix's own (`reject_unverified_recipient`, `sendmail -bv`), and passes the milters by.
    """
    found = _PROBED.match(text)
    return found["queue_id"] if found else None


def refusal(text: str) -> Refusal | None:
    """Read a line of smtpd or cleanup; None if it says something else."""
    if content := _CONTENT_REFUSED.match(text):
        return Refusal(content["queue_id"], False, _content_reply(content["found"], text), None)
    found = _REFUSED.match(text)
    if found is None:
        return None
    named = _TO.match(found["rest"])
    return Refusal(
        found["queue_id"],
        found["milter"] is not None,
        found["reply"],
        named["recipient"] if named else None,
    )


def _content_reply(found: str, text: str) -> str:
    has_reason = found != "mime-error" and not _may_be_cut(text)
    last = _LAST_REASON.match(text) if has_reason else None
    return last["reply"] if last else _NO_REASON


def _may_be_cut(text: str) -> bool:
    return len(text.encode("utf-8", "replace")) >= _CUT_AT
