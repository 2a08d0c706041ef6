"""What is handed out can be verified by whoever gets it, and tells no more than it shows."""

import hashlib
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from sealed_log import KEY, MONDAY, ONE, PUBLIC, entry_of, seed_of, week
from typer.testing import CliRunner

from compliance import cli
from compliance.errors import UserError
from compliance.messagelog.entry import FIELDS, new_seed
from compliance.messagelog.seal import cells, verifier
from compliance.messagelog.seal.extract import make_extract, sealed_rows
from compliance.messagelog.seal.verifier import ExtractError, commitment, framed, verify

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


def positions_of(text):
    """Where a hexadecimal digit or a shown value can be changed."""
    return [i for i, character in enumerate(text) if character in "0123456789abcdef"]


TEXT = extract({1: {"subject": BASIS}})
DIGITS = positions_of(TEXT)


@given(st.sampled_from(DIGITS), st.sampled_from("0123456789abcdef"))
@settings(max_examples=400, deadline=None)
def test_no_digit_or_letter_of_an_extract_can_be_changed(position, character):
    changed = TEXT[:position] + character + TEXT[position + 1 :]
    if changed == TEXT:
        return
    try:
        verified = verify(changed, PUBLIC)
    except ExtractError:
        return
    # The legal basis is the municipality's word, not part of the log.
    honest = verify(TEXT, PUBLIC)
    assert [
        (row.cells, row.index, row.day, row.unit, set(row.masked)) for row in verified.rows
    ] == [(row.cells, row.index, row.day, row.unit, set(row.masked)) for row in honest.rows]


def edited(change):
    plain = json.loads(TEXT)
    change(plain)
    return json.dumps(plain)


def cell(plain, row, name):
    return next(one for one in plain["rows"][row]["cells"] if one["field"] == name)


CHANGES = {
    "a value": lambda e: cell(e, 0, "recipient").update(value="annan@sjovalla.example"),
    "a value for none": lambda e: cell(e, 0, "label").update(value=""),
    "a salt": lambda e: cell(e, 0, "recipient").update(salt="00" * 16),
    "a short salt": lambda e: cell(e, 0, "recipient").update(salt="00"),
    "a mask": lambda e: cell(e, 1, "subject").update(masked="00" * 32),
    "no basis": lambda e: cell(e, 1, "subject").update(basis=" "),
    "a place": lambda e: e["rows"][0].update(index=1),
    "a place outside": lambda e: e["rows"][0].update(index=4),
    "a unit": lambda e: e["rows"][0].update(unit="bun"),
    "no unit": lambda e: e["rows"][0].update(unit="finns inte"),
    "a statement": lambda e: e["rows"][0].update(statement=2),
    "a path": lambda e: e["rows"][0]["path"].pop(),
    "a longer path": lambda e: e["rows"][0]["path"].append("00" * 32),
    "a cell away": lambda e: e["rows"][0]["cells"].pop(),
    "cells in another order": lambda e: e["rows"][0]["cells"].reverse(),
    "a cell twice": lambda e: e["rows"][0]["cells"].append(e["rows"][0]["cells"][0]),
    "a row twice": lambda e: e["rows"].append(e["rows"][0]),
    "names": lambda e: cell(e, 0, "recipient").update(field="envelope_recipient"),
    "another type": lambda e: cell(e, 0, "recipient").update(value=["x"]),
    "a key": lambda e: e.update(key="00" * 32),
    "a format": lambda e: e.update(format="kommunpost-extract-2"),
    "no statements": lambda e: e.update(statements=[]),
    "a signature": lambda e: e["statements"][0].update(signature="00" * 64),
    "a signed text": lambda e: e["statements"][0].update(
        text=e["statements"][0]["text"].replace('"entries":6', '"entries":7')
    ),
    "a long name": lambda e: cell(e, 0, "recipient").update(field="x" * 300),
    "half a character": lambda e: cell(e, 0, "recipient").update(value="\ud800"),
    "no rows at all": lambda e: e.pop("rows"),
}


SAYS = {
    "a short salt": "not 16 bytes",
    "a cell twice": "stands there twice",
    "another type": "neither text, a whole number nor null",
    "no statements": "exactly one domain",
    "no basis": "without a legal basis",
    "a row twice": "a row stands there twice",
    "a statement": "statement 2 is not in the extract",
    "a signature": "signature of a statement is wrong",
    "a signed text": "signature of a statement is wrong",
}


@pytest.mark.parametrize("name", CHANGES)
def test_an_extract_that_was_changed_does_not_hold(name):
    with pytest.raises(ExtractError, match=SAYS.get(name, ".+")):
        verify(edited(CHANGES[name]))


