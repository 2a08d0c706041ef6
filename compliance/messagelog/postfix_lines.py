"""Postfix's and Dovecot's own words about mail, read from the journal. Pure: lines in, events out.

Texts are those of postfix(1)'s smtpd, pickup, cleanup, qmgr, postsuper and delivery agents (3.10)
and of Dovecot's lmtp (2.4). Queue ids are the long ones (`enable_long_queue_ids = yes`): none comes
twice.
"""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from compliance.messagelog import message_ids
from compliance.messagelog.text import INDEXED_CHARACTERS, bounded, clean
from compliance.postfix_lines import ADDRESS, QUEUE_ID, outcome, probed, queued, refusal

_MAX_REPLY = 500
_MAX_REASON = 120
_MAX_REMEMBERED = 500

_DELIVERY_AGENTS = {
    *("smtp", "lmtp", "error", "retry", "bounce", "discard", "virtual", "local", "pipe", "relay"),
}

_EXPIRED = re.compile(
    rf"{QUEUE_ID}: from=<{ADDRESS}>, status=(?:force-)?expired, returned to sender$"
)
_HELD = re.compile(rf"{QUEUE_ID}: (?:milter-)?hold: ")
_DISCARDED = re.compile(rf"{QUEUE_ID}: (?:milter-)?discard: ")
_PUT_BY = re.compile(rf"{QUEUE_ID}: (?:(?P<held>placed on)|released from) hold$")
_REMOVED = re.compile(rf"{QUEUE_ID}: removed$")
_REQUEUED = re.compile(
    rf"{QUEUE_ID}: uid=\d+ from=<{ADDRESS}> orig_id=(?P<original>[0-9A-Za-z]{{6,60}})$"
)
_TLS = re.compile(
    r"(?P<trust>Anonymous|Untrusted|Trusted|Verified) TLS connection established to (?P<peer>\S+): "
    r"(?P<protocol>\S+) with cipher "
)
# A stranger writes the Message-ID, so only what ends the line says that it was stored.
_STORED = re.compile(
    r"lmtp\((?P<recipient>[^)]+)\)<\d+><(?P<session>[^>]+)>: (?P<before>.*?)"
    r"(?:stored mail into mailbox '(?:(?!': ).)*'|saved mail to [^:]*)$"
)
_MESSAGE_ID = re.compile(r"msgid=(?P<message_id>.+?): (?:[a-z]+ action: )?$")
# Dovecot ends its answer to LMTP so; the session names the same delivery in its own lines.
_SESSION = re.compile(r"^250 2\.\d\.\d <.*> (?P<session>\S+) Saved")
# What names somebody in a refusal, or is quoted from what a stranger wrote; closed or not.
_NAMED = re.compile(rf'<{ADDRESS}(?:>:?|$)|<.*|"(?:[^"\\]|\\.)*+(?:"|$)\S*|\[[^\]]*(?:\]|$)')


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal. at: when it was written, UTC. program: smtp, dovecot, ...

    boot: the id of the boot that it was written under. follows_gap: lines before it are gone.
    """

    cursor: str
    boot: str
    at: datetime
    program: str
    pid: str
    text: str
    follows_gap: bool = False


@dataclass
class Events:
    """What lines told, by kind; each a flat JSON object for `log.follow` in the database."""

    accepted: list[dict[str, Any]] = field(default_factory=list)
    requeued: list[dict[str, Any]] = field(default_factory=list)
    withdrawn: list[dict[str, Any]] = field(default_factory=list)
    probes: list[dict[str, Any]] = field(default_factory=list)
    removed: list[dict[str, Any]] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    stored: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    boots: list[dict[str, Any]] = field(default_factory=list)


def _no_unit(_address: str) -> str | None:
    return None


class PostfixLines:
    """Turns lines into events. What must be known from line to line is in `memory`, as JSON.

    unit_of: says which unit's mailbox an address is.
    """

    def __init__(self, memory: dict[str, Any], unit_of: Callable[[str], str | None] = _no_unit):
        """Go on with the memory that an earlier run left; an empty one begins."""
        self.events = Events()
        self._unit_of = unit_of
        # By process: the peer and TLS state of its last connection, and the queue id it served.
        self._tls: dict[str, list[str]] = memory.get("tls", {})
        # The boot of the last line, and when that line was written.
        self._last: list[str] = memory.get("last", [])

    @property
    def memory(self) -> dict[str, Any]:
        """Return what the next run must know."""
        return {"tls": self._tls, "last": self._last}

    def take(self) -> Events:
        """Return the events since the last call."""
        events, self.events = self.events, Events()
        return events

    def read(self, line: Line) -> None:
        """Take in the next line; those that tell nothing of all this are passed over."""
        self._note_boot(line)
        if line.program == "dovecot":
            self._read_stored(line)
        elif line.program == "qmgr":
            self._read_queue_manager(line)
        elif line.program in ("cleanup", "smtpd"):
            self._read_reception(line)
        elif line.program == "pickup":
            self._read_requeued(line)
        elif line.program == "postsuper":
            if found := _REMOVED.match(line.text):
                self.events.removed.append({"at": _iso(line.at), "queue_id": found["queue_id"]})
            elif found := _PUT_BY.match(line.text):
                self._note_held(line, found["queue_id"], is_held=found["held"] is not None)
        elif line.program in _DELIVERY_AGENTS and not self._read_tls(line):
            self._read_status(line)

    def _note_boot(self, line: Line) -> None:
        if self._last and self._last[0] != line.boot:
            self.events.boots.append({"ended_at": self._last[1]})
        self._last = [line.boot, _iso(line.at)]

    def _note_held(self, line: Line, queue_id: str, *, is_held: bool) -> None:
        told = {"at": _iso(line.at), "queue_id": queue_id, "is_held": is_held}
        self.events.held.append(told)

    def _read_requeued(self, line: Line) -> None:
        if found := _REQUEUED.match(line.text):
            known = {event["queue_id"]: event["original"] for event in self.events.requeued}
            original = known.get(found["original"], found["original"])
            told = {"queue_id": found["queue_id"], "original": original}
            self.events.requeued.append({"at": _iso(line.at), **told})

    def _read_stored(self, line: Line) -> None:
        if found := _STORED.match(line.text):
            named = _MESSAGE_ID.search(found["before"])
            message_id = named["message_id"] if named else "unspecified"
            told = _bounded({key: clean(found[key]) for key in ("recipient", "session")})
            # Dovecot shortens a long one, and ends it in three dots: the database knows that.
            told["message_id"] = (
                None if message_id == "unspecified" else message_ids.own([message_id.encode()])
            )
            self.events.stored.append({"at": _iso(line.at), **told})

    def _read_queue_manager(self, line: Line) -> None:
        if accepted := queued(line.text):
            self.events.accepted.append({"at": _iso(line.at), **asdict(accepted)})
        elif found := _EXPIRED.match(line.text):
            self._note_status(line, found["queue_id"], status="expired")
        else:  # of what no delivery agent could be handed
            self._read_status(line)

    def _read_reception(self, line: Line) -> None:
        if refused := refusal(line.text):
            if line.program == "cleanup" and refused.queue_id != "NOQUEUE":
                self.events.withdrawn.append({"queue_id": refused.queue_id, "kind": "refused"})
            reason = ("milter: " if refused.by_milter else "") + _reason(refused.reply)
            self.events.refused.append({"day": line.at.date().isoformat(), "reason": reason})
        elif found := _HELD.match(line.text):
            if found["queue_id"] != "NOQUEUE":
                self.events.accepted.append(
                    {"at": _iso(line.at), "queue_id": found["queue_id"], "recipients": None}
                )
                self._note_held(line, found["queue_id"], is_held=True)
        elif found := _DISCARDED.match(line.text):
            if found["queue_id"] != "NOQUEUE":
                self.events.withdrawn.append({"queue_id": found["queue_id"], "kind": "discarded"})
        else:  # of what was requeued, and is returned by what was set up since
            self._read_status(line)

    def _read_tls(self, line: Line) -> bool:
        found = _TLS.match(line.text)
        if found is None:
            return False
        self._tls.pop(line.pid, None)  # so that it moves to the end
        self._tls[line.pid] = [found["peer"], f"{found['trust']} {found['protocol']}", ""]
        while len(self._tls) > _MAX_REMEMBERED:
            self._tls.pop(next(iter(self._tls)))
        return True

    def _read_status(self, line: Line) -> None:
        told = outcome(line.text)
        if told is None:
            if queue_id := probed(line.text):
                self.events.probes.append({"queue_id": queue_id})
            return
        reply = clean(told.reply)
        session = _SESSION.match(reply) if line.program == "lmtp" else None
        self._note_status(
            line,
            told.queue_id,
            **_bounded(
                {
                    "recipient": clean(told.recipient),
                    "orig_to": clean(told.orig_to) if told.orig_to else None,
                    "status": told.status,
                    "dsn": told.dsn,
                    "relay": None if told.relay == "none" else clean(told.relay),
                }
            ),
            reply=reply[:_MAX_REPLY],
            delay=told.delay,
            tls=self._tls_of(line.pid, told.relay, told.queue_id),
            session=session["session"] if session else None,
            recipient_unit=self._unit_of(told.recipient),
        )

    def _note_status(self, line: Line, queue_id: str, **told: Any) -> None:
        self.events.deliveries.append({"at": _iso(line.at), "queue_id": queue_id, **told})

    def _tls_of(self, pid: str, relay: str, queue_id: str) -> str | None:
        """Return the TLS state of a delivery, None if it had none.

        A process makes a new connection for each message when there is TLS, and logs it before the
        outcome; without TLS it logs nothing. So a state serves one message to one peer.
        """
        known = self._tls.get(pid)
        if known is None or known[0] != relay or known[2] not in ("", queue_id):
            return None
        known[2] = queue_id
        return known[1]


def _bounded(values: dict[str, str | None]) -> dict[str, str | None]:
    """Cut what is too long, as the milter does with the addresses of an entry."""
    return {
        key: bounded(value, INDEXED_CHARACTERS) if value else value for key, value in values.items()
    }


def _reason(reply: str) -> str:
    """Return a refusal's reply without whom it concerned: no address, no name, no number behind.

    >>> _reason("550 5.1.1 <x@y.example>: Recipient address rejected: User unknown")
    '550 5.1.1 Recipient address rejected: User unknown'
    """
    words = _NAMED.sub(" ", clean(reply)).split()
    codes = [word for word in words[:2] if re.fullmatch(r"[45]\d\d|[45]\.\d{1,3}\.\d{1,3}", word)]
    text = [word for word in words[len(codes) :] if not re.search(r"[\d@/<>\"]", word)]
    return " ".join([*codes, *text])[:_MAX_REASON]


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
