"""The seal in a real PostgreSQL: signed by its own role, verified by the reader."""

import dataclasses
import hashlib
import json
import subprocess
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from authority import Authority
from conftest import NOT_BEFORE_3, NOT_BEFORE_4
from sealed_log import KEY, MONDAY, ONE, PUBLIC, TWO, each_entry, entry_of
from typer.testing import CliRunner

from compliance import cli
from compliance.errors import UserError
from compliance.messagelog.entry import first_chain, link, new_seed, to_json
from compliance.messagelog.seal.extract import make_extract, sealed_rows
from compliance.messagelog.seal.sealing import Sealer
from compliance.messagelog.seal.storage import SealStore
from compliance.messagelog.seal.verification import verify
from compliance.messagelog.seal.verifier import verify as verify_extract
from compliance.probes.log import last_seal
from compliance.settings import Log

DOMAIN = "sjovalla.example"
THURSDAY = datetime(2026, 11, 26, 0, 30, tzinfo=UTC)


class Ship:
    """Makes records and ships them, as outbox and shipper would."""

    def __init__(self, connection):
        self._connection = connection
        self._tails = {}

    def __call__(self, outbox, entries, version=4):
        sequence, chain = self._tails.get(outbox, (0, first_chain(outbox)))
        records = []
        for entry in entries:
            seed = new_seed() if version > 1 else b""
            record = link(chain, sequence + 1, entry, seed, version)
            sequence, chain = record.sequence, record.chain
            records.append(to_json(record))
        self._tails[outbox] = sequence, chain
        self._connection.execute(
            "SELECT log.append(%s, %s, %s)", [outbox, entries[0].host, json.dumps(records)]
        )


@pytest.fixture
def ship(connect):
    return Ship(connect("writer"))


@pytest.fixture
def week(ship):
    for outbox in (ONE, TWO):
        ship(outbox, [entry_of(n, outbox, MONDAY + timedelta(days=n % 4)) for n in range(1, 21)])


@pytest.fixture
def seal(dsn):
    def run(now=THURSDAY):
        with psycopg.connect(dsn("sealer")) as connection, SealStore.exclusive(connection) as store:
            return Sealer(store, KEY, DOMAIN, now).close_days()

    return run


@pytest.fixture
def check(dsn):
    def run(since=None, until=None):
        with psycopg.connect(dsn("reader")) as connection, SealStore.snapshot(connection) as store:
            return verify(store, PUBLIC, DOMAIN, since, until)

    return run


@pytest.fixture
def tamper(server, dsn):
    """Change the database as its superuser can, past every trigger."""
    name = dict(part.split("=") for part in dsn("owner").split())["dbname"]

    def run(statement, values=()):
        with psycopg.connect(host=server.folder, dbname=name, user="postgres") as admin:
            admin.execute("SET session_replication_role = replica")
            admin.execute(statement, values)

    return run


def named(report):
    return each_entry(report.findings)


def test_a_week_is_closed_once_and_holds(week, seal, check, ship):
    assert [made.says.entries for made in seal()] == [10, 10, 10]
    assert seal() == []
    report = check()
    assert (report.findings, report.entries, report.days) == ([], 40, 3)
    ship(ONE, [entry_of(30, ONE, MONDAY, recipient_unit="ks", sender_unit=None)])
    assert check().open_entries == 1
    (made,) = seal()
    assert (made.says.revises, made.says.entries) == (1, 11)
    assert (check().findings, check().open_entries) == ([], 0)


def test_a_part_of_the_time_is_verified(week, seal, check):
    seal()
    report = check(since=MONDAY, until=MONDAY + timedelta(days=1))
    assert (report.findings, report.days) == ([], 1)


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE log.entry SET subject = 'x' WHERE outbox_id = %s AND sequence = 6", "altered"),
        ("UPDATE log.entry SET seed = sha256('') WHERE outbox_id = %s AND sequence = 6", "altered"),
        ("DELETE FROM log.entry WHERE outbox_id = %s AND sequence = 6", "removed"),
    ],
)
def test_what_a_superuser_does_is_named(week, seal, check, tamper, statement, kind):
    seal()
    tamper(statement, [ONE])
    assert named(check()) == {(kind, ONE, 6)}


def test_what_a_superuser_does_to_the_seal_is_found(week, seal, check, tamper):
    seal()
    tamper("DELETE FROM log.leaves WHERE unit = 'ks' AND outbox_id = %s", [ONE])
    assert any("unit ks are not those signed" in one.detail for one in check().findings)
    tamper("DELETE FROM log.statement WHERE number = 2")
    assert any("does not follow" in one.detail for one in check().findings)


def test_an_extract_of_the_database_holds(week, seal, dsn):
    seal()
    with psycopg.connect(dsn("reader")) as connection, SealStore.snapshot(connection) as store:
        rows = sealed_rows(store, MONDAY, "ks")
    text = make_extract(rows, {0: {"subject": "OSL 21 kap. 7 §"}}, PUBLIC)
    verified = verify_extract(text, PUBLIC)
    assert len(verified.rows) == verified.rows[0].rows
    assert verified.rows[0].cells["recipient"] == "registrator@sjovalla.example"


