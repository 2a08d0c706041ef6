"""How the real command ends, whatever happens: in words, with the exit code that is told."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from test_reading import HOST, OUTBOX, traffic

TOWN = "municipality: {name: Sjövalla kommun, domain: sjovalla.example}\n"
SEARCH = ("log", "search")
EXPORT = ("log", "export")


@pytest.fixture(scope="module")
def dsn(new_log, entry):
    """A log with rows, å in their subjects."""
    made = new_log()
    with psycopg.connect(made("writer"), autocommit=True) as writer:
        writer.execute("SELECT log.append(%s, %s, %s)", [OUTBOX, HOST, json.dumps(traffic(entry))])
    return made


@pytest.fixture
def owner(dsn):
    with psycopg.connect(dsn("owner"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def holder(dsn):
    """Hold the log's rows, so that whoever reads them waits."""
    with psycopg.connect(dsn("owner")) as connection:
        connection.execute("LOCK TABLE log.entry IN ACCESS EXCLUSIVE MODE")
        yield connection


@pytest.fixture
def begin(tmp_path, dsn):
    """Begin the command in a process of its own."""
    settings = tmp_path / "kommunpost.yml"
    settings.write_text(TOWN + f"log: {{dsn: '{dsn('reader')}'}}\n", encoding="utf-8")
    begun = []

    def call(*words, env=None, **more):
        own = {"KOMMUNPOST_CONFIG": str(settings)} | (env or {})
        more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
        command = [sys.executable, "-m", "compliance.cli", *words]
        begun.append(subprocess.Popen(command, env=os.environ | own, **more))
        return begun[-1]

    yield call
    for process in begun:
        process.kill()
        process.wait()


@pytest.fixture
def end(begin):
    """Run the command to its end; return exit code, output and errors."""

    def call(*words, **more):
        process = begin(*words, **more)
        out, told = process.communicate()
        told = told.decode()
        assert "Traceback" not in told
        assert "Exception" not in told
        return process.returncode, out, told

    return call


WAITING = """
    FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
    WHERE NOT l.granted AND d.datname = current_database()
"""


def wait_for_reading(owner, process):
    while owner.execute("SELECT count(*) " + WAITING).fetchone() == (0,):
        assert process.poll() is None, process.stderr.read()


# That a signal ended it a shell tells as 143.
@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)],
    ids=["term", "int"],
)
def test_what_is_stopped_leaves_neither_file_nor_session(
    begin, owner, holder, tmp_path, form, number, code
):
    folder = tmp_path / "out"
    folder.mkdir()
    process = begin(*EXPORT, "--format", form, "--output", str(folder / f"x.{form}"))
    wait_for_reading(owner, process)
    assert len(list(folder.iterdir())) == 1, "the temporary file"
    process.send_signal(number)
    _, told = process.communicate()
    assert (process.returncode, told.decode()) == (code, "")
    assert list(folder.iterdir()) == []
    assert owner.execute("SELECT count(*) FROM log.session").fetchone() == (0,)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_database_that_is_lost_midway_is_told_of(begin, owner, holder, server, tmp_path, form):
    path = tmp_path / f"x.{form}"
    process = begin(*EXPORT, "--format", form, "--output", str(path))
    wait_for_reading(owner, process)
    (waiting,) = owner.execute("SELECT l.pid " + WAITING).fetchone()
    with server.admin() as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", [waiting])
    # The session is left: the database is told nothing any more.
    owner.execute("DELETE FROM log.session")
    _, told = process.communicate()
    assert process.returncode == 2
    assert told.decode().startswith("kommunpost: ")
    assert "PostgreSQL" in told.decode()
    assert "Traceback" not in told.decode()
    assert not path.exists()


@pytest.mark.parametrize("output", ["", "/", "none/x.csv", "å" * 300])
def test_an_output_that_cannot_be_written_is_told_of(end, output):
    code, _, told = end(*EXPORT, "--format", "csv", "--output", output)
    assert code == 2
    assert told.startswith("kommunpost: ")
    assert "the file cannot be written" in told


def test_a_full_device_is_told_of_and_stays(end, make_device):
    path = make_device("full", 1, 7)
    code, _, told = end(*EXPORT, "--format", "csv", "--output", str(path))
    assert code == 2
    assert "the file cannot be written (No space left on device)" in told
    assert stat.S_ISCHR(path.stat().st_mode)


@pytest.mark.parametrize("words", [EXPORT, SEARCH, ("log", "stats"), ("--help",)])
def test_a_full_disk_behind_standard_output_is_told_of(end, words):
    with Path("/dev/full").open("wb") as full:
        code, _, told = end(*words, stdout=full)
    assert code == 2
    assert told.startswith("kommunpost: ")
    assert told.count("No space left on device") == 1


