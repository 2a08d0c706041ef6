"""Entries go by a decision and not otherwise, and the log still holds."""

# ruff: noqa: F811 - fixtures of test_seal_store.py

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from sealed_log import KEY, ONE, TWO, entry_of
from test_seal_store import configured, ship, tamper  # noqa: F401

DECISIONS = """\
disposal:
  - class: message-log
    period: 1 year
    decision: KS 2026/117
    authority: Kommunstyrelsen
    decided: 2026-10-14
"""


@pytest.fixture
def old(ship, connect):
    """Twenty entries in January and in February 2025, in months of their own; ten of last week."""
    connect("owner").execute("SELECT log.make_months('2025-01-01', '2025-02-01')")
    for first in (date(2025, 1, 10), date(2025, 2, 10), date(2026, 11, 16)):
        for outbox in (ONE, TWO):
            count = 10 if first.year == 2025 else 5
            entries = [entry_of(n, outbox, first + timedelta(days=n % 3)) for n in range(count)]
            ship(outbox, entries)


@pytest.fixture
def dispose(configured, tmp_path):
    """Run the command with the decisions in a file."""
    (tmp_path / "disposal.yml").write_text(DECISIONS, encoding="utf-8")

    def run(*words, role="disposer"):
        file = str(tmp_path / "disposal.yml")
        return configured(role, "dispose", *words, disposal_file=file)

    return run


def shown_code(dispose):
    return dispose("--dry-run").output.split()[-1]


def count(connect, table="entry"):
    return connect("owner").execute(f"SELECT count(*) FROM log.{table}").fetchone()[0]


# What the counts must be by the rows that are there, and what they are, where the two differ.
MISCOUNTED = """
    WITH counted AS (
        SELECT unit, day, outbox_id, incoming, outgoing, internal, probes FROM log.unit_day
        WHERE incoming + outgoing + internal + probes <> 0
    ), told AS (
        SELECT u.unit, (e.accepted_at AT TIME ZONE 'Europe/Stockholm')::date, e.outbox_id,
            count(*) FILTER (WHERE e.label IS NULL AND e.direction = 'in'),
            count(*) FILTER (WHERE e.label IS NULL AND e.direction = 'out'),
            count(*) FILTER (WHERE e.label IS NULL AND e.direction = 'internal'),
            count(*) FILTER (WHERE e.label = 'probe')
        FROM log.entry AS e CROSS JOIN LATERAL (
            SELECT DISTINCT unnest(CASE WHEN e.recipient_unit IS NULL AND e.sender_unit IS NULL
                THEN ARRAY[''] ELSE ARRAY[e.recipient_unit, e.sender_unit] END)
        ) AS u (unit) WHERE u.unit IS NOT NULL
        GROUP BY 1, 2, 3
    )
    (TABLE counted EXCEPT TABLE told) UNION ALL (TABLE told EXCEPT TABLE counted)"""


def test_the_counts_are_those_of_the_rows_also_after_disposal(old, configured, dispose, connect):
    owner = connect("owner")
    configured("sealer", "seal")
    assert owner.execute(MISCOUNTED).fetchall() == []
    assert dispose("--plan", shown_code(dispose)).exit_code == 0
    assert owner.execute(MISCOUNTED).fetchall() == []
    counted = "SELECT sum(incoming + outgoing + internal + probes) > 0 FROM log.unit_day"
    assert owner.execute(counted).fetchone() == (True,)


def test_a_dry_run_shows_what_would_go_and_its_plan_disposes_of_it(
    old, configured, dispose, connect
):
    configured("sealer", "seal")
    shown = dispose("--dry-run").output
    today = datetime.now(UTC)
    oldest = date(today.year - 1, today.month, 1)
    assert f"message-log: what is older than {oldest}, under KS 2026/117" in shown
    assert "  2025-01: 20 entries\n  2025-02: 20 entries\n40 rows would go" in shown
    assert count(connect) == 50
    done = dispose("--plan", shown.split()[-1])
    assert done.output.splitlines() == [
        "2025-01: 20 entries disposed of under KS 2026/117",
        "2025-02: 20 entries disposed of under KS 2026/117",
    ]
    assert (count(connect), count(connect, "tombstone")) == (10, 40)
    found = connect("owner").execute("SELECT to_regclass('log.entry_2025_01')").fetchone()
    assert found == (None,)
    verified = configured("reader", "verify")
    assert (verified.exit_code, "all holds" in verified.output) == (0, True)
    assert "disposed: 40 entries under KS 2026/117" in verified.output
    assert "nothing is to be disposed of" in dispose("--dry-run").output


