"""How fast the database takes entries, with all indexes: python benchmarks/append.py [ENTRIES]

Ships batches of a thousand records as the shipper does, on one connection as kommunpost_writer, a
transaction each, into a PostgreSQL of its own with fsync. Prints entries per second, and per second
of the database's processor time, which tells more on a machine that others use too.
"""

import json
import os
import random
import statistics
import sys
import time
from datetime import timedelta
from pathlib import Path

import town_log

from compliance.messagelog import store
from compliance.messagelog.entry import LogEntry, first_chain, link, new_seed, to_json
from compliance.messagelog.ship import BATCH


def batches(count: int) -> list[str]:
    """Make the records as the outbox keeps them, in batches."""
    random_ = random.Random(town_log.SEED)
    chain, lines, made = first_chain(town_log.OUTBOX), [], []
    for number, row in enumerate(town_log.rows(count, count * 1000), 1):
        cells = row.rstrip("\n").split("\t")
        entry = LogEntry(
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
        record = link(chain, number, entry, new_seed())
        chain = record.chain
        lines.append(json.dumps(to_json(record), ensure_ascii=False))
        if len(lines) == BATCH:
            made.append(f"[{','.join(lines)}]")
            lines = []
    return made


def processor_seconds(pid: int) -> float:
    """Return what a process has used so far, its own and the system's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    made = batches(count)
    with town_log.cluster("shared_buffers=1GB", "max_wal_size=2GB", "wal_compression=lz4") as host:
        town_log.make_roles(host)
        with town_log.connect(host, "owner") as owner:
            store.migrate(owner, store.migrations())
            store.maintain(owner, town_log.LAST.date())
        seconds = []
        with town_log.connect(host, "writer") as writer:
            used = processor_seconds(writer.info.backend_pid)
            for batch in made:
                began = time.perf_counter()
                writer.execute(
                    "SELECT log.append(%s, %s, %s::json)", [town_log.OUTBOX, town_log.HOST, batch]
                )
                seconds.append(time.perf_counter() - began)
            used = processor_seconds(writer.info.backend_pid) - used
            version = writer.info.server_version // 10_000
    print(f"PostgreSQL {version}, {len(made)} batches of {BATCH}, all indexes")
    print(f"entries_per_second={len(made) * BATCH / sum(seconds):,.0f}")
    print(f"entries_per_processor_second={len(made) * BATCH / used:,.0f}")
    print(f"median_batch_ms={statistics.median(seconds) * 1000:.1f}")
    print(f"longest_batch_ms={max(seconds) * 1000:.1f}")


if __name__ == "__main__":
    main()
