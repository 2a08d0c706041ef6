"""Who read what of the log goes by a decision of its own, and not otherwise."""

# ruff: noqa: F811 - fixtures of test_disposal.py and test_seal_store.py

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from uuid import uuid4

import psycopg
import pytest
from test_disposal import DECISIONS, count, dispose, old, shown_code  # noqa: F401
from test_seal_store import configured, ship, tamper  # noqa: F401

from compliance.messagelog.shipped import Shipped

READINGS = """\
  - class: readings
    period: 1 year
    decision: KS 2026/201
    authority: Kommunstyrelsen
    decided: 2026-10-14
"""


@pytest.fixture
def read(connect):
    """Note who read what: three in January 2025, one of them a message; one in February; one now.

    And what a technician fetched from the archive by themselves, in January too.
    """
    owner = connect("owner")
    for at in ("2025-01-10", "2025-01-20", "2025-01-31 23:59:59.9+00", "2025-02-03", "now"):
        owner.execute(
            "WITH r AS (INSERT INTO log.reading (asked_at, token_hash, reader, name, action, unit,"
            " filter) VALUES (%s, '', 'person:10023', 'Åsa Ek', 'list', 'ks',"
            """ '{"address": "anna@omvarlden.example"}') RETURNING number)"""
            " INSERT INTO log.reading_page (reading, rows) SELECT number, 7 FROM r",
            [at],
        )
    # Noted after its reading: a moment later it is another month.
    owner.execute(
        "INSERT INTO log.archive_reading (asked_at, reader, why, outbox_id, sequence, reading)"
        " SELECT '2025-02-01 00:00+00', 'person:10023', 'Begäran 2026/88', %s, 1, max(number)"
        " FROM log.reading WHERE asked_at < '2025-02-01'",
        [uuid4()],
    )
    owner.execute(
        "INSERT INTO log.archive_reading (asked_at, reader, why, outbox_id, sequence)"
        " VALUES ('2025-01-15', 'root', 'Felsökning', %s, 2)",
        [uuid4()],
    )


@pytest.fixture
def decided(tmp_path, dispose):
    """Decide about who read what, and about nothing else."""
    text = "disposal:\n" + READINGS
    (tmp_path / "disposal.yml").write_text(text, encoding="utf-8")


def left(connect):
    """How many readings, pages and fetched messages there are."""
    return tuple(count(connect, table) for table in ("reading", "reading_page", "archive_reading"))


def test_who_read_what_goes_by_a_decision_of_its_own(
    old, configured, connect, dispose, read, decided
):
    configured("sealer", "seal")
    shown = dispose("--dry-run").output
    today = datetime.now(UTC)
    oldest = date(today.year - 1, today.month, 1)
    assert f"readings: what is older than {oldest}, under KS 2026/201" in shown
    assert "  2025-01: 4 readings\n  2025-02: 1 readings\n5 rows would go" in shown
    assert left(connect) == (5, 5, 2)  # a dry run changes nothing
    done = dispose("--plan", shown.split()[-1])
    assert done.output == (
        "2025-01: 4 readings disposed of under KS 2026/201\n"
        "2025-02: 1 readings disposed of under KS 2026/201\n"
    )
    assert left(connect) == (1, 1, 0)
    assert count(connect) == 50  # the log itself is another decision's
    noted = connect("reader").execute(
        "SELECT month::text, readings, decision, authority FROM log.reading_disposal ORDER BY month"
    )
    assert noted.fetchall() == [
        ("2025-01-01", 4, "KS 2026/201", "Kommunstyrelsen"),
        ("2025-02-01", 1, "KS 2026/201", "Kommunstyrelsen"),
    ]
    assert configured("reader", "verify").exit_code == 0
    assert "nothing is to be disposed of" in dispose("--dry-run").output


def test_a_decision_about_entries_leaves_who_read_them(old, configured, connect, dispose, read):
    configured("sealer", "seal")
    assert dispose("--plan", shown_code(dispose)).exit_code == 0
    assert (count(connect), left(connect)) == (10, (5, 5, 2))


