"""How fast the log is verified: python benchmarks/verify.py [ENTRIES]

Prints entries per second on one processor, median of five, without the database: the chain's links
alone, the chain with what each entry says, and the leaves of the trees (each cell's commitment).
"""

import statistics
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta

from compliance.messagelog.entry import VERSION, LogEntry, first_chain, link, new_seed
from compliance.messagelog.seal.chain import Link, Walk
from compliance.messagelog.seal.storage import Row

OUTBOX = uuid.UUID("7c1f2e0a-5b52-4b52-9a53-1d1f4c3b2a10")
ROUNDS = 5
START = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)


def entry(number: int) -> LogEntry:
    return LogEntry(
        accepted_at=START + timedelta(seconds=number),
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


def rate(work, count: int) -> float:
    seconds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return count / statistics.median(seconds)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    made = rows(count)
    bare = [Link(row.sequence, row.digest, row.chain, None) for row in made]
    works = {
        "chain": lambda: walk(bare, count),
        "chain and contents": lambda: walk(
            (Link(row.sequence, row.digest, row.chain, row.own_digest) for row in made), count
        ),
        "commitments": lambda: [row.leaf for row in made],
    }
    for name, work in works.items():
        print(f"{name:<20}{rate(work, count):>12,.0f} entries/s on one processor")


if __name__ == "__main__":
    main()
