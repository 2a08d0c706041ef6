"""The deployed log is sealed, shown to everyone, and whoever changes it is found."""

import json
import re

import pytest
from test_web import PAGES, _get

from lablib.letters import letter

SEALER = "kommunpost_sealer"
SETTINGS = "KOMMUNPOST_CONFIG=/etc/kommunpost/seal/kommunpost.yml"

# What the timer does, a day later: the lab's clock is everybody's.
TOMORROW = """
import datetime as real
from compliance.messagelog.seal import commands
class Clock(real.datetime):
    @classmethod
    def now(cls, zone=None):
        return real.datetime.now(zone) + real.timedelta(days=1)
commands.datetime = Clock
commands.seal()
commands.publish()
"""


@pytest.fixture
def seal(on_host):
    """Close today, as the deployed key and role do tomorrow; then publish."""

    def run() -> str:
        said = on_host(
            "mail",
            f"runuser -u {SEALER} -- env {SETTINGS} /opt/kommunpost/bin/python - <<'END'\n"
            f"{TOMORROW}\nEND",
        )
        on_host("mail", "systemctl start kommunpost-log-publish.service")
        return said

    return run


@pytest.fixture
def verify(on_host):
    """Verify as on the host that seals, with its own copy of what was signed."""

    def run() -> str:
        program = "/opt/kommunpost/bin/kommunpost log verify"
        command = f"runuser -u {SEALER} -- env {SETTINGS} {program}"
        return on_host("mail", command, check=False)

    return run


@pytest.fixture
def as_superuser(on_host):
    def run(statement: str) -> str:
        command = "SET session_replication_role = replica; " + statement
        return on_host(
            "mail", f'runuser -u postgres -- psql -qAt kommunpost -c "{command}"'
        ).strip()

    return run


def sent(world, rows, subject: str) -> None:
    sender = world.colleagues(1)[0]
    note = letter(sender, world.commissioner.address, subject)
    world.submit(sender, note)
    assert len(rows(note["Message-ID"])) == 1


def test_a_day_of_real_mail_is_sealed_published_and_holds(world, rows, seal, verify, kommunpost):
    sent(world, rows, "Förseglas")
    assert "signed " in seal()
    assert "all holds" in verify()
    done = kommunpost("log", "verify")
    assert (done.returncode, "all holds" in done.stdout) == (0, True), done.stdout
    answers = {}
    for page in PAGES:
        base = world.facts["services"][page]["url"] + "/logg/"
        status, headers, body = _get(world, base)
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
        names = re.findall(r'href="(\d{8}\.json)"', body.decode())
        last = _get(world, base + names[0])[2]
        answers[page] = (body, names, last, _get(world, base + "nyckel.pem")[2])
        assert json.loads(json.loads(last)["text"])["domain"] == world.domain
    assert answers[PAGES[0]] == answers[PAGES[1]]


def test_entries_that_come_when_their_day_is_closed_are_added_and_proven(
    world, rows, seal, verify, on_host
):
    seal()
    on_host("mail", "systemctl stop kommunpost-shipper.service")
    try:
        sender = world.colleagues(1)[0]
        note = letter(sender, world.commissioner.address, "Kommer sent")
        world.submit(sender, note)
        assert seal() == ""
    finally:
        on_host("mail", "systemctl start kommunpost-shipper.service")
    assert len(rows(note["Message-ID"])) == 1
    assert "with late entries after statement" in seal()
    assert "all holds" in verify()


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("DELETE FROM log.entry WHERE (outbox_id, sequence) = ({place})", "removed"),
        ("UPDATE log.entry SET subject = 'Annat' WHERE (outbox_id, sequence) = ({place})",
         "altered"),
        ("UPDATE log.entry SET recipient_unit = 'x' WHERE (outbox_id, sequence) = ({place})",
         "altered"),
    ],
)  # fmt: skip
def test_what_a_superuser_changes_is_found_and_named(
    world, rows, seal, verify, as_superuser, change, kind
):
    sent(world, rows, "Ändras")
    seal()
    newest = "SELECT outbox_id, sequence FROM log.entry ORDER BY stored_at DESC, sequence DESC"
    outbox, sequence = as_superuser(f"{newest} LIMIT 1").split("|")
    place = f"'{outbox}', {sequence}"
    keep = (
        f"CREATE TABLE log.kept AS SELECT * FROM log.entry WHERE (outbox_id, sequence) = ({place})"
    )
    as_superuser(keep)
    try:
        as_superuser(change.format(place=place))
        assert f"{kind}: entry {sequence} of outbox {outbox}" in verify()
    finally:
        as_superuser(
            f"DELETE FROM log.entry WHERE (outbox_id, sequence) = ({place});"
            " INSERT INTO log.entry SELECT * FROM log.kept; DROP TABLE log.kept"
        )
    assert "all holds" in verify()
