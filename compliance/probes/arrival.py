"""Probe letters to every recipient from inside and from outside, and what became of them."""

import asyncio
from dataclasses import replace

from compliance.errors import UserError
from compliance.probes.errors import ProbeError, first_problem
from compliance.probes.facts import ArrivalFacts, Origin, Probe, Seen, now
from compliance.probes.host import Host
from compliance.probes.imap import ProbeMailboxes
from compliance.probes.letters import Sender, send_all
from compliance.probes.progress import Progress
from compliance.probes.watch import Watch
from compliance.settings import Audit, read_secret

# So many recipients are tried first. If none of them is reached the fault is common to all, and
# hundreds of letters in somebody's queue would only be delivered late and tell nothing more.
FIRST = 3
# Postfix says so before the reason when it has stopped trying for a while.
_SUSPENDED = "delivery temporarily suspended: "


def read(
    settings: Audit, domain: str, run: str, recipients: list[str], progress: Progress
) -> ArrivalFacts:
    """Send and collect. Nothing is raised for what does not work: it is in the facts.

    recipients: primary addresses, those that may be named in a report first. The journals are
    read from now on, of the hosts that let us.
    """
    senders, seen = _senders(settings, run)
    try:
        if settings.imap is None:
            raise ProbeError("audit.imap is not in the settings")  # noqa: TRY301 - one way out
        mailboxes = ProbeMailboxes(settings.imap, run)
    except (ProbeError, UserError) as error:
        told = first_problem(error) if isinstance(error, UserError) else str(error)
        return ArrivalFacts((*seen, Seen("probe mailboxes", "IMAP", now(), told)))
    watch = Watch(_marked(settings), mailboxes, settings.arrival_seconds)
    attempt = _Attempt(senders, watch, progress)
    sample = attempt.send_unknown(f"finns-inte.{run}@{domain}")
    probes, stopped = attempt.try_all(recipients)
    return ArrivalFacts(seen, tuple(probes), attempt.judge_unknown(sample), stopped)


def _senders(settings: Audit, run: str) -> tuple[list[Sender], tuple[Seen, ...]]:
    """Return the sides that can be sent from, and for each side how it was asked or why not."""
    senders: list[Sender] = []
    seen = []
    sides: tuple[Origin, ...] = ("internal", "external")
    for origin in sides:
        account = settings.internal if origin == "internal" else settings.external
        of = f"{account.host}:{account.port}" if account else f"audit.{origin}"
        error = None if account else f"audit.{origin} is not in the settings"
        try:
            key = read_secret(settings.probe_key_file).encode()
            if account:
                read_secret(account.password_file)
                senders.append(Sender(origin, account, run, key))
        except UserError as problem:
            error = first_problem(problem)
        seen.append(Seen(f"letters, {origin}", of, now(), error))
    return senders, tuple(seen)


def _marked(settings: Audit) -> list[Host]:
    """Return the hosts whose journal can be read from here on; the host probe tells of others."""
    hosts = []
    for item in settings.mail_hosts:
        host = Host(item)
        try:
            host.mark()
        except ProbeError:
            continue
        hosts.append(host)
    return hosts


class _Attempt:
    """One run's letters: a first few, then the rest from each side that works."""

    def __init__(self, senders: list[Sender], watch: Watch, progress: Progress) -> None:
        self._senders = senders
        self._watch = watch
        self._progress = progress

    def try_all(self, recipients: list[str]) -> tuple[list[Probe], str | None]:
        """Return every probe, and why the rest was not sent if the first ones found a fault."""
        first, rest = recipients[:FIRST], recipients[FIRST:]
        self._progress.step("first", 2 * len(first) * len(self._senders))
        probes = self._exchange(self._senders, first, 0)
        stops = {
            sender.origin: detail
            for sender in self._senders
            if (detail := _common_fault(sender.origin, probes, first))
        }
        working = [sender for sender in self._senders if sender.origin not in stops]
        self._progress.step("rest", 2 * len(rest) * len(working))
        probes += self._exchange(working, rest, len(first))
        probes += [
            replace(probe, outcome="not_sent", detail=stops[sender.origin])
            for sender in self._senders
            if sender.origin in stops
            for probe in _letters(sender, rest, len(first))
        ]
        return probes, "; ".join(dict.fromkeys(stops.values())) or None

    def send_unknown(self, address: str) -> Probe | None:
        """Send the control sample to an address that nobody has, from outside."""
        outside = [sender for sender in self._senders if sender.origin == "external"]
        if not outside:
            return None
        letter = outside[0].letter(999_999, address)
        return asyncio.run(send_all(outside[0], [letter], lambda _: None))[0]

    def judge_unknown(self, sample: Probe | None) -> Probe | None:
        """Say by the journal what became of the sample; without a word it stays `missing`."""
        if sample is None or sample.outcome != "missing":
            return sample
        refusal = self._watch.rejection(sample)
        if self._watch.accepted(sample):
            return replace(sample, outcome="arrived")
        return replace(sample, outcome="refused", detail=refusal.reply) if refusal else sample

    def _exchange(self, senders: list[Sender], recipients: list[str], number: int) -> list[Probe]:
        """Send to each recipient from each side, and wait for every letter's fate."""
        sent = asyncio.run(self._send(senders, recipients, number))
        return self._watch.settle(sent, lambda _: self._progress.advance())

    async def _send(self, senders: list[Sender], recipients: list[str], number: int) -> list[Probe]:
        def told(probe: Probe) -> None:
            self._progress.advance(1 if probe.outcome == "missing" else 2)

        batches = await asyncio.gather(
            *(send_all(s, _letters(s, recipients, number), told) for s in senders)
        )
        return [probe for batch in batches for probe in batch]


def _letters(sender: Sender, recipients: list[str], number: int) -> list[Probe]:
    return [sender.letter(number + i, address) for i, address in enumerate(recipients)]


def _common_fault(origin: Origin, probes: list[Probe], first: list[str]) -> str | None:
    """Return the first fault if every first letter from one side met one, without the address."""
    own = [probe for probe in probes if probe.origin == origin]
    if not own or any(probe.outcome == "arrived" for probe in own) or len(own) < len(first):
        return None
    told = own[0].detail.removeprefix(_SUSPENDED).replace(own[0].recipient, "…")
    return told or own[0].outcome
