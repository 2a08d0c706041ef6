"""A hold and a disposal at once: the one waits for the other, and nothing else does."""

# ruff: noqa: F811 - fixtures of test_disposal.py

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import psycopg
import pytest
from sealed_log import DECISION, KEY, ONE, entry_of
from test_disposal import count, dispose, old, shown_code, wait_for_lock  # noqa: F401
from test_seal_store import configured, ship  # noqa: F401

from compliance.messagelog.seal.sealing import Sealer
from compliance.messagelog.seal.storage import SealStore

HOLD = "INSERT INTO log.hold (kind, who, why, unit) VALUES ('request', 'p', 'KS 2026/88', 'bun')"


def begin_disposal(view):
    return Sealer(view, KEY, "sjovalla.example", datetime.now(UTC))


def test_what_a_hold_let_go_since_is_not_done_unseen(old, configured, dispose, connect):
    configured("sealer", "seal")
    owner = connect("owner")
    owner.execute(HOLD)
    code = shown_code(dispose)
    owner.execute("UPDATE log.hold SET until = now()")
    assert "look again with --dry-run" in str(dispose("--plan", code).exception)
    assert count(connect) == 50


def test_what_changes_while_it_runs_stays(old, configured, dispose, connect, monkeypatch):
    configured("sealer", "seal")
    owner = connect("owner")
    owner.execute(HOLD)
    begin = SealStore.disposing

    def after_a_hold_ended(connection):
        owner.execute("UPDATE log.hold SET until = now()")
        return begin(connection)

    code = shown_code(dispose)
    monkeypatch.setattr(SealStore, "disposing", after_a_hold_ended)
    done = dispose("--plan", code)
    assert "message-log 2025-01: not 14 entries may go now, as was shown" in str(done.exception)
    assert (count(connect), count(connect, "tombstone")) == (50, 0)


def test_a_hold_that_is_being_made_is_waited_for_and_seen(old, configured, dispose, connect, dsn):
    configured("sealer", "seal")
    code = shown_code(dispose)
    with ThreadPoolExecutor() as pool, psycopg.connect(dsn("owner")) as request:
        request.execute(HOLD.replace("'bun'", "NULL"))
        running = pool.submit(dispose, "--plan", code)
        wait_for_any_lock(connect("owner"))
        request.commit()
        told = running.result(timeout=60).output
    assert told.startswith("2025-01: nothing of it may go any more")
    assert count(connect) == 50


def test_a_hold_waits_for_a_disposal_that_has_begun_and_says_what_is_gone(
    old, configured, connect, dsn
):
    configured("sealer", "seal")
    request = connect("owner")
    told = []
    request.add_notice_handler(lambda notice: told.append(notice.message_primary))
    with ThreadPoolExecutor() as pool, psycopg.connect(dsn("disposer")) as connection:
        with SealStore.disposing(connection) as view:
            sealer = begin_disposal(view)
            waiting = pool.submit(request.execute, HOLD)
            wait_for_lock(connect("owner"), request.info.backend_pid)
            assert sealer.dispose(DECISION, date(2025, 1, 1)).says.entries == 20
        waiting.result(timeout=30)
    assert told == [
        'while the hold "KS 2026/88" waited, this was disposed of:'
        " 20 entries of 2025-01 under KS 2026/117"
    ]
    assert count(connect, "hold") == 1


def test_neither_mail_nor_readers_nor_a_hold_that_ends_wait_for_a_disposal(
    old, configured, connect, ship, dsn
):
    configured("sealer", "seal")
    owner = connect("owner")
    owner.execute(HOLD)
    owner.execute("SET statement_timeout = '20s'")
    with psycopg.connect(dsn("disposer")) as connection, SealStore.disposing(connection):
        ship(ONE, [entry_of(50, ONE, date(2025, 1, 20))])
        owner.execute("UPDATE log.hold SET until = now()")
        assert owner.execute("SELECT count(*) FROM log.entry").fetchone() == (51,)


def test_the_database_refuses_a_disposal_that_sees_the_holds_of_before(
    old, configured, connect, dsn
):
    configured("sealer", "seal")
    with psycopg.connect(dsn("disposer")) as connection, SealStore.exclusive(connection) as view:
        sealer = begin_disposal(view)
        connect("owner").execute(HOLD)
        with pytest.raises(psycopg.Error, match="as they are now"):
            sealer.dispose(DECISION, date(2025, 1, 1))
    assert count(connect) == 50


def wait_for_any_lock(connection):
    """Wait until somebody waits for an advisory lock of this database."""
    waiting = (
        "SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database"
        " WHERE NOT granted AND locktype = 'advisory' AND d.datname = current_database()"
    )
    deadline = time.monotonic() + 30
    while connection.execute(waiting).fetchone() == (0,):
        assert time.monotonic() < deadline, "nobody waited"
        time.sleep(0.01)