def test_what_a_request_holds_stays_until_it_is_answered(old, configured, dispose, connect):
    configured("sealer", "seal")
    owner = connect("owner")
    owner.execute(
        "INSERT INTO log.hold (kind, who, why, unit, accepted_before) VALUES"
        " ('request', 'person:10023', 'Begäran 2026/88', 'bun', '2025-02-01')"
    )
    shown = dispose("--dry-run").output
    assert "  2025-01: 14 entries, 6 held\n  2025-02: 20 entries" in shown
    assert "held for a request since" in shown
    assert dispose("--plan", shown.split()[-1]).exit_code == 0
    assert count(connect) == 16
    assert count(connect, "entry_2025_01") == 6
    assert configured("reader", "verify").exit_code == 0
    owner.execute("UPDATE log.hold SET until = now()")
    assert dispose("--plan", shown_code(dispose)).output.startswith("2025-01: 6 entries")
    assert configured("reader", "verify").exit_code == 0


def test_what_the_review_holds_is_told_from_the_day_on_when_it_reaches_what_is_due(
    old, configured, dispose, connect
):
    configured("sealer", "seal")
    connect("owner").execute(
        "INSERT INTO log.hold (kind, who, why, unit, accepted_from) VALUES"
        " ('review', 'log list', 'not reviewed', 'bun', '2025-02-01Z'),"
        " ('review', 'log list', 'not taken in', NULL, '2026-11-25Z'),"
        " ('review', 'log list', 'nothing is taken in', 'sbn', '-infinity')"
    )
    shown = dispose("--dry-run").output
    assert "  2025-01: 20 entries\n  2025-02: 14 entries, 6 held" in shown
    assert "bun, what came on 2025-02-01 or later: not reviewed (log list)" in shown
    assert "sbn: nothing is taken in" in shown
    assert "not taken in (" not in shown


def test_only_the_class_decided_goes(ship, configured, dispose, connect, tmp_path):
    labels = [None, "probe", "probe"]
    ship(ONE, [entry_of(n, ONE, date(2025, 1, 1), label=labels[n]) for n in range(3)])
    configured("sealer", "seal")
    decided = DECISIONS.replace("message-log", "probe")
    (tmp_path / "disposal.yml").write_text(decided, encoding="utf-8")
    assert dispose("--plan", shown_code(dispose)).output.startswith("2025-01: 2 entries")
    assert count(connect) == 1


def test_what_is_not_sealed_stays(old, dispose, configured, connect, ship):
    assert "nothing is to be disposed of" in dispose("--dry-run").output
    configured("sealer", "seal")
    ship(ONE, [entry_of(99, ONE, date(2025, 1, 20))])
    dispose("--plan", shown_code(dispose))
    assert count(connect) == 11


def test_what_was_not_shown_is_not_done(old, configured, dispose, connect, tmp_path):
    configured("sealer", "seal")
    code = shown_code(dispose)
    decided = DECISIONS.replace("1 year", "2 months")
    (tmp_path / "disposal.yml").write_text(decided, encoding="utf-8")
    assert "is not what would be done now" in str(dispose("--plan", code).exception)
    assert "begin with --dry-run" in str(dispose().exception)
    assert count(connect) == 50


