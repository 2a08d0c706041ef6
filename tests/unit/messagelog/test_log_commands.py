"""What `kommunpost log` writes, and what it says when something is wrong."""

import json

import psycopg
import pytest
from openpyxl import load_workbook
from test_reading import HOST, OUTBOX, TRAFFIC, traffic
from typer.testing import CliRunner

from compliance.errors import UserError
from compliance.messagelog import commands

SETTINGS = "municipality: {name: Sjövalla kommun, domain: sjovalla.example}\n"


def run(monkeypatch, tmp_path, text, *words):
    path = tmp_path / "kommunpost.yml"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("KOMMUNPOST_CONFIG", str(path))
    return CliRunner().invoke(commands.app, words)


@pytest.fixture(scope="module")
def dsn(new_log, entry):
    """A log with TRAFFIC in it."""
    made = new_log()
    with psycopg.connect(made("writer"), autocommit=True) as writer:
        writer.execute("SELECT log.append(%s, %s, %s)", [OUTBOX, HOST, json.dumps(traffic(entry))])
    return made


@pytest.fixture
def log(monkeypatch, tmp_path, dsn):
    def call(*words):
        result = run(monkeypatch, tmp_path, SETTINGS + f"log: {{dsn: '{dsn('reader')}'}}\n", *words)
        assert result.exception is None, result.exception
        return result.stdout

    return call


def test_a_time_that_is_none_is_named(monkeypatch, tmp_path):
    result = run(monkeypatch, tmp_path, SETTINGS, "export", "--since", "igår")
    assert isinstance(result.exception, UserError)
    assert "'igår' is no time" in str(result.exception)


def test_settings_without_a_log_are_named(monkeypatch, tmp_path):
    result = run(monkeypatch, tmp_path, SETTINGS, "export")
    assert isinstance(result.exception, UserError)
    assert "have no `log`" in str(result.exception)


@pytest.mark.parametrize("word", ["migrate", "maintain", "export", "search", "stats", "follow"])
def test_a_database_that_is_away_gives_what_and_where(monkeypatch, tmp_path, word):
    text = SETTINGS + f"log: {{dsn: 'host={tmp_path} dbname=kommunpost user=x'}}\n"
    result = run(monkeypatch, tmp_path, text, word)
    assert isinstance(result.exception, UserError)
    assert "PostgreSQL cannot be reached" in str(result.exception)


def test_search_finds_by_unit_and_words(log, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")  # so that no subject is broken over two lines
    assert "Bygglov för altan" in log("search", "--unit", "ks", "--words", "byggloven")
    found = log("search", "--unit", "ks", "--part", "remiss", "--json")
    assert [json.loads(line)["subject"] for line in found.splitlines()] == [
        "Remiss om skolskjutsar"
    ]


def test_export_writes_every_row_in_each_format(log, tmp_path):
    assert len(log("export").splitlines()) == len(TRAFFIC)
    for name in ("jsonl", "csv", "xlsx"):
        log("export", "--format", name, "--output", str(tmp_path / f"log.{name}"))
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == len(TRAFFIC)
    assert len((tmp_path / "log.csv").read_text().splitlines()) == len(TRAFFIC) + 1
    assert load_workbook(tmp_path / "log.xlsx")["Log"].max_row == len(TRAFFIC) + 1
    assert not list(tmp_path.glob("*.part"))


def test_a_workbook_needs_a_file(monkeypatch, tmp_path):
    result = run(monkeypatch, tmp_path, SETTINGS, "export", "--format", "xlsx")
    assert "add --output" in str(result.exception)


def test_stats_count_by_month(log):
    assert "2026-11" in log("stats", "--unit", "ks")
    rows = [json.loads(line) for line in log("stats", "--unit", "ks", "--json").splitlines()]
    assert rows == [
        {"unit": "ks", "month": "2026-11", "direction": "in", "entries": 2},
        {"unit": "ks", "month": "2026-11", "direction": "internal", "entries": 1},
    ]


def test_what_the_technician_reads_stands_in_the_trail(log, dsn, monkeypatch):
    monkeypatch.setenv("SUDO_USER", "tekla")
    log("search", "--unit", "bun", "--part", "lokaler")
    with psycopg.connect(dsn("owner")) as owner:
        trace = owner.execute(
            "SELECT reader, action, unit, filter FROM log.reading ORDER BY number DESC LIMIT 1"
        ).fetchone()
    assert trace == ("technician:tekla", "list", "bun", {"unit": "bun", "part": "lokaler"})


@pytest.mark.parametrize("word", ["search", "export", "follow", "stats"])
def test_help_has_an_example(word):
    assert (
        f"Example: kommunpost log {word}"
        in CliRunner().invoke(commands.app, [word, "--help"]).stdout
    )
