"""`kommunpost watch remind`: letters go out once, and what failed is told."""

import errno
import json
import os
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from compliance.cli import app
from compliance.directory.model import Organisation, Person, PersonKind, Position, Unit, Watch
from compliance.directory.model import UnitKind as Kind
from compliance.directory.plan import make_plan
from compliance.directory.tree import Held
from compliance.errors import UserError
from compliance.messagelog.mailboxes import Mailbox
from compliance.watch import commands, unread

DOMAIN = "sjovalla.example"
MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)


def _held() -> Held:
    watch = Watch("1", "2")
    people = tuple(
        Person(n, name, "", "Ek", PersonKind.EMPLOYEE, "kk")
        for n, name in (("1", "Ann"), ("2", "Bo"))
    )
    organisation = Organisation(
        municipality="Sjövalla kommun",
        units=(
            Unit("ks", "Kommunstyrelsen", Kind.AUTHORITY, None, watch),
            Unit("kk", "Kommunkontoret", Kind.ADMINISTRATION, "ks", watch),
        ),
        positions=(Position("rad", "Kommunalråd", "ks", ("1",)),),
        people=people,
        pcs=(),
        commissioner="rad",
        executive_office="kk",
    )
    plan = make_plan(organisation, DOMAIN, "dc=x", Held(), date(2026, 11, 24), 90)
    return Held({change.mailbox.rdn.lower(): change.mailbox for change in plan.changes})


@pytest.fixture
def town(monkeypatch, tmp_path):
    """Give what the command reads and where its letters go."""
    return _Town(monkeypatch, tmp_path)


