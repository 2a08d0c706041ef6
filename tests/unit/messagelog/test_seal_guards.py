"""Nothing is signed over a seal that was changed, and leaves that nobody signed are found."""

# ruff: noqa: F811 - fixtures of test_seal_store.py

import json
import subprocess
from datetime import date, timedelta

import psycopg
import pytest
from sealed_log import MONDAY, ONE, each_entry, entry_of
from test_seal_store import check, configured, seal, ship, tamper, week  # noqa: F401

from compliance.errors import UserError
from compliance.messagelog.seal.extract import sealed_rows
from compliance.messagelog.seal.storage import SealStore

COPIED = """
    INSERT INTO log.leaves SELECT {}, unit, outbox_id, sequences, hashes FROM log.leaves
    WHERE day = '2026-11-23' AND unit = 'ks' AND outbox_id = %s"""


def told(report):
    return "\n".join(map(str, report.findings))


def test_leaves_of_a_day_that_no_statement_closes_are_found(week, seal, check, tamper):
    seal()
    tamper(COPIED.format("1, '2026-12-24'"), [ONE])
    assert "statement: leaves of 2026-12-24 name statement 1, which does not sign" in told(check())


def test_leaves_that_no_statement_on_their_day_added_are_found(week, seal, check, ship, tamper):
    seal()
    # A late entry is given a leaf, as if a statement on the day had signed it.
    ship(ONE, [entry_of(30, ONE, MONDAY, recipient_unit="ks", sender_unit=None)])
    tamper(COPIED.format("3, day") + " AND statement = 1", [ONE])
    assert "statement: leaves of 2026-11-23 name statement 3" in told(check())


def test_nothing_is_signed_over_leaves_that_were_changed(week, seal, check, ship, tamper):
    seal()
    ship(ONE, [entry_of(30, ONE, MONDAY, recipient_unit="ks", sender_unit=None)])
    own = " WHERE day = '2026-11-23' AND unit = 'ks' AND statement = 1 AND outbox_id = %s"
    change = "UPDATE log.leaves SET hashes = overlay(hashes PLACING %s FROM 1)"
    changed = bytes(32)
    tamper("CREATE TABLE public.was AS TABLE log.leaves")
    tamper(change + own, [changed, ONE])
    with pytest.raises(UserError, match="leaves of 2026-11-23, unit ks are not those that"):
        seal()
    # What was put right is sealed as ever.
    tamper("UPDATE log.leaves AS l SET hashes = w.hashes FROM public.was AS w"
           " WHERE (l.day, l.statement, l.outbox_id) = (w.day, w.statement, w.outbox_id)"
           " AND l.unit IS NOT DISTINCT FROM w.unit")  # fmt: skip
    (made,) = seal()
    assert (made.says.revises, check().findings) == (1, [])


def test_a_statement_that_is_gone_is_named_before_anything_is_signed_or_handed_out(
    week, seal, tamper, dsn
):
    seal()
    tamper("DELETE FROM log.statement WHERE number = 2")
    with pytest.raises(UserError, match="statement 2 is missing"):
        seal()
    with (
        psycopg.connect(dsn("reader")) as connection,
        SealStore.snapshot(connection) as store,
        pytest.raises(UserError, match="statement 2 is missing"),
    ):
        sealed_rows(store, MONDAY + timedelta(days=2), "ks")


@pytest.mark.parametrize(
    "change",
    [
        {"number": float("inf")},
        {"heads": [{"host": "h", "outbox": 5, "sequence": 1, "chain": ""}]},
        {"previous": 5},
        {"units": 5},
    ],
)
def test_a_statement_with_something_else_in_it_is_named(week, configured, tamper, connect, change):
    configured("sealer", "seal")
    (text,) = connect("owner").execute("SELECT text FROM log.statement WHERE number = 2").fetchone()
    changed = json.dumps(json.loads(text) | change)
    tamper("UPDATE log.statement SET text = %s WHERE number = 2", [changed])
    result = configured("sealer", "seal")
    assert isinstance(result.exception, UserError), result.exception
    assert "statement 2 cannot be read" in str(result.exception)
    assert "the database was changed" in str(result.exception)


def test_no_key_signs_but_that_of_the_last_published_one(week, configured, tmp_path, connect):
    other = str(tmp_path / "other.key")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", other], check=True)
    result = configured("sealer", "seal", key_file=other)
    assert "the sealing key is not that of the last published one" in str(result.exception)
    assert str(tmp_path / "seal.pub") in str(result.exception)
    assert connect("owner").execute("SELECT FROM log.statement").fetchall() == []


def test_an_address_hidden_from_searches_is_found(ship, seal, check, connect, tamper):
    owner = connect("owner")
    owner.execute("SELECT log.make_months('2026-01-01', '2026-03-01')")
    for day in (date(2026, 1, 15), date(2026, 2, 15), date(2026, 3, 15)):
        ship(ONE, [entry_of(n, ONE, day) for n in range(1, 7)])
    owner.execute(
        "SELECT log.note_addresses(m) FROM unnest('{2026-01-01,2026-02-01}'::date[]) AS m"
    )
    seal()
    assert check().findings == []
    tamper(
        "DELETE FROM log.address_month WHERE month = '2026-02-01'"
        " AND key = log.address_key('ks', 'medborgare@omvarlden.example')"
    )
    lacks = "derived: log.address_month lacks {} addresses that mail of {} has"
    assert told(check()).startswith(lacks.format(1, "2026-02-01"))
    assert check(until=date(2026, 2, 1)).findings == check(since=date(2026, 3, 1)).findings == []
    assert len(check(since=date(2026, 2, 28)).findings) == 1
    # A month that nobody noted is said to be.
    tamper("INSERT INTO log.addressed_month VALUES ('2026-03-01'), ('infinity')")
    assert lacks.format(6, "2026-03-01") in told(check())


def test_leaves_of_no_number_do_not_stop_the_verifier(week, seal, check, tamper):
    seal()
    tamper("UPDATE log.leaves SET sequences[1] = NULL WHERE unit = 'ks' AND outbox_id = %s", [ONE])
    tamper("UPDATE log.entry SET sequence = 500 WHERE outbox_id = %s AND sequence = 5", [ONE])
    assert ("removed", ONE, 5) in each_entry(check().findings)


def test_an_outbox_filed_under_another_host_is_found(week, seal, check, tamper):
    seal()
    tamper("UPDATE log.position SET host = 'mx9.sjovalla.example' WHERE outbox_id = %s", [ONE])
    (finding,) = check().findings
    assert f"derived: outbox {ONE} was signed as of host mail.sjovalla.example" in str(finding)
