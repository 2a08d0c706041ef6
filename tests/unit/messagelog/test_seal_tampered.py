"""Verifying ends whatever one row says, names that row, and goes on with the rest."""

# ruff: noqa: F811 - fixtures of test_seal_store.py

import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import sealed_log
from authority import Authority
from conftest import make_entry
from hypothesis import given, settings
from hypothesis import strategies as st
from sealed_log import MONDAY, ONE, TWO, each_entry, entry_of
from test_seal_store import check, configured, seal, ship, tamper, week  # noqa: F401

from compliance.errors import UserError
from compliance.messagelog.entry import first_chain, link, new_seed, to_json

HUGE = 9_000_000_000_000_000_000
SET_SIX = "UPDATE log.entry SET {} WHERE outbox_id = %s AND sequence = 6"


def lines(report):
    return [str(one) for one in report.findings]


@pytest.mark.parametrize(
    "change",
    [
        "version = 300",
        "version = 5",
        "accepted_at = 'infinity'",
        "accepted_at = '-infinity'",
        "accepted_at = '4000-01-01 00:00+00 BC'",
        "accepted_at = '0001-01-01 00:00+00'",
        "accepted_at = '9999-12-31 23:59+00'",
        "accepted_at = '10000-01-01 00:00+00'",
    ],
)
def test_a_row_that_no_entry_can_be_is_altered_and_the_rest_is_verified(
    week, seal, check, tamper, change
):
    seal()
    tamper(SET_SIX.format(change), [ONE])
    tamper("UPDATE log.entry SET subject = 'x' WHERE outbox_id = %s AND sequence = 9", [TWO])
    report = check()
    assert each_entry(report.findings) == {("altered", ONE, 6), ("altered", TWO, 9)}
    assert f"altered: entry 6 of outbox {ONE}: it cannot be read: no entry has such" in str(
        report.findings[0]
    )
    assert report.entries == 40


@pytest.mark.parametrize("number", [26, HUGE])
def test_a_number_beyond_the_last_is_inserted_and_nothing_before_it_is_missed(
    week, seal, check, tamper, number
):
    seal()
    tamper(SET_SIX.format(f"sequence = {number}"), [ONE])
    wanted = {("removed", ONE, 6), ("inserted", ONE, number)}
    assert each_entry(check().findings) == wanted
    assert each_entry(check(since=MONDAY).findings) == wanted


def test_a_place_moved_ahead_is_one_finding(week, seal, check, tamper):
    seal()
    tamper("UPDATE log.position SET sequence = %s WHERE outbox_id = %s", [HUGE, ONE])
    report = check()
    assert lines(report) == [
        f"removed: entries 21 to {HUGE} ({HUGE - 20}) of outbox {ONE}: missing, and no decision"
        " tells why"
    ]
    assert report.open_entries == 0


def test_many_missing_in_a_row_are_one_line_with_their_numbers(week, configured, tamper):
    configured("sealer", "seal")
    tamper("DELETE FROM log.entry WHERE outbox_id = %s AND sequence BETWEEN 5 AND 9", [ONE])
    tamper("DELETE FROM log.entry WHERE outbox_id = %s AND sequence = 12", [ONE])
    result = configured("reader", "verify")
    missing = "missing, and no decision tells why"
    assert result.output.splitlines()[:2] == [
        f"removed: entries 5 to 9 (5) of outbox {ONE}: {missing}",
        f"removed: entry 12 of outbox {ONE}: {missing}",
    ]
    assert "trees of 5 days: 2 findings" in result.output
    assert configured("sealer", "verify").output == result.output  # the host that seals verifies
    told = json.loads(configured("reader", "verify", "--json").output)
    assert [(one["sequence"], one["last"]) for one in told["findings"]] == [(5, 9), (12, None)]


