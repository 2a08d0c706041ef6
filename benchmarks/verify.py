"""How fast the log is verified: python benchmarks/verify.py [ENTRIES] [DAYS]

Prints entries per second on one processor, median of five, without the database: the chain's links
alone, the chain with what each entry says, and the leaves of the trees (each cell's commitment).

Then the whole log of so many entries in a PostgreSQL of its own, on all processors; and how long
one unit's day takes, 500 rows, in a log of so many days of 1,000 entries and 50 units (1 million
entries): the verification, and the whole command. Beside the seconds by the clock stand those of
this program's processor time, which tell more on a machine that others use too.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import town_log
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from compliance.messagelog import store
from compliance.messagelog.entry import (
    VERSION,
    LogEntry,
    Record,
    first_chain,
    link,
    new_seed,
    to_json,
)
from compliance.messagelog.seal.chain import Link, Walk
from compliance.messagelog.seal.sealing import Sealer
from compliance.messagelog.seal.storage import Row, SealStore
from compliance.messagelog.seal.unit_day import verify_unit_day
from compliance.messagelog.seal.verification import verify
from compliance.messagelog.ship import BATCH

OUTBOX = uuid.UUID("7c1f2e0a-5b52-4b52-9a53-1d1f4c3b2a10")
DOMAIN = "sjovalla.example"
LAST_DAY = date(2026, 11, 23)
ROUNDS = 5
START = datetime(2026, 11, 24, tzinfo=UTC)


def entry(number: int) -> LogEntry:
    return LogEntry(
        accepted_at=START + timedelta(seconds=number * 86.4),
        host="mail.sjovalla.example",
        direction="in",
        envelope_sender=f"medborgare{number}@omvarlden.example",
        recipient="registrator@sjovalla.example",
        from_address=f"medborgare{number}@omvarlden.example",
        from_text=f"Åke Medborgare <medborgare{number}@omvarlden.example>",
        subject=f"Bygglov för altan, ärende {number}",
        subject_raw=f"=?utf-8?q?Bygglov_f=C3=B6r_altan=2C_=C3=A4rende_{number}?=".encode(),
        message_id=f"<{number}.4711@omvarlden.example>",
        queue_id=f"4ZrX2b0Yk1z{number}",
        size=1234 + number,
        sender_unit=None,
        recipient_unit="ks",
        label=None,
        authenticated_user=None,
        client_class="public",
        attachments=1,
        attachment_names="Ritning över altan.pdf",
        references="",
    )


def rows(count: int) -> list[Row]:
    chain, made = first_chain(OUTBOX), []
    for number in range(1, count + 1):
        record = link(chain, number, entry(number), new_seed())
        chain = record.chain
        made.append(
            Row(OUTBOX, number, VERSION, record.seed, record.digest, record.chain, record.entry)
        )
    return made


def walk(links, count: int) -> None:
    log = Walk(OUTBOX, first_chain(OUTBOX), 1, count, {})
    if log.run(links):
        raise SystemExit("the benchmark's own log does not hold")


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return how long work takes, by the clock and of processor time, each the median of five."""
    taken, used = [], []
    for _ in range(ROUNDS):
        begin, before = time.perf_counter(), processor_seconds()
        work()
        taken.append(time.perf_counter() - begin)
        used.append(processor_seconds() - before)
    return statistics.median(taken), statistics.median(used)