def test_a_killed_disposal_goes_on_where_it_was(old, configured, dispose, connect, tamper, dsn):
    configured("sealer", "seal")
    code = shown_code(dispose)
    blocker = psycopg.connect(dsn("owner"))
    blocker.execute("SELECT FROM log.entry_2025_02 LIMIT 1 FOR SHARE")
    command = [sys.executable, "-m", "compliance.cli", "log", "dispose", "--plan", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as running:
        assert running.stdout.readline().startswith("2025-01: 20 entries")
        running.kill()
    blocker.close()
    assert count(connect) == 30
    assert dispose("--plan", code).output == "2025-02: 20 entries disposed of under KS 2026/117\n"
    assert configured("reader", "verify").exit_code == 0


PROBES = """\
  - class: probe
    period: 1 month
    decision: KS 2026/200
    authority: Kommunstyrelsen
    decided: 2026-10-14
"""


@pytest.mark.parametrize("probes_first", [False, True])
def test_an_entry_that_two_decisions_are_about_is_shown_and_goes_once(
    ship, configured, dispose, connect, tmp_path, probes_first
):
    labels = ["probe"] * 4 + [None] * 6
    ship(ONE, [entry_of(n, ONE, date(2025, 1, 10), label=labels[n]) for n in range(10)])
    ship(ONE, [entry_of(11, ONE, datetime.now(UTC).date() - timedelta(days=3))])
    configured("sealer", "seal")
    head, log_rule = DECISIONS.split("\n", 1)
    rules = PROBES + log_rule if probes_first else log_rule + PROBES
    (tmp_path / "disposal.yml").write_text(f"{head}\n{rules}", encoding="utf-8")
    shown = dispose("--dry-run").output
    told = [line.strip() for line in shown.splitlines() if line.startswith("  2025-01")]
    assert told == (["2025-01: 4 entries", "2025-01: 6 entries"] if probes_first
                    else ["2025-01: 10 entries"])  # fmt: skip
    assert "10 rows would go" in shown
    done = dispose("--plan", shown.split()[-1]).output.splitlines()
    assert [line.partition(" disposed of under ")[0] for line in done] == told
    assert count(connect) == 1


def test_an_empty_month_that_somebody_reads_stays_until_the_next_goes(
    old, configured, dispose, connect, dsn
):
    configured("sealer", "seal")
    month = "SELECT to_regclass('log.entry_2025_01')::text, to_regclass('log.entry_2025_02')::text"
    owner = connect("owner")
    # Who waits fails, and doesn't stand still.
    owner.execute(f"ALTER DATABASE {owner.info.dbname} SET statement_timeout = '20s'")
    reader = psycopg.connect(dsn("reader"))
    reader.execute("SELECT FROM log.entry WHERE accepted_at < '2025-02-01Z' LIMIT 1")
    assert dispose("--plan", shown_code(dispose)).exit_code == 0
    kept = owner.execute(month).fetchone()
    reader.close()
    assert kept == ("log.entry_2025_01", "log.entry_2025_02")
    assert count(connect) == 10


def test_a_superuser_who_removes_what_a_decision_spared_is_found(
    old, configured, dispose, tamper, connect
):
    configured("sealer", "seal")
    dispose("--plan", shown_code(dispose))
    tamper("DELETE FROM log.entry WHERE outbox_id = %s AND sequence = 22", [ONE])
    assert f"removed: entry 22 of outbox {ONE}" in configured("reader", "verify").output


def forged(connect, **changes):
    """A disposal that the key signed, as a careless program could make it."""
    (number,) = connect("owner").execute("SELECT max(number) FROM log.statement").fetchone()
    plain = {
        "format": "kommunpost-seal-1", "number": number + 1, "previous": None,
        "made_at": "2026-11-25T00:00:00.000000Z", "domain": "sjovalla.example",
        "kind": "disposal", "decision": "KS 2026/117", "authority": "KS", "decided": "2026-10-14",
        "class": "message-log", "month": "2025-01-01", "entries": 20, "root": "00" * 32,
    }  # fmt: skip
    text = json.dumps(plain | changes)
    return [text, KEY.sign(text.encode())]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"decision": " "}, "decides no disposal"),
        ({"decision": None}, "decides no disposal"),
        ({"authority": " "}, "decides no disposal"),
        ({"kind": "day"}, "decides no disposal"),
        ({"month": "2027-01-01"}, "decides no disposal"),
        ({"entries": 19}, "is about 19 entries, and there are 20"),
        ({"class": "what"}, "is about 20 entries, and there are 0"),
    ],
)
def test_the_database_refuses_what_no_decision_covers(old, configured, connect, changes, told):
    configured("sealer", "seal")
    with pytest.raises(psycopg.Error, match=told):
        connect("disposer").execute("SELECT log.dispose(%s, %s)", forged(connect, **changes))
    assert count(connect) == 50


