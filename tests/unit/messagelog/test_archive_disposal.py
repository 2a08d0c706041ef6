"""Two who dispose of the archive at once: the second waits, and neither meets an error."""

import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import psycopg
import pytest

STAND_IN = Path(__file__).parents[1] / "loglist/imap_of_files.py"
DECISION = """\
disposal:
  - {class: archive, period: 1 month, decision: KS 2026/118, authority: KS, decided: 2026-01-14}
"""


@pytest.fixture
def folder(tmp_path):
    """An archive with two messages of each of two days."""
    made = tmp_path / "archive"
    for day in ("2026-01-13", "2026-01-14"):
        (made / day).mkdir(parents=True)
        for name in ("1.eml", "2.eml"):
            (made / day / name).write_text("Subject: Hej\r\n\r\nHej\r\n")
    return made


@pytest.fixture
def archive(folder, tmp_path, dsn):
    """Begin a command on the archive in a process of its own."""
    (tmp_path / "disposal.yml").write_text(DECISION, encoding="utf-8")
    settings = tmp_path / "kommunpost.yml"
    settings.write_text(
        f"""
municipality: {{name: Sjövalla kommun, domain: sjovalla.example}}
log: {{dsn: "{dsn("reader")}"}}
archive: {{command: [{sys.executable}, {STAND_IN}, {folder}], read_conf: /x}}
seal: {{public_key_file: /x, disposal_file: {tmp_path}/disposal.yml}}
""",
        encoding="utf-8",
    )
    begun = []

    def begin(*words):
        command = [sys.executable, "-m", "compliance.cli", "archive", *words]
        own = os.environ | {"KOMMUNPOST_CONFIG": str(settings)}
        pipe = subprocess.PIPE
        begun.append(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=own))
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


@pytest.fixture
def dispose(archive):
    return partial(archive, "dispose")


def wait_for_waiting(connection, *processes):
    """Wait until each of the processes waits for a lock of the database."""
    waiting = (
        "SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database"
        " WHERE NOT granted AND d.datname = current_database()"
    )
    while connection.execute(waiting).fetchone() != (len(processes),):
        for process in processes:
            assert process.poll() is None, process.communicate()
        threading.Event().wait(0.1)  # PostgreSQL tells nobody who waits


def test_the_second_waits_says_so_and_finds_nothing_left(dispose, folder, connect, dsn):
    plan = dispose("--dry-run").communicate()[0].split()[-1]
    owner = connect("owner")
    blocker = psycopg.connect(dsn("owner"))
    blocker.execute("LOCK TABLE log.archive_disposal IN EXCLUSIVE MODE")
    first = dispose("--plan", plan)
    wait_for_waiting(owner, first)
    second = dispose("--plan", plan)
    wait_for_waiting(owner, first, second)
    blocker.close()
    days = "".join(f"{day}: 2 messages under KS 2026/118\n" for day in ("2026-01-13", "2026-01-14"))
    assert (*first.communicate(), first.returncode) == (days, "", 0)
    told = "a disposal of the archive is already running; this run waits until that one is done\n"
    done = second.communicate()
    assert (*done, second.returncode) == ("nothing is to be disposed of\n", told, 0)
    assert list(folder.iterdir()) == []
    stored = owner.execute("SELECT day::text, messages FROM log.archive_disposal")
    assert sorted(stored.fetchall()) == [("2026-01-13", 2), ("2026-01-14", 2)]


def test_a_second_goes_on_where_a_killed_one_was(dispose, folder, connect, dsn):
    plan = dispose("--dry-run").communicate()[0].split()[-1]
    owner = connect("owner")
    blocker = psycopg.connect(dsn("owner"))
    blocker.execute("LOCK TABLE log.archive_disposal IN EXCLUSIVE MODE")
    first = dispose("--plan", plan)
    wait_for_waiting(owner, first)
    second = dispose("--plan", plan)
    wait_for_waiting(owner, first, second)
    first.kill()
    blocker.close()
    output, _ = second.communicate()
    assert (output.count("under KS 2026/118"), second.returncode) == (2, 0)
    assert list(folder.iterdir()) == []


def test_what_was_not_shown_does_not_go(dispose, folder, connect):
    plan = dispose("--dry-run").communicate()[0].split()[-1]
    (folder / "2026-01-13/3.eml").write_text("Subject: Hej\r\n\r\nHej\r\n")
    told = dispose("--plan", plan).communicate()
    assert "look again with --dry-run" in told[1]
    assert len(list(folder.glob("*/*.eml"))) == 5
    assert connect("owner").execute("SELECT FROM log.archive_disposal").fetchall() == []


def test_a_hold_that_begins_meanwhile_stops_it_and_is_told_as_such(dispose, folder, connect, dsn):
    plan = dispose("--dry-run").communicate()[0].split()[-1]
    holder = psycopg.connect(dsn("owner"))
    holder.execute("SELECT log.freeze_holds()")
    running = dispose("--plan", plan)
    wait_for_waiting(connect("owner"), running)
    holder.execute("INSERT INTO log.hold (kind, who, why) VALUES ('request', 'Eva', 'Dnr 7')")
    holder.commit()
    holder.close()
    _, told = running.communicate()
    assert running.returncode == 2
    assert "2026-01-13: the archive of this day is held since it was shown" in told
    assert "look again with --dry-run" in told
    assert len(list(folder.glob("*/*.eml"))) == 4


@pytest.mark.parametrize("why", ["", " ", "\t \u00a0"])
def test_a_reason_without_words_is_refused_before_anything_is_asked(archive, why):
    running = archive("get", "4ZrX2b0Yk1z1", "--why", why)
    _, told = running.communicate()
    assert running.returncode == 2
    assert "--why: the reason says nothing" in told
    assert "write what the message is needed for" in told