def test_records_of_every_version_are_taken_and_sealed(ship, seal, check, connect):
    for version in (1, 2, 3, 4):
        changes = {1: NOT_BEFORE_3, 2: NOT_BEFORE_3, 3: NOT_BEFORE_4, 4: {}}[version]
        ship(ONE, [entry_of(n, ONE, MONDAY, **changes) for n in range(3)], version)
    seal()
    report = check()
    assert (report.findings, report.entries) == ([], 12)
    held = connect("reader").execute(
        'SELECT DISTINCT version, attachments, "references" FROM log.entry ORDER BY version'
    )
    assert held.fetchall() == [
        (1, None, None),
        (2, None, None),
        (3, 1, None),
        (4, 1, "<0@sjovalla.example>"),
    ]


def test_a_record_of_version_2_without_its_seed_is_refused(connect):
    plain = to_json(link(first_chain(ONE), 1, entry_of(1, ONE, MONDAY), new_seed()))
    del plain["seed"]
    with pytest.raises(psycopg.errors.NotNullViolation):
        connect("writer").execute(
            "SELECT log.append(%s, %s, %s)", [ONE, plain["host"], json.dumps([plain])]
        )


def test_two_runs_at_once_take_turns(week, dsn, seal, check):
    with psycopg.connect(dsn("sealer")) as connection, SealStore.exclusive(connection) as store:
        Sealer(store, KEY, DOMAIN, THURSDAY).close_days()
        other = psycopg.connect(dsn("sealer"), options="-c lock_timeout=200ms")
        with other, pytest.raises(psycopg.errors.LockNotAvailable), SealStore.exclusive(other):
            pass
    assert seal() == []
    assert check().findings == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM log.entry",
        "UPDATE log.entry SET subject = 'x'",
        "DELETE FROM log.statement",
        "UPDATE log.statement SET text = 'x'",
        "TRUNCATE log.statement, log.leaves, log.tombstone, log.time_stamp",
        "UPDATE log.time_stamp SET token = ''",
        "DELETE FROM log.leaves",
        "UPDATE log.tombstone SET digest = chain",
    ],
)
@pytest.mark.parametrize("role", ["sealer", "owner", "reader", "writer"])
def test_nobody_changes_what_was_sealed(week, seal, connect, role, statement):
    seal()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect(role).execute(statement)


@pytest.fixture
def configured(dsn, tmp_path, monkeypatch):
    """Settings and keys as on the host that signs; publication: as on the control machine."""

    def run(role, *words, publication=None, **seal):
        text = {
            "municipality": {"name": "Sjövalla kommun", "domain": DOMAIN},
            "log": {"dsn": dsn(role)},
            "seal": {
                "public_key_file": str(tmp_path / "seal.pub"),
                "key_file": str(tmp_path / "seal.key"),
                "published": str(tmp_path / "published"),
                **seal,
            },
        }
        if publication:
            probe_key = str(tmp_path / "probe.key")
            text["audit"] = {"probe_key_file": probe_key, "publication": publication}
        path = tmp_path / "kommunpost.yml"
        path.write_text(json.dumps(text), encoding="utf-8")
        monkeypatch.setenv("KOMMUNPOST_CONFIG", str(path))
        return CliRunner().invoke(cli.app, ["log", *words])

    key = str(tmp_path / "seal.key")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    subprocess.run(
        ["openssl", "pkey", "-in", key, "-pubout", "-out", str(tmp_path / "seal.pub")], check=True
    )
    return run


def test_the_commands_seal_publish_and_verify(week, configured, tmp_path, tamper, check):
    result = configured("sealer", "seal")
    assert result.exit_code == 0, result.output
    assert "signed 2026-11-23: 10 entries of 3 units" in result.output
    result = configured("publisher", "publish")
    published = sorted((tmp_path / "published").iterdir())
    assert published[0].name == "00000001.json"
    assert result.output.count("published ") == len(published)
    page = (tmp_path / "published" / "index.html").read_text(encoding="utf-8")
    assert "23 november 2026</time>, 10 rader" in page
    assert configured("publisher", "publish").output == ""
    result = configured("reader", "verify")
    assert (result.exit_code, "all holds" in result.output) == (0, True), result.output
    assert configured("sealer", "seal").output == ""
    tamper("DELETE FROM log.entry WHERE outbox_id = %s AND sequence = 6", [ONE])
    result = configured("reader", "verify", "--since", "2026-11-23", "--until", "2026-11-26")
    assert result.exit_code == 1
    assert f"removed: entry 6 of outbox {ONE}" in result.output
    # Whoever takes away the last day's statement and all below it is found by what was published.
    tamper("DELETE FROM log.statement WHERE number = (SELECT max(number) FROM log.statement)")
    assert "a published statement is not in the log" in configured("reader", "verify").output