@pytest.mark.parametrize("role", ["sealer", "reader", "writer", "publisher"])
def test_only_the_disposer_disposes(old, configured, connect, role):
    configured("sealer", "seal")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect(role).execute("SELECT log.dispose(%s, %s)", forged(connect))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM log.entry",
        "INSERT INTO log.tombstone SELECT outbox_id, sequence, digest, chain, 1 FROM log.entry",
        "DELETE FROM log.hold",
        "UPDATE log.hold SET until = now()",
        "SELECT subject FROM log.entry",
    ],
)
def test_the_disposer_has_no_other_way(old, configured, connect, statement):
    configured("sealer", "seal")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect("disposer").execute(statement)


def test_a_held_day_of_the_archive_does_not_go(connect):
    gone = ["KS 2026/118", "Kommunstyrelsen", "2026-10-14"]
    note = "SELECT log.dispose_of_archive(%s, 3, %s, %s, %s)"
    connect("owner").execute(
        "INSERT INTO log.hold (kind, who, why, unit, accepted_from, accepted_before) VALUES"
        " ('review', 'person:10023', 'Granskning', 'ks', '2025-01-10Z', '2025-01-12Z')"
    )
    reader = connect("reader")
    for day in ("2025-01-08", "2025-01-12"):
        reader.execute(note, [day, *gone])
        reader.execute(note, [day, *gone])  # it broke off, and is done again
    # Of the 10th too, in the folder before: mail that was accepted just after midnight.
    for day in ("2025-01-09", "2025-01-10", "2025-01-11"):
        with pytest.raises(psycopg.errors.ObjectInUse, match="is held"):
            reader.execute(note, [day, *gone])
    assert count(connect, "archive_disposal") == 2
    with pytest.raises(psycopg.errors.CheckViolation):
        reader.execute(note, ["2025-01-13", "  ", *gone[1:]])


@pytest.mark.parametrize("why", ["", " ", " \t\n"])
def test_a_reason_without_words_fetches_nothing(old, connect, why):
    with pytest.raises(psycopg.errors.CheckViolation):
        connect("reader").execute("SELECT log.ask_archive('eva', %s, %s, 3)", [why, ONE])
    assert count(connect, "archive_reading") == 0


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_two_runs_at_once_note_a_day_of_the_archive_once(connect, end):
    first, second = connect("reader"), connect("reader")
    note = "SELECT log.dispose_of_archive('2025-01-09', %s, %s, 'Kommunstyrelsen', '2026-10-14')"
    first.autocommit = False
    first.execute(note, [3, "KS 2026/118"])
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(second.execute, note, [2, "KS 2026/119"])
        wait_for_lock(connect("owner"), second.info.backend_pid)
        getattr(first, end)()
        waiting.result(timeout=30)
    noted = second.execute("SELECT messages, decision FROM log.archive_disposal").fetchall()
    assert noted == [(3, "KS 2026/118") if end == "commit" else (2, "KS 2026/119")]


def wait_for_lock(connection, pid):
    """Wait until a connection waits for another one; PostgreSQL tells nobody when it begins to."""
    deadline = time.monotonic() + 30
    while not connection.execute("SELECT pg_blocking_pids(%s)", [pid]).fetchone()[0]:
        assert time.monotonic() < deadline, "the second run did not wait for the first"
        time.sleep(0.01)


def test_who_asks_for_an_archived_message_is_noted_first(old, connect):
    reader = connect("reader")
    row = reader.execute("SELECT * FROM log.ask_archive('eva', 'Begäran', %s, 3)", [ONE]).fetchone()
    assert row[:2] == ("mail.sjovalla.example", "q2")
    none = reader.execute("SELECT * FROM log.ask_archive('eva', 'Begäran', %s, 999)", [ONE])
    assert none.fetchone() is None
    noted = reader.execute("SELECT reader, why, sequence FROM log.archive_reading").fetchall()
    assert noted == [("eva", "Begäran", 3)]
