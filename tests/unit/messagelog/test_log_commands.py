"""What `kommunpost log` writes, and what it says when something is wrong."""

import json
import time
import unicodedata
from datetime import datetime

import psycopg
import pytest
import typer
from openpyxl import load_workbook
from test_reading import HOST, OUTBOX, TRAFFIC, traffic
from typer.testing import CliRunner

from compliance.errors import UserError
from compliance.messagelog import archive_commands, commands, progress
from compliance.messagelog.entry import first_chain, link, to_json

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


@pytest.mark.parametrize(
    "dsn",
    [
        "host=127.0.0.1 port=1 dbname=kommunpost user=x password=hemligt",
        "host=127.0.0.1 port=1 PASSWORD = 'hemligt'",
        "postgresql://x:hemligt@127.0.0.1:1/kommunpost",
        "postgresql://127.0.0.1:1/kommunpost?password=hemligt",
    ],
)
def test_a_password_in_the_dsn_is_refused_and_stands_in_no_message(monkeypatch, tmp_path, dsn):
    """Else it would stand in each error, in the alarm's letter and in the audit's evidence."""
    for words in (["search"], ["health", "--json"]):
        result = run(monkeypatch, tmp_path, SETTINGS + f'log: {{dsn: "{dsn}"}}\n', *words)
        assert "log.password_file" in str(result.exception)
        assert "log.dsn" in str(result.exception)
        assert "hemligt" not in str(result.exception) + result.output


@pytest.mark.parametrize("dsn", ["hostx=db1", "host", "port=x=y", ""])
def test_a_dsn_that_is_none_is_told_of_as_that(monkeypatch, tmp_path, dsn):
    result = run(monkeypatch, tmp_path, SETTINGS + f'log: {{dsn: "{dsn}"}}\n', "search")
    assert "migrate" not in str(result.exception)
    assert "log.dsn" in str(result.exception)


def test_search_finds_by_unit_and_words(log):
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
    assert not list(tmp_path.glob(".*.part"))
    assert {(tmp_path / f"log.{name}").stat().st_mode & 0o777 for name in ("csv", "xlsx")} == {
        0o600
    }


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


def refused(monkeypatch, tmp_path, *words):
    """Return what a command says that is refused before anything is read."""
    result = run(monkeypatch, tmp_path, SETTINGS, *words)
    assert isinstance(result.exception, UserError), result.exception
    return str(result.exception)


@pytest.mark.parametrize("word", ["search", "export", "stats", "verify"])
def test_a_time_that_ends_before_it_begins_is_no_empty_answer(monkeypatch, tmp_path, word):
    for since, until in (("2026-12-01", "2026-11-01"), ("2026-11-01", "2026-11-01")):
        told = refused(monkeypatch, tmp_path, word, "--since", since, "--until", until)
        assert "--until is not after --since" in told


@pytest.mark.parametrize("words", [("reconcile", "--day"), ("verify", "--since"),
                                   ("search", "--since"), ("stats", "--until")])  # fmt: skip
def test_a_day_at_the_end_of_the_calendar_is_refused(monkeypatch, tmp_path, words):
    assert "is out of reach" in refused(monkeypatch, tmp_path, *words, "9999-12-31")


@pytest.mark.parametrize("option", ["--unit", "--address", "--words", "--part"])
def test_a_text_that_is_not_utf_8_is_told_of_by_its_option(monkeypatch, tmp_path, option):
    told = refused(monkeypatch, tmp_path, "search", option, "\udcff")
    assert told.startswith(f"{option}: ")
    assert "is not UTF-8" in told


@pytest.mark.parametrize("word", ["search", "export", "follow", "stats"])
@pytest.mark.parametrize("option", ["--unit", "--address", "--words", "--part"])
def test_an_option_that_a_script_left_empty_is_no_answer(monkeypatch, tmp_path, word, option):
    """Else `--unit "$UNIT"` without a UNIT gives an empty file, and all is well."""
    if option == "--unit" or word in ("search", "export"):
        assert f"{option}: it is empty" in refused(monkeypatch, tmp_path, word, option, "")


def test_a_day_that_is_to_come_cannot_be_compared(monkeypatch, tmp_path):
    """A year that was mistyped is no day on which all agrees."""
    told = refused(monkeypatch, tmp_path, "reconcile", "--day", "2126-11-24")
    assert told.startswith("--day: 2126-11-24 has not begun yet")


@pytest.mark.parametrize("word", ["search", "export", "stats", "follow"])
def test_a_role_that_may_not_read_is_told_so_and_no_defect(monkeypatch, tmp_path, dsn, word):
    text = SETTINGS + f"log: {{dsn: '{dsn('login')}'}}\n"
    told = run(monkeypatch, tmp_path, text, word).exception
    assert isinstance(told, UserError), told
    assert "user=kommunpost_login: PostgreSQL refused: permission denied" in str(told)


@pytest.mark.parametrize(
    ("state", "said"),
    [("53100", "No space left on device"), ("58030", "could not read block 7"),
     ("53200", "out of memory")],
)  # fmt: skip
def test_a_database_whose_host_is_ill_was_reached_all_the_same(
    monkeypatch, tmp_path, new_log, state, said
):
    made = new_log()
    with psycopg.connect(made("owner")) as owner:
        owner.execute(
            "CREATE FUNCTION public.ill() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE '{said}' USING ERRCODE = '{state}'; END $$;"
            " CREATE TRIGGER ill BEFORE INSERT ON log.reading EXECUTE FUNCTION public.ill()"
        )
    text = SETTINGS + f"log: {{dsn: '{made('reader')}'}}\n"
    told = run(monkeypatch, tmp_path, text, "search").exception
    assert isinstance(told, UserError), told
    assert f"PostgreSQL could not do it: {said}" in str(told)
    assert "log.dsn" not in str(told)
    assert "the disk" in str(told)


