"""An old letter goes from archive and log under a decision, not without one, not while it is held.

The milter's clock is set back for one letter, so that it is as old in log and archive as if it had
lain there; the stories follow it to its end, the archive first. Postfix's journal still tells of it
today, so the audit would miss its row: this comes after the audits.
"""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from milter_clock import milter_clock
from test_archive import copies
from test_seal import SEALER, verify  # noqa: F401 - a fixture

from lablib.letters import letter

SEAL = "/etc/kommunpost/seal"
AGE_DAYS = 100
DECISION = """\
disposal:
  - class: {kind}
    period: 1 month
    decision: KS 2026/117
    authority: Kommunstyrelsen
    decided: 2026-10-14
"""


@pytest.fixture(scope="module")
def day():
    """The day (UTC) on which the old letter was logged."""
    return (datetime.now(UTC) - timedelta(days=AGE_DAYS)).date()


@pytest.fixture(scope="module")
def _no_work_by_the_clock(on_host):
    """The log list takes in what is to be reviewed when these tests say so, not in between."""
    on_host("mail", "systemctl stop kommunpost-log-list-work.timer")
    yield
    on_host("mail", "systemctl start kommunpost-log-list-work.timer")


@pytest.fixture(scope="module")
def old(world, rows, on_host, day, _no_work_by_the_clock):
    """The log's row of a letter to a function mailbox, a hundred days old, sealed since."""
    note = letter(world.outsider, f"registrator@{world.domain}", "Gammalt ärende")
    with milter_clock(on_host) as step:
        step(f"-{AGE_DAYS}d")
        world.submit(world.outsider, note)
        (row,) = rows(note["Message-ID"], seconds=90)
    assert row["accepted_at"].startswith(day.isoformat())
    _as_sealer(on_host, "kommunpost.yml", "log seal")
    on_host("mail", "systemctl start kommunpost-log-list-work.service")
    return row


def _psql(on_host, statement: str) -> None:
    on_host("mail", f'runuser -u postgres -- psql -qd kommunpost -c "{statement}"')


def _as_sealer(on_host, settings: str, words: str, *, check: bool = True) -> str:
    program = f"env KOMMUNPOST_CONFIG={SEAL}/{settings} /opt/kommunpost/bin/kommunpost"
    return on_host("mail", f"runuser -u {SEALER} -- {program} {words} 2>&1", check=check)


@pytest.fixture
def hold(on_host):
    """Begin (True) and end (False) a request for documents, which stops disposal meanwhile."""

    def run(stands: bool) -> None:
        _psql(
            on_host,
            "INSERT INTO log.hold (kind, who, why)"
            " VALUES ('request', 'person:10023', 'Begäran KS 2026/88')"
            if stands
            else "UPDATE log.hold SET until = now() WHERE kind = 'request' AND until IS NULL",
        )

    yield run
    run(False)


