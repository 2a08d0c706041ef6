"""The follower: what the journal tells stands in the database once, whatever breaks on the way."""

import json
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from compliance.messagelog import delivery, journal_tail, perseverance
from compliance.messagelog.delivery import Follower
from compliance.messagelog.journal_tail import JournalTail
from compliance.notify import Notifier
from compliance.settings import Log

HOST = "mail.sjovalla.example"
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

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

    @contextmanager
    def run():
        stop = threading.Event()
        log = Log(dsn=dsn("writer"))
        follower = Follower(HOST, log, lambda _: "ks", Notifier("", 60), journal.tail)
        thread = threading.Thread(target=follower.run, args=[stop])
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(timeout=30)
            assert not thread.is_alive()

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


STATES = "SELECT queue_id, status FROM log.delivery ORDER BY number"


def test_what_stood_there_and_what_comes_is_stored_once_over_restarts(journal, following, connect):
    expected = []
    for life in range(3):
        queue_id = f"QUEUEID{life}"
        journal.write("smtp", told(queue_id, "deferred"))
        with following():
            journal.write("smtp", told(queue_id))
            expected += [(queue_id, "deferred"), (queue_id, "sent")]
            wait_for(connect, STATES, expected)
    assert rows(connect, "SELECT count(*) FROM log.journal") == [(1,)]


def test_a_cut_connection_costs_nothing(journal, following, connect, server):
    with following():
        journal.write("smtp", told("QUEUEID1"))
        wait_for(connect, STATES, [("QUEUEID1", "sent")])
        with server.admin() as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = 'kommunpost_writer'"
            )
        journal.write("smtp", told("QUEUEID2"))
        wait_for(connect, STATES, [("QUEUEID1", "sent"), ("QUEUEID2", "sent")])


def test_lines_that_were_rotated_away_unread_leave_a_gap_that_is_told(
    journal, following, connect, caplog
):
    with following():
        journal.write("smtp", told("QUEUEID1"))
        wait_for(connect, STATES, [("QUEUEID1", "sent")])
    journal.path.write_text("")
    journal.write("smtp", told("QUEUEID2"))
    with following():
        wait_for(connect, STATES, [("QUEUEID1", "sent"), ("QUEUEID2", "sent")])
    assert rows(connect, "SELECT since FROM log.journal ORDER BY number") == [
        (START + timedelta(seconds=1),),
        (START + timedelta(seconds=2),),
    ]
    assert "are gone that were not read" in caplog.text


@pytest.mark.parametrize("passed_over", [(1,), (2, 3), (4,), (5,)])
def test_what_journalctl_passes_over_at_a_rotation_is_read_again(
    journal, following, connect, passed_over
):
    journal.write("smtp", told("QUEUEID1"))
    with following():
        wait_for(connect, STATES, [("QUEUEID1", "sent")])
    journal.write("sudo", "of another facility", facility="10")
    journal.write("smtp", told("QUEUEID2"), told("QUEUEID3"), told("QUEUEID4"))
    journal.pass_over(*passed_over)
    with following():
        wait_for(connect, STATES, [(f"QUEUEID{n}", "sent") for n in (1, 2, 3, 4)])
    assert rows(connect, "SELECT count(*) FROM log.journal") == [(1,)]


def test_what_journald_itself_lost_holds_nothing_up(journal, following, connect):
    journal.write("smtp", told("QUEUEID1"))
    journal.write("smtp", told("QUEUEID2"), lost=3)
    journal.write("smtp", told("QUEUEID3"), lost=1)
    with following():
        wait_for(connect, STATES, [(f"QUEUEID{n}", "sent") for n in (1, 2, 3)])


@pytest.mark.parametrize("facility", ["2", "10"])
def test_lines_that_are_gone_in_the_midst_of_the_journal_are_told(
    journal, following, connect, facility
):
    """Whatever program wrote the first line behind them."""
    journal.write("smtp", told("QUEUEID1"))
    with following():
        wait_for(connect, STATES, [("QUEUEID1", "sent")])
    behind = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    journal.write("smtp", "of whatever", lost=300, facility=facility, at=behind)
    gap = (
        "SELECT since < until, until FROM log.journal_gaps(now() - interval '9 days',"
        " now() + interval '1 day') WHERE until IS NOT NULL"
    )
    with following():
        wait_for(connect, gap, [(True, behind)])
        journal.write("smtp", told("QUEUEID2"))
        wait_for(connect, STATES, [("QUEUEID1", "sent"), ("QUEUEID2", "sent")])
    with following():
        journal.write("smtp", told("QUEUEID3"))
        wait_for(connect, "SELECT count(*) FROM log.delivery", [(3,)])
    assert rows(connect, "SELECT count(*) FROM log.journal") == [(2,)], "it is told once"


