"""The log in a real PostgreSQL: exactly once, in order, never changed, and who may do what."""

import json
import uuid
from dataclasses import asdict
from datetime import UTC, date, datetime

import psycopg
import pytest

from compliance.errors import UserError
from compliance.messagelog import store
from compliance.messagelog.entry import FIELDS, first_chain, link, to_json
from compliance.settings import Log

OUTBOX = uuid.UUID("7c1f2e0a-5b52-4b52-9a53-1d1f4c3b2a10")
HOST = "mail.sjovalla.example"
SEED = bytes(range(32))


@pytest.fixture
def records(entry):
    """Make the first records of an outbox."""

    def make(count, outbox=OUTBOX, **changes):
        chain, made = first_chain(outbox), []
        for number in range(1, count + 1):
            record = link(chain, number, entry(queue_id=f"q{number}", **changes), SEED)
            chain = record.chain
            made.append(record)
        return made

    return make


def append(connection, records, outbox=OUTBOX, host=HOST):
    payload = json.dumps([to_json(record) for record in records])
    row = connection.execute("SELECT log.append(%s, %s, %s)", [outbox, host, payload]).fetchone()
    return row[0]


def queue_ids(connection):
    rows = connection.execute("SELECT queue_id FROM log.entry ORDER BY accepted_at, sequence")
    return [queue_id for (queue_id,) in rows]


def test_migrations_apply_once_and_the_second_run_does_nothing(connect):
    assert store.migrate(connect("owner"), store.migrations()) == []
    assert store.maintain(connect("owner"), date(2026, 11, 24)) == []


def test_a_migration_that_was_changed_or_is_unknown_stops_with_its_name(connect):
    known = store.migrations()
    changed = [store.Migration(m.number, m.name, m.sql + "-- changed") for m in known]
    with pytest.raises(UserError, match=r"0001_log.sql was changed"):
        store.migrate(connect("owner"), changed)
    with pytest.raises(UserError, match=r"0001_log.sql, which this version doesn't know"):
        store.migrate(connect("owner"), [])


def test_a_migration_that_fails_leaves_nothing_behind(connect):
    broken = [
        *store.migrations(),
        store.Migration(9999, "9999_x.sql", "CREATE TABLE log.x(); SELECT 1/0"),
    ]
    owner = connect("owner")
    with pytest.raises(psycopg.Error):
        store.migrate(owner, broken)
    assert owner.execute("SELECT to_regclass('log.x')").fetchone() == (None,)


def test_each_migration_has_a_number_of_its_own():
    numbers = [migration.number for migration in store.migrations()]
    assert len(numbers) == len(set(numbers))


def test_entries_come_out_as_they_went_in(connect, records):
    made = records(2, subject="Å 'quoted' \"x\" \\ \U0001f600", label="probe", recipient_unit=None)
    assert append(connect("writer"), made) == 2
    columns = (*FIELDS, "digest")
    quoted = ", ".join(f'"{name}"' for name in columns)
    stored = connect("reader").execute(f"SELECT {quoted} FROM log.entry").fetchone()
    first = dict(zip(columns, stored, strict=True))
    assert first == {**asdict(made[0].entry), "digest": made[0].digest}


def test_what_is_sent_twice_is_stored_once(connect, records):
    made = records(5)
    writer = connect("writer")
    assert append(writer, made[:3]) == 3
    assert append(writer, made[:3]) == 3
    assert append(writer, made[1:]) == 5
    assert writer.execute("SELECT log.position_of(%s)", [OUTBOX]).fetchone() == (5,)
    assert queue_ids(connect("reader")) == ["q1", "q2", "q3", "q4", "q5"]


def test_a_gap_an_altered_link_or_a_foreign_host_stores_nothing(connect, records):
    made = records(5)
    writer = connect("writer")
    append(writer, made[:2])
    with pytest.raises(psycopg.errors.DataException, match="record 4"):
        append(writer, made[3:])
    with pytest.raises(psycopg.errors.DataException, match="record 3"):
        append(writer, records(5, subject="another")[2:])
    with pytest.raises(psycopg.errors.DataException, match="host other"):
        append(writer, made[2:], host="other")
    assert queue_ids(connect("reader")) == ["q1", "q2"]
    assert append(writer, made[2:]) == 5


def test_two_hosts_write_side_by_side(connect, records):
    other = uuid.uuid4()
    append(connect("writer"), records(2))
    append(connect("writer"), records(2, outbox=other, host="mx2"), outbox=other, host="mx2")
    hosts = connect("reader").execute("SELECT host FROM log.position ORDER BY host").fetchall()
    assert hosts == [(HOST,), ("mx2",)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log.entry SET subject = 'x'",
        "DELETE FROM log.entry",
        "TRUNCATE log.entry",
        "UPDATE log.entry_2026_11 SET subject = 'x'",
        "TRUNCATE log.entry_2026_11",
    ],
)
@pytest.mark.parametrize("role", ["owner", "writer", "reader"])
def test_nobody_changes_the_log_not_even_its_owner(connect, records, role, statement):
    append(connect("writer"), records(1))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect(role).execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM log.entry",
        "SELECT * FROM log.position",
        "INSERT INTO log.position VALUES (gen_random_uuid(), 'x', 9, '')",
        "SELECT * FROM log.make_months('2030-01-01', '2030-01-01')",
        "CREATE TABLE log.mine ()",
    ],
)
def test_the_mail_host_may_append_and_nothing_else(connect, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect("writer").execute(statement)


def test_the_reader_cannot_append(connect, records):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        append(connect("reader"), records(1))


def test_a_time_that_no_month_covers_is_kept_and_counted(connect, records):
    made = records(1, accepted_at=datetime(1999, 12, 31, 23, 59, tzinfo=UTC))
    append(connect("writer"), made)
    owner = connect("owner")
    assert queue_ids(connect("reader")) == ["q1"]
    assert store.strays(owner) == 1
    assert store.maintain(owner, date(2000, 1, 1)) != []
    assert queue_ids(connect("reader")) == ["q1"]


def test_months_have_utc_bounds_whatever_the_session_says(connect, records):
    owner = connect("owner")
    owner.execute("SET timezone = 'Europe/Stockholm'")
    assert store.maintain(owner, date(2028, 6, 15))[0] == "entry_2028_05"
    made = records(1, accepted_at=datetime(2028, 5, 31, 23, 59, 59, tzinfo=UTC))
    append(connect("writer"), made)
    assert owner.execute("SELECT count(*) FROM log.entry_2028_05").fetchone() == (1,)


def said_of(dsn, *statements):
    """Return what a user is told when the last of some statements fails."""
    with pytest.raises(UserError) as told:
        run(dsn, statements)
    return str(told.value)


def run(dsn, statements):
    with store.session(Log(dsn=dsn("owner"))) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_lock_that_is_taken_is_no_database_that_cannot_be_reached(connect, dsn):
    other = connect("owner")
    with other.transaction():
        other.execute("LOCK TABLE log.hold")
        told = said_of(dsn, "SET lock_timeout = 1", "TABLE log.hold")
    assert "PostgreSQL refused: canceling statement due to lock timeout" in told


def test_a_database_that_stops_cannot_be_reached(dsn):
    told = said_of(dsn, "SELECT pg_terminate_backend(pg_backend_pid())")
    assert "PostgreSQL cannot be reached: terminating connection" in told
