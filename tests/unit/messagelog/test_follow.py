"""`kommunpost log follow` shows what is stored, all of it and each once."""

import json
import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from compliance.messagelog.entry import first_chain, link, to_json

HOST = "mail.sjovalla.example"
NOW = datetime.now(UTC)
MANY = 10_300  # more than one question to the database gives


class Outbox:
    """Stores entries as a shipper does."""

    def __init__(self, connection, entry):
        self._connection, self._entry = connection, entry
        self._id = uuid.uuid4()
        self._chain, self._last = first_chain(self._id), 0

    def store(self, *subjects, at=NOW, **changes):
        records = []
        for subject in subjects:
            self._last += 1
            made = self._entry(accepted_at=at, subject=subject, **changes)
            record = link(self._chain, self._last, made, bytes(32))
            self._chain = record.chain
            records.append(to_json(record))
        self._connection.execute(
            "SELECT log.append(%s, %s, %s)", [self._id, HOST, json.dumps(records)]
        )


@pytest.fixture
def outbox(connect, entry):
    """An outbox that the log knows."""
    made = Outbox(connect("writer"), entry)
    made.store("Före")
    return made


@pytest.fixture
def follow(dsn, connect, tmp_path):
    """Begin the command, wait until it follows; return what gives the subjects up to one."""
    settings = tmp_path / "kommunpost.yml"
    settings.write_text(
        "municipality: {name: Sjövalla kommun, domain: sjovalla.example}\n"
        f"log: {{dsn: '{dsn('reader')}'}}\n",
        encoding="utf-8",
    )
    begun = []

    def begin(*words):
        command = [sys.executable, "-m", "compliance.cli", "log", "follow", "--json", *words]
        own = os.environ | {"KOMMUNPOST_CONFIG": str(settings)}
        running = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=own
        )
        begun.append(running)
        asked = "SELECT count(*) FROM log.reading WHERE action = 'list'"
        owner = connect("owner")
        while owner.execute(asked).fetchone() == (0,):
            assert running.poll() is None, running.stderr.read()

        def until(last):
            subjects = []
            for line in running.stdout:
                subjects.append(json.loads(line)["subject"])
                if subjects[-1] == last:
                    return subjects
            raise AssertionError(running.stderr.read())

        until.process = running
        return until

    yield begin
    for running in begun:
        running.kill()
        running.communicate()


def test_all_of_a_rush_is_shown_and_each_once(outbox, follow):
    shown_until = follow()
    rush = [f"Brev {number}" for number in range(MANY)]
    outbox.store(*rush)
    outbox.store("Efter")
    assert shown_until("Efter") == [*rush, "Efter"]


def test_what_waited_long_for_the_database_is_shown_too(outbox, follow, connect, entry):
    shown_until = follow()
    outbox.store("Väntade en timme", at=NOW - timedelta(hours=1))
    outbox.store("Nu")
    assert shown_until("Nu") == ["Väntade en timme", "Nu"]
    another = Outbox(connect("writer"), entry)  # of a mail host that the log didn't know
    another.store("Väntade tre dygn", at=NOW - timedelta(days=3))
    another.store("Slut")
    assert shown_until("Slut") == ["Väntade tre dygn", "Slut"]


def test_a_session_that_ends_is_begun_anew_and_nothing_is_lost(outbox, follow, connect):
    shown_until = follow()
    outbox.store("Ett")
    assert shown_until("Ett") == ["Ett"]
    connect("owner").execute("DELETE FROM log.session")
    outbox.store("Två")
    assert shown_until("Två") == ["Två"]
    shown_until.process.terminate()
    assert shown_until.process.wait() == 0
    assert shown_until.process.stderr.read() == ""
    assert connect("owner").execute("SELECT count(*) FROM log.session").fetchone() == (0,)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--unit", "ks"], ["In", "Från KS", "Slut"]),
        (["--direction", "out"], ["Från KS", "Slut"]),
        (["--address", "KS@Sjovalla.example"], ["Från KS", "Slut"]),
        ([], ["In", "Annans", "Från KS", "Slut"]),
    ],
)
def test_only_what_is_wanted_is_shown(outbox, follow, words, shown):
    out = {"direction": "out", "sender_unit": "ks", "recipient_unit": None,
           "from_address": "bo@x.example, ks@sjovalla.example"}  # fmt: skip
    shown_until = follow(*words)
    outbox.store("Prov", label="probe")
    outbox.store("In", from_address="b@x.example", recipient="x@sjovalla.example")
    outbox.store("Annans", recipient_unit="bun")
    outbox.store("Från KS", **out)
    outbox.store("Slut", **out)
    assert shown_until("Slut") == shown


def test_a_unit_without_mail_so_far_is_told_of_and_followed(outbox, follow):
    shown_until = follow("--unit", "ny")
    outbox.store("Först", recipient_unit="ny")
    assert shown_until("Först") == ["Först"]
    shown_until.process.terminate()
    shown_until.process.wait()
    assert "no mail of a unit 'ny' so far" in shown_until.process.stderr.read()
