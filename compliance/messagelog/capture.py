"""What the milter decides, apart from the milter: messages to entries, and who may send as whom.

Pure but for the directory that is handed in, so that it runs and is tested on any machine.
`milter_session.py` feeds it from Postfix.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from compliance import probe_token
from compliance.messagelog import addresses, archive, message_ids
from compliance.messagelog.entry import ClientClass, Direction, LogEntry
from compliance.messagelog.mime import Attachments, Scanner
from compliance.messagelog.text import INDEXED_CHARACTERS, bounded, clean, eight_bit, readable

PROBE_LABEL = "probe"

# Bounds on what strangers can make us keep.
_MAX_FROM = 2_000
_MAX_VERDICT = 200
_MAX_HEADER_BYTES = 131_072

_TOKEN = probe_token.TOKEN_HEADER.lower()
_NAMING = ("from", "sender")  # who it is from (RFC 5322, 3.6.2)
_WANTED = {
    *(*_NAMING, "subject", "content-type", "content-disposition"),
    *("message-id", "in-reply-to", "references"),
    _TOKEN,
}


class MustAskError(Exception):
    """The answer isn't in memory: the directory must be asked, which may take time."""


class Directory(Protocol):
    """What the capture asks the directory.

    Answers come from memory; one that doesn't comes within a short time-out, or, where nobody may
    wait, each method raises MustAskError instead.
    """

    def unit_of(self, address: str) -> str | None:
        """Return the id of the unit that the mailbox with this address belongs to."""

    def is_function(self, address: str) -> bool:
        """Say whether this is an address of a function mailbox."""

    def addresses_of(self, login: str, sender: str) -> frozenset[str] | None:
        """Return the addresses that a login may name when it sends with this envelope sender.

        None while nothing is known.
        """


@dataclass(frozen=True)
class Reply:
    """An SMTP reply: code, enhanced code (RFC 3463), text, and the reason that is counted."""

    code: str
    enhanced: str
    text: str
    reason: str


NOT_YOURS = Reply(
    "550",
    "5.7.1",
    "From and Sender must be your own address, or that of the mailbox that you send as",
    "from-not-own",
)
NOT_FOR_YOU = Reply("550", "5.1.1", "Nobody writes to the archive", "to-archive")
NULL_SENDER = Reply("550", "5.7.1", "A login cannot send without a sender", "null-sender")
NOT_KNOWN_YET = Reply("451", "4.3.0", "Addresses cannot be checked now", "directory-unavailable")
NOT_LOGGED = Reply("451", "4.3.0", "The message cannot be logged now", "outbox-unavailable")
FAILED = Reply("451", "4.3.0", "The message cannot be handled now", "error")


@dataclass
class _Kept:
    """The values of one header, in order, as far as they fit the bound."""

    values: list[bytes] = field(default_factory=list)
    size: int = 0
    cut: bool = False

    def add(self, value: bytes) -> None:
        room = _MAX_HEADER_BYTES - self.size
        self.size += len(value)
        self.cut = self.cut or len(value) > room
        if room > 0:
            self.values.append(_beginning(value, room))


