"""A log of any size for benchmarks: a PostgreSQL of its own, filled with a fixed seed."""

import random
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from pathlib import Path

import psycopg

from compliance.messagelog import store

SEED = 20261124
OUTBOX = uuid.UUID("7c1f2e0a-5b52-4b52-9a53-1d1f4c3b2a10")
HOST = "mail.sjovalla.example"
LAST = datetime(2026, 11, 24, tzinfo=UTC)
APART = timedelta(days=1) / 9_200  # 10 million entries in three years
UNITS = [f"enhet-{number:02}" for number in range(50)]
ROLES = ("owner", "writer", "reader", "sealer", "publisher", "disposer", "login", "web")


def _words(text: str) -> list[str]:
    return text.split()


_FIRST_PARTS = _words(
    "bygg mark vatten skol barn äldre vård trafik miljö kultur fritids sjuk hem social ungdoms "
    "park gatu snö ljus brand avfalls energi närings kollektiv förskole grund gymnasie bistånds"
)
_LAST_PARTS = _words(
    "lov ärende plan nämnd möte avgift tillstånd anmälan ansökan beslut remiss yttrande handling "
    "protokoll kallelse faktura avtal upphandling rapport fråga enkät utredning tjänst budget"
)
_PLAIN = _words(
    "Fråga om angående begäran till från och för med på vid av nytt nya möte svar på underlag "
    "inför information påminnelse komplettering överklagande synpunkter inbjudan bekräftelse "
    "altan garage staket brygga gångväg lekplats skylt lövhög parkering bullerplank"
)
_WORDS = _PLAIN * 6 + [first + last for first in _FIRST_PARTS for last in _LAST_PARTS]
_NAMES = _words("anna bo cecilia david eva farid greta hassan ingrid johan karin lars maria nils")
_COLUMNS = (
    "outbox_id, sequence, host, accepted_at, direction, envelope_sender, recipient, from_address, "
    "from_text, subject, subject_raw, message_id, queue_id, size, sender_unit, recipient_unit, "
    'label, authenticated_user, client_class, attachments, attachment_names, "references", '
    "version, seed, digest, chain"
)
_GENERATED = 1_000_000
_INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = 'log.entry'::regclass AND NOT indisprimary ORDER BY 1
"""
_AGAIN = f"""
    INSERT INTO log.entry ({_COLUMNS})
    SELECT outbox_id, sequence + %(k)s * %(first)s, host, accepted_at + %(k)s * %(span)s,
        direction, envelope_sender, recipient, from_address, from_text, subject, subject_raw,
        replace(message_id, '<', '<' || %(k)s || '.'), queue_id || %(k)s, size, sender_unit,
        recipient_unit, label, authenticated_user, client_class, attachments, attachment_names,
        replace("references", '<', '<' || %(k)s || '.'), version, seed, digest, chain
    FROM log.entry WHERE accepted_at < %(until)s
"""


@contextmanager
def cluster(*settings: str) -> Iterator[str]:
    """Run a PostgreSQL in a folder that goes afterwards; yield that folder, its host in libpq."""
    folder = Path(tempfile.mkdtemp(prefix="kplist", dir="/var/tmp"))  # on disk, unlike some /tmp
    folder.chmod(0o777)
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", f"{folder}/data", *arguments]
        as_postgres = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(as_postgres, check=True, stdout=subprocess.DEVNULL, cwd="/")

    options = f"-c listen_addresses= -c unix_socket_directories={folder}"
    options += "".join(f" -c {setting}" for setting in settings)
    try:
        run("initdb", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        run("pg_ctl", "-w", "-s", "-l", f"{folder}/log", "-o", options, "start")
        yield str(folder)
        run("pg_ctl", "-w", "-s", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def connect(host: str, role: str) -> psycopg.Connection:
    """Connect to the benchmark's database as one of the log's roles."""
    return psycopg.connect(
        host=host, dbname="kommunpost", user=f"kommunpost_{role}", autocommit=True
    )


def processor_seconds(pid: int) -> float:
    """Return what a process of one thread has used so far, its own and the system's for it."""
    # In nanoseconds, where /proc/PID/stat counts hundredths of a second.
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def make_roles(host: str) -> None:
    """Make the log's roles and its empty database."""
    with psycopg.connect(host=host, user="postgres", autocommit=True) as admin:
        for role in ROLES:
            admin.execute(f"CREATE ROLE kommunpost_{role} LOGIN")
        admin.execute("CREATE DATABASE kommunpost OWNER kommunpost_owner")


