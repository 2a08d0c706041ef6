"""`kommunpost log health` tells what is wrong with the log, and says nothing when nothing is."""

import json
import os
import socket
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from conftest import make_entry
from typer.testing import CliRunner

from compliance import post
from compliance.messagelog import commands, health
from compliance.messagelog.health import HostHealth, OutboxHealth, StoreHealth, judge

HOST = "mail.sjovalla.example"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=5)
WELL = {
    "outbox": OutboxHealth(Path("/outbox"), 2**20, 50 * 2**30, 100 * 2**30, NOW),
    "hosts": (HostHealth(HOST, NOW, NOW),),
    "kept": StoreHealth(date(2026, 11, 24), date(2026, 11, 24), 0, 12),
}


def test_a_log_that_is_well_gives_no_alarm():
    assert judge(NOW, **WELL) == []
    before_the_first_mail = (HostHealth(HOST, None, NOW),)
    assert judge(NOW, None, before_the_first_mail, StoreHealth(None, None, None, 12)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"outbox": OutboxHealth(Path("/outbox"), 1, 2**30, 100 * 2**30, None)}, "nearly full"),
        ({"outbox": OutboxHealth(Path("/outbox"), 1, 9, 9, LONG_AGO)}, "waited 5 hours"),
        ({"hosts": (HostHealth(HOST, LONG_AGO, NOW),)}, "kommunpost-shipper"),
        ({"hosts": (HostHealth(HOST, NOW, LONG_AGO),)}, "kommunpost-follower"),
        ({"hosts": (HostHealth(HOST, NOW, None),)}, "never"),
        ({"kept": StoreHealth(date(2026, 11, 20), None, None, 12)}, "last day that was sealed"),
        ({"kept": StoreHealth(None, date(2026, 11, 20), 0, 12)}, "last day that was compared"),
        ({"kept": StoreHealth(None, date(2026, 11, 24), 1, 12)}, "reconcile --day 2026-11-24"),
        ({"kept": StoreHealth(None, None, None, 1)}, "only 1 month is made ahead"),
    ],
)
def test_each_thing_that_is_wrong_is_told_with_what_to_do(change, told):
    (problem,) = judge(NOW, **(WELL | change))
    assert told in str(problem)
    assert problem.remedy


@pytest.fixture
def milter(tmp_path, monkeypatch):
    """The milter's socket, on which somebody listens."""
    monkeypatch.setattr(health, "_PAUSE_SECONDS", 0)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "milter"))
        listener.listen()
        yield listener


@pytest.fixture
def run(tmp_path, monkeypatch, milter):
    """Run the command as on a mail host, with the log's database at an address."""

    def call(log, *words):
        (tmp_path / "secret").write_text("x", encoding="utf-8")
        settings = {
            "municipality": {"name": "Sjövalla kommun", "domain": "sjovalla.example"},
            "log": {"dsn": log},
            "capture": {
                "host": HOST,
                "socket": f"unix:{tmp_path / 'milter'}",
                "outbox": str(tmp_path / "outbox"),
                "probe_key_file": "/nowhere",
            },
            "alarm": {"told": str(tmp_path / "told")},
            "sender": {
                "host": "mail",
                "address": "kommunpost@sjovalla.example",
                "login": "kommunpost@sjovalla.example",
                "password_file": str(tmp_path / "secret"),
            },
        }
        path = tmp_path / "kommunpost.yml"
        path.write_text(json.dumps(settings), encoding="utf-8")
        monkeypatch.setenv("KOMMUNPOST_CONFIG", str(path))
        return CliRunner().invoke(commands.app, ["health", *words])

    return call


def heard_of(connect, box, until):
    """Let the database hear of the host, as shipper and follower do."""
    writer = connect("writer")
    writer.execute("SELECT log.append(%s, %s, '[]')", [box.id, HOST])
    writer.execute("SELECT log.drained(%s, %s)", [box.id, until])
    writer.execute("SELECT log.follow(%s, NULL, 'c', %s, %s, '{}', '{}')", [HOST, until, until])


