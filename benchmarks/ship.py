"""How fast entries come from the outbox into the database: python benchmarks/ship.py [ENTRIES]

The shipper itself, in a process of its own, from an outbox on disk to a PostgreSQL of its own with
fsync and all indexes. First an outbox of so many entries (100,000 if none is said) is shipped:
entries a second by the clock, and for a second of the database's processor time, which tells more
on a machine that others use too. Then 500 entries a second come in for 20 seconds: how long after
it was on the mail host's disk an entry stands in the database.
"""

import multiprocessing
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import town_log

from compliance.messagelog import store
from compliance.messagelog.entry import LogEntry
from compliance.messagelog.outbox import Outbox
from compliance.messagelog.ship import Shipper
from compliance.notify import Notifier
from compliance.settings import Log

RATE, SECONDS, TICKS = 500, 20, 20  # entries a second, for how long, in so many pieces a second
PATIENCE = 600


def entries(count: int) -> Iterator[LogEntry]:
    """Make entries as they come from a milter, all of one day."""
    random_ = random.Random(town_log.SEED)
    for number, row in enumerate(town_log.rows(count, town_log.LAST), 1):
        cells = row.rstrip("\n").split("\t")
        yield LogEntry(
            accepted_at=town_log.LAST + timedelta(milliseconds=number * 20),
            host=town_log.HOST,
            direction=cells[4],
            envelope_sender=cells[5],
            recipient=cells[6],
            from_address=cells[7],
            from_text=cells[8],
            subject=town_log.subject(random_, number),
            subject_raw=cells[9].encode(),
            message_id=cells[11],
            queue_id=cells[12],
            size=1234,
            sender_unit=None if cells[14] == "\\N" else cells[14],
            recipient_unit=None if cells[15] == "\\N" else cells[15],
            label=None,
            authenticated_user=None,
            client_class="public",
            attachments=0,
            attachment_names="",
            spam_verdict=None,
            references=town_log.references(number),
        )


@contextmanager
def shipper(outbox: Path, host: str) -> Iterator[None]:
    """Run the shipper for the length of a block."""
    log = Log(dsn=f"host={host} dbname=kommunpost user=kommunpost_writer")
    process = multiprocessing.get_context("spawn").Process(target=_ship, args=(outbox, log))
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _ship(outbox: Path, log: Log) -> None:
    notifier = Notifier.from_environment()
    Shipper(outbox, town_log.HOST, log, notifier).run(threading.Event())


def wait_for(owner: psycopg.Connection, sequence: int) -> float:
    """Wait until an entry is in the database; return when it was seen there."""
    until = time.perf_counter() + PATIENCE
    while time.perf_counter() < until:
        row = owner.execute("SELECT max(sequence) FROM log.position").fetchone()
        if row and (row[0] or 0) >= sequence:
            return time.perf_counter()
        time.sleep(0.01)  # the database tells nobody
    raise SystemExit(f"entry {sequence} was not shipped within {PATIENCE} s")


def drain(owner: psycopg.Connection, count: int) -> tuple[float, float]:
    """Return by the clock, and by the database's processor, the seconds that an outbox takes."""
    began = wait_for(owner, 1)
    pid = owner.execute(
        "SELECT pid FROM pg_stat_activity WHERE usename = 'kommunpost_writer'"
    ).fetchone()
    first = owner.execute("SELECT max(sequence) FROM log.position").fetchone()
    used = town_log.processor_seconds(pid[0])
    share = (count - first[0]) / count
    seconds = wait_for(owner, count) - began
    return seconds / share, (town_log.processor_seconds(pid[0]) - used) / share


def lags(owner: psycopg.Connection, box: Outbox, made: list[LogEntry], shipped: int) -> list[float]:
    """Let entries come in evenly; return the seconds until each piece was in the database."""
    size, found = RATE // TICKS, []
    waiting: list[threading.Thread] = []
    began = time.perf_counter()
    for number in range(RATE * SECONDS // size):
        time.sleep(max(0.0, began + number / TICKS - time.perf_counter()))
        box.append(made[number * size : (number + 1) * size])
        durable, last = time.perf_counter(), shipped + (number + 1) * size

        def see(durable: float = durable, last: int = last) -> None:
            found.append(wait_for(owner, last) - durable)

        waiting.append(threading.Thread(target=see))
        waiting[-1].start()
    for thread in waiting:
        thread.join()
    return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    made = list(entries(count + RATE * SECONDS))
    settings = ("shared_buffers=1GB", "max_wal_size=2GB", "wal_compression=lz4")
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as folder,
        town_log.cluster(*settings) as host,
    ):
        box = Outbox(Path(folder) / "outbox")
        for start in range(0, count, 1000):
            box.append(made[start : start + 1000])
        town_log.make_roles(host)
        with town_log.connect(host, "owner") as owner:
            store.migrate(owner, store.migrations())
            store.maintain(owner, town_log.LAST.date())
            with shipper(Path(folder) / "outbox", host):
                seconds, used = drain(owner, count)
                late = lags(owner, box, made[count:], count)
            version = owner.info.server_version // 10_000
        box.close()
    print(f"PostgreSQL {version}, {count:,} entries, all indexes")
    print(f"entries_per_second={count / seconds:,.0f}")
    print(f"entries_per_processor_second={count / used:,.0f}")
    print(f"median_lag_seconds={statistics.median(late):.2f} at {RATE} entries a second")
    print(f"longest_lag_seconds={max(late):.2f}")


if __name__ == "__main__":
    main()
