"""Waits for probes: the journal says which letters were delivered or held back, IMAP proves it."""

import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from compliance.probes.errors import ProbeError
from compliance.probes.facts import Outcome, Probe
from compliance.probes.host import Host
from compliance.probes.imap import Found, ProbeMailboxes
from compliance.probes.postfix_journal import Reject, Trail

_THREADS = 8
# Between two looks into the same mailbox, and between two rounds.
_LOOK_AGAIN = 2.0
_ROUND = 0.3
# How long a letter that Postfix says is delivered may take to show, before it counts as astray.
_ASTRAY_AFTER = 15.0
# How long a refusal by the milter that names nobody must stand before it is taken to be ours.
_NAMELESS_AFTER = 10.0


@dataclass
class _Open:
    """A probe that is not settled, and what is known so far."""

    probe: Probe
    sent_at: float | None = None  # monotonic time when the journal first said `sent`
    error: str = ""


class Watch:
    """Settles probes within a deadline. One per run; it keeps the journals' trails."""

    def __init__(self, hosts: list[Host], mailboxes: ProbeMailboxes, seconds: int) -> None:
        """hosts: those whose journal can be read, already marked. seconds: the deadline."""
        self._hosts = {host.name: (host, Trail()) for host in hosts}
        self._mailboxes = mailboxes
        self._seconds = seconds

    def settle(self, probes: list[Probe], settled: Callable[[Probe], None]) -> list[Probe]:
        """Return the probes with their fate, in the order given; `settled` is told of each."""
        started = time.monotonic()
        waiting = {p.message_id: _Open(p) for p in probes if p.outcome == "missing"}
        done = {p.message_id: p for p in probes if p.outcome != "missing"}
        looked: dict[str, float] = {}
        letters: dict[str, list[str]] = defaultdict(list)
        for item in waiting.values():
            letters[item.probe.recipient].append(item.probe.message_id)

        def close(fresh: list[Probe]) -> bool:
            for probe in fresh:
                del waiting[probe.message_id]
                done[probe.message_id] = probe
                settled(probe)
            return bool(fresh)

        with ThreadPoolExecutor(_THREADS) as pool:
            while waiting:
                self._read_journals()
                moved = close(self._by_journal(waiting, time.monotonic() - started))
                due = self._due(waiting, looked)
                for address, found in zip(due, pool.map(self._look, due), strict=True):
                    looked[address] = time.monotonic()
                    own = [waiting[name] for name in letters[address] if name in waiting]
                    moved |= close(self._by_mailbox(own, found))
                over = time.monotonic() - started > self._seconds
                moved |= close(self._given_up(waiting, over))
                if waiting and not moved:
                    time.sleep(_ROUND)  # neither the journal nor 500 mailboxes can call us
        return [done[probe.message_id] for probe in probes]

    def accepted(self, probe: Probe) -> bool:
        """Tell whether a mail host took a letter into its queue."""
        return any(probe.message_id in trail.queue_ids for _, trail in self._hosts.values())

    def rejection(self, probe: Probe) -> Reject | None:
        """Return a mail host's refusal that names the letter's recipient, if any."""
        self._read_journals()
        refusals = (trail.rejection(probe.recipient) for _, trail in self._hosts.values())
        return next((refusal for refusal in refusals if refusal and refusal.to), None)

    def _read_journals(self) -> None:
        """Read on; a host that stops answering is left out, and IMAP alone must tell."""
        for name, (host, trail) in list(self._hosts.items()):
            try:
                trail.read(host.lines())
            except ProbeError:
                del self._hosts[name]

    def _by_journal(self, waiting: dict[str, _Open], elapsed: float) -> list[Probe]:
        """Settle what the journals say has failed, and note what they say is delivered."""
        fresh = []
        for item in waiting.values():
            for _, trail in self._hosts.values():
                settled = _by_trail(item, trail, elapsed)
                if settled:
                    fresh.append(settled)
                    break
        return fresh

    def _due(self, waiting: dict[str, _Open], looked: dict[str, float]) -> list[str]:
        """Choose mailboxes to look into: those whose every awaited letter is said to be there."""
        now = time.monotonic()
        unsure: set[str] = set()
        due: dict[str, None] = {}
        for item in waiting.values():
            address = item.probe.recipient
            due[address] = None
            if self._hosts and item.sent_at is None:
                unsure.add(address)
        return [
            address
            for address in due
            if address not in unsure and now - looked.get(address, -_LOOK_AGAIN) >= _LOOK_AGAIN
        ]

    def _look(self, address: str) -> list[Found] | str:
        try:
            return self._mailboxes.collect(address)
        except ProbeError as error:
            return str(error)

    @staticmethod
    def _by_mailbox(own: list[_Open], found: list[Found] | str) -> list[Probe]:
        """Settle what was found in one mailbox; a letter counts by its own Message-ID alone."""
        if isinstance(found, str):
            for item in own:
                item.error = found
            return []
        filed = {letter.message_id: letter.filed_at for letter in found}
        fresh = []
        for item in own:
            item.error = ""
            at = filed.get(item.probe.message_id)
            if at is None:
                continue
            sent = item.probe.sent_at
            seconds = max(0.0, (at - sent).total_seconds()) if sent else None
            fresh.append(replace(item.probe, outcome="arrived", seconds=seconds))
        return fresh

    @staticmethod
    def _given_up(waiting: dict[str, _Open], over: bool) -> list[Probe]:
        """Settle what is out of time: unread if the mailbox did not open, astray or missing."""
        fresh = []
        now = time.monotonic()
        for item in waiting.values():
            late = item.sent_at is not None and now - item.sent_at > _ASTRAY_AFTER
            if not (over or late):
                continue
            if item.error:
                fresh.append(replace(item.probe, outcome="unread", detail=item.error))
            elif late:
                fresh.append(replace(item.probe, outcome="astray"))
            else:
                fresh.append(item.probe)
        return fresh


def _by_trail(item: _Open, trail: Trail, elapsed: float) -> Probe | None:
    """Judge one letter by one host's journal; note the time when it was first said to be sent."""
    probe = item.probe
    queue_id = trail.queue_ids.get(probe.message_id)
    if queue_id is None:
        refusal = trail.rejection(probe.recipient) if probe.origin == "external" else None
        if refusal is None or (refusal.to is None and elapsed < _NAMELESS_AFTER):
            return None
        outcome: Outcome = "refused" if refusal.reply.startswith("5") else "delayed"
        return replace(probe, outcome=outcome, detail=refusal.reply)
    item.probe = probe = replace(probe, queue_id=queue_id)
    attempt = trail.delivery(probe.message_id, probe.recipient)
    if attempt is None:
        return None
    if attempt.status == "sent":
        item.sent_at = item.sent_at or time.monotonic()
        return None
    held: Outcome = "delayed" if attempt.status == "deferred" else "bounced"
    return replace(probe, outcome=held, detail=attempt.reason)
