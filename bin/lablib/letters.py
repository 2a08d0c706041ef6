"""Write, send and find letters as an ordinary client does: SMTP and IMAP, nothing else."""

import json
import smtplib
import ssl
import time
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import SMTP, default
from email.utils import formatdate, make_msgid
from functools import cached_property
from pathlib import Path
from typing import Any

from imapclient import IMAPClient


@dataclass(frozen=True)
class Account:
    """A mailbox that can be logged in to, and where."""

    name: str
    address: str
    login: str
    password: str
    submission: dict[str, Any]
    imaps: dict[str, Any]


class World:
    """The lab as `lab.json` describes it."""

    def __init__(self, facts: Path) -> None:
        """Read the file that `make lab` wrote."""
        self.facts: dict[str, Any] = json.loads(facts.read_text(encoding="utf-8"))
        self.domain: str = self.facts["domain"]

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """A context that trusts the lab's own authority, and nothing else."""
        return ssl.create_default_context(cafile=self.facts["ca_file"])

    def service(self, name: str) -> dict[str, Any]:
        """Return a service with the address that it is reached at."""
        service = self.facts["services"][name]
        host = next(h for h in self.facts["hosts"].values() if h["fqdn"] == service["host"])
        return {**service, "address": host["address"]}

    def person(self, address: str) -> Account:
        """Return the account of an example person."""
        facts = next(p for p in self.facts["people"] if p["address"] == address)
        return self._account(facts, "submissions", "imaps")

    @property
    def commissioner(self) -> Account:
        """Return the commissioner's account."""
        return self.person(self.facts["commissioner"])

    @property
    def outsider(self) -> Account:
        """Return the account of somebody in the outside world."""
        facts = {"name": "En invånare", **self.facts["outside_mailbox"]}
        return self._account(facts, "outside_submissions", "outside_imaps")

    def colleagues(self, count: int) -> list[Account]:
        """Return employees with a PC, other than the commissioner."""
        people = [p for p in self.facts["people"] if p["pc"]]
        chosen = [p for p in people if p["address"] != self.facts["commissioner"]][:count]
        return [self._account(p, "submissions", "imaps") for p in chosen]

    def _account(self, facts: dict[str, Any], submission: str, imaps: str) -> Account:
        return Account(
            facts["name"], facts["address"], facts["login"], facts["password"],
            self.service(submission), self.service(imaps),
        )  # fmt: skip

    def submit(self, sender: Account, letter: EmailMessage, *recipients: str) -> None:
        """Send as a mail client does: implicit TLS, log-in, one transaction."""
        where = sender.submission
        with smtplib.SMTP_SSL(
            where["address"], where["port"], context=self.tls, timeout=60
        ) as smtp:
            smtp.login(sender.login, sender.password)
            smtp.send_message(letter, sender.address, recipients or [str(letter["To"])])

    def mailbox(self, owner: Account) -> IMAPClient:
        """Open a mailbox as its owner."""
        where = owner.imaps
        client = IMAPClient(where["address"], where["port"], ssl_context=self.tls, timeout=60)
        client.login(owner.login, owner.password)
        return client

    def arrival(
        self, owner: Account, message_id: str, seconds: float = 60, header: str = "Message-ID"
    ) -> Message:
        """Wait until a letter lies in the owner's INBOX and return it, unread as before.

        header: where the id stands; In-Reply-To finds what was answered to it. Raises TimeoutError
        when it has not come after `seconds`.
        """
        deadline = time.monotonic() + seconds
        with self.mailbox(owner) as client:
            client.select_folder("INBOX", readonly=True)
            while not (found := client.search(["HEADER", header, message_id])):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"{message_id} did not reach {owner.address} in {seconds} s")
                client.idle()
                client.idle_check(timeout=min(left, 5))
                client.idle_done()
            raw = client.fetch(found, ["BODY.PEEK[]"])[found[0]][b"BODY[]"]
        return BytesParser(policy=default).parsebytes(raw)


def letter(sender: Account | str, to: str, subject: str, text: str = "Hej!\n") -> EmailMessage:
    """Write a plain letter with date and Message-ID, ready to send."""
    message = EmailMessage(policy=SMTP)
    if isinstance(sender, Account):
        message["From"] = Address(sender.name, addr_spec=sender.address)
    else:
        message["From"] = sender
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = make_msgid(domain=str(message["From"].addresses[0].domain))
    message.set_content(text)
    return message
