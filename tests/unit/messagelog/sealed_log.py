"""A message log in memory, as the seal sees it, and what one with full rights could do to it."""

import dataclasses
import uuid
from collections import defaultdict
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta

from conftest import make_entry
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.messagelog.entry import chain_value, first_chain, link
from compliance.messagelog.seal.chain import Link, with_tombstones
from compliance.messagelog.seal.sealing import Sealer
from compliance.messagelog.seal.statement import Day, Decision, Head, from_text
from compliance.messagelog.seal.storage import Row
from compliance.messagelog.seal.unit_day import verify_unit_day
from compliance.messagelog.seal.verification import verify

DOMAIN = "sjovalla.example"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = (KEY.public_key().public_bytes_raw(),)
ONE = uuid.UUID("7c1f2e0a-5b52-4b52-9a53-1d1f4c3b2a10")
TWO = uuid.UUID("9d2f2e0a-5b52-4b52-9a53-1d1f4c3b2a11")
MONDAY = date(2026, 11, 23)
DECISION = Decision("KS 2026/117", "Kommunstyrelsen", date(2026, 10, 14), "message-log")


class MemoryLog:
    """Does what SealStore does, without PostgreSQL."""

    def __init__(self):
        self.rows = []
        self.heads = {}
        self.signed = []
        self.stored_leaves = []
        self.stones = []

    def add(self, outbox, entry, seed):
        """Append as milter, outbox and shipper would."""
        head = self.heads.get(outbox)
        sequence = head.sequence + 1 if head else 1
        record = link(head.chain if head else first_chain(outbox), sequence, entry, seed)
        self.rows.append(
            Row(outbox, sequence, record.version, seed, record.digest, record.chain, entry)
        )
        self.heads[outbox] = Head(entry.host, outbox, sequence, record.chain)

    def of(self, outbox):
        return sorted(
            (row for row in self.rows if row.outbox == outbox),
            key=lambda row: (row.sequence, row.entry.accepted_at),
        )

    @contextmanager
    def spread(self, work, items):
        yield (work(self, item) for item in items)

    def positions(self):
        return [self.heads[outbox] for outbox in sorted(self.heads)]

    def statements(self):
        return list(self.signed)

    def register(self):
        read = [from_text(one.text) for one in self.signed if one.text.startswith("{")]
        days = [(one.number, getattr(one.says, "day", None)) for one in read]
        return {number: day and day.isoformat() for number, day in days}

    def miscounts(self, since, until):
        return []  # the counts are PostgreSQL's

    def misaddressed(self, since, until):
        return []  # as are the months of addresses

    def misworded(self, since, until):
        return []  # and of words

    def outboxes(self):
        return {row.outbox for row in self.rows}

    def add_statement(self, statement, signed):
        self.signed.append(signed)

    def days_beyond(self, heads):
        return {
            row.entry.accepted_at.date()
            for row in self.rows
            if row.sequence > heads.get(row.outbox, 0)
        }

    def rows_of_day(self, day):
        for outbox in sorted({row.outbox for row in self.rows}):
            yield from (row for row in self.of(outbox) if row.entry.accepted_at.date() == day)

    def links(self, outbox, first, last):
        def wanted(one):
            return one.sequence >= first and (last is None or one.sequence <= last)

        rows = [Link(r.sequence, r.digest, r.chain, r.own_digest) for r in self.of(outbox)]
        stones = [stone for _, own, stone in sorted(self.stones, key=lambda s: s[2].sequence)
                  if own == outbox]  # fmt: skip
        return with_tombstones(filter(wanted, rows), filter(wanted, stones))

    def span(self, outbox, since, until):
        found = [
            row.sequence
            for row in self.of(outbox)
            if (since is None or row.entry.accepted_at >= since)
            and (until is None or row.entry.accepted_at < until)
        ]
        return (min(found), max(found)) if found else None

    def before(self, outbox, sequence):
        found = list(self.links(outbox, 1, sequence - 1))
        return (found[-1].sequence, found[-1].chain) if found else None

    def rows_of_unit(self, day, unit):
        return (row for row in self.rows_of_day(day) if unit in row.units)

    def leaves(self, day, unit=None):
        found = defaultdict(list)
        for statement, own_day, own_unit, leaf in self.stored_leaves:
            if own_day == day and unit in (None, own_unit):
                found[own_unit].append((statement, leaf))
        return dict(found)

    def stray_leaves(self):
        days = {number: day for number, day in self.register().items() if day}
        strays = {
            (day.isoformat(), statement)
            for statement, day, _, _ in self.stored_leaves
            if days.get(statement) != day.isoformat()
        }
        return sorted(strays)

    def add_leaves(self, statement, day, unit, leaves):
        self.stored_leaves += [(statement, day, unit, leaf) for leaf in leaves]

    def tombstones(self, of=None):
        found = defaultdict(list)
        for statement, outbox, stone in sorted(
            self.stones, key=lambda s: (s[0], s[1], s[2].sequence)
        ):
            if of is None or statement in of:
                found[statement].append((outbox, stone.sequence, stone.digest))
        return dict(found)

    def disposable(self, kind, month):
        return [(row.outbox, row.sequence, row.digest) for row in self._due]

    def dispose_of(self, signed):
        self.signed.append(signed)
        self.bury(len(self.signed), self._due)

    def bury(self, statement, rows):
        for row in rows:
            self.rows.remove(row)
            self.stones.append(
                (statement, row.outbox, Link(row.sequence, row.digest, row.chain, None))
            )

    # What the tests do with it.

    def seal(self, today):
        now = datetime.combine(today, time(0, 30), UTC)
        return Sealer(self, KEY, DOMAIN, now).close_days()

    def dispose(self, places, today):
        """Dispose of some entries lawfully; which is up to the database, see test_disposal.py."""
        now = datetime.combine(today, time(12), UTC)
        self._due = sorted(
            (row for row in self.rows if (row.outbox, row.sequence) in places),
            key=lambda row: (row.outbox, row.sequence),
        )
        return Sealer(self, KEY, DOMAIN, now).dispose(DECISION, MONDAY.replace(day=1))

    def verify(self, since=None, until=None, published=()):
        return verify(self, PUBLIC, DOMAIN, since, until, published)

    def verify_unit(self, unit, day, published=()):
        return verify_unit_day(self, PUBLIC, DOMAIN, unit, day, published)

    def found(self, **how):
        return each_entry(self.verify(**how).findings)

    def change(self, row, **changes):
        self.rows[self.rows.index(row)] = dataclasses.replace(row, **changes)

    def rechain(self, outbox, numbered=None):
        """Compute digests and chain anew, as an attacker would who rules the database.

        numbered: the rows in the order they shall have; they are given numbers from 1.
        """
        rows = self.of(outbox) if numbered is None else numbered
        self.rows = [row for row in self.rows if row.outbox != outbox]
        chain = first_chain(outbox)
        for sequence, row in enumerate(rows, 1):
            own = dataclasses.replace(row, sequence=sequence).own_digest
            chain = chain_value(chain, sequence, own)
            self.rows.append(dataclasses.replace(row, sequence=sequence, digest=own, chain=chain))
        self.heads[outbox] = dataclasses.replace(
            self.heads[outbox], sequence=len(rows), chain=chain
        )