@contextmanager
def indexes_after(owner: psycopg.Connection) -> Iterator[None]:
    """Fill the log within, rows first and the indexes after: it takes minutes and not an hour."""
    indexes = owner.execute(_INDEXES).fetchall()
    for name, _ in indexes:
        owner.execute(f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        owner.execute(definition.replace(" ON ONLY ", " ON "))  # the partitions' too


def make_database(host: str, entries: int) -> None:
    """Make the log's database with so many entries of a town with 9,200 a day, the last in LAST.

    The first million or less come from the generator; the others are those again, later in time.
    """
    make_roles(host)
    parts = -(-entries // _GENERATED)  # as many as it takes: 3.5 million are four parts
    first = entries // parts
    began, span = LAST - APART * entries, APART * first
    until = began + span - APART / 2
    with connect(host, "owner") as owner:
        owner.execute("SET maintenance_work_mem = '1GB'")
        store.migrate(owner, store.migrations())
        owner.execute("SELECT log.make_months(%s, %s)", [began.date(), date(2027, 11, 1)])
        with indexes_after(owner):
            with owner.cursor().copy(f"COPY log.entry ({_COLUMNS}) FROM STDIN") as copy:
                for row in rows(first, began):
                    copy.write(row)
            for copies in range(1, parts):
                owner.execute(_AGAIN, {"k": copies, "first": first, "span": span, "until": until})
        owner.execute("VACUUM ANALYZE log.entry")
        list(store.note_addresses(owner))
        list(store.note_words(owner))
        owner.execute("VACUUM ANALYZE log.unit_day")


def rows(count: int, began: datetime) -> Iterator[str]:
    """Yield the lines for COPY of so many entries, the first of them at a time."""
    random_ = random.Random(SEED)
    heavy_units = list(accumulate(1 / (rank + 2) for rank in range(len(UNITS))))
    fake = "\\\\x" + "ab" * 32
    for number in range(count):
        at = began + APART * number + timedelta(microseconds=random_.randrange(1000))
        own_unit = random_.choices(UNITS, cum_weights=heavy_units)[0]
        own = f"{own_unit}.{int(random_.paretovariate(0.7)) % 400}@sjovalla.example"
        rank = int(random_.paretovariate(0.4)) % 300_000
        other = f"{_NAMES[rank % len(_NAMES)]}.{rank}@omvarlden{rank % 97}.example"
        kind = random_.random()
        if kind < 0.60:
            direction, sender, recipient, units = "in", other, own, ("\\N", own_unit)
        elif kind < 0.85:
            direction, sender, recipient, units = "out", own, other, (own_unit, "\\N")
        else:
            unit = random_.choices(UNITS, cum_weights=heavy_units)[0]
            sender = f"{unit}.{int(random_.paretovariate(0.7)) % 400}@sjovalla.example"
            direction, recipient, units = "internal", own, (unit, own_unit)
        yield "\t".join(
            (
                str(OUTBOX), str(number + 1), HOST, at.isoformat(), direction, sender, recipient,
                sender, f"{sender.split('@')[0].title()} <{sender}>", subject(random_, number),
                "\\\\x", message_id(number), f"4ZrX2b{number:x}", "1234", *units,
                "\\N", "\\N", "public", "0", "", references(number, "\\n"), "4",
                fake, fake, fake,
            )
        ) + "\n"  # fmt: skip


def message_id(number: int) -> str:
    """Return the Message-ID of an entry by its number."""
    return f"<{number}.4711@{HOST}>"


def references(number: int, between: str = "\n") -> str:
    """Return what an entry refers to: a quarter answer, in threads of some letters."""
    earlier = (9, 5, 2) if number % 4 == 0 else ()
    return between.join(message_id(number - n) for n in earlier)


def subject(random_: random.Random, number: int) -> str:
    """Return a subject: two to seven Swedish words, at times with a diary number."""
    words = random_.choices(_WORDS, k=random_.randint(2, 7))
    if random_.random() < 0.3:
        words.append(f"KS {2023 + number % 4}/{random_.randint(1, 1999):05}")
    return ("SV: " if random_.random() < 0.25 else "") + " ".join(words)