@dataclass
class Message:
    """One message as it comes in. Filled by the milter, read once at end of message.

    spam_header: the name, in lower case, of the header with the spam filter's verdict, if any.
    """

    envelope_sender: str
    spam_header: str = ""
    size: int = 2  # the empty line between header and body
    forged_verdicts: int = 0
    _scanner: Scanner | None = None
    _recipients: dict[str, str] = field(default_factory=dict)
    _kept: dict[str, _Kept] = field(default_factory=dict)
    _named: dict[str, addresses.Mailboxes] = field(default_factory=dict)

    @property
    def recipients(self) -> list[str]:
        """Every envelope recipient, in order, as written."""
        return list(self._recipients.values())

    def add_recipient(self, recipient: str) -> None:
        """Note one envelope recipient; a second mention of the same is the same."""
        # As Postfix tells them apart, which delivers to each spelling and logs it by itself.
        self._recipients.setdefault(recipient.lower(), recipient)

    def add_header(self, name: str, value: bytes) -> None:
        """Note one header field as it stood, its value without the line end."""
        # Postfix hands over the value without the space before it, and line ends of one byte.
        self.size += len(name) + len(": \r\n") + len(value) + value.count(b"\n")
        key = name.strip().lower()
        if key == probe_token.VERDICT_HEADER.lower():
            self.forged_verdicts += 1
        elif key in _WANTED or (key and key == self.spam_header):
            self._kept.setdefault(key, _Kept()).add(value)

    def add_body(self, chunk: bytes) -> None:
        """Note a part of the body; all headers have come by now. It is read, not kept."""
        self.size += len(chunk)
        self._scan().feed(chunk)

    def attachments(self) -> Attachments:
        """Return what is attached. To be asked when the whole body has come."""
        return self._scan().end()

    def _scan(self) -> Scanner:
        if self._scanner is None:
            self._scanner = Scanner()
            self._scanner.begin(self._first("content-type"), self._first("content-disposition"))
        return self._scanner

    def _first(self, name: str) -> bytes:
        return next(iter(self.header(name)), b"")

    def header(self, name: str) -> list[bytes]:
        """Return the values of a wanted header, in order."""
        kept = self._kept.get(name)
        return kept.values if kept else []

    def named(self, name: str) -> addresses.Mailboxes:
        """Return whom an address header names. To be asked when all headers have come."""
        if name not in self._named:
            self._named[name] = addresses.of_header(self.header(name))
        return self._named[name]

    def is_cut(self, name: str) -> bool:
        """Say whether a header was longer than what is kept."""
        kept = self._kept.get(name)
        return kept is not None and kept.cut


@dataclass(frozen=True)
class Origin:
    """Who hands a message in. login: the authenticated user, None without login."""

    client_class: ClientClass
    login: str | None

    @property
    def is_inside(self) -> bool:
        """Say whether the municipality sends: by login or from the mail host itself."""
        return self.login is not None or self.client_class in ("local", "loopback")


@dataclass(frozen=True)
class Verdict:
    """What the milter answers. reply: the refusal, None to accept. is_probe: a token held."""

    reply: Reply | None = None
    is_probe: bool = False


