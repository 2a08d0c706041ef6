"""Sends letters of our own: plain text in Swedish, as mail that is logged like any other."""

import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid

from compliance.errors import UserError
from compliance.settings import Submission, read_secret

_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter ready to be sent: one line of subject, a body of plain text.

    message_id: its own, for one that may be sent again; else it gets one.
    """

    to: str
    subject: str
    body: str
    message_id: str = ""


def send(sender: Submission, letter: Letter) -> None:
    """Submit a letter over TLS. Raises UserError if it is not taken.

    It is marked as made by a program, so that no automatic answer comes back (RFC 3834, 5); what a
    person answers goes to postmaster, since nobody reads the sender's mailbox.
    """
    message = EmailMessage(policy=SMTP)
    domain = sender.address.partition("@")[2]
    message["From"] = Address("Kommunpost", addr_spec=sender.address)
    message["Reply-To"] = f"postmaster@{domain}"
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = letter.message_id or make_msgid(domain=domain)
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "sv"
    message.set_content(letter.body)
    tls = ssl.create_default_context(cafile=sender.ca_file)
    try:
        with smtplib.SMTP_SSL(sender.host, sender.port, context=tls, timeout=_SECONDS) as smtp:
            smtp.login(sender.login, read_secret(sender.password_file))
            smtp.send_message(message, sender.address, [letter.to])
    except (OSError, smtplib.SMTPException) as error:
        raise UserError.of(
            f"the letter to {letter.to} could not be sent ({error})",
            f"{sender.host}:{sender.port}",
            "see that Postfix and Dovecot run there, and that the sender's password is right; "
            "playbooks/directory.yml sets it",
        ) from error
