"""The archive's copies: which messages have one, and how it is found again.

A message to or from a function mailbox gets one further envelope recipient, so that Postfix
delivers one copy of it to the archive, however many function mailboxes it concerns. The copy is
known by the queue id in its topmost Received header of Postfix, as its entries in the log are.
"""

import re
from datetime import date, timedelta
from email import message_from_bytes, policy

# Top-level domain reserved by RFC 2606: nobody outside can ever write to it.
DOMAIN = "archive.invalid"
_QUEUE_ID = "[A-Za-z0-9]+"
_RECEIVED = re.compile(rf"\bby (\S+) \(Postfix\b.*?\bid ({_QUEUE_ID})", re.DOTALL)


def recipient_on(day: date) -> str:
    """Return the archive's envelope address for a message accepted on a day (UTC)."""
    return f"archive+{folder_of(day)}@{DOMAIN}"


def folder_of(day: date) -> str:
    """Return the archive's folder for a day (UTC)."""
    return day.isoformat()


def folders_for(accepted: date) -> list[str]:
    """Return the folders in which the copy of an entry of that day can lie.

    The copy's address is made just before the entry: over midnight the two differ.
    """
    return [folder_of(accepted), folder_of(accepted - timedelta(days=1))]


def can_be_known(queue_id: str) -> bool:
    """Say whether a Postfix can have given a queue id: no copy is known by another.

    What a mail host wrote into the log may be anything, also a command to the archive.
    """
    return re.fullmatch(_QUEUE_ID, queue_id) is not None


def is_copy_of(raw: bytes, host: str, queue_id: str) -> bool:
    """Say whether an archived message is the one that a host accepted under a queue id.

    Only the topmost Received header of a Postfix counts: those below are the sender's word.
    """
    headers = message_from_bytes(raw, policy=policy.compat32).get_all("Received", [])
    found = next(filter(None, (_RECEIVED.search(str(value)) for value in headers)), None)
    return found is not None and found.groups() == (host, queue_id)