def test_a_tombstone_with_a_number_below_0_is_found(week, seal, check, tamper):
    seal()
    tamper(
        "INSERT INTO log.tombstone SELECT outbox_id, -6, digest, chain, 1 FROM log.entry"
        " WHERE outbox_id = %s AND sequence = 6",
        [ONE],
    )
    assert lines(check()) == ["statement: 1 tombstones name statement 1"]


# What follows from the sealed tables


def test_a_changed_count_is_told_with_both_numbers(week, seal, check, tamper):
    seal()
    was = "unit_day WHERE unit = 'bun' AND day = %s AND outbox_id = %s"
    tamper(
        f"UPDATE log.{was}".replace(" WHERE", " SET incoming = incoming + 5 WHERE"), [MONDAY, ONE]
    )
    (line,) = lines(check())
    assert line == (
        f"derived: unit bun on 2026-11-23, outbox {ONE}: log.unit_day counts 7 in, 0 out,"
        " 0 internal, 0 probes; there are 2 in, 0 out, 0 internal, 0 probes"
    )
    assert lines(check(since=MONDAY, until=MONDAY + timedelta(days=1))) == [line]
    assert lines(check(since=MONDAY + timedelta(days=1))) == []
    tamper(f"DELETE FROM log.{was}", [MONDAY, ONE])
    assert "counts 0 in, 0 out, 0 internal, 0 probes; there are 2 in" in str(check().findings[0])


def test_counts_are_people_days_and_probes_by_themselves(ship, seal, check):
    night = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)  # half past midnight in Sweden
    ship(ONE, [entry_of(n, ONE, MONDAY, accepted_at=night, label=label, direction=way)
               for n, (label, way) in enumerate(
                   [("probe", "in"), (None, "out"), (None, "internal"), ("x", "in")])])  # fmt: skip
    seal()
    assert lines(check()) == []
    assert lines(check(since=MONDAY, until=MONDAY + timedelta(days=1))) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("day = '2020-01-01'", "statement 3 signs the day 2026-11-25, its row says 2020-01-01"),
        ("day = NULL", "statement 3 signs the day 2026-11-25, its row says none"),
        ("day = 'infinity'", "statement 3 signs the day 2026-11-25, its row says infinity"),
        ("number = 30", "no row of log.statement has the number 3"),
    ],
)
def test_a_statement_filed_under_another_day_or_number_is_found(
    week, seal, check, tamper, configured, change, line
):
    configured("sealer", "seal")
    tamper(f"UPDATE log.statement SET {change} WHERE number = 3")
    assert f"derived: {line}" in configured("reader", "verify").output
    result = configured("reader", "verify", "--unit", "ks", "--day", "2026-11-23")
    assert (result.exit_code, f"derived: {line}" in result.output) == (1, True)


def test_an_outbox_whose_place_was_taken_away_is_found(week, seal, check, tamper):
    tamper("DELETE FROM log.position WHERE outbox_id = %s", [TWO])
    line = f"derived: outbox {TWO} has entries, and log.position has no row of it"
    assert lines(check()) == [line]
    tamper("INSERT INTO log.position SELECT outbox_id, host, sequence, chain FROM log.entry"
           " WHERE outbox_id = %s AND sequence = 20", [TWO])  # fmt: skip
    seal()
    tamper("DELETE FROM log.position WHERE outbox_id = %s", [TWO])
    line = f"outbox {TWO} was signed up to entry 20, and log.position has no row of it"
    assert lines(check()) == [f"derived: {line}"]


def test_a_time_stamp_taken_away_is_found_by_what_was_published(week, configured, tmp_path, tamper):
    folder = tmp_path / "authority"
    folder.mkdir()
    with Authority(folder) as authority:
        stamping = {"url": authority.url, "ca_file": str(authority.ca_file)}
        said = configured("sealer", "seal", time_stamping=stamping).output
    configured("publisher", "publish")
    assert configured("reader", "verify").exit_code == 0
    tamper("DELETE FROM log.time_stamp")
    result = configured("reader", "verify")
    assert result.exit_code == 1
    assert (
        f"published time stamp on statement {said.count('signed ')} is not in the log"
        in result.output
    )