def with_statement(change):
    """An extract with one more statement, by the right key, that isn't what it should be."""
    plain = json.loads(TEXT)
    statement = json.loads(plain["statements"][0]["text"])
    statement["number"] = 99
    change(statement)
    text = json.dumps(statement)
    plain["statements"].append({"text": text, "signature": KEY.sign(text.encode()).hex()})
    return json.dumps(plain)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"domain": "omvarlden.example"}, "exactly one domain"),
        ({"kind": "disposal"}, "does not close a day"),
        ({"format": "kommunpost-seal-2"}, "does not close a day"),
    ],
)
def test_a_signed_statement_of_another_kind_is_refused(change, text):
    with pytest.raises(ExtractError, match=text):
        verify(with_statement(lambda statement: statement.update(change)))
    assert verify(with_statement(lambda statement: None)).rows


def test_a_name_that_stands_twice_is_refused():
    with pytest.raises(ExtractError, match="stands twice"):
        verify(TEXT.replace('"format"', '"format": "another", "format"', 1))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"format": 1, "format": 2}', "\x00", "[" * 100_000]
)
def test_what_is_no_extract_is_refused(text):
    with pytest.raises(ExtractError):
        verify(text)


def test_an_extract_of_another_municipality_does_not_hold_with_the_key_given():
    with pytest.raises(ExtractError, match="another key"):
        verify(TEXT, bytes(32))


@pytest.mark.parametrize(
    ("masks", "text"),
    [
        ({9: {"subject": BASIS}}, "no row 9"),
        ({0: {"ämne": BASIS}}, "no field 'ämne'"),
        ({0: {"subject": " "}}, "no legal basis"),
    ],
)
def test_a_mask_that_makes_no_sense_is_refused(masks, text):
    with pytest.raises(UserError, match=text):
        extract(masks)


def test_rows_that_are_not_there_are_refused():
    with pytest.raises(UserError, match="4711"):
        extract(places=[(ONE, 4711)])
    with pytest.raises(UserError, match="not closed"):
        sealed_rows(week(), MONDAY + timedelta(days=3), "ks")
    with pytest.raises(UserError, match="at least one row"):
        make_extract([], {}, PUBLIC)


@pytest.fixture
def files(tmp_path):
    key = tmp_path / "kommunpost-seal.pem"
    key.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    good, bad = tmp_path / "utdrag.json", tmp_path / "andrad.json"
    good.write_text(TEXT, encoding="utf-8")
    bad.write_text(edited(CHANGES["a value"]), encoding="utf-8")
    return key, good, bad


def test_the_command_says_what_holds(files):
    key, good, bad = files
    result = CliRunner().invoke(cli.app, ["verify", str(good), "--key", str(key)])
    assert result.exit_code == 0
    assert "4 rows of the message log of sjovalla.example hold" in result.output
    assert "2026-11-23, unit ks: 4 of the 4 rows" in result.output
    assert f"masked under {BASIS}" in result.output
    assert "Compare it" not in result.output
    assert "Compare it" in CliRunner().invoke(cli.app, ["verify", str(good)]).output
    result = CliRunner().invoke(cli.app, ["verify", str(bad)])
    assert (result.exit_code, "row 1: it is not what was signed" in result.output) == (1, True)


def test_a_machine_reads_the_same(files):
    key, good, bad = files

    def told(*words):
        result = CliRunner().invoke(cli.app, ["verify", "--json", *map(str, words)])
        return result.exit_code, json.loads(result.output)

    status, found = told(good, "--key", key)
    assert (status, found["holds"], found["key_is_known"]) == (0, True, True)
    assert found["domain"] == "sjovalla.example"
    assert [row["rows"] for row in found["rows"]] == [4, 4, 4, 4]
    assert BASIS in {basis for row in found["rows"] for basis in row["masked"].values()}
    assert told(good)[1]["key_is_known"] is False
    status, found = told(bad)
    assert (status, found["holds"]) == (1, False)
    assert "row 1: it is not what was signed" in found["error"]


def test_the_command_names_a_file_that_it_cannot_read(files, tmp_path):
    _, good, _ = files
    for words in ([str(tmp_path / "finns-inte")], [str(good), "--key", str(good)]):
        result = CliRunner().invoke(cli.app, ["verify", *words])
        assert isinstance(result.exception, UserError)


def test_the_verifier_stands_alone(files, tmp_path):
    """One file, handed to a citizen: it runs where there is nothing else of the project."""
    key, good, bad = files
    alone = tmp_path / "verifier.py"
    alone.write_bytes(Path(verifier.__file__).read_bytes())

    def run(*words):
        command = [sys.executable, "-I", str(alone), *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    assert run(good, key).returncode == 0
    assert (run(bad).returncode, run(good, good).returncode, run().returncode) == (1, 2, 2)
