"""A mail host that is no more is not waited for; what nobody read of it before that is told."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from test_log_commands import SETTINGS, run
from test_reconcile import ANNA, DAY, HOST, NOON, Town, accepted, delivered, found, stored

from compliance.errors import UserError
from compliance.messagelog import reconcile

OLD = "mail2.sjovalla.example"
STOPPED = NOON - timedelta(days=10)
HOUR = timedelta(hours=1)


@pytest.fixture
def town(connect):
    """One host that runs, and one that stopped days ago and was read until then."""
    made = Town(connect)
    made.logged("QUEUEID1")
    made.drained()
    made.followed(accepted=[accepted("QUEUEID1")])
    old = Town(connect)
    old.followed(host=OLD, began=STOPPED - HOUR, until=STOPPED)
    return made


@pytest.fixture
def retire(dsn, monkeypatch, tmp_path):
    def call(host=OLD, since=STOPPED):
        text = SETTINGS + f"log: {{dsn: '{dsn('owner')}'}}\n"
        when = since if isinstance(since, str) else since.isoformat()
        done = run(monkeypatch, tmp_path, text, "retire-host", host, "--since", when)
        if done.exception:
            raise done.exception
        return done.stdout

    return call


def hosts(connect):
    rows = connect("writer").execute("SELECT host FROM log.host_health()").fetchall()
    return [host for (host,) in rows]


def test_a_retired_host_is_not_waited_for(town, connect, retire):
    assert [gap.host for gap in town.check().gaps] == [OLD]
    assert hosts(connect) == [HOST, OLD]
    assert retire() == f"{OLD} is retired since 2026-11-14 12:00:00 UTC\n"
    assert (town.check().status, town.check().gaps) == (reconcile.AGREE, ())
    assert hosts(connect) == [HOST]
    assert connect("reader").execute("SELECT host, since FROM log.retired").fetchall() == [
        (OLD, STOPPED)
    ]


def test_what_nobody_read_before_it_was_retired_is_told_of_that_day_and_no_other(town, retire):
    retire(since=STOPPED + HOUR)
    day = STOPPED.date()
    (gap,) = town.check(day=day).gaps
    assert (gap.since, gap.until) == (STOPPED, STOPPED + HOUR)
    assert town.check(day=day + timedelta(days=1)).gaps == ()
    assert town.check().status == reconcile.AGREE


def test_what_a_retired_host_left_unsaid_is_certain(town, connect, retire):
    """Nothing that it says can explain it any more."""
    late = STOPPED - timedelta(minutes=1)
    last = Town(connect)
    last.cursor = (
        connect("owner")
        .execute("SELECT cursor FROM log.journal WHERE host = %s", [OLD])
        .fetchone()[0]
    )
    last.followed(host=OLD, until=STOPPED, accepted=[accepted("QUEUEID9", at=late)])
    connect("owner").execute(
        "INSERT INTO log.position VALUES (gen_random_uuid(), %s, 1, '', %s)",
        [OLD, late - HOUR],
    )
    town.followed(stored=[stored("s7")])
    assert (found(town.check()), len(town.check().waiting)) == ([], 1)
    retire()
    assert found(town.check()) == [("unseen", "s7")]
    assert found(town.check(day=STOPPED.date())) == [("missing", "QUEUEID9")]


def test_a_host_that_is_heard_of_again_is_looked_after_again(town, connect, retire):
    retire()
    back = Town(connect)
    back.cursor = (
        connect("owner")
        .execute("SELECT cursor FROM log.journal WHERE host = %s", [OLD])
        .fetchone()[0]
    )
    back.followed(host=OLD, began=NOON - HOUR, until=NOON)
    assert hosts(connect) == [HOST, OLD]
    assert [(gap.since, gap.until) for gap in town.check().gaps] == [(NOON, None)]
    while_away = STOPPED.date() + timedelta(days=2)
    assert town.check(day=while_away).gaps == (), "it was retired then"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"host": "mail9.sjovalla.example"}, f"{HOST}, {OLD}"),
        ({"since": STOPPED - HOUR}, "it was heard of until 2026-11-14T12:00:01Z"),
        ({"since": datetime.now(UTC) + HOUR}, "give a time between these two"),
        ({"since": "i våras"}, "'i våras' is no time"),
    ],
)
def test_a_host_or_a_time_that_cannot_be_is_told(town, connect, retire, wrong, told):
    with pytest.raises(UserError) as refused:
        retire(**wrong)
    assert told in str(refused.value)
    assert connect("reader").execute("SELECT FROM log.retired").fetchall() == []


@pytest.mark.parametrize("role", ["reader", "writer", "web"])
def test_nobody_but_the_owner_retires_a_host_and_nobody_takes_it_back(town, connect, retire, role):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect(role).execute("SELECT log.retire_host(%s, %s)", [OLD, STOPPED])
    retire()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect("owner").execute("DELETE FROM log.retired")


def test_a_new_stretch_is_a_gap_whatever_the_clock_says(connect):
    town = Town(connect)
    town.logged("QUEUEID1")
    town.drained()
    town.followed(
        accepted=[accepted("QUEUEID1")], deliveries=[delivered("QUEUEID1", ANNA)], until=NOON + HOUR
    )
    town.followed(began=NOON)
    assert town.check(day=DAY).status == reconcile.INCOMPLETE


def test_a_host_that_was_never_heard_of_is_told_in_words(retire, connect):
    connect("writer").execute("SELECT log.append(gen_random_uuid(), %s, '[]')", [HOST])
    with pytest.raises(UserError, match="it was never heard of, and it is now"):
        retire(host=HOST, since=datetime.now(UTC) + timedelta(days=1))


def test_a_host_that_is_not_utf_8_is_told_of(retire):
    with pytest.raises(UserError, match=r"HOST: .* is not UTF-8"):
        retire(host="mail\udcff")
