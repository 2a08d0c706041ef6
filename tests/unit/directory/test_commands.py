"""The command line: what it needs, and what it tells when that is missing."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from compliance.cli import app

from .conftest import ORGANISATION, PEOPLE, Files

PASSWORD_VERBS = ("set", "first", "redeem", "lock", "unlock")


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run `kommunpost directory`, with settings only if they are given."""

    def command(*words: str | Path, settings: dict | None = None):
        file = tmp_path / "kommunpost.yml"
        if settings is not None:
            file.write_text(yaml.safe_dump(settings), encoding="utf-8")
        monkeypatch.setenv("KOMMUNPOST_CONFIG", str(file))
        return CliRunner().invoke(app, ["directory", *map(str, words)])

    return command


def _settings(files: Files, name: str = "Sjövalla kommun") -> dict:
    return {
        "municipality": {"name": name, "domain": "sjovalla.example"},
        "directory": {
            "uri": "ldaps://127.0.0.1:1",
            "base": "dc=sjovalla,dc=example",
            "reader_dn": "cn=auditor",
            "reader_password_file": str(files.folder / "secret"),
            "sources": {
                "organisation": str(files.folder / "organisation.yml"),
                "people": str(files.folder / "people.csv"),
                "pcs": str(files.folder / "pcs.csv"),
            },
        },
    }


def _three(files: Files) -> list[str | Path]:
    folder = files.folder
    return [
        *("--organisation", folder / "organisation.yml"),
        *("--people", folder / "people.csv", "--pcs", folder / "pcs.csv"),
    ]


def test_check_needs_no_settings_when_it_is_told_the_files(run, files):
    done = run("check", *_three(files))
    assert done.exit_code == 0
    assert "3 people, 3 PCs, 2 units, 1 position" in done.stdout
    assert "? pc-without-owner (1): nobody owns the PC: PC PC3" in done.stdout


def test_check_takes_the_files_of_the_settings_and_another_one_by_name(run, files):
    other = files.folder / "other.csv"
    other.write_text(PEOPLE + "4;Dag;;Dal;employee;ksk;;\n", encoding="utf-8")
    assert "3 people" in run("check", settings=_settings(files)).stdout
    assert "4 people" in run("check", "--people", other, settings=_settings(files)).stdout


def test_settings_that_name_no_people_are_told(run, files):
    settings = _settings(files)
    del settings["directory"]["sources"]["people"]
    assert "where people and PCs are read from" in str(run("check", settings=settings).exception)


def test_accounts_that_do_not_answer_are_told_by_their_own_address(run, files):
    settings = _settings(files)
    (files.folder / "secret").write_text("hemligt", encoding="utf-8")
    settings["directory"]["sources"]["accounts"] = {
        "kind": "active_directory",
        "uri": "ldaps://127.0.0.1:2",
        "base": "dc=ad",
        "reader_dn": "reader@ad",
        "reader_password_file": str(files.folder / "secret"),
        "units": {"Kontoret": "ksk"},
    }
    told = str(run("check", settings=settings).exception)
    assert "ldaps://127.0.0.1:2: the directory cannot be reached" in told


@pytest.mark.parametrize("command", ["check", "plan", "apply"])
def test_bad_input_stops_every_command_before_the_directory_is_asked(run, files, command):
    files.write(organisation=ORGANISATION.replace("parent: ks", "parent: kf"))
    done = run(command, settings=_settings(files))
    assert "organisation.yml:10: there is no unit kf" in str(done.exception)


@pytest.mark.parametrize("command", ["check", "plan", "apply"])
def test_another_municipalitys_organisation_is_refused(run, files, command):
    done = run(command, settings=_settings(files, "Grums kommun"))
    assert "organisation of Sjövalla kommun" in str(done.exception)


def test_no_settings_and_no_files_is_told(run):
    assert "make lab" in str(run("check").exception)


@pytest.mark.parametrize(
    "command",
    ["check", "plan", "apply", "logins", *(f"password {verb}" for verb in PASSWORD_VERBS)],
)
def test_each_command_shows_an_example(run, command):
    assert f"Example: kommunpost directory {command}" in run(*command.split(), "--help").stdout