@pytest.mark.parametrize("words", [EXPORT, SEARCH])
def test_a_closed_standard_output_is_told_of(end, words):
    code, _, told = end(*words, stdout=None, preexec_fn=lambda: os.close(1))
    assert code == 2
    assert "Bad file descriptor" in told


def test_a_file_is_written_without_a_standard_output(end, tmp_path):
    path = tmp_path / "x.jsonl"
    words = (*EXPORT, "--output", str(path))
    code, _, told = end(*words, stdout=None, preexec_fn=lambda: os.close(1))
    assert (code, told) == (0, "")
    assert len(path.read_bytes().splitlines()) == 7


def test_a_pipe_that_nobody_reads_is_no_finding(end):
    reading, writing = os.pipe()
    os.close(reading)
    code, _, told = end(*EXPORT, stdout=writing)
    os.close(writing)
    assert (code, told) == (141, "")


def test_a_terminal_that_lacks_a_letter_has_it_escaped(end):
    env = {"PYTHONIOENCODING": "ascii"}
    code, out, _ = end(*SEARCH, "--part", "altan", env=env)
    assert (code, out.decode("ascii").rstrip().split("  ")[-1]) == (0, "Bygglov f\\u00f6r altan")
    code, out, _ = end(*SEARCH, "--part", "altan", "--json", env=env)
    assert json.loads(out.decode("ascii"))["subject"] == "Bygglov för altan"
    code, out, _ = end(*EXPORT, "--part", "altan", env=env)
    assert "för altan" in out.decode("utf-8"), "a file is UTF-8 wherever it is made"


@pytest.mark.parametrize(
    "words",
    [
        (*SEARCH, "--part", b"\xff"),
        (*EXPORT, "--address", b"\xff"),
        ("archive", "get", b"\xff", "--why", "x"),
        ("archive", "get", "x", "--why", b"\xff"),
        ("log", "reconcile", "--day", b"\xff"),
    ],
    ids=ascii,
)
def test_bytes_that_are_no_text_are_told_of(end, words):
    code, _, told = end(*words)
    assert code == 2
    assert "\\udcff" in told


@pytest.mark.parametrize("reference", [f"{OUTBOX}:99999999999999999999", f"{OUTBOX}:-1", "x:1"])
def test_a_reference_that_no_log_has_is_told_of_as_that(end, tmp_path, dsn, reference):
    settings = tmp_path / "archive.yml"
    settings.write_text(
        TOWN + f"log: {{dsn: '{dsn('reader')}'}}\narchive: {{read_conf: /x}}\n", encoding="utf-8"
    )
    env = {"KOMMUNPOST_CONFIG": str(settings)}
    code, _, told = end("archive", "get", reference, "--why", "x", env=env)
    assert code == 2
    assert "the log has no such entry" in told


def test_a_name_that_is_no_text_still_reads(end, owner):
    code, _, told = end(*SEARCH, env={"SUDO_USER": os.fsdecode(b"te\xffkla")})
    assert (code, told) == (0, "")
    last = "SELECT reader FROM log.reading ORDER BY number DESC LIMIT 1"
    assert owner.execute(last).fetchone() == ("technician:te\ufffdkla",)


@pytest.mark.parametrize(
    "settings", [TOWN.encode("latin-1"), b"a: 2026-13-45\n", b"a: \x00\n", b"", b"- 1\n"]
)
def test_settings_that_are_no_settings_are_told_of(end, tmp_path, settings):
    path = tmp_path / "odd.yml"
    path.write_bytes(settings)
    code, _, told = end("settings", env={"KOMMUNPOST_CONFIG": str(path)})
    assert code == 2
    assert told.startswith(f"kommunpost: {path}")


def test_a_secret_that_is_no_text_is_told_of(end, tmp_path, dsn):
    (tmp_path / "secret").write_bytes(b"\xff\xfe")
    path = tmp_path / "secretive.yml"
    path.write_text(
        TOWN + f"log: {{dsn: '{dsn('reader')}', password_file: {tmp_path}/secret}}\n", "utf-8"
    )
    code, _, told = end(*SEARCH, env={"KOMMUNPOST_CONFIG": str(path)})
    assert code == 2
    assert told.startswith(f"kommunpost: {tmp_path}/secret: the secret cannot be read")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_full_disk_is_told_of(end, tmp_path, form):
    words = (*EXPORT, "--format", form, "--output", str(tmp_path / "x.xlsx"))
    code, _, told = end(*words, preexec_fn=full)
    assert code == 2
    assert told.startswith("kommunpost: ")
    assert not (tmp_path / "x.xlsx").exists()


def full():
    """Let no file of the process grow, as on a full disk."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
