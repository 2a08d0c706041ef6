"""A message of which nothing is known, and nothing can be expected any more, is called unknown."""

import csv
import json
from datetime import UTC, datetime, timedelta

import pytest
from openpyxl import load_workbook
from test_log_commands import SETTINGS, run
from test_reconcile import Town, delivered

from compliance.messagelog.reading import Filter, Identity, Reader, open_session

NOW = datetime.now(UTC)
MINUTE = timedelta(minutes=1)
DIED = NOW - timedelta(hours=2)


@pytest.fixture
def town(connect):
    made = Town(connect)
    made.followed(began=NOW - timedelta(days=30), until=DIED)
    return made


@pytest.fixture
def told(connect):
    """Say what a unit's list tells of its messages by queue id: the outcome, and why."""

    def ask(unit="ks"):
        token = open_session(connect("login"), Identity("person:1", "Åsa Ek", [unit]), 60)
        rows = Reader(connect("web"), token).page_with_outcomes(Filter(unit=unit))
        return {row["queue_id"]: (row["outcome"], row["unknown"]) for row in rows}

    return ask


def test_what_came_when_its_host_died_is_unknown_once_the_journal_is_read_on(town, told):
    ages = {"BEFORE": -MINUTE * 2, "JUSTBEFORE": -MINUTE / 2, "LOSTLINES": MINUTE * 5}
    for queue_id, later in ages.items():
        town.logged(queue_id, at=DIED + later)
    town.followed(boots=[{"ended_at": DIED.isoformat()}], until=DIED + MINUTE)
    assert set(told().values()) == {(None, None)}
    town.followed(until=NOW)
    assert told() == {
        "BEFORE": (None, None),
        "JUSTBEFORE": ("unknown", "crash"),
        "LOSTLINES": ("unknown", "crash"),
    }


def test_another_hosts_death_makes_nothing_unknown(town, told, connect):
    town.logged("ALIVE", at=DIED)
    town.followed(until=NOW)
    connect("owner").execute("INSERT INTO log.boot VALUES ('mx2.sjovalla.example', %s)", [DIED])
    assert told() == {"ALIVE": (None, None)}


def test_what_is_older_than_postfix_keeps_a_message_is_unknown(town, told):
    town.logged("OLD", at=NOW - timedelta(days=5, minutes=1))
    town.logged("YOUNG", at=NOW - timedelta(days=4, hours=23))
    assert told() == {"OLD": ("unknown", "overdue"), "YOUNG": (None, None)}


def test_what_was_withdrawn_is_not_waited_for(town, told):
    """By Postfix after the log had it, or by an administrator; what was delivered stays so."""
    for queue_id in ("REFUSED", "THROWNAWAY", "REMOVED", "WAITED", "DELIVERED", "REQUEUED", "NEW"):
        town.logged(queue_id, at=NOW - timedelta(days=6))
    gone = ("REMOVED", "WAITED", "DELIVERED", "REQUEUEDANEW")
    town.followed(
        deliveries=[delivered("WAITED", status="deferred"), delivered("DELIVERED")],
        requeued=[{"queue_id": "REQUEUEDANEW", "original": "REQUEUED"}],
        withdrawn=[
            {"queue_id": "REFUSED", "kind": "refused"},
            {"queue_id": "THROWNAWAY", "kind": "discarded"},
        ],
        removed=[{"queue_id": queue_id, "at": NOW.isoformat()} for queue_id in gone],
        until=NOW,
    )
    assert told() == {
        "REFUSED": ("refused", None),
        "THROWNAWAY": ("discarded", None),
        "REMOVED": ("removed", None),
        "WAITED": ("removed", None),
        "DELIVERED": ("sent", None),
        "REQUEUED": ("removed", None),
        "NEW": ("unknown", "overdue"),
    }


