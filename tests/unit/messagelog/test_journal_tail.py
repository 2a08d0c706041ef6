"""The journal is read once and in order, whatever is rotated away, lost or damaged on the way."""

# ruff: noqa: F811 - fixtures of fake_journal.py

from datetime import UTC, datetime, timedelta

import pytest
from fake_journal import (  # noqa: F401 - fixtures
    JOURNALCTL,
    START,
    STATES,
    accepted,
    following,
    journal,
    rows,
    told,
    wait_for,
)

from compliance.messagelog import journal_tail


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
