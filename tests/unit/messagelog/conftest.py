"""What the message log's tests share: entries of a fictional municipality."""

import subprocess
import tempfile
import threading
import uuid
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest

from compliance.messagelog import store
from compliance.messagelog.entry import LogEntry
from compliance.messagelog.outbox import Outbox


@contextmanager
def running(work):
    """Run what goes on until it is told to stop, for the length of a block."""
    stop = threading.Event()
    thread = threading.Thread(target=work, args=[stop])
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=30)
        assert not thread.is_alive()


def make_entry(**changes):
    fields = {
        "accepted_at": datetime(2026, 11, 24, 9, 5, 0, 120, tzinfo=UTC),
        "host": "mail.sjovalla.example",
        "direction": "in",
        "envelope_sender": "medborgare@omvarlden.example",
        "recipient": "registrator@sjovalla.example",
        "from_address": "medborgare@omvarlden.example",
        "from_text": "Åke Medborgare <medborgare@omvarlden.example>",
        "subject": "Bygglov för altan",
        "subject_raw": b"=?utf-8?q?Bygglov_f=C3=B6r_altan?=",
        "message_id": "<1@omvarlden.example>",
        "queue_id": "4ZrX2b0Yk1z1",
        "size": 1234,
        "sender_unit": None,
        "recipient_unit": "ks",
        "label": None,
        "authenticated_user": None,
        "client_class": "public",
        "attachments": 1,
        "attachment_names": "Ritning över altan.pdf",
        "spam_verdict": None,
        "references": "<0@sjovalla.example>",
    }
    return LogEntry(**(fields | changes))


NOT_BEFORE_4 = {"references": None}
NOT_BEFORE_3 = {"attachments": None, "attachment_names": None} | NOT_BEFORE_4


def make_old_entry(version, **changes):
    """Make an entry as it was in an older version."""
    return make_entry(**(NOT_BEFORE_3 if version < 3 else NOT_BEFORE_4) | changes)


@pytest.fixture(scope="session")
def entry():
    return make_entry


@pytest.fixture
def box(tmp_path):
    """An outbox on disk."""
    made = Outbox(tmp_path / "outbox")
    yield made
    made.close()


class Server:
    """A PostgreSQL of its own on a socket in a temporary folder."""

    def __init__(self, folder):
        self.folder = folder
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        assert found, "the tests of the log's schema need the Debian package postgresql"
        self._programs = found[-1]
        self._run("initdb", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")

    def _run(self, program, *arguments):
        command = [str(self._programs / program), "-D", f"{self.folder}/data", *arguments]
        # PostgreSQL refuses to run as root.
        as_postgres = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(as_postgres, check=True, stdout=subprocess.DEVNULL, cwd="/")

    def start(self):
        settings = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off"
        self._run("pg_ctl", "-w", "-s", "-l", f"{self.folder}/log", "-o", settings, "start")

    def stop(self):
        self._run("pg_ctl", "-w", "-s", "-m", "immediate", "stop")

    def admin(self):
        return psycopg.connect(host=self.folder, user="postgres", autocommit=True)


@pytest.fixture(scope="session")
def server():
    with tempfile.TemporaryDirectory(prefix="kplog") as folder:
        Path(folder).chmod(0o777)
        made = Server(folder)
        made.start()
        with made.admin() as admin:
            roles = ("owner", "writer", "reader", "sealer", "publisher", "disposer", "login", "web")
            for role in roles:
                admin.execute(f"CREATE ROLE kommunpost_{role} LOGIN")
        yield made
        made.stop()


@pytest.fixture(scope="session")
def new_log(server):
    """Make a database with the schema in place; say how to reach it as a role."""

    def for_role_in(name):
        return lambda role: f"host={server.folder} dbname={name} user=kommunpost_{role}"

    def create(name, more=""):
        with server.admin() as admin:
            admin.execute(f"CREATE DATABASE {name} OWNER kommunpost_owner {more}")
        return for_role_in(name)

    # Migrated once; each test has a copy.
    with psycopg.connect(create("migrated")("owner"), autocommit=True) as owner:
        store.migrate(owner, store.migrations())
        store.maintain(owner, date(2026, 11, 24))

    # By its files, which takes a quarter of the time of writing every block to the WAL.
    copied = "TEMPLATE migrated STRATEGY file_copy"
    return lambda: create(f"log_{uuid.uuid4().hex[:8]}", copied)


@pytest.fixture
def dsn(new_log):
    """Say how to reach a fresh database, with the schema in place, as a role."""
    return new_log()


@pytest.fixture
def connect(dsn):
    """Connect to a fresh database as a role."""
    opened = []

    def open_as(role):
        opened.append(psycopg.connect(dsn(role), autocommit=True))
        return opened[-1]

    yield open_as
    for connection in opened:
        connection.close()