def test_on_a_mail_host_outbox_and_database_are_told_to_a_program(box, run, dsn, connect):
    heard_of(connect, box, datetime.now(UTC))
    connect("owner").execute("SELECT log.make_months('2026-01-01', '2032-12-01')")
    done = run(dsn("writer"), "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["healthy"], told["problems"]) == (0, True, [])
    assert told["outbox"]["free"] > 0
    assert told["store"]["months_ahead"] >= 12
    assert [one["host"] for one in told["hosts"]] == [HOST]


def test_an_entry_that_waits_too_long_is_told(box, run, dsn, connect):
    heard_of(connect, box, datetime.now(UTC))
    box.append([make_entry(accepted_at=datetime.now(UTC) - timedelta(hours=4))])
    done = run(dsn("writer"))
    assert done.exit_code == 1
    assert "an entry has waited 4 hours for the database" in done.stdout


def test_a_database_that_is_away_is_told_and_the_outbox_all_the_same(box, run, tmp_path):
    done = run(f"host={tmp_path} dbname=kommunpost user=x")
    assert done.exit_code == 1
    assert "PostgreSQL cannot be reached" in done.stdout
    assert "outbox: 0.0 MiB" in done.stdout


def test_where_nothing_could_be_looked_at_the_exit_code_says_so(run, tmp_path, monkeypatch):
    """On the log's own host, or anywhere but a mail host."""
    path = tmp_path / "kommunpost.yml"
    path.write_text(
        "municipality: {name: S, domain: s.example}\n"
        f"log: {{dsn: 'host={tmp_path} dbname=kommunpost user=x'}}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("KOMMUNPOST_CONFIG", str(path))
    done = CliRunner().invoke(commands.app, ["health", "--json"])
    told = json.loads(done.stdout)
    assert (done.exit_code, told["healthy"], told["store"]) == (2, False, None)


def test_a_program_reads_times_as_in_the_other_commands(box, run, dsn, connect):
    heard_of(connect, box, NOW)
    box.append([make_entry(accepted_at=NOW)])
    told = json.loads(run(dsn("writer"), "--json").stdout)
    (host,) = told["hosts"]
    assert host["shipped_until"] == host["followed_until"] == "2026-11-25T12:00:00.000000Z"
    assert told["outbox"]["oldest_unshipped"] == "2026-11-25T12:00:00.000000Z"
    assert told["at"][10] == "T"
    assert told["store"]["sealed"] is None


def test_an_outbox_that_cannot_write_is_told_first(box, run, tmp_path):
    (tmp_path / "outbox/trial").mkdir()  # so that nothing can be written there, root or not
    done = run(f"host={tmp_path} dbname=kommunpost user=x", "--json")
    told = json.loads(done.stdout)["problems"]
    assert "the outbox cannot write, so no mail is accepted" in told[0]["what"]
    assert "PostgreSQL cannot be reached" in told[1]["what"]


def test_a_milter_that_is_not_there_is_told_first(box, run, milter, tmp_path):
    milter.close()
    done = run(f"host={tmp_path} dbname=kommunpost user=x", "--json")
    told = json.loads(done.stdout)["problems"]
    assert "the milter does not answer, so no mail is accepted" in told[0]["what"]
    assert "kommunpost-milter" in told[0]["remedy"]


def test_whoever_may_not_use_the_outbox_is_told_so_and_not_that_it_is_broken(
    box, run, monkeypatch, tmp_path
):
    real = Path.open

    def refuse(path, *arguments, **more):
        if path.name == "trial":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *arguments, **more)

    monkeypatch.setattr(Path, "open", refuse)
    done = run(f"host={tmp_path} dbname=kommunpost user=x")
    assert "the outbox cannot be used (Permission denied)" in done.stdout
    assert "run as root or the user kommunpost" in done.stdout
    assert "no mail is accepted" not in done.stdout


def test_of_an_outbox_that_may_not_be_listed_the_rest_is_told(box, run, dsn, monkeypatch):
    def refuse(folder="."):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(os, "listdir", refuse)
    monkeypatch.setattr(os, "scandir", refuse)
    done = run(dsn("writer"))
    assert done.exit_code == 1
    assert "the outbox cannot be used (Permission denied)" in done.stdout
    assert "sealed: nothing yet" in done.stdout


def test_a_letter_goes_once_a_day_and_the_command_fails_each_time(box, run, monkeypatch, tmp_path):
    sent = []
    monkeypatch.setattr(post, "send", lambda sender, letter: sent.append(letter))
    away = f"host={tmp_path} dbname=kommunpost user=x"
    assert [run(away, "--alarm").exit_code for _ in range(3)] == [1, 1, 1]
    (letter,) = sent
    assert letter.to == "postmaster@sjovalla.example"
    assert letter.subject == "E-postloggen behöver åtgärdas"
    assert "PostgreSQL cannot be reached" in letter.body
    (tmp_path / "told").write_text("2026-11-01\n", encoding="ascii")
    run(away, "--alarm")
    assert len(sent) == 2


def test_a_letter_that_is_not_taken_is_tried_again(box, run, tmp_path):
    away = f"host={tmp_path} dbname=kommunpost user=x"
    done = run(away, "--alarm")
    assert done.exit_code == 1
    assert "the letter to postmaster@sjovalla.example could not be sent" in done.output
    assert not (tmp_path / "told").exists()


def test_a_full_disk_under_the_note_gives_no_letter_every_five_minutes(
    box, run, monkeypatch, tmp_path
):
    sent = []
    monkeypatch.setattr(post, "send", lambda sender, letter: sent.append(letter))
    (tmp_path / "told").mkdir()  # so that nothing can be written there, root or not
    away = f"host={tmp_path} dbname=kommunpost user=x"
    done = [run(away, "--alarm") for _ in range(3)]
    assert len(sent) <= 1
    assert [one.exit_code for one in done] == [1, 1, 1], "the failed unit is the alarm then"
    assert "no letter is sent, for it cannot be noted that it went (Is a directory)" in (
        done[0].output
    )
    assert "PostgreSQL cannot be reached" in done[0].output


def test_how_a_comparison_ended_is_kept(dsn, connect, monkeypatch, tmp_path):
    path = tmp_path / "kommunpost.yml"
    path.write_text(
        "municipality: {name: S, domain: s.example}\n" + f"log: {{dsn: '{dsn('reader')}'}}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("KOMMUNPOST_CONFIG", str(path))
    CliRunner().invoke(commands.app, ["reconcile", "--day", "2026-11-23"])
    connect("writer").execute("SELECT log.append(gen_random_uuid(), %s, '[]')", [HOST])
    CliRunner().invoke(commands.app, ["reconcile", "--day", "2026-11-23"])
    row = connect("reader").execute("SELECT reconciled, reconcile_status FROM log.store_health()")
    assert row.fetchone() == (date(2026, 11, 23), 3)