def test_a_line_that_is_none_is_a_gap_and_one_that_the_database_refuses_too(
    journal, following, connect, caplog
):
    journal.write("smtp", told("QUEUEID1"))
    for text in ("{", "[]", '{"__CURSOR": null}'):
        journal.count += 1
        journal.write_raw(text)
    journal.write("smtp", told("QUEUEID2"))
    connect("owner").execute("ALTER TABLE log.accepted ADD CHECK (queue_id <> 'REFUSED')")
    journal.write("qmgr", accepted("REFUSED"), accepted("QUEUEID3"))
    journal.write("smtp", told("QUEUEID3"))
    with following():
        wait_for(connect, STATES, [(f"QUEUEID{n}", "sent") for n in (1, 2, 3)])
    assert rows(connect, "SELECT queue_id FROM log.accepted") == [("QUEUEID3",)]
    begun = rows(connect, "SELECT since FROM log.journal ORDER BY number")
    assert begun == [(START + timedelta(seconds=n),) for n in (1, 5, 6)]
    assert "is passed over" in caplog.text


ODD = (
    None,
    7,
    True,
    {},
    [],
    ["a", "b"],
    [["a"], None],
    [97, 98],
    [97, 300],
    [None],
    [[1], [2]],
    ...,
)


@pytest.mark.parametrize("name", [
    *("MESSAGE", "SYSLOG_IDENTIFIER", "SYSLOG_FACILITY", "_PID", "_UID", "_SYSTEMD_UNIT"),
    "_BOOT_ID",
])  # fmt: skip
def test_no_form_of_a_field_stops_the_follower(journal, following, connect, name):
    journal.write("smtp", told("QUEUEID1"))
    for form in ODD:
        journal.write_odd(**{name: form})
    journal.write("smtp", told("QUEUEID2"))
    with following():
        wait_for(connect, STATES, [("QUEUEID1", "sent"), ("QUEUEID2", "sent")])
    assert rows(connect, "SELECT count(*) FROM log.journal") == [(1,)]


def test_text_that_is_not_printable_is_read(journal, following, connect):
    journal.write_odd(MESSAGE=list(told("QUEUEID1", recipient="åsa@x.example").encode()))
    with following():
        wait_for(connect, "SELECT recipient FROM log.delivery", [("åsa@x.example",)])


def test_a_journal_that_gives_no_answer_is_told_of_as_one_that_fails(journal, monkeypatch):
    """As on a disk that hangs: so the follower tries again, and does not end."""
    monkeypatch.setattr(journal_tail, "_CHECK_SECONDS", 0.1)
    hang = "import sys, time\nif '--follow' not in sys.argv: time.sleep(600)\n"
    journal.program.write_text(hang + JOURNALCTL)
    with journal.tail(None) as tail, pytest.raises(OSError, match="gives no answer"):
        tail.is_read_out("c1")


def test_much_that_other_programs_wrote_between_two_mails_is_read_over(journal, following, connect):
    journal.write("smtp", told("QUEUEID1"))
    with following():
        wait_for(connect, STATES, [("QUEUEID1", "sent")])
    journal.write("sshd", *["Invalid user"] * 3_000, facility="10")
    journal.write("smtp", told("QUEUEID2"))
    with following():
        wait_for(connect, STATES, [("QUEUEID1", "sent"), ("QUEUEID2", "sent")])


def test_a_line_of_mail_that_is_rotated_away_behind_what_was_read_is_no_gap(
    journal, following, connect
):
    """As on a weekend on which other programs write much and nobody writes a letter."""
    journal.write("smtp", told("QUEUEID1"))
    journal.write("sshd", "Invalid user", facility="10")
    with following():
        wait_for(connect, "SELECT cursor FROM log.journal", [("c2",)])
    kept = journal.path.read_text().splitlines(keepends=True)[1]
    journal.path.write_text(kept)
    with following():
        journal.write("smtp", told("QUEUEID2"))
        wait_for(connect, STATES, [("QUEUEID1", "sent"), ("QUEUEID2", "sent")])
    assert rows(connect, "SELECT count(*) FROM log.journal") == [(1,)]


def test_a_quiet_journal_is_read_up_to_now(journal, following, connect):
    with following():
        journal.write("smtp", told("QUEUEID1"))
        wait_for(connect, "SELECT until > now() - interval '1 minute' FROM log.journal", [(True,)])


def test_the_latest_state_and_the_history(journal, following, connect):
    for recipient in ("anna@sjovalla.example", "bo@x.example"):
        journal.write("smtp", told("QUEUEID1", "deferred", recipient))
    journal.write("smtp", told("QUEUEID1", "sent", "bo@x.example"))
    journal.write("qmgr", "QUEUEID1: from=<a@b.example>, status=expired, returned to sender")
    with following():
        wait_for(
            connect,
            "SELECT recipient, status, reply FROM log.outcome ORDER BY 1",
            [("anna@sjovalla.example", "expired", "said so"), ("bo@x.example", "sent", "said so")],
        )
    assert rows(connect, "SELECT count(*) FROM log.delivery") == [(4,)]


