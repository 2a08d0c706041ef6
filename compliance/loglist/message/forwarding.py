"""A message that belongs to another authority, ready to be sent there with its day of receipt."""

import secrets
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP

from compliance.clock import SWEDEN
from compliance.letters import render
from compliance.messagelog.formats import visible


def letter(raw: bytes, *, received: datetime, subject: str, unit: str, municipality: str) -> bytes:
    """Return a draft (.eml) that carries the message unaltered and says when it was received.

    It names no sender and no recipient: whoever forwards it opens it in their mail program and
    sends it as their own (`X-Unsent` makes most programs open it as a draft).
    """
    at = received.astimezone(SWEDEN)
    title, text = render(
        "forwarded.txt.j2",
        subject=visible(subject)[:200],
        unit=unit,
        municipality=municipality,
        day=f"{at:%Y-%m-%d}",
        time=f"{at:%H:%M}",
    )
    covering = EmailMessage(policy=SMTP)
    covering.set_content(text, cte="base64")
    boundary = secrets.token_hex(30)
    head = (
        f"X-Unsent: 1\r\nSubject: {Header(title, 'utf-8').encode(linesep=chr(13) + chr(10))}\r\n"
        f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'
        f"--{boundary}\r\n"
    )
    attached = (
        f"\r\n--{boundary}\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n"
        'Content-Disposition: attachment; filename="original.eml"\r\n\r\n'
    )
    # The original goes in as bytes: a parser that wrote it anew would change it.
    end = f"\r\n--{boundary}--\r\n"
    return head.encode() + covering.as_bytes() + attached.encode() + raw + end.encode()
