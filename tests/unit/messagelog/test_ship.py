"""The shipper: every record arrives exactly once and in order, whatever breaks on the way."""

import threading
import time
from datetime import UTC, datetime

import pytest
from conftest import running

from compliance.errors import UserError
from compliance.messagelog import perseverance, ship
from compliance.messagelog.outbox import Outbox
from compliance.messagelog.ship import Shipper
from compliance.notify import Notifier
from compliance.settings import Log, Settings

HOST = "mail.sjovalla.example"


@pytest.fixture
def shipping(tmp_path, dsn, monkeypatch):
    """Run a shipper for the length of a block."""
    monkeypatch.setattr(perseverance, "LONGEST_WAIT_SECONDS", 0.5)

    def run(folder="outbox", host=HOST):
        log = Log(dsn=dsn("writer"))
        return running(Shipper(tmp_path / folder, host, log, Notifier("", 60)).run)

    return run


def stored(connect):
    rows = connect("reader").execute("SELECT queue_id FROM log.entry ORDER BY sequence").fetchall()
    return [queue_id for (queue_id,) in rows]


def wait_for(connect, count):
    deadline = time.monotonic() + 30
    while len(stored(connect)) < count and time.monotonic() < deadline:
        time.sleep(0.05)  # the database tells nobody that a row has come
    return stored(connect)


def names(first, last):
    return [f"q{number}" for number in range(first, last)]


def append(box, entry, first, last):
    box.append([entry(queue_id=name) for name in names(first, last)])


def test_what_waits_and_what_comes_is_shipped_in_order(box, entry, shipping, connect):
    append(box, entry, 0, 2500)
    with shipping():
        assert wait_for(connect, 2500) == names(0, 2500)
        append(box, entry, 2500, 2501)
        assert wait_for(connect, 2501) == names(0, 2501)


def test_a_shipper_that_starts_again_doubles_nothing(box, entry, shipping, connect):
    for life in range(3):
        append(box, entry, life * 10, life * 10 + 10)
        with shipping():
            wait_for(connect, life * 10 + 10)
    assert stored(connect) == names(0, 30)


def test_a_cut_connection_is_made_anew(box, entry, shipping, connect, server):
    with shipping():
        append(box, entry, 0, 10)
        wait_for(connect, 10)
        with server.admin() as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = 'kommunpost_writer'"
            )
        append(box, entry, 10, 20)
        assert wait_for(connect, 20) == names(0, 20)


def test_a_database_that_dies_costs_nothing_but_time(box, entry, shipping, connect, server, caplog):
    caplog.set_level("INFO")
    with shipping():
        append(box, entry, 0, 10)
        wait_for(connect, 10)
        server.stop()
        append(box, entry, 10, 20)
        deadline = time.monotonic() + 30
        while "shipping waits" not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.05)
        server.start()
        assert wait_for(connect, 20) == names(0, 20)
    assert caplog.text.count("shipping waits") == 1
    assert caplog.text.count("shipping goes on") == 1


def test_nothing_passes_a_record_that_the_database_refuses(box, entry, shipping, connect, caplog):
    append(box, entry, 0, 5)
    connect("owner").execute("ALTER TABLE log.entry ADD CHECK (queue_id <> 'q7')")
    with shipping():
        wait_for(connect, 5)
        append(box, entry, 5, 10)
        deadline = time.monotonic() + 30
        while "shipping waits" not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.05)
        assert stored(connect) == names(0, 5)
        connect("owner").execute("ALTER TABLE log.entry DROP CONSTRAINT entry_queue_id_check")
        assert wait_for(connect, 10) == names(0, 10)


def test_what_the_database_refuses_is_told_without_what_it_holds(
    box, entry, shipping, connect, caplog
):
    """PostgreSQL adds the whole row, with names and subject, which are not for the journal."""
    connect("owner").execute("ALTER TABLE log.entry ADD CHECK (queue_id <> 'q0')")
    append(box, entry, 0, 1)
    with shipping():
        deadline = time.monotonic() + 30
        while "shipping waits" not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.05)
    assert 'violates check constraint "entry_queue_id_check"' in caplog.text
    assert "@" not in caplog.text
    assert "Bygglov" not in caplog.text


def test_two_mail_hosts_write_at_once_while_the_database_dies(
    entry, shipping, connect, server, tmp_path
):
    """Two outboxes, each written by eight threads, two shippers: real files, real PostgreSQL."""
    hosts = ["mail1.sjovalla.example", "mail2.sjovalla.example"]
    boxes = [Outbox(tmp_path / host) for host in hosts]

    def write(host, box, writer):
        for number in range(100):
            box.append([entry(host=host, queue_id=f"{host}/{writer}/{number}")])

    writers = [
        threading.Thread(target=write, args=[host, box, number])
        for host, box in zip(hosts, boxes, strict=True)
        for number in range(8)
    ]
    with shipping(hosts[0], hosts[0]), shipping(hosts[1], hosts[1]):
        for one in writers:
            one.start()
        wait_for(connect, 200)
        server.stop()
        server.start()
        for one in writers:
            one.join()
        arrived = wait_for(connect, 1600)
    for box in boxes:
        box.close()
    wanted = [f"{host}/{writer}/{n}" for host in hosts for writer in range(8) for n in range(100)]
    assert sorted(arrived) == sorted(wanted)
    bent = connect("reader").execute(
        "SELECT count(*) FROM (SELECT chain = sha256('\\x01'::bytea || lag(chain, 1, sha256("
        "'\\x02'::bytea || uuid_send(outbox_id))) OVER o || int8send(sequence) || digest)"
        " AND sequence = row_number() OVER o AS holds FROM log.entry"
        " WINDOW o AS (PARTITION BY outbox_id ORDER BY sequence)) AS l WHERE NOT holds"
    )
    assert bent.fetchone() == (0,)


def test_settings_without_a_capture_are_named():
    settings = Settings.model_validate({"municipality": {"name": "S", "domain": "s.example"}})
    with pytest.raises(UserError, match="no `capture`"):
        ship.serve(settings, threading.Event())


def test_the_journal_names_a_record_that_no_clock_can_have_dated(
    box, entry, shipping, connect, caplog
):
    box.append([entry(queue_id="q0"), entry(accepted_at=datetime(1969, 7, 20, tzinfo=UTC))])
    with shipping():
        deadline = time.monotonic() + 30
        while "shipping waits" not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.05)
    assert stored(connect) == []
    assert f"record 2 of outbox {box.id} of host {HOST} has the time" in caplog.text
    assert "see who changed the outbox on that host" in caplog.text
