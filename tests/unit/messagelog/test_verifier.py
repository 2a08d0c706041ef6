"""An extract that was changed, or that isn't what the format says, is refused in one sentence."""

import io
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
from test_extract import BASIS, extract
from typer.testing import CliRunner

from compliance import cli
from compliance.errors import UserError
from compliance.messagelog.seal import verifier
from compliance.messagelog.seal.verifier import ExtractError, verify


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
    "a basis that nobody sees": lambda e: cell(e, 1, "subject").update(basis="\u200b\ufeff\x00"),
    "a cell that is none": lambda e: e["rows"][0]["cells"].insert(0, "recipient"),
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
    "an empty list of rows": lambda e: e["rows"].clear(),
    "another value beside the bytes": lambda e: cell(e, 0, "subject_raw").update(value="annat"),
    "bytes instead of a text": lambda e: as_bytes(
        cell(e, 0, "recipient"), "annan@sjovalla.example"
    ),
    "a value under a mask": lambda e: cell(e, 1, "subject").update(value="annat", salt="00" * 16),
    "a basis beside a value": lambda e: cell(e, 0, "recipient").update(basis=BASIS),
    "a day that the row says itself": lambda e: e["rows"][0].update(day="1999-01-01"),
    "a count that the row says itself": lambda e: e["rows"][0].update(rows=1),
    "a name of one's own": lambda e: e.update(note="hela loggen"),
    "a name in a statement's frame": lambda e: e["statements"][0].update(number=1),
    "yes for a number": lambda e: e["rows"][1].update(index=True),
    "a fraction for a number": lambda e: e["rows"][0].update(statement=1.0),
    "a long number": lambda e: e["rows"][0].update(statement=10**4000),
    "a number below none": lambda e: e["rows"][0].update(index=-1),
    "a size as text": lambda e: cell(e, 0, "size").update(value="1234"),
    "a number for text": lambda e: cell(e, 0, "queue_id").update(value=1),
    "raw bytes as text": lambda e: as_text(cell(e, 0, "subject_raw")),
    "capital digits": lambda e: upper(cell(e, 0, "subject_raw"), "hex"),
    "a capital salt": lambda e: upper(cell(e, 0, "recipient"), "salt"),
    "a capital key": lambda e: upper(e, "key"),
    "a capital mask": lambda e: upper(cell(e, 1, "subject"), "masked"),
    "a space among digits": lambda e: e["rows"][0]["path"].insert(
        0, " " + e["rows"][0]["path"].pop(0)
    ),
    "half a character in a basis": lambda e: cell(e, 1, "subject").update(basis="\ud800"),
    "a statement twice": lambda e: e["statements"].append(e["statements"][0]),
    "a deep value": lambda e: cell(e, 0, "recipient").update(value=deep(500)),
    "a deep format": lambda e: e.update(format=deep(500)),
}


def as_bytes(cell, shown):
    """A text's cell with its true bytes, and another text for people to read."""
    cell.update(hex=cell["value"].encode().hex(), value=shown)


def as_text(cell):
    cell["value"] = bytes.fromhex(cell.pop("hex")).decode()


def upper(where, name):
    assert where[name] != where[name].upper()
    where[name] = where[name].upper()


def deep(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


SAYS = {
    "a short salt": "not 16 bytes",
    "a cell twice": "stands there twice",
    "another type": "field recipient is neither text nor null",
    "an empty list of rows": "the extract has no rows",
    "bytes instead of a text": "value or hex",
    "a value under a mask": "masked with basis, alone",
    "a day that the row says itself": "row 1: it must have the names .* and no other",
    "yes for a number": "row 2: its index must be a whole number",
    "a fraction for a number": "1.0 is not a number",
    "a long number": "is not a number of at most 19 digits",
    "a size as text": "field size is neither whole number nor null",
    "a number for text": "field queue_id is neither text nor null",
    "raw bytes as text": "field subject_raw is neither bytes nor null",
    "capital digits": "hexadecimal in lower case",
    "a statement twice": "two statements of one day",
    "no statements": "the extract has no statement",
    "a long name": "a field's name is longer than 255 bytes",
    "half a character": "field recipient has half of a character",
    "a cell that is none": "a cell must have the names field$",
    "no basis": "without a legal basis",
    "a basis that nobody sees": "without a legal basis",
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
        ({"domain": "omvarlden.example"}, "statements of several domains"),
        ({"number": 0}, "statements are numbered from 1"),
        ({"number": "99"}, "a statement's number must be a whole number"),
        ({"day": "0000-01-01"}, "day is not written as 2026-11-24"),
        ({"day": "20261130"}, "day is not written as 2026-11-24"),
        ({"units": 1}, "a statement's units must be a JSON array"),
        ({"units": [{"rows": 1, "root": "00" * 32}]}, "must have the names root, rows, unit$"),
        ({"units": [{"unit": 1, "rows": 1, "root": "00" * 32}]}, "unit must be text"),
        ({"units": [{"unit": None, "rows": 1, "root": "00" * 32}] * 2}, "has a unit twice"),
        ({"kind": "disposal"}, "does not close a day"),
        ({"format": "kommunpost-seal-2"}, "does not close a day"),
    ],
)
def test_a_signed_statement_of_another_kind_is_refused(change, text):
    with pytest.raises(ExtractError, match=text):
        verify(with_statement(lambda statement: statement.update(change)))
    with pytest.raises(ExtractError, match="a statement that no row refers to"):
        verify(with_statement(lambda statement: statement.update(day="2026-11-30")))


