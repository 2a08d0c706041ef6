"""A probe's fate: proved by IMAP, explained by the journal, bounded by the deadline."""

from datetime import UTC, datetime

import pytest

from compliance.probes import watch as module
from compliance.probes.errors import ProbeError
from compliance.probes.facts import Probe
from compliance.probes.imap import Found
from compliance.probes.watch import Watch

SENT = datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)
FILED = datetime(2026, 11, 24, 8, 0, 4, tzinfo=UTC)
TO = "per@sjovalla.example"


class Journal:
    """A host whose journal says what the test says."""

    name = "mail"

    def __init__(self, *lines: str, error: str = "") -> None:
        self._lines, self._error = list(lines), error

    def lines(self) -> list[str]:
        if self._error:
            raise ProbeError(self._error)
        lines, self._lines = self._lines, []
        return lines


class Mailboxes:
    """Probe mailboxes that hold these letters, and remember who looked where."""

    def __init__(self, *message_ids: str, error: str = "") -> None:
        self._letters, self._error, self.looked = list(message_ids), error, []

    def collect(self, address: str) -> list[Found]:
        self.looked.append(address)
        if self._error:
            raise ProbeError(self._error)
        found, self._letters = self._letters, []
        return [Found(message_id, FILED) for message_id in found]


def probe(number: int = 1, origin: str = "external") -> Probe:
    return Probe(origin, TO, f"<run.{origin}.{number}@x>", "missing", sent_at=SENT)


def settle(journal: list[Journal], mailboxes: Mailboxes, *probes: Probe, seconds: int = 1):
    told = []
    done = Watch(journal, mailboxes, seconds).settle(list(probes), told.append)
    assert len(told) == len([p for p in probes if p.outcome == "missing"])
    return done


def said(status: str, reason: str, number: int = 1) -> list[str]:
    return [
        f"QUEUEID000{number}: message-id=<run.external.{number}@x>",
        f"QUEUEID000{number}: to=<{TO}>, relay=x, delay=1, dsn=2.0.0, status={status} ({reason})",
    ]


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(module, "_ROUND", 0.01)
    monkeypatch.setattr(module, "_LOOK_AGAIN", 0.05)
    monkeypatch.setattr(module, "_ASTRAY_AFTER", 0.2)
    monkeypatch.setattr(module, "_NAMELESS_AFTER", 0.2)


def test_a_letter_in_the_mailbox_has_arrived():
    (done,) = settle([Journal(*said("sent", "250 ok"))], Mailboxes("<run.external.1@x>"), probe())
    assert (done.outcome, done.seconds, done.queue_id) == ("arrived", 4.0, "QUEUEID0001")


def test_without_a_journal_the_mailbox_alone_tells():
    (done,) = settle([], Mailboxes("<run.external.1@x>"), probe())
    assert done.outcome == "arrived"


def test_a_journal_that_falls_silent_leaves_it_to_the_mailbox():
    (done,) = settle([Journal(error="ssh: gone")], Mailboxes("<run.external.1@x>"), probe())
    assert done.outcome == "arrived"


def test_another_letter_proves_nothing():
    (done,) = settle([], Mailboxes("<run.internal.1@x>"), probe())
    assert done.outcome == "missing"


def test_a_letter_held_back_fails_at_once_with_the_reason():
    mailboxes = Mailboxes()
    reason = "connect to x[private/dovecot-lmtp]: Connection refused"
    (done,) = settle([Journal(*said("deferred", reason))], mailboxes, probe(), seconds=600)
    assert (done.outcome, done.detail) == ("delayed", reason)
    assert mailboxes.looked == [], "nobody need look for what was not delivered"


def test_a_letter_in_return_fails():
    (done,) = settle([Journal(*said("bounced", "552 full"))], Mailboxes(), probe(), seconds=600)
    assert (done.outcome, done.detail) == ("bounced", "552 full")


def test_a_delivered_letter_that_is_not_there_is_astray():
    journal = Journal(*said("sent", "250 ok"))
    (done,) = settle([journal], Mailboxes(), probe(), seconds=600)
    assert done.outcome == "astray"


def test_a_mailbox_that_does_not_open_leaves_it_unknown():
    journal = Journal(*said("sent", "250 ok"))
    (done,) = settle([journal], Mailboxes(error="login failed"), probe(), seconds=600)
    assert (done.outcome, done.detail) == ("unread", "login failed")


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (f"NOQUEUE: reject: RCPT from o[1]: 550 5.1.1 no; from=<a@x> to=<{TO}> p", "refused"),
        (f"NOQUEUE: reject: RCPT from o[1]: 451 4.3.0 hm; from=<a@x> to=<{TO}> p", "delayed"),
        ("NOQUEUE: milter-reject: CONNECT from o[1]: 451 4.7.1 away; proto=SMTP", "delayed"),
    ],
)
def test_what_the_mail_host_refused_is_not_waited_for(line, outcome):
    (done,) = settle([Journal(line)], Mailboxes(), probe(), seconds=600)
    assert done.outcome == outcome


def test_the_order_is_kept_and_what_was_settled_before_stays():
    refused = Probe("internal", TO, "<run.internal.1@x>", "refused", "550 no")
    both = settle([], Mailboxes("<run.external.1@x>"), refused, probe())
    assert [p.outcome for p in both] == ["refused", "arrived"]
