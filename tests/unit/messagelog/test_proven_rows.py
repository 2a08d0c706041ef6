"""The proof that is handed out holds, whatever is sealed meanwhile or was changed before."""

# ruff: noqa: F811 - fixtures of test_seal_store.py

import psycopg
import pytest
from sealed_log import MONDAY, ONE, PUBLIC, entry_of
from test_seal_store import check, seal, ship, tamper, week  # noqa: F401

from compliance.errors import UserError
from compliance.messagelog.reading import Filter, Identity, Place, Reader, open_session
from compliance.messagelog.seal.extract import make_extract, proven_rows
from compliance.messagelog.seal.verifier import verify


@pytest.fixture
def hand_out(connect, monkeypatch):
    """Make an extract of what a unit has on Monday, as the log list does; return it.

    meanwhile: is called each time just before the database is asked for statements.
    """

    def run(meanwhile=lambda: None):
        asked = psycopg.Cursor.execute

        def execute(self, query, *values, **more):
            if "log.closings" in str(query):
                meanwhile()
            return asked(self, query, *values, **more)

        monkeypatch.setattr(psycopg.Cursor, "execute", execute)
        token = open_session(connect("login"), Identity("person:1", "Åsa", ["ks"]), 60)
        reader = Reader(connect("web"), token)
        rows = [row for row in reader.page(Filter(unit="ks")) if row["accepted_at"].day == 23]
        proven = proven_rows("ks", reader.evidence("ks", [Place.of(row) for row in rows]))
        return make_extract(list(proven.values()), {}, PUBLIC)

    return run


def test_a_day_that_is_closed_again_meanwhile_is_proven_as_it_was_or_is(week, seal, ship, hand_out):
    seal()
    ship(ONE, [entry_of(30, ONE, MONDAY, recipient_unit="ks", sender_unit=None)])
    verified = verify(hand_out(meanwhile=seal), PUBLIC)
    assert {row.rows for row in verified.rows} == {5}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE log.entry SET subject = 'x' WHERE outbox_id = %s AND sequence = 4",
        "UPDATE log.leaves SET hashes = overlay(hashes PLACING '\\x00' FROM 1)"
        " WHERE unit = 'ks' AND day = '2026-11-23' AND outbox_id = %s",
        "UPDATE log.statement SET text = replace(text, 'sjovalla', 'annan') WHERE number = 1"
        " AND %s IS NOT NULL",
    ],
)
def test_a_proof_that_does_not_hold_is_handed_out_to_nobody(week, seal, tamper, hand_out, change):
    seal()
    assert len(verify(hand_out(), PUBLIC).rows) == 4
    tamper(change, [ONE])
    with pytest.raises(UserError, match="run `kommunpost log verify`: the database was changed"):
        hand_out()