def test_what_was_read_while_held_mail_was_there_stays(
    old, configured, connect, dispose, read, decided
):
    owner = connect("owner")
    owner.execute(
        "INSERT INTO log.hold (kind, who, why, unit, accepted_from) VALUES"
        " ('request', 'person:10023', 'Begäran 2026/88', 'bun', '2025-02-02')"
    )
    shown = dispose("--dry-run").output
    assert "  2025-01: 4 readings\n  2025-02: 0 readings, 1 held\n" in shown
    assert dispose("--plan", shown.split()[-1]).output.startswith("2025-01: 4 readings disposed")
    assert left(connect) == (2, 2, 0)
    owner.execute("UPDATE log.hold SET until = now()")
    assert dispose("--plan", shown_code(dispose)).output.startswith("2025-02: 1 readings disposed")


def test_who_handed_a_letter_over_to_the_archive_stays(
    old, configured, connect, dispose, read, decided
):
    connect("owner").execute(
        "INSERT INTO log.archive_addition (reader, outbox_id, sequence, reading)"
        " SELECT 'person:10023', %s, 1, min(number) FROM log.reading",
        [uuid4()],
    )
    assert dispose("--plan", shown_code(dispose)).exit_code == 0
    assert left(connect) == (2, 2, 0)


def test_a_killed_disposal_of_both_goes_on_where_it_was(
    old, configured, connect, dispose, read, dsn, tmp_path
):
    text = "disposal:\n" + READINGS + DECISIONS.removeprefix("disposal:\n")
    (tmp_path / "disposal.yml").write_text(text, encoding="utf-8")
    configured("sealer", "seal")
    code = shown_code(dispose)
    blocker = psycopg.connect(dsn("owner"))
    blocker.execute("SELECT FROM log.entry_2025_02 LIMIT 1 FOR SHARE")
    command = [sys.executable, "-m", "compliance.cli", "log", "dispose", "--plan", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as running:
        told = [running.stdout.readline() for _ in range(3)]
        running.kill()
    blocker.close()
    assert told[2] == "2025-01: 20 entries disposed of under KS 2026/117\n"
    assert (count(connect), left(connect)) == (30, (1, 1, 0))
    assert dispose("--plan", code).output == "2025-02: 20 entries disposed of under KS 2026/117\n"


def test_what_was_not_shown_of_a_month_does_not_go(
    old, configured, connect, dispose, read, decided
):
    with pytest.raises(psycopg.errors.DataException, match="4 readings that may go, and not 3"):
        take(connect("disposer"), "2025-01-01", 3)
    with pytest.raises(psycopg.Error, match="is not over"):
        connect("disposer").execute(
            "SELECT log.dispose_of_readings(date_trunc('month', now())::date, 1, 'KS', 'KS',"
            " '2026-10-14', now())"
        )
    with pytest.raises(psycopg.errors.CheckViolation):
        take(connect("disposer"), "2025-01-01", 4, decision=" ")
    assert left(connect) == (5, 5, 2)


@pytest.mark.parametrize("role", ["sealer", "reader", "writer", "publisher", "web", "login"])
def test_only_the_disposer_disposes_of_who_read_what(connect, read, role):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        take(connect(role), "2025-01-01", 4)


@pytest.mark.parametrize("table", ["reading", "reading_page", "archive_reading"])
def test_without_a_decision_not_even_the_owner_removes_any(connect, read, table):
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never changed"):
        connect("owner").execute(f"DELETE FROM log.{table}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect("disposer").execute(f"DELETE FROM log.{table}")


def take(connection, month, readings, decision="KS 2026/201"):
    connection.execute(
        "SELECT log.dispose_of_readings(%s, %s, %s, 'Kommunstyrelsen', '2026-10-14', now())",
        [month, readings, decision],
    )


def test_a_host_with_a_copy_of_anothers_outbox_does_not_stop_that_one(ship, connect, old):
    """As when a technician has laid back the wrong host's copy."""
    owner = connect("owner")
    outbox, host = owner.execute("SELECT outbox_id, host FROM log.position LIMIT 1").fetchone()
    asked = owner.execute
    Shipped(connect("writer"), "mail9.sjovalla.example").close(outbox)
    closed = "SELECT is_closed FROM log.position WHERE outbox_id = %s"
    assert asked(closed, [outbox]).fetchone() == (False,)
    Shipped(connect("writer"), host).close(outbox)
    assert asked(closed, [outbox]).fetchone() == (True,)
