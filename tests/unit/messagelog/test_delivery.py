"""What the journal tells of deliveries and refusals stands in the database, and stays."""

# ruff: noqa: F811 - fixtures of fake_journal.py

import psycopg
import pytest
from fake_journal import STATES, accepted, following, journal, rows, told, wait_for  # noqa: F401 - fixtures


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