# What the log refuses


def append(connect, **changes):
    """Append one record as a mail host would that somebody else rules; return what is said."""
    plain = to_json(link(first_chain(ONE), 1, make_entry(subject="Hemligt"), new_seed()))
    connect("writer").execute(
        "SELECT log.append(%s, %s, %s)", [ONE, plain["host"], json.dumps([plain | changes])]
    )


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"accepted_at": "infinity"}, "has the time infinity, which no clock shows"),
        ({"accepted_at": "-infinity"}, "has the time -infinity, which no clock shows"),
        ({"accepted_at": "4000-01-01T00:00:00Z BC"}, "has the time 4000-01-01 00:00:00+00 BC"),
        ({"accepted_at": "1969-12-31T23:59:59Z"}, "has the time 1969-12-31 23:59:59+00, which"),
        ({"accepted_at": "2263-01-01T00:00:00Z"}, "has the time 2263-01-01 00:00:00+00, which"),
        ({"accepted_at": None}, "has the time none, which no clock shows"),
        ({"version": 300}, "has the version 300, which this log does not know"),
        ({"version": 0}, "has the version 0, which this log does not know"),
        ({"version": None}, "has the version none, which this log does not know"),
    ],
)
def test_what_no_milter_writes_is_refused_by_name(connect, changes, text):
    with pytest.raises(psycopg.errors.DataException) as refused:
        append(connect, **changes)
    said = str(refused.value)
    assert said.startswith(f"record 1 of outbox {ONE} of host mail.sjovalla.example {text}")
    assert "HINT" in said
    assert "Hemligt" not in said  # it goes to the journal of the mail host


@pytest.mark.parametrize("moment", ["1970-01-01T00:00:00Z", "2262-12-31T23:59:59Z"])
def test_a_clock_that_is_years_off_is_no_reason_to_refuse(connect, moment):
    append(connect, accepted_at=moment)


def test_a_number_that_does_not_follow_is_refused_though_its_link_holds(connect):
    record = link(first_chain(ONE), HUGE, make_entry(), new_seed())
    with pytest.raises(psycopg.errors.DataException, match=f"record {HUGE} of outbox"):
        append(connect, **to_json(record))


def test_days_are_sealed_past_a_row_at_no_time(week, configured, connect, tamper):
    tamper(SET_SIX.format("accepted_at = 'infinity'"), [ONE])
    result = configured("sealer", "seal")
    assert result.exit_code == 0, result.output
    assert "signed 2026-11-25: 9 entries" in result.output
    assert f"altered: entry 6 of outbox {ONE}" in configured("reader", "verify").output


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "{}", '{"format": "kommunpost-seal-1"}'])
def test_nothing_is_sealed_over_a_statement_that_is_none(week, configured, tamper, text):
    configured("sealer", "seal")
    tamper("UPDATE log.statement SET text = %s WHERE number = 2", [text])
    result = configured("sealer", "seal")
    assert isinstance(result.exception, UserError), result.output
    assert "statement 2 cannot be read" in str(result.exception)
    assert "statement 2: the signature" in configured("reader", "verify").output


@given(st.sets(st.integers(1, 16), max_size=16), st.booleans())
@settings(max_examples=100, deadline=None)
def test_whatever_is_taken_away_is_named_each_once(gone, place_too):
    log = sealed_log.week()
    log.rows = [row for row in log.rows if row.outbox != ONE or row.sequence not in gone]
    if place_too:
        del log.heads[ONE]
    findings = [one for one in log.verify().findings if one.kind.value == "removed"]
    named = [sequence for one in findings for sequence in one.sequences]
    assert sorted(named) == sorted(gone)
    assert len(findings) == len([one for one in gone if one - 1 not in gone])