def test_stats_cut_no_number_and_no_unit_however_narrow_the_terminal_is(log, monkeypatch):
    monkeypatch.setenv("COLUMNS", "12")
    told = log("stats", "--unit", "ks")
    assert "…" not in told
    assert "2" in told


def test_stats_take_days_and_no_time_of_day(monkeypatch, tmp_path):
    assert "is no day" in refused(monkeypatch, tmp_path, "stats", "--since", "2026-11-24T09:00")


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Honolulu"])
def test_stats_and_search_agree_on_a_day_wherever_the_machine_stands(log, monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    span = ("--since", "2026-11-24", "--until", "2026-11-25", "--unit", "ks", "--json")
    counted = [json.loads(line)["entries"] for line in log("stats", *span).splitlines()]
    assert sum(counted) == len(log("search", *span).splitlines()) == 3
    monkeypatch.undo()
    time.tzset()


def test_search_shows_times_as_sweden_has_them_whole_addresses_and_the_queue_id(log):
    (line,) = log("search", "--part", "altan").splitlines()
    *told, outcome, subject = line.split("  ")
    assert told == [
        "2026-11-24 10:06:00", "in", "Medborgare@x.example", "ks@x.example", "4ZrX2b0Yk1z1",
    ]  # fmt: skip
    assert (outcome in ("-", "unknown"), subject) == (True, "Bygglov för altan")


def test_the_hour_that_comes_twice_in_october_is_shown_with_its_zone_and_no_other(
    new_log, entry, monkeypatch, tmp_path
):
    dsn, chain, records = new_log(), first_chain(OUTBOX), []
    for number, at in enumerate(("00:30", "01:30", "02:30"), 1):
        accepted = datetime.fromisoformat(f"2026-10-25T{at}+00:00")
        record = link(chain, number, entry(accepted_at=accepted), bytes(range(32)))
        chain = record.chain
        records.append(to_json(record))
    with psycopg.connect(dsn("writer"), autocommit=True) as writer:
        writer.execute("SELECT log.append(%s, %s, %s)", [OUTBOX, HOST, json.dumps(records)])

    def shown(*words):
        text = SETTINGS + f"log: {{dsn: '{dsn('reader')}'}}\n"
        done = run(monkeypatch, tmp_path, text, "search", *words)
        return [row.split("  ")[0] for row in done.stdout.splitlines()]

    first, second = "2026-10-25 02:30:00+02:00", "2026-10-25 02:30:00+01:00"
    assert shown() == ["2026-10-25 03:30:00", second, first]
    assert shown("--since", second) == ["2026-10-25 03:30:00", second], "it can be asked for so"


def test_what_is_looked_for_is_made_what_the_log_stores(log):
    decomposed = unicodedata.normalize("NFD", "Bygglov för")
    assert len(log("search", "--part", decomposed).splitlines()) == 1
    assert len(log("search", "--part", "\u202ealtan\u2066").splitlines()) == 1
    assert len(log("search", "--part", "v f").splitlines()) == 1
    assert log("search", "--part", " Remiss") == "", "as written here, its spaces too"
    assert len(log("search", "--address", " Medborgare@x.example ").splitlines()) == 3
    assert log("search", "--part", "\u202e") == "", "which no text in the log has"


@pytest.mark.parametrize("word", ["search", "export", "stats"])
def test_a_unit_that_the_log_has_nothing_of_is_named(monkeypatch, tmp_path, dsn, word):
    text = SETTINGS + f"log: {{dsn: '{dsn('reader')}'}}\n"
    result = run(monkeypatch, tmp_path, text, word, "--unit", "KS")
    assert isinstance(result.exception, UserError)
    assert "no mail of a unit 'KS'" in str(result.exception)


def test_an_export_tells_a_log_how_far_it_is(log, monkeypatch, capsys):
    monkeypatch.setattr(progress, "_EVERY", 3)
    rows = iter([{"number": number} for number in range(7)])
    with progress.counted(rows) as counted:
        assert len(list(counted)) == 7
    assert capsys.readouterr().err == "3 rows\n6 rows\n"


EVERY = [
    ("log", name) for name in ("migrate", "maintain", "milter", "ship", "seal", "publish",
                               "verify", "dispose", "outcomes", "reconcile", "search", "export",
                               "follow", "stats", "health")
] + [("archive", "get"), ("archive", "dispose")]  # fmt: skip


@pytest.mark.parametrize(("door", "word"), EVERY)
def test_help_has_an_example_that_can_be_copied(door, word):
    app = {"log": commands.app, "archive": archive_commands.app}[door]
    command = typer.main.get_command(app).commands[word]
    (example,) = [line for line in command.help.splitlines() if "Example: " in line]
    shown = CliRunner().invoke(app, [word, "--help"]).stdout.splitlines()
    assert f"kommunpost {door} {word}" in example
    assert example.strip() in [line.strip() for line in shown], "broken over two lines"


@pytest.mark.parametrize("word", ["search", "export", "follow", "stats"])
def test_help_tells_the_exit_codes(word):
    assert "Exit codes: 0" in " ".join(
        CliRunner().invoke(commands.app, [word, "--help"]).stdout.split()
    )