def test_what_is_held_in_the_queue_reads_as_held_however_long(town, told):
    """By a rule of Postfix or an administrator, tried before or not; until it is let go."""
    names = ("HELD", "TRIED", "RELEASED", "REQUEUED", "AGAIN", "REMOVED", "DELIVERED")
    for queue_id in names:
        town.logged(queue_id, at=NOW - timedelta(days=20))

    def word(queue_id, hours, is_held):
        at = NOW - timedelta(days=19) + timedelta(hours=hours)
        return {"queue_id": queue_id, "at": at.isoformat(), "is_held": is_held}

    requeued = (NOW - timedelta(days=18)).isoformat()
    town.followed(
        held=[word(queue_id, 0, is_held=True) for queue_id in names]
        + [word(queue_id, 1, is_held=False) for queue_id in ("RELEASED", "AGAIN")]
        + [word("AGAIN", 2, is_held=True)],
        deliveries=[delivered("TRIED", status="deferred"), delivered("DELIVERED")],
        requeued=[{"queue_id": "REQUEUEDANEW", "original": "REQUEUED", "at": requeued}],
        removed=[{"queue_id": "REMOVED", "at": NOW.isoformat()}],
        until=NOW,
    )
    assert told() == {
        "HELD": ("held", None),
        "TRIED": ("held", None),
        "RELEASED": ("unknown", "overdue"),
        "REQUEUED": ("unknown", "overdue"),
        "AGAIN": ("held", None),
        "REMOVED": ("removed", None),
        "DELIVERED": ("sent", None),
    }
    town.followed(
        held=[{"queue_id": "REQUEUEDANEW", "at": NOW.isoformat(), "is_held": True}], until=NOW
    )
    assert told()["REQUEUED"] == ("held", None), "a rule holds it again under its new queue id"


def test_an_outcome_that_is_read_late_replaces_the_unknown(town, told):
    long_ago = NOW - timedelta(days=6)
    town.logged("LATE", "ks@sjovalla.example", at=long_ago)
    town.followed(deliveries=[delivered("LATE", "KS@sjovalla.example", at=long_ago)])
    assert told() == {"LATE": ("sent", None)}


def test_where_mail_went_to_several_places_the_worst_is_told(town, told):
    to_all = "alla@sjovalla.example"
    town.logged("LIST", to_all, at=DIED)
    town.followed(
        deliveries=[
            delivered("LIST", f"{number}@sjovalla.example", orig_to=to_all, status=status)
            for number, status in enumerate(("sent", "bounced", "deferred"))
        ]
    )
    assert told() == {"LIST": ("bounced", None)}


def test_another_units_unknown_is_not_told(town, connect):
    town.logged("OLD", at=NOW - timedelta(days=6))
    token = open_session(connect("login"), Identity("person:2", "Bo Ek", ["bun"]), 60)
    web = connect("web")
    (asked,) = web.execute("SELECT log.ask(%s, 'list', '{\"unit\": \"bun\"}')", [token]).fetchone()
    places = connect("owner").execute("SELECT accepted_at, outbox_id, sequence FROM log.entry")
    arguments = [[value] for value in places.fetchone()]
    found = web.execute(
        "SELECT * FROM log.unknown_of(%s, %s, %s, %s, %s)", [token, asked, *arguments]
    )
    assert found.fetchall() == []


def test_search_and_every_export_say_so(town, dsn, monkeypatch, tmp_path):
    town.logged("OLD", at=NOW - timedelta(days=6))
    town.logged("YOUNG", at=NOW - MINUTE)

    def call(*words):
        text = SETTINGS + f"log: {{dsn: '{dsn('reader')}'}}\n"
        result = run(monkeypatch, tmp_path, text, *words)
        assert result.exception is None, result.exception
        return result.stdout

    assert call("search").count("unknown") == 1
    found = [json.loads(line)["outcome"] for line in call("search", "--json").splitlines()]
    assert found == [None, "unknown"]
    found = [json.loads(line)["outcome"] for line in call("export").splitlines()]
    assert found == [None, "unknown"]
    rows = csv.DictReader(call("export", "--format", "csv").splitlines(), delimiter=";")
    assert [row["outcome"] for row in rows] == ["", "unknown"]
    call("export", "--format", "xlsx", "--output", str(tmp_path / "log.xlsx"))
    last = [row[-1].value for row in load_workbook(tmp_path / "log.xlsx")["Log"]]
    assert last == ["outcome", None, "unknown"]