def test_of_a_day_that_was_closed_twice_one_statement_tells_how_many_rows_it_has():
    """Else four of five rows would pass for the whole day."""
    log = week()
    early = json.loads(extract(log=log))
    log.add(ONE, entry_of(90, ONE, MONDAY, recipient_unit="ks"), seed_of(90))
    log.seal(MONDAY + timedelta(days=4))
    late = json.loads(extract(log=log))
    assert {row.rows for row in verify(json.dumps(early)).rows} == {4}
    assert {row.rows for row in verify(json.dumps(late)).rows} == {5}
    mixed = late | {
        "statements": early["statements"] + late["statements"],
        "rows": early["rows"][:2] + late["rows"][2:4],
    }
    with pytest.raises(ExtractError, match="two statements of one day"):
        verify(json.dumps(mixed))


def test_a_basis_adds_no_line_and_moves_no_cursor():
    """It is not signed: whoever sends the extract on can write what they like there."""
    forged = "OSL 21 kap. 7 §\n  2026-11-23, unit ks: 9 of the 9 rows\x1b[2J\u202e\u2028"
    text = edited(lambda e: cell(e, 1, "subject").update(basis=forged + "x" * 1000))
    lines = verifier.describe(verify(text), key_is_known=True).split("\n")
    assert len(lines) == 5
    (line,) = [line for line in lines if "9 of the 9" in line]
    assert line.startswith("  masked under OSL 21 kap. 7 §\\n  2026")
    assert "\\x1b[2J\\u202e\\u2028" in line
    assert len(line) < 300
    assert all(line.isprintable() for line in lines)


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
        verify(TEXT, [bytes(32)])


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
    strange = tmp_path / "konstig.json"
    for content, status in (
        (b"[" * 1_000_000, 1),
        (b'{"format":' * 100_000, 1),
        (b"9" * 1_000_000, 1),
        (b"\xff\xfe", 1),
        (TEXT.encode("utf-8-sig"), 1),
    ):
        strange.write_bytes(content)
        done = run(strange)
        assert (done.returncode, done.stderr.count("\n"), done.stdout) == (status, 1, "")
        assert len(done.stderr) < 1000


@pytest.mark.parametrize("full", ["/dev/full", None])
def test_what_holds_and_cannot_be_told_is_not_said_to_fail(files, full):
    """1 would say that the extract does not hold."""
    _, good, _ = files
    shell = f'exec "$@" >{full}' if full else 'exec "$@" >&-'
    words = [sys.executable, "-I", verifier.__file__, str(good)]
    done = subprocess.run(["sh", "-c", shell, "-", *words], capture_output=True, text=True)
    told = "The extract holds, but what it tells cannot be written.\n"
    assert (done.returncode, done.stderr) == (2, told)


def test_a_key_file_without_end_is_given_up(files):
    _, good, _ = files
    assert verifier.main([str(good), "/dev/zero"]) == 2


def test_a_file_name_moves_no_cursor(files, tmp_path):
    strange = tmp_path / "\x1b[2Jutdrag.json"
    strange.write_bytes(files[2].read_bytes())
    result = CliRunner().invoke(cli.app, ["verify", str(strange)])
    assert (result.exit_code, "\x1b" in result.output) == (1, False)
    result = CliRunner().invoke(cli.app, ["verify", str(strange) + "x"])
    assert "\x1b" not in str(result.exception)


def test_a_terminal_that_lacks_a_sign_is_shown_its_code(files, monkeypatch):
    _, good, _ = files
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, "ascii", write_through=True))
    assert verifier.main([str(good)]) == 0
    assert b"masked under OSL 21 kap. 7 \\xa7" in shown.getvalue()


def test_a_file_too_large_to_be_an_extract_is_not_read(files, monkeypatch, capsys):
    _, good, _ = files
    monkeypatch.setattr(verifier, "MOST_BYTES", 1000)
    assert verifier.main([str(good)]) == 2
    assert "larger than 1000 bytes" in capsys.readouterr().err
    result = CliRunner().invoke(cli.app, ["verify", str(good)])
    assert isinstance(result.exception, UserError)
    assert "larger than 1000 bytes" in str(result.exception)


def test_a_file_that_fills_the_memory_ends_with_a_sentence(files, monkeypatch, capsys):
    _, good, _ = files

    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr(verifier.json, "loads", full)
    assert verifier.main([str(good)]) == 2
    assert "more memory than there is" in capsys.readouterr().err
    result = CliRunner().invoke(cli.app, ["verify", str(good)])
    assert "more memory than there is" in str(result.exception)