def processor_seconds() -> float:
    """Return what this program has used so far, with those that it started and that are over."""
    parts = [
        resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    return sum(part.ru_utime + part.ru_stime for part in parts)


def told(name: str, work: Callable[[], object], count: int) -> None:
    clock, used = seconds(work)
    print(f"{name:<20}{count / clock:>12,.0f} entries/s, {count / used:,.0f} a processor second")


def measure_hashing(made: list[Row]) -> None:
    count = len(made)
    bare = [Link(row.sequence, row.digest, row.chain, None) for row in made]
    told("chain", lambda: walk(bare, count), count)
    told(
        "chain and contents",
        lambda: walk(
            (Link(row.sequence, row.digest, row.chain, row.own_digest) for row in made), count
        ),
        count,
    )
    told("commitments", lambda: [row.leaf for row in made], count)


def measure_whole(made: list[Row]) -> None:
    key = Ed25519PrivateKey.generate()
    public = (key.public_key().public_bytes_raw(),)
    with town_log.cluster("shared_buffers=1GB", "max_wal_size=2GB") as host:
        town_log.make_roles(host)
        with town_log.connect(host, "owner") as owner:
            store.migrate(owner, store.migrations())
            store.maintain(owner, START.date())
        with town_log.connect(host, "writer") as writer:
            for first in range(0, len(made), BATCH):
                records = [to_json(record(row)) for row in made[first : first + BATCH]]
                writer.execute(
                    "SELECT log.append(%s, %s, %s::json)",
                    [OUTBOX, made[0].entry.host, json.dumps(records)],
                )
        sign(host, key, made[-1].entry.accepted_at + timedelta(days=1))

        def whole() -> None:
            with town_log.connect(host, "reader") as reader, SealStore.snapshot(reader) as view:
                found = verify(view, public, DOMAIN)
            if found.findings or found.entries != len(made):
                raise SystemExit(f"the benchmark's own log does not hold: {found}")

        told(f"all, {os.cpu_count()} processors", whole, len(made))


def record(row: Row) -> Record:
    return Record(row.sequence, row.version, row.entry, row.seed, row.digest, row.chain)


def sign(host: str, key: Ed25519PrivateKey, now: datetime) -> None:
    with town_log.connect(host, "sealer") as sealer, SealStore.exclusive(sealer) as view:
        Sealer(view, key, DOMAIN, now).close_days()
    with town_log.connect(host, "owner") as owner:
        owner.execute("VACUUM ANALYZE log.statement, log.leaves")


# Straight into the table, as the owner; digests and chain are not asked for in a unit's day.
FILL = """
INSERT INTO log.entry
SELECT %(outbox)s, n + 1, 'mail.sjovalla.example', %(first)s::date + n * interval '86.4 seconds',
       'in', 'medborgare' || n || '@omvarlden.example', 'registrator@sjovalla.example',
       'medborgare' || n || '@omvarlden.example', 'Åke Medborgare', 'Bygglov, ärende ' || n, '',
       '<' || n || '@omvarlden.example>', 'Q' || n, 1234, NULL,
       CASE n %% 2 WHEN 0 THEN 'ks' ELSE 'enhet-' || n %% 98 / 2 END, NULL, NULL, 'public', 4,
       sha256(''), sha256(''), now(), log.new_seed(), 0, '', NULL, ''
FROM generate_series(0, %(count)s - 1) AS n"""


def measure_unit_day(days: int) -> None:
    key = Ed25519PrivateKey.generate()
    day = LAST_DAY - timedelta(days=days // 2)
    with town_log.cluster("shared_buffers=1GB", "max_wal_size=2GB") as host:
        fill(host, days, key)

        def one_day() -> None:
            with town_log.connect(host, "reader") as reader, SealStore.snapshot(reader) as view:
                public = (key.public_key().public_bytes_raw(),)
                found = verify_unit_day(view, public, DOMAIN, "ks", day)
            if found.findings or found.rows != 500:
                raise SystemExit(f"the benchmark's own day does not hold: {found}")

        clock, used = seconds(one_day)
        print(f"{'a unit and day':<20}{clock:>12.2f} s, {used:.2f} s of processor time")
        with tempfile.TemporaryDirectory() as folder:
            command = command_in(Path(folder), host, key, day)
            clock, used = seconds(command)
            print(f"{'the whole command':<20}{clock:>12.2f} s, {used:.2f} s of processor time")


def fill(host: str, days: int, key: Ed25519PrivateKey) -> None:
    """Make the log of so many days and sign them."""
    first = LAST_DAY - timedelta(days=days - 1)
    town_log.make_roles(host)
    with town_log.connect(host, "owner") as owner:
        store.migrate(owner, store.migrations())
        owner.execute("SELECT log.make_months(%s, %s)", [first, LAST_DAY])
        with town_log.indexes_after(owner):
            owner.execute(FILL, {"outbox": OUTBOX, "first": first, "count": days * 1000})
        owner.execute(
            "INSERT INTO log.position VALUES (%s, 'mail.sjovalla.example', %s, sha256(''))",
            [OUTBOX, days * 1000],
        )
        owner.execute("VACUUM ANALYZE log.entry")
    now = datetime(LAST_DAY.year, LAST_DAY.month, LAST_DAY.day, tzinfo=UTC) + timedelta(days=1)
    sign(host, key, now)


def command_in(folder: Path, host: str, key: Ed25519PrivateKey, day: date) -> Callable[[], object]:
    """Return what runs `kommunpost log verify` as a technician would, with settings in a folder."""
    public = folder / "seal.pub"
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    public.write_bytes(pem)
    (folder / "kommunpost.yml").write_text(
        f"municipality: {{name: Sjövalla kommun, domain: {DOMAIN}}}\n"
        f"log: {{dsn: host={host} dbname=kommunpost user=kommunpost_reader}}\n"
        f"seal: {{public_key_file: {public}}}\n",
        encoding="utf-8",
    )
    program = Path(sys.executable).with_name("kommunpost")
    words = [program, "log", "verify", "--unit", "ks", "--day", str(day)]
    environment = os.environ | {"KOMMUNPOST_CONFIG": str(folder / "kommunpost.yml")}
    return lambda: subprocess.run(words, env=environment, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    made = rows(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
    measure_hashing(made)
    measure_whole(made)
    measure_unit_day(int(sys.argv[2]) if len(sys.argv) > 2 else 1_000)


if __name__ == "__main__":
    main()