@lru_cache(maxsize=1024)
def client_class(address: str) -> ClientClass:
    """Class a client's IP address. What isn't an address came over a local socket."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "local"
    if ip.is_loopback:
        return "loopback"
    return "public" if ip.is_global else "private"


def _beginning(value: bytes, most: int) -> bytes:
    """Return so much of a value, or less by a character of UTF-8 that would be cut in two."""
    if len(value) <= most:
        return value
    ends = range(most, max(most - 4, 0), -1)
    return value[: next((end for end in ends if value[end] & 0xC0 != 0x80), most)]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Capture:
    """Judge messages and log those that are to be accepted.

    host: this host's full name, in entries and as a domain of its own mail (root@host). domain: the
    municipality's mail domain, in lower case; what has no domain is of it (Postfix's myorigin).
    clock: returns now in UTC. spam_header: the name of the header in which the municipality's own
    spam filter gives its verdict, or empty. That filter is a milter before this one and removes
    such headers from what arrives: nobody else's verdict is believed.
    """

    host: str
    domain: str
    probe_key: bytes
    directory: Directory
    clock: Callable[[], datetime] = _utc_now
    spam_header: str = ""

    def begin(self, envelope_sender: str) -> Message:
        """Begin a message."""
        return Message(envelope_sender, self.spam_header.lower())

    def judge(self, message: Message, origin: Origin) -> Verdict:
        """Say whether a message may pass, and whether it is a probe. Logs nothing."""
        if any(self._domain_of(to) == archive.DOMAIN for to in message.recipients):
            return Verdict(NOT_FOR_YOU)
        reply = self._may_send(message, origin.login) if origin.login is not None else None
        return Verdict(reply) if reply else Verdict(is_probe=self._is_probe(message))

    def archive_recipient(self, message: Message, origin: Origin) -> str | None:
        """Return whom a copy goes to, if the message is to or from a function mailbox."""
        parties = list(message.recipients)
        if origin.is_inside:
            parties += [message.envelope_sender, *message.named("from").addresses]
        if any(map(self.directory.is_function, parties)):
            return archive.recipient_on(self.clock().date())
        return None

    def entries(
        self, message: Message, origin: Origin, queue_id: str, *, is_probe: bool
    ) -> list[LogEntry]:
        """Build one entry per envelope recipient."""
        now = self.clock()
        sender_unit = self._sender_unit(message, origin)
        subjects = message.header("subject")
        from_text = bounded(" | ".join(map(readable, message.header("from"))), _MAX_FROM)
        named = map(addresses.bare, message.named("from").addresses)
        from_address = bounded(", ".join(named), INDEXED_CHARACTERS)
        subject = " | ".join(filter(None, map(readable, subjects)))
        if message.is_cut("subject"):
            subject += "…"
        references = message_ids.referred(
            message.header("references"), message.header("in-reply-to")
        )
        attachments = message.attachments()
        names = "\n".join(attachments.names)
        spam_verdict = _spam_verdict(message)
        return [
            LogEntry(
                accepted_at=now,
                host=self.host,
                direction=self._direction(origin, recipient),
                envelope_sender=bounded(message.envelope_sender, INDEXED_CHARACTERS),
                recipient=bounded(recipient, INDEXED_CHARACTERS),
                from_address=from_address,
                from_text=from_text,
                subject=subject,
                subject_raw=b"\n".join(subjects),
                message_id=message_ids.own(message.header("message-id")),
                queue_id=bounded(clean(queue_id), INDEXED_CHARACTERS),
                size=message.size,
                sender_unit=sender_unit,
                recipient_unit=self.directory.unit_of(recipient),
                label=PROBE_LABEL if is_probe else None,
                authenticated_user=origin.login,
                client_class=origin.client_class,
                attachments=attachments.count,
                attachment_names=names,
                spam_verdict=spam_verdict,
                references="\n".join(references),
            )
            for recipient in message.recipients
        ]

    def _direction(self, origin: Origin, recipient: str) -> Direction:
        """By who hands the message in, never by the sender that it claims."""
        if not origin.is_inside:
            return "in"
        own = self._domain_of(recipient) in (self.domain, self.host.lower())
        return "internal" if own or self.directory.unit_of(recipient) else "out"

    def _domain_of(self, recipient: str) -> str:
        return addresses.domain_of(recipient, self.domain)

    def _sender_unit(self, message: Message, origin: Origin) -> str | None:
        if not origin.is_inside:
            return None
        known = [message.envelope_sender, origin.login or ""]
        if not any(known):
            # What a mailbox answers by itself has no envelope sender (RFC 3834, 3.3).
            known += message.named("from").addresses[:1]
        return next(filter(None, map(self.directory.unit_of, filter(None, known))), None)

    def _may_send(self, message: Message, login: str) -> Reply | None:
        """Hold From and Sender against the login and the envelope sender.

        Postfix has held these two against each other.
        """
        if not message.envelope_sender:
            return NULL_SENDER
        known = self.directory.addresses_of(login, message.envelope_sender)
        own = known or frozenset({login.lower()})
        headers = {name: message.named(name) for name in _NAMING}
        named = [address for one in headers.values() for address in (*one.addresses, *one.shown)]
        sound = all(one.sound and not message.is_cut(name) for name, one in headers.items())
        if sound and headers["from"].addresses and all(_is_own(each, own) for each in named):
            return None
        return NOT_KNOWN_YET if known is None else NOT_YOURS

    def _is_probe(self, message: Message) -> bool:
        """A probe has one token and one recipient, so that nobody else gets a hidden copy."""
        tokens = message.header(_TOKEN)
        if len(tokens) != 1 or len(message.recipients) != 1 or message.is_cut(_TOKEN):
            return False
        run = probe_token.verify(
            self.probe_key,
            eight_bit(tokens[0]),
            sender=message.envelope_sender,
            recipient=message.recipients[0],
            now=self.clock().timestamp(),
        )
        return run is not None


def _is_own(address: str, own: frozenset[str]) -> bool:
    # As it stands: what Postfix would strip of an envelope address, a mail program may show.
    key = address.lower()
    return key in own or addresses.without_extension(key) in own


def _spam_verdict(message: Message) -> str | None:
    """Return the spam filter's verdict. Of two, one isn't its own: then there is none."""
    name = message.spam_header
    verdicts = message.header(name) if name and not message.is_cut(name) else []
    return bounded(readable(verdicts[0]), _MAX_VERDICT) if len(verdicts) == 1 else None
