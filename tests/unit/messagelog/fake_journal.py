"""A host's journal that tests write, and the follower that reads it into the database."""

import json
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from conftest import running

from compliance.messagelog import delivery, journal_tail, perseverance
from compliance.messagelog.delivery import Follower
from compliance.messagelog.journal_tail import JournalTail
from compliance.notify import Notifier
from compliance.settings import Log

HOST = "mail.sjovalla.example"
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
STATES = "SELECT queue_id, status FROM log.delivery ORDER BY number"

# journalctl's part, over a file of its JSON lines; once, it passes over what it is told to.
JOURNALCTL = """
import json, os, sys, time
def cursor_of(text):
    try:
        return json.loads(text)["__CURSOR"] or ""
    except (ValueError, TypeError, KeyError):
        return ""
path, options = sys.argv[1], sys.argv[2:]
named = dict(word.partition("=")[::2] for word in options)
follow, begun = "--follow" in options, False
wanted = named.get("--cursor", named.get("--after-cursor"))
known = [cursor_of(text) for text in open(path)]
skip = known.index(wanted) if wanted in known else 0
skip += "--after-cursor" in named and wanted in known
number = 0
over = []
if follow and os.path.exists(path + ".over"):
    over = open(path + ".over").read().split()
    os.remove(path + ".over")
with open(path) as file:
    while True:
        text = file.readline()
        if text.endswith("\\n"):
            number += 1
            if number > skip and cursor_of(text) not in over:
                sys.stdout.write(text)
                sys.stdout.flush()
        elif not follow:
            break
        else:
            time.sleep(0.02)
"""


class Journal:
    """The host's journal, as a file that is written to and may be rotated away."""

    def __init__(self, folder):
        self.path = folder / "journal"
        self.path.touch()
        self.program = folder / "journalctl"
        self.program.write_text(JOURNALCTL)
        self.count = 0

    def pass_over(self, *numbers):
        """Let the next journalctl not see these lines."""
        cursors = " ".join(f"c{number}" for number in numbers)
        self.path.with_name("journal.over").write_text(cursors)

    def write_raw(self, text):
        """Append what journalctl would give of a line."""
        with self.path.open("a") as file:
            file.write(text + "\n")

    def write_odd(self, **fields):
        """Append a line of which any field may be odd."""
        self.write("smtp", "odd")
        *lines, last = self.path.read_text().splitlines(keepends=True)
        entry = {key: value for key, value in (json.loads(last) | fields).items() if value != ...}
        self.path.write_text("".join(lines))
        self.write_raw(json.dumps(entry))

    def write(
        self, program, *texts, pid="1", unit="postfix.service", at=None, uid="102", facility="2",
        lost=0,
    ):  # fmt: skip
        """Append lines. lost: how many journald numbered before them, and couldn't write."""
        self.count += lost
        with self.path.open("a") as file:
            for text in texts:
                self.count += 1
                moment = at or START + timedelta(seconds=self.count)
                entry = {
                    "__CURSOR": f"c{self.count}",
                    "__SEQNUM_ID": "s",
                    "__SEQNUM": str(self.count),
                    "SYSLOG_FACILITY": facility,
                    "_BOOT_ID": "b",
                    "__REALTIME_TIMESTAMP": str(int(moment.timestamp() * 1_000_000)),
                    "SYSLOG_IDENTIFIER": f"postfix/{program}",
                    "_SYSTEMD_UNIT": unit,
                    "_PID": pid,
                    "_UID": uid,
                    "MESSAGE": text,
                }
                file.write(json.dumps(entry) + "\n")

    def tail(self, cursor):
        return JournalTail(cursor, [sys.executable, str(self.program), str(self.path)])


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path)


@pytest.fixture
def following(journal, dsn, monkeypatch):
    monkeypatch.setattr(perseverance, "LONGEST_WAIT_SECONDS", 0.5)
    monkeypatch.setattr(delivery, "IDLE_SECONDS", 0.5)
    monkeypatch.setattr(journal_tail, "_uid", {"postfix": "102"}.get)

    def run():
        log = Log(dsn=dsn("writer"))
        return running(Follower(HOST, log, lambda _: "ks", Notifier("", 60), journal.tail).run)

    return run


def accepted(queue_id):
    return f"{queue_id}: from=<a@omvarlden.example>, size=1, nrcpt=1 (queue active)"


def told(queue_id, status="sent", recipient="anna@sjovalla.example", orig_to=""):
    named = f" orig_to=<{orig_to}>," if orig_to else ""
    return (
        f"{queue_id}: to=<{recipient}>,{named} relay=none, delay=1, delays=0/0/0/0,"
        f" dsn=4.0.0, status={status} (said so)"
    )


def rows(connect, query):
    return connect("reader").execute(query).fetchall()


def wait_for(connect, query, wanted):
    deadline = time.monotonic() + 30
    reader = connect("reader")
    while (found := reader.execute(query).fetchall()) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)  # the database tells nobody that a row has come
    assert found == wanted