class _Town:
    def __init__(self, monkeypatch, folder: Path) -> None:
        self.folder, self.sent, self.refuses = folder, [], set()
        self.noted, self.has_database = [], True
        settings = {
            "municipality": {"name": "Sjövalla kommun", "domain": DOMAIN},
            "directory": {"uri": "ldapi:///", "base": "dc=x", "reader_dn": "cn=x",
                          "reader_password_file": "x"},
            "watch": {"unread": str(folder / "unread.json"), "told": str(folder / "told.json")},
            "log": {"dsn": "host=/nowhere"},
            "sender": {"host": "192.0.2.1", "address": f"kommunpost@{DOMAIN}", "login": "x",
                       "password_file": "x"},
        }  # fmt: skip
        (folder / "settings.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
        monkeypatch.setenv("KOMMUNPOST_CONFIG", str(folder / "settings.yml"))
        monkeypatch.setattr(commands, "connect", lambda *_: nullcontext())
        monkeypatch.setattr(commands, "read_held", lambda *_: _held())
        monkeypatch.setattr(commands, "send", self._send)
        monkeypatch.setattr(commands, "note", self._note)
        self._monkeypatch = monkeypatch
        self.at(MONDAY)

    def _send(self, _sender, letter) -> None:
        if letter.to in self.refuses:
            raise UserError.of(f"no letter to {letter.to}")
        self.sent.append(letter.to.partition("@")[0])

    def _note(self, _log, boxes) -> None:
        if not self.has_database:
            raise UserError.of("PostgreSQL cannot be reached")
        self.noted.append(list(boxes))

    def at(self, now: datetime) -> None:
        class Clock(datetime):
            @classmethod
            def now(cls, tz=None):
                return now.astimezone(tz)

        self._monkeypatch.setattr(commands, "datetime", Clock)
        self._now = now

    def lies(self, **oldest: datetime | None) -> None:
        boxes = dict.fromkeys(
            f"{name}@{DOMAIN}" for name in ("kommunstyrelsen", "kommunkontoret", "kommunalrad")
        )
        found = {**boxes, **{f"{name}@{DOMAIN}": came for name, came in oldest.items()}}
        written = unread.to_json(unread.Unread(self._now, found))
        (self.folder / "unread.json").write_text(written, encoding="utf-8")

    def remind(self, *words: str):
        return CliRunner().invoke(app, ["watch", "remind", *words])


def test_watcher_then_deputy_then_head_each_once(town):
    came = MONDAY - timedelta(days=10)
    for day in range(5):
        town.at(MONDAY + timedelta(days=day))
        town.lies(kommunstyrelsen=came)
        for _ in range(2):
            assert town.remind().exit_code == 0
    assert town.sent == ["ann.ek", "bo.ek", "kommunkontoret"]


def test_what_was_read_meanwhile_is_not_told_on(town):
    town.lies(kommunstyrelsen=MONDAY - timedelta(days=10))
    town.remind()
    town.at(MONDAY + timedelta(days=1))
    town.lies()
    assert "No reminder is due." in town.remind().stdout
    assert town.sent == ["ann.ek"]


def test_a_dry_run_sends_and_remembers_nothing(town):
    town.lies(kommunalrad=MONDAY - timedelta(days=10))
    shown = json.loads(town.remind("--dry-run", "--json").stdout)
    assert [(row["mailbox"], row["keeper"], row["age_working_days"]) for row in shown] == [
        (f"kommunalrad@{DOMAIN}", "watcher", 5)
    ]
    assert (town.sent, town.noted) == ([], [])
    assert not (town.folder / "told.json").exists()


def test_a_letter_that_is_not_taken_stops_no_other_and_is_tried_again(town):
    came = MONDAY - timedelta(days=10)
    town.lies(kommunstyrelsen=came, kommunkontoret=came)
    town.refuses = {f"ann.ek@{DOMAIN}"}
    assert "no letter to ann.ek" in str(town.remind().exception)
    town.refuses = set()
    town.remind()
    assert town.sent == ["ann.ek", "ann.ek"], "one for each mailbox"


def test_one_working_day_is_told_as_one(town):
    town.lies(kommunstyrelsen=MONDAY - timedelta(days=4))
    assert "1 working day\n" in town.remind("--dry-run").stdout
    town.lies(kommunstyrelsen=MONDAY - timedelta(days=5))
    assert "2 working days\n" in town.remind("--dry-run").stdout


def test_what_lies_unread_is_written_whole_or_not_at_all(town, monkeypatch):
    """A disk that is full keeps what was looked up last."""
    monkeypatch.setattr(unread, "look", lambda _: unread.Unread(MONDAY, {}))
    file = town.folder / "found.json"
    file.write_text("sedan förut", encoding="utf-8")

    def full(_handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        done = CliRunner().invoke(app, ["watch", "unread", "--output", str(file)])
    assert "cannot be written (No space left on device)" in str(done.exception)
    assert file.read_text(encoding="utf-8") == "sedan förut"
    assert CliRunner().invoke(app, ["watch", "unread", "--output", str(file)]).exit_code == 0
    assert unread.read(file).at == MONDAY


def test_the_group_of_the_folder_reads_what_root_has_looked_up(town, monkeypatch):
    """Reminders are sent as another user than the one whom Dovecot answers."""
    monkeypatch.setattr(unread, "look", lambda _: unread.Unread(MONDAY, {}))
    file = town.folder / "found.json"
    for _ in range(2):
        assert CliRunner().invoke(app, ["watch", "unread", "--output", str(file)]).exit_code == 0
        assert f"{file.stat().st_mode:o}" == "100640"


def test_an_old_look_is_refused(town):
    town.lies(kommunstyrelsen=MONDAY - timedelta(days=10))
    town.at(MONDAY + timedelta(days=1))
    assert "last looked up 2026-11-23" in str(town.remind().exception)
    assert town.sent == []


def test_a_mailbox_that_was_not_looked_into_is_told(town):
    written = unread.to_json(unread.Unread(MONDAY, {}))
    (town.folder / "unread.json").write_text(written, encoding="utf-8")
    assert f"kommunstyrelsen@{DOMAIN}: the mailbox was not looked into" in str(
        town.remind().exception
    )


def test_what_lies_unread_is_noted_with_its_unit_and_when_it_was_looked_at(town):
    came = MONDAY - timedelta(days=10)
    town.lies(kommunalrad=came)
    town.remind()
    assert town.noted == [
        [
            Mailbox(f"kommunstyrelsen@{DOMAIN}", "ks", MONDAY, None),
            Mailbox(f"kommunkontoret@{DOMAIN}", "kk", MONDAY, None),
            Mailbox(f"kommunalrad@{DOMAIN}", "ks", MONDAY, came),
        ]
    ]


def test_when_the_database_is_away_the_letters_go_and_it_is_told(town):
    town.lies(kommunstyrelsen=MONDAY - timedelta(days=10))
    town.has_database = False
    assert "PostgreSQL cannot be reached" in str(town.remind().exception)
    assert town.sent == ["ann.ek"]


def test_a_mailbox_that_was_not_looked_into_is_not_noted_as_read(town):
    written = unread.to_json(unread.Unread(MONDAY, {f"kommunalrad@{DOMAIN}": None}))
    (town.folder / "unread.json").write_text(written, encoding="utf-8")
    town.remind()
    assert [box.address for box in town.noted[0]] == [f"kommunalrad@{DOMAIN}"]
