"""Each night: the sources are applied, or what is due closes; what stops it is mailed."""

from contextlib import nullcontext

import pytest
import yaml
from typer.testing import CliRunner

from compliance.cli import app
from compliance.directory import commands
from compliance.errors import UserError

from .conftest import ORGANISATION, Files
from .test_commands import _settings


@pytest.fixture
def night(monkeypatch, tmp_path, files: Files, organisation, settle):
    """Run the nightly command on a directory that stands still; give what was sent and written."""

    class Night:
        settings = _settings(files)

        def run(self):
            file = tmp_path / "kommunpost.yml"
            file.write_text(yaml.safe_dump(self.settings), encoding="utf-8")
            monkeypatch.setenv("KOMMUNPOST_CONFIG", str(file))
            return CliRunner().invoke(app, ["directory", "daily"])

    found = Night()
    found.sent = []
    found.settings["sender"] = {
        "host": "192.0.2.1", "address": "kommunpost@sjovalla.example", "login": "x",
        "password_file": "x",
    }  # fmt: skip
    _, found.held = settle(organisation)
    monkeypatch.setattr(commands, "connect", lambda *_: nullcontext())
    monkeypatch.setattr(commands, "read_held", lambda *_: found.held)
    monkeypatch.setattr(commands, "send", lambda _sender, letter: found.sent.append(letter))
    return found


def test_unchanged_sources_change_nothing(night):
    done = night.run()
    assert done.exit_code == 0, done.exception
    assert "Nothing to change" in done.stdout
    assert night.sent == []


def test_without_sources_what_is_due_closes(night):
    del night.settings["directory"]["sources"]
    assert "Nothing to change" in night.run().stdout


def test_a_broken_source_changes_nothing_and_postmaster_is_told(night, files):
    files.write(organisation=ORGANISATION.replace("parent: ks", "parent: kf"))
    done = night.run()
    assert isinstance(done.exception, UserError)
    [letter] = night.sent
    assert letter.to == "postmaster@sjovalla.example"
    assert "organisation.yml:10: there is no unit kf" in letter.body
    assert "Inget har ändrats" in letter.body


def test_a_halved_export_is_refused_and_told(night, files):
    files.write(people="id;given_name;surname;kind;unit\n3;Cecilia;Alm;elected;ks\n", pcs=(
        "name;owners;unit\n"))  # fmt: skip
    done = night.run()
    assert "would close 2 of" in str(done.exception)
    assert "--allow-closing" in night.sent[0].body
