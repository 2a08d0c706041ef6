"""What is handed out can be verified by whoever gets it, and tells no more than it shows."""

import hashlib
import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sealed_log import MONDAY, ONE, PUBLIC, entry_of, seed_of, week

from compliance.errors import UserError
from compliance.messagelog.entry import FIELDS, new_seed
from compliance.messagelog.seal import cells
from compliance.messagelog.seal.extract import make_extract, sealed_rows
from compliance.messagelog.seal.verifier import commitment, framed, is_blank, verify

BASIS = "OSL 21 kap. 7 §"
EVERYTHING = {0: dict.fromkeys(FIELDS, BASIS)}


def extract(masks=None, unit="ks", places=None, log=None):
    return make_extract(sealed_rows(log or week(), MONDAY, unit, places), masks or {}, PUBLIC)


def test_a_whole_day_of_a_unit_holds():
    verified = verify(extract(), PUBLIC)
    assert [row.index for row in verified.rows] == [0, 1, 2, 3]
    assert {(row.day, row.unit, row.rows) for row in verified.rows} == {("2026-11-23", "ks", 4)}
    row = verified.rows[0]
    assert row.cells["subject"] == "Ärende 1"
    assert row.cells["accepted_at"] == "2026-11-23T08:01:00.000000Z"
    assert (row.cells["size"], row.cells["label"], row.masked) == (1234, None, {})


def test_rows_without_a_unit_can_be_handed_out():
    assert [row.unit for row in verify(extract(unit=None)).rows] == [None]


def test_a_row_that_came_late_holds():
    log = week()
    log.add(ONE, entry_of(90, ONE, MONDAY, recipient_unit="ks"), seed_of(90))
    log.seal(MONDAY + timedelta(days=3))
    (row,) = verify(extract(log=log, places=[(ONE, 17)])).rows
    assert (row.index, row.rows, row.cells["queue_id"]) == (4, 5, "q90")


def test_rows_beside_what_was_disposed_of_still_hold():
    log = week()
    log.dispose([(ONE, 1)], MONDAY + timedelta(days=3))
    assert [row.index for row in verify(extract(log=log)).rows] == [1, 2, 3]


def test_a_masked_cell_shows_its_basis_and_nothing_else():
    text = extract({1: {"subject": BASIS, "from_text": BASIS}})
    row = verify(text).rows[1]
    assert row.masked == dict.fromkeys(
        ["subject", "subject_raw", "from_text", "from_address"], BASIS
    )
    masked_row = json.dumps(json.loads(text)["rows"][1], ensure_ascii=False)
    assert "Ärende" not in masked_row
    assert "Åke" not in masked_row


def test_a_fully_masked_row_tells_only_that_it_was_there():
    row = verify(extract(EVERYTHING)).rows[0]
    assert (row.cells, len(row.masked)) == ({}, len(FIELDS))


def test_equal_cells_of_different_rows_look_different():
    entry = entry_of(1, ONE, MONDAY)
    one, two = cells.commitments(entry, new_seed()), cells.commitments(entry, new_seed())
    assert not set(one) & set(two)
    # Equal values within a row too: an entry from and to one unit must not show that it is.
    same = entry_of(1, ONE, MONDAY, sender_unit="ks", recipient_unit="ks")
    assert len(set(cells.commitments(same, new_seed()))) == len(FIELDS)


def test_a_masked_subject_cannot_be_guessed_without_its_salt():
    text = extract({0: {"subject": BASIS}})
    row = json.loads(text)["rows"][0]
    masked = {cell["masked"] for cell in row["cells"] if "masked" in cell}
    known = [bytes.fromhex(cell["salt"]) for cell in row["cells"] if "salt" in cell]
    guess = "Ärende 1".encode()
    guesses = {commitment(salt, framed(guess)).hex() for salt in [*known, b"", bytes(16)]}
    guesses |= {hashlib.sha256(guess).hexdigest()}
    assert not masked & guesses
    seed = seed_of(1)
    assert commitment(cells.salts(seed)[FIELDS.index("subject")], framed(guess)).hex() in masked
    assert seed.hex() not in text


def test_the_salts_are_those_of_the_format():
    stream = hashlib.shake_256(b"\x04" + seed_of(1)).digest(16 * len(FIELDS))
    assert b"".join(cells.salts(seed_of(1))) == stream


def test_rows_of_several_days_and_late_ones_stand_in_one_extract():
    log = week()
    log.add(ONE, entry_of(90, ONE, MONDAY, recipient_unit="ks"), seed_of(90))
    log.seal(MONDAY + timedelta(days=4))
    days = [MONDAY + timedelta(days=n) for n in range(4)]
    rows = [row for day in days for row in sealed_rows(log, day, "ks")]
    verified = verify(make_extract(rows, {}, PUBLIC), PUBLIC)
    assert [(row.day, row.statement) for row in verified.rows if row.index == 0] == [
        ("2026-11-23", 4), ("2026-11-24", 2), ("2026-11-25", 3), ("2026-11-26", 5)
    ]  # fmt: skip


SEEN = st.text().filter(lambda text: not is_blank(text))
VALUES = st.one_of(st.none(), st.text(max_size=40))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(("label", "recipient", "subject", "references", "sender_unit"), VALUES),
            "subject_raw": st.binary(max_size=40),
            "size": st.integers(0, 2**63 - 1),
            "attachments": st.one_of(st.none(), st.integers(0, 2**31 - 1)),
        },
    ),
    st.dictionaries(
        st.sampled_from(FIELDS), st.text().filter(lambda text: not is_blank(text)), max_size=4
    ),
)
@settings(max_examples=100, deadline=None)
def test_what_the_program_writes_holds_whatever_the_log_says(changes, masks):
    log = week(days=0)
    log.add(ONE, entry_of(90, ONE, MONDAY, **changes | {"recipient_unit": "ks"}), seed_of(90))
    log.seal(MONDAY + timedelta(days=1))
    (row,) = verify(extract({0: masks}, places=[(ONE, 5)], log=log)).rows
    shown = {name: value.hex() if isinstance(value, bytes) else value
             for name, value in changes.items() if name not in row.masked}  # fmt: skip
    assert shown.items() <= row.cells.items()


@pytest.mark.parametrize(
    ("masks", "text"),
    [
        ({9: {"subject": BASIS}}, "no row 9"),
        ({0: {"ämne": BASIS}}, "no field 'ämne'"),
        ({0: {"subject": " \u200b"}}, "no legal basis"),
    ],
)
def test_a_mask_that_makes_no_sense_is_refused(masks, text):
    with pytest.raises(UserError, match=text):
        extract(masks)


def test_rows_that_are_not_there_are_refused():
    with pytest.raises(UserError, match="4711"):
        extract(places=[(ONE, 4711)])
    with pytest.raises(UserError, match="nothing of the day is sealed"):
        sealed_rows(week(), MONDAY + timedelta(days=3), "ks")
    with pytest.raises(UserError, match="at least one row"):
        make_extract([], {}, PUBLIC)