def test_the_command_verifies_one_units_day(week, configured, tamper):
    configured("sealer", "seal")
    words = ["verify", "--unit", "ks", "--day", "2026-11-23"]
    result = configured("reader", *words)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("4 rows of unit ks on 2026-11-23, signed by statement 1")
    tamper("DELETE FROM log.entry WHERE outbox_id = %s AND sequence = 4", [ONE])
    result = configured("reader", *words)
    assert result.exit_code == 1
    assert f"removed: entry 4 of outbox {ONE}" in result.output
    assert "--unit and --day go together" in str(configured("reader", *words[:3]).exception)


def test_another_statement_is_never_published_over_the_first(week, configured, tmp_path, tamper):
    configured("sealer", "seal")
    configured("publisher", "publish")
    was = (tmp_path / "published" / "00000001.json").read_bytes()
    tamper("UPDATE log.statement SET text = replace(text, 'sjovalla', 'annan') WHERE number = 1")
    result = configured("publisher", "publish")
    assert "statement 1 is another one than the published" in str(result.exception)
    assert (tmp_path / "published" / "00000001.json").read_bytes() == was


def test_what_nobody_signed_is_not_published(week, configured, tmp_path, tamper):
    configured("sealer", "seal")
    tamper("UPDATE log.statement SET text = replace(text, 'sjovalla', 'annan') WHERE number = 1")
    result = configured("publisher", "publish")
    assert "statement 1 is not signed by the published key" in str(result.exception)
    assert not (tmp_path / "published").exists()


def test_who_publishes_reads_nothing_else(week, connect):
    for table in ("entry", "position", "leaves", "tombstone"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connect("publisher").execute(f"SELECT FROM log.{table}")


def test_the_signature_can_be_checked_by_openssl_alone(week, configured, tmp_path):
    configured("sealer", "seal")
    configured("publisher", "publish")
    plain = json.loads((tmp_path / "published" / "00000001.json").read_text(encoding="utf-8"))
    (tmp_path / "text").write_text(plain["text"], encoding="utf-8")
    (tmp_path / "signature").write_bytes(bytes.fromhex(plain["signature"]))
    subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "seal.pub", "-rawin", "-in", "text",
         "-sigfile", "signature"],
        check=True, cwd=tmp_path, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def test_the_last_statement_is_stamped_once_and_verified(
    week, configured, tmp_path, tamper, server
):
    folder = tmp_path / "authority"
    folder.mkdir()
    with Authority(folder) as authority:
        stamping = {"url": authority.url, "ca_file": str(authority.ca_file)}
        said = configured("sealer", "seal", time_stamping=stamping).output
        last = said.count("signed ")
        assert f"time stamp on statement {last}" in said
        assert configured("sealer", "seal", time_stamping=stamping).output == ""
    configured("publisher", "publish")
    assert (tmp_path / "published" / f"{last:08d}.tsr").exists()
    result = configured("reader", "verify", time_stamping=stamping)
    assert (result.exit_code, f"statements up to {last} are older" in result.output) == (0, True)
    tamper("UPDATE log.time_stamp SET statement = 1")
    result = configured("reader", "verify", time_stamping=stamping)
    assert result.exit_code == 1
    assert "the time stamp on statement 1 does not hold" in result.output


def test_a_day_is_sealed_though_the_authority_is_away(week, configured, tmp_path):
    stamping = {"url": "http://127.0.0.1:9/", "ca_file": str(tmp_path / "seal.pub")}
    result = configured("sealer", "seal", time_stamping=stamping)
    assert "the day is sealed all the same" in str(result.exception)
    assert configured("reader", "verify").output.startswith("40 entries of 2 outboxes")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["verify", "--since", "igår"], "'igår' is no day"),
        (["seal"], "the sealing key cannot be read"),
        (["verify"], "the public key cannot be read"),
    ],
)
def test_what_is_wrong_is_named(configured, tmp_path, words, text):
    for name in ("seal.key", "seal.pub"):
        (tmp_path / name).write_text("no key", encoding="utf-8")
    result = configured("sealer", *words)
    assert isinstance(result.exception, UserError)
    assert text in str(result.exception)


def test_the_entry_in_the_extract_is_that_of_the_database(week, seal, dsn):
    seal()
    with psycopg.connect(dsn("reader")) as connection, SealStore.snapshot(connection) as store:
        (row,) = sealed_rows(store, MONDAY, "ks", [(ONE, 4)])
    entry = entry_of(4, ONE, MONDAY)
    assert dataclasses.asdict(row.entry) == dataclasses.asdict(entry)


def test_the_audit_tells_the_last_closed_day_with_its_checksum(week, seal, dsn, connect):
    settings = Log(dsn=dsn("reader"))
    assert last_seal(settings).number is None
    seal()
    told = last_seal(settings)
    row = connect("reader").execute("SELECT text FROM log.statement WHERE number = 3").fetchone()
    assert (told.number, str(told.day), told.entries) == (3, "2026-11-25", 10)
    assert told.sha256 == hashlib.sha256(row[0].encode()).hexdigest()


def test_to_the_audit_a_database_that_is_away_is_no_unsealed_log(tmp_path):
    assert "No such file" in last_seal(Log(dsn=f"host={tmp_path} dbname=x user=x")).seen.error
