"""What `kommunpost log` writes, and what it says when something is wrong."""

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from compliance.errors import UserError
from compliance.messagelog import commands, store

ROW = dict.fromkeys(store.EXPORT_KEYS) | {
    "accepted_at": "2026-11-24T09:05:00.000120Z",
    "subject": 'Å, "citat"',
    "size": 12,
}


def test_jsonl_is_one_object_a_line_in_readable_swedish():
    output = io.StringIO()
    commands.write_jsonl([ROW, ROW], output)
    lines = output.getvalue().splitlines()
    assert len(lines) == 2
    assert "Å" in lines[0]
    assert json.loads(lines[0]) == ROW


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_csv_never_runs_as_a_formula(start):
    output = io.StringIO()
    commands.write_csv([ROW | {"subject": f"{start}HYPERLINK(1)"}], output)
    (row,) = csv.DictReader(io.StringIO(output.getvalue()))
    assert row["subject"] == f"'{start}HYPERLINK(1)"
    assert (row["size"], row["label"]) == ("12", "")


def run(monkeypatch, tmp_path, text, *words):
    path = tmp_path / "kommunpost.yml"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("KOMMUNPOST_CONFIG", str(path))
    return CliRunner().invoke(commands.app, words)


SETTINGS = "municipality: {name: Sjövalla kommun, domain: sjovalla.example}\n"


def test_a_time_that_is_none_is_named(monkeypatch, tmp_path):
    result = run(monkeypatch, tmp_path, SETTINGS, "export", "--since", "igår")
    assert isinstance(result.exception, UserError)
    assert "'igår' is no time" in str(result.exception)


def test_settings_without_a_log_are_named(monkeypatch, tmp_path):
    result = run(monkeypatch, tmp_path, SETTINGS, "export")
    assert isinstance(result.exception, UserError)
    assert "have no `log`" in str(result.exception)


@pytest.mark.parametrize("word", ["migrate", "maintain", "export"])
def test_a_database_that_is_away_gives_what_and_where(monkeypatch, tmp_path, word):
    text = SETTINGS + f"log: {{dsn: 'host={tmp_path} dbname=kommunpost user=x'}}\n"
    result = run(monkeypatch, tmp_path, text, word)
    assert isinstance(result.exception, UserError)
    assert "PostgreSQL cannot be reached" in str(result.exception)
