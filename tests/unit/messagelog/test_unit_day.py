"""One unit's day is verified by itself: what was done to its rows is found, and how many."""

import dataclasses
from datetime import timedelta

import pytest
from sealed_log import MONDAY, ONE, entry_of, seed_of, week

from compliance.errors import UserError
from compliance.messagelog.seal.statement import from_text

THURSDAY = MONDAY + timedelta(days=3)


def of_unit(log, unit="ks"):
    return next(row for row in log.of(ONE) if unit in row.units)


def named(found):
    return {(one.kind.value, one.sequence) for one in found.findings}


def test_a_units_day_holds_and_its_rows_are_counted():
    log = week()
    found = log.verify_unit("ks", MONDAY)
    tree = next(tree for tree in from_text(log.signed[0].text).says.units if tree.unit == "ks")
    assert (found.findings, found.rows, found.late, found.disposed) == ([], 4, 0, 0)
    assert (found.root, found.statement) == (tree.root.hex(), 1)


def test_late_entries_count_when_they_are_signed():
    log = week()
    log.add(ONE, entry_of(90, ONE, MONDAY, recipient_unit="ks", sender_unit=None), seed_of(90))
    found = log.verify_unit("ks", MONDAY)
    assert (found.findings, found.rows, found.late) == ([], 4, 1)
    log.seal(THURSDAY)
    found = log.verify_unit("ks", MONDAY)
    assert (found.findings, found.rows, found.late, found.statement) == ([], 5, 0, 4)


def test_a_row_that_was_altered_is_named_though_the_chain_was_computed_anew():
    log = week()
    row = of_unit(log)
    log.change(row, entry=dataclasses.replace(row.entry, subject="Något annat"))
    log.rechain(ONE)
    assert named(log.verify_unit("ks", MONDAY)) == {("altered", row.sequence)}


def test_a_row_that_was_removed_or_moved_to_another_unit_is_named():
    log = week()
    row = of_unit(log)
    log.change(row, entry=dataclasses.replace(row.entry, sender_unit=None, recipient_unit="annan"))
    assert named(log.verify_unit("ks", MONDAY)) == {("removed", row.sequence)}
    log = week()
    log.rows.remove(of_unit(log))
    assert named(log.verify_unit("ks", MONDAY)) == {("removed", row.sequence)}


def test_a_row_that_nobody_signed_is_named():
    log = week()
    row = of_unit(log)
    log.rows.append(dataclasses.replace(row, sequence=2, seed=seed_of(77)))
    assert ("inserted", 2) in named(log.verify_unit("ks", MONDAY))


def test_what_other_units_and_days_have_does_not_count():
    log = week()
    log.rows = [row for row in log.rows if "ks" in row.units]
    assert log.verify_unit("ks", MONDAY).findings == []


def test_leaves_and_statements_that_are_not_those_signed_are_found():
    log = week()
    log.stored_leaves.remove(next(leaf for leaf in log.stored_leaves if leaf[2] == "ks"))
    found = log.verify_unit("ks", MONDAY).findings
    assert any("are not those signed" in one.detail for one in found)
    log = week()
    published = list(log.signed)
    log.signed.pop()
    (finding,) = log.verify_unit("ks", MONDAY, published).findings
    assert "a published statement is not in the log" in finding.detail


def test_what_was_lawfully_disposed_of_is_told():
    log = week()
    row = of_unit(log)
    log.dispose([(ONE, row.sequence)], THURSDAY)
    found = log.verify_unit("ks", MONDAY)
    assert (found.findings, found.rows, found.disposed) == ([], 4, 1)
    other = next(row for row in log.of(ONE) if "ks" in row.units)
    log.bury(len(log.signed), [other])
    assert any("KS 2026/117" in one.detail for one in log.verify_unit("ks", MONDAY).findings)


@pytest.mark.parametrize(("unit", "day"), [("ks", THURSDAY), ("annan", MONDAY)])
def test_a_day_that_is_not_signed_is_refused(unit, day):
    with pytest.raises(UserError, match="no statement signs that unit's day"):
        week().verify_unit(unit, day)