def test_requeued_mail_keeps_its_first_name(journal, following, connect):
    journal.write("qmgr", accepted("QUEUEID1"))
    with following():
        wait_for(connect, "SELECT queue_id FROM log.accepted", [("QUEUEID1",)])
        journal.write("pickup", "QUEUEID2: uid=102 from=<a@b.example> orig_id=QUEUEID1")
        journal.write("qmgr", accepted("QUEUEID2"))
        journal.write("smtp", told("QUEUEID2"))
        wait_for(connect, STATES, [("QUEUEID1", "sent")])
    assert rows(connect, "SELECT queue_id FROM log.accepted") == [("QUEUEID1",)]


def test_refusals_are_added_up_by_day_and_reason(journal, following, connect):
    text = "NOQUEUE: reject: RCPT from x[1.2.3.4]: 550 5.1.1 <a@b>: Unknown; from=<> to=<a@b>"
    journal.write("smtpd", text, text)
    with following():
        wait_for(connect, "SELECT count FROM log.refused", [(2,)])
        journal.write("smtpd", text)
        wait_for(
            connect,
            "SELECT day::text, reason, count FROM log.refused",
            [("2026-11-24", "550 5.1.1 Unknown", 3)],
        )


@pytest.mark.parametrize(
    ("unit", "uid", "name"),
    [
        ("user@1000.service", "1000", "postfix/smtp"),
        ("postfix.service", "1000", "postfix/smtp"),  # a delivery to a command
        ("dovecot.service", "1000", "postfix/smtp"),
        ("dovecot.service", "0", "postfix/smtp"),
        ("postfix-exporter.service", "0", "postfix/smtp"),
        ("postfix.service", "0", "smtp"),
        (["postfix.service", "user@1000.service"], "0", "postfix/smtp"),
    ],
)
def test_what_no_mail_service_wrote_is_not_believed(journal, following, connect, unit, uid, name):
    forged = {"_SYSTEMD_UNIT": unit, "_UID": uid, "SYSLOG_IDENTIFIER": name}
    journal.write_odd(MESSAGE=told("QUEUEID1"), **forged)
    journal.write("smtp", told("QUEUEID2"))
    journal.write("smtp", told("QUEUEID3"), uid="0")
    with following():
        wait_for(connect, STATES, [("QUEUEID2", "sent"), ("QUEUEID3", "sent")])


def test_dovecots_own_lines_alone_say_what_it_stored(journal, following, connect):
    for session, unit, uid in (
        *(("s1", "dovecot.service", "5000"), ("s2", "postfix.service", "0")),
        *(("s3", "", "102"), ("s4", "dovecot.service", "0")),
    ):
        said = (
            f"lmtp(anna@x.example)<1><{session}>: sieve: msgid=<1@x>: stored mail into mailbox 'I'"
        )
        journal.write_odd(MESSAGE=said, SYSLOG_IDENTIFIER="dovecot", _SYSTEMD_UNIT=unit, _UID=uid)
    with following():
        wait_for(connect, "SELECT session FROM log.stored", [("s4",)])


def test_postfixs_own_user_is_believed_where_the_unit_is_not_postfixs(journal, following, connect):
    """journald does not know the unit of a process that has ended; postsuper runs in a session."""
    for unit in ("", "session-3.scope"):
        journal.write("postsuper", "QUEUEID1: removed", uid="1000", unit=unit)
        journal.write("lmtp", told("QUEUEID1"), uid="1000", unit=unit)
    journal.write("postsuper", "QUEUEID2: removed", uid="102", unit="session-3.scope")
    journal.write("lmtp", told("QUEUEID3"), uid="102", unit="")
    with following():
        wait_for(connect, STATES, [("QUEUEID3", "sent")])
    assert rows(connect, "SELECT queue_id FROM log.removed") == [("QUEUEID2",)]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM log.removed",
        "UPDATE log.held SET is_held = false",
        "UPDATE log.delivery SET status = 'sent'",
        "TRUNCATE log.delivery",
        "UPDATE log.accepted SET at = now()",
    ],
)
def test_history_is_never_changed(journal, following, connect, statement):
    journal.write("smtp", told("QUEUEID1"))
    with following():
        wait_for(connect, STATES, [("QUEUEID1", "sent")])
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect("owner").execute(statement)


@pytest.mark.parametrize("table", ["delivery", "accepted", "journal", "refused", "stored"])
def test_the_mail_host_reads_none_of_it(connect, table):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect("writer").execute(f"SELECT * FROM log.{table}")