@pytest.fixture
def archive_dispose(tmp_path):
    """Run `kommunpost archive dispose` on the control machine, with a decision or none."""
    settings = Path(os.environ.get("KOMMUNPOST_LAB", "build/lab")) / "kommunpost.yml"
    (tmp_path / "disposal.yml").write_text(DECISION.format(kind="archive"), encoding="utf-8")

    def run(*words: str, decided: bool = True) -> tuple[int, str]:
        text = settings.read_text(encoding="utf-8")
        decision = f"\n  disposal_file: {tmp_path}/disposal.yml" if decided else ""
        own = tmp_path / "kommunpost.yml"
        own.write_text(text.replace("\nseal:", f"\nseal:{decision}"), encoding="utf-8")
        done = subprocess.run(
            [str(Path(sys.executable).with_name("kommunpost")), "archive", "dispose", *words],
            capture_output=True, text=True, env={**os.environ, "KOMMUNPOST_CONFIG": str(own)},
            timeout=120,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture
def decide(on_host):
    """Lay the decision on the log down where it is sealed, as its role does."""
    on_host("mail", f"cat > {SEAL}/disposal.yml <<'END'\n{DECISION.format(kind='message-log')}END")
    yield
    on_host("mail", f"rm {SEAL}/disposal.yml")


def test_what_is_not_reviewed_stays_in_log_and_archive(
    old, day, on_host, decide, archive_dispose
):  # fmt: skip
    said = _as_sealer(on_host, "kommunpost-disposal.yml", "log dispose --dry-run")
    assert re.search(rf"{day:%Y-%m}: 0 entries, [1-9] held", said), said
    assert re.search(rf"held for a review .* what came on {day} or later", said), said
    assert "nothing is to be disposed of" in archive_dispose("--dry-run")[1]
    # A review of fifteen weeks takes long: here the unit's hold goes to where that would bring it.
    _psql(
        on_host,
        "UPDATE log.hold SET accepted_from = now()"
        f" WHERE kind = 'review' AND accepted_from < '{day + timedelta(days=1)} 00:00+00'",
    )
    # And the time to appeal what the browser's requests kept back runs out.
    _psql(on_host, "UPDATE log.hold SET until = now() WHERE kind = 'request' AND until > now()")


def test_nothing_goes_from_the_archive_without_a_decision(old, archive_dispose):
    status, said = archive_dispose("--dry-run", decided=False)
    assert (status, "name the decisions on disposal" in said) == (2, True), said


def test_what_is_held_stays_in_the_archive(old, day, on_host, archive_dispose, hold):
    status, said = archive_dispose("--dry-run")
    assert (status, f"{day}: " in said) == (0, True), said
    plan = _plan(said)
    hold(True)
    said = archive_dispose("--dry-run")[1]
    assert "nothing is to be disposed of" in said
    assert " messages, held" in said
    status, said = archive_dispose("--plan", plan)
    assert (status, "look again with --dry-run" in said) == (2, True), said
    assert copies(on_host, old["message_id"]) == 1


def test_a_days_archived_mail_goes_under_a_decision_and_that_is_noted(
    old, day, on_host, archive_dispose, rows, kommunpost
):
    assert archive_dispose("--plan", "00000000")[0] == 2
    said = archive_dispose("--dry-run")[1]
    assert copies(on_host, old["message_id"]) == 1, "a dry run changes nothing"
    status, said = archive_dispose("--plan", _plan(said))
    assert status == 0, said
    # The letter, and what the mailbox answered by itself.
    (count,) = re.findall(rf"{day}: ([1-9]) messages under KS 2026/117", said)
    assert copies(on_host, old["message_id"]) == 0
    assert day.isoformat() not in on_host("mail", "ls -a /srv/archive/mail")
    done = kommunpost("archive", "get", old["queue_id"], "--why", "Prov")
    assert (done.returncode, "has no copy" in done.stderr) == (1, True)
    assert len(rows(old["message_id"])) == 1, "the log still says what there was"
    noted = on_host(
        "mail",
        "runuser -u postgres -- psql -Atd kommunpost -c"
        " 'SELECT day, messages, decision FROM log.archive_disposal'",
    )
    assert noted == f"{day}|{count}|KS 2026/117\n"


def test_nothing_goes_from_the_log_without_a_decision(old, on_host, rows):
    said = _as_sealer(on_host, "kommunpost-disposal.yml", "log dispose --dry-run", check=False)
    assert "disposal.yml" in said
    assert "Traceback" not in said
    assert len(rows(old["message_id"])) == 1


def test_what_a_request_holds_stays_in_the_log(old, day, on_host, rows, decide, hold):
    hold(True)
    said = _as_sealer(on_host, "kommunpost-disposal.yml", "log dispose --dry-run")
    assert re.search(rf"{day:%Y-%m}: 0 entries, [1-9] held", said), said
    assert "held for a request" in said
    assert "nothing is to be disposed of" in said
    hold(False)
    said = _as_sealer(on_host, "kommunpost-disposal.yml", "log dispose --dry-run")
    assert re.search(rf"{day:%Y-%m}: [1-9] entries\n", said), said
    assert len(rows(old["message_id"])) == 1, "a dry run changes nothing"


def test_an_entry_goes_under_a_decision_and_the_log_still_holds(
    old, day, on_host, rows, decide, verify, kommunpost  # noqa: F811 - the fixture
):  # fmt: skip
    plan = _plan(_as_sealer(on_host, "kommunpost-disposal.yml", "log dispose --dry-run"))
    said = _as_sealer(on_host, "kommunpost-disposal.yml", f"log dispose --plan {plan}")
    assert re.search(rf"{day:%Y-%m}: [1-9] entries disposed of under KS 2026/117", said), said
    assert rows(old["message_id"], seconds=0) == []
    said = _as_sealer(on_host, "kommunpost-disposal.yml", "log dispose --dry-run")
    assert "nothing is to be disposed of" in said
    for told in (verify(), kommunpost("log", "verify").stdout):
        assert "all holds" in told
        assert re.search("disposed: [1-9] entries under KS 2026/117", told), told
    done = kommunpost("log", "reconcile", "--day", datetime.now(UTC).date().isoformat())
    assert old["queue_id"] not in done.stdout


def _plan(said: str) -> str:
    """Return the code that a dry run shows."""
    (code,) = re.findall(r"dispose --plan ([0-9a-f]{8})", said)
    return code
