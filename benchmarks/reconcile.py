"""How long a day of 100,000 messages takes to reconcile: python benchmarks/reconcile.py [MESSAGES]

A PostgreSQL of its own holds three such days, each message with one entry, one line of Postfix's
queue, one delivery and one letter stored by Dovecot. Prints seconds, median of five, and how fast
the follower's events are stored.
"""

import json
import statistics
import sys
import time
import uuid
from datetime import UTC, date, datetime, timedelta

import psycopg
import town_log

from compliance.messagelog import reconcile, store

HOST = "mail.sjovalla.example"
DAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 27, tzinfo=UTC)
ROUNDS = 5
BATCH = 2_000

# Straight into the tables, as the owner: what is measured comes after.
ENTRIES = """
INSERT INTO log.entry
SELECT %(outbox)s, n + %(first)s, %(host)s,
       %(day)s::date + (n * interval '1 day' / %(count)s), 'in', 'a@omvarlden.example',
       'mottagare' || n %% 500 || '@sjovalla.example', '', '', 'Ärende ' || n, '',
       '<' || n || '@x>', 'Q' || %(first)s + n, 1234, NULL, 'ks', NULL, NULL, 'public', 3,
       sha256(''), sha256(''), now(), sha256(''), 0, '', NULL
FROM generate_series(0, %(count)s - 1) AS n"""


def events(first: int, count: int) -> dict[str, list[dict[str, object]]]:
    """Return what the follower tells of messages that were accepted in a row."""
    start = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
    told: dict[str, list[dict[str, object]]] = {
        kind: []
        for kind in ("accepted", "requeued", "withdrawn", "deliveries", "stored", "refused")
    }
    for number in range(first, first + count):
        at = (start + timedelta(days=1) * (number / MESSAGES - 1)).isoformat()
        to = f"mottagare{number % 500}@sjovalla.example"
        told["accepted"].append({"queue_id": f"Q{number}", "at": at, "recipients": 1})
        told["deliveries"].append(
            {"queue_id": f"Q{number}", "at": at, "recipient": to, "status": "sent",
             "dsn": "2.0.0", "relay": "mail[private/dovecot-lmtp]", "delay": 0.1,
             "reply": f"250 2.0.0 <{to}> s{number} Saved", "session": f"s{number}",
             "recipient_unit": "ks"}
        )  # fmt: skip
        told["stored"].append({"session": f"s{number}", "at": at, "recipient": to})
    return told


def fill(owner: psycopg.Connection, writer: psycopg.Connection) -> float:
    """Fill the log; return how many messages' events were stored in a second."""
    outbox = uuid.uuid4()
    for number in range(3):
        values = {"outbox": outbox, "host": HOST, "day": DAY + timedelta(days=number - 1),
                  "count": MESSAGES, "first": number * MESSAGES + 1}  # fmt: skip
        owner.execute(ENTRIES, values)
    owner.execute(
        "INSERT INTO log.position VALUES (%s, %s, %s, '', %s)", [outbox, HOST, 3 * MESSAGES, NOW]
    )
    began = time.perf_counter()
    cursor = None
    start: datetime | None = datetime(2026, 11, 1, tzinfo=UTC)
    for first in range(1, 3 * MESSAGES + 1, BATCH):
        previous, cursor = cursor, str(first)
        told = json.dumps(events(first, min(BATCH, 3 * MESSAGES + 1 - first)))
        writer.execute(
            "SELECT log.follow(%s, %s, %s, %s, %s, '{}', %s)",
            [HOST, previous, cursor, start, NOW, told],
        )
        start = None
    rate = 3 * MESSAGES / (time.perf_counter() - began)
    owner.execute("ANALYZE")
    return rate


def main() -> None:
    """Fill, measure, print."""
    with town_log.cluster() as host:
        town_log.make_roles(host)
        measure(host)


def measure(host: str) -> None:
    """Reconcile the same day again and again, on the server of a folder."""
    with (
        town_log.connect(host, "owner") as owner,
        town_log.connect(host, "writer") as writer,
        town_log.connect(host, "reader") as reader,
    ):
        store.migrate(owner, store.migrations())
        store.maintain(owner, DAY)
        rate = fill(owner, writer)
        seconds = []
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            result = reconcile.reconcile(reader, DAY, NOW)
            seconds.append(time.perf_counter() - begin)
        if result.status != reconcile.AGREE or result.accepted != MESSAGES:
            raise SystemExit(f"the benchmark's own day does not agree: {result}")
    print(f"reconcile of {MESSAGES} messages: {statistics.median(seconds):.2f} s")
    print(f"follower's events stored: {rate:,.0f} messages/s")


MESSAGES = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000

if __name__ == "__main__":
    main()