def each_entry(findings):
    """Return kind, outbox and sequence of each entry that findings name; None for what is none."""
    return {
        (one.kind.value, one.outbox, sequence)
        for one in findings
        for sequence in one.sequences or [None]
    }


def seed_of(number):
    return number.to_bytes(32, "big")


def entry_of(number, outbox, day, **changes):
    host = "mail.sjovalla.example" if outbox == ONE else "mx2.sjovalla.example"
    moment = datetime.combine(day, time(8), UTC) + timedelta(minutes=number)
    units = {
        "sender_unit": [None, "ks", "bun"][number % 3],
        "recipient_unit": [None, "ks"][number % 2],
    }
    own = {
        "accepted_at": moment,
        "host": host,
        "queue_id": f"q{number}",
        "subject": f"Ärende {number % 2}",
    }
    return make_entry(**(own | units | changes))


def week(days=3, per_day=6):
    """A log of so many closed days from MONDAY on, and one open day; every third entry by TWO."""
    log = MemoryLog()
    number = 0
    for offset in range(days + 1):
        for _ in range(per_day):
            number += 1
            outbox = TWO if number % 3 == 0 else ONE
            log.add(
                outbox, entry_of(number, outbox, MONDAY + timedelta(days=offset)), seed_of(number)
            )
    log.seal(MONDAY + timedelta(days=days))
    return log


def is_closed(log, row):
    return any(
        isinstance(day, Day) and day.day == row.entry.accepted_at.date() for day in closed_days(log)
    )


def closed_days(log):
    return [from_text(one.text).says for one in log.signed]
