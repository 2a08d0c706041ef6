"""Whoever changes the log is found, and what was changed is named."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sealed_log import KEY, MONDAY, ONE, TWO, entry_of, is_closed, seed_of, week

from compliance.messagelog.entry import FIELDS
from compliance.messagelog.seal.statement import Signed, from_text, sign

THURSDAY = MONDAY + timedelta(days=3)
outboxes = st.sampled_from([ONE, TWO])
examples = settings(max_examples=150, deadline=None)


def other_value(value):
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, bytes):
        return value + b"x"
    if isinstance(value, int):
        return value + 1
    return f"{value or ''}x"


def altered(row, name):
    """Return the row with one thing changed."""
    if name in FIELDS:
        entry = dataclasses.replace(row.entry, **{name: other_value(getattr(row.entry, name))})
        return dataclasses.replace(row, entry=entry)
    return dataclasses.replace(row, **{name: bytes(32)})


def pick(data, log, outbox, *, closed=False):
    rows = [row for row in log.of(outbox) if not closed or is_closed(log, row)]
    return data.draw(st.sampled_from(rows))


def test_an_honest_log_holds():
    log = week()
    report = log.verify()
    assert report.findings == []
    assert (report.entries, report.outboxes, report.days, report.trees) == (24, 2, 3, 9)
    assert report.open_entries == 0
    log.add(ONE, entry_of(90, ONE, THURSDAY), seed_of(90))
    assert log.verify().open_entries == 1


def test_closing_again_signs_nothing():
    log = week()
    before = list(log.signed)
    assert log.seal(THURSDAY) == []
    assert log.signed == before


def test_a_statement_has_what_the_day_was():
    (first, *_) = [from_text(one.text) for one in week().signed]
    assert (first.number, first.previous, first.domain) == (1, None, "sjovalla.example")
    assert (first.says.day, first.says.entries) == (MONDAY, 6)
    assert {tree.unit: tree.rows for tree in first.says.units} == {"ks": 4, "bun": 2, None: 1}
    assert [head.sequence for head in first.says.heads] == [16, 8]


def test_a_day_without_mail_is_closed_too():
    log = week()
    made = log.seal(MONDAY + timedelta(days=6))
    assert [statement.says.entries for statement in made] == [6, 0, 0]
    assert log.found() == set()


def test_late_entries_grow_the_trees_of_their_day_and_prove_it():
    log = week()
    log.add(ONE, entry_of(90, ONE, MONDAY, recipient_unit="ks", sender_unit=None), seed_of(90))
    (made,) = log.seal(THURSDAY)
    assert (made.says.day, made.says.entries, made.says.revises) == (MONDAY, 7, 1)
    (tree,) = [tree for tree in made.says.units if tree.unit == "ks"]
    assert (tree.rows, tree.earlier.rows) == (5, 4)
    assert log.found() == set()
    assert log.seal(THURSDAY) == []


def test_a_late_entry_is_no_finding_before_it_is_sealed():
    log = week()
    log.add(ONE, entry_of(90, ONE, MONDAY), seed_of(90))
    assert log.found() == set()


def test_an_entry_that_the_shipper_never_brought_is_named():
    log = week()
    head = log.heads[ONE]
    log.add(ONE, entry_of(90, ONE, THURSDAY), seed_of(90))
    log.heads[ONE] = head
    assert ("inserted", ONE, head.sequence + 1) in log.found()


def test_an_end_other_than_the_shippers_is_found():
    log = week()
    log.add(ONE, entry_of(90, ONE, THURSDAY), seed_of(90))
    log.heads[ONE] = dataclasses.replace(log.heads[ONE], chain=bytes(32))
    assert log.found() == {("rewritten", ONE, 17)}


def test_an_entry_dated_ahead_waits_for_its_day():
    log = week()
    log.add(ONE, entry_of(90, ONE, MONDAY + timedelta(days=5)), seed_of(90))
    log.seal(MONDAY + timedelta(days=4))
    log.add(ONE, entry_of(91, ONE, MONDAY + timedelta(days=4)), seed_of(91))
    made = log.seal(MONDAY + timedelta(days=6))
    assert [statement.says.entries for statement in made] == [1, 1]
    assert log.found() == set()


@given(st.data(), outboxes, st.sampled_from([*FIELDS, "seed", "digest", "chain"]))
@examples
def test_an_altered_entry_is_named(data, outbox, name):
    log = week()
    row = pick(data, log, outbox)
    log.change(
        row, **{f.name: getattr(altered(row, name), f.name) for f in dataclasses.fields(row)}
    )
    found = log.found() - {("rewritten", outbox, row.sequence)}
    assert found == {("altered", outbox, row.sequence)}


@given(st.data(), outboxes, st.sampled_from([*FIELDS, "seed"]))
@examples
def test_an_altered_entry_is_named_though_the_chain_was_computed_anew(data, outbox, name):
    log = week()
    row = pick(data, log, outbox, closed=True)
    log.rows[log.rows.index(row)] = altered(row, name)
    log.rechain(outbox)
    found = log.found()
    assert ("altered", outbox, row.sequence) in found
    assert {kind for kind, *_ in found} <= {"altered", "rewritten"}
    assert len([kind for kind, *_ in found if kind == "altered"]) == 1
    assert "rewritten" in {kind for kind, *_ in found}


@given(st.data(), outboxes)
@examples
def test_an_entry_moved_to_another_day_is_named(data, outbox):
    log = week()
    row = pick(data, log, outbox, closed=True)
    away = data.draw(st.integers(-5, 5).filter(bool))
    entry = dataclasses.replace(row.entry, accepted_at=row.entry.accepted_at + timedelta(days=away))
    log.rows[log.rows.index(row)] = dataclasses.replace(row, entry=entry)
    assert log.found() == {("altered", outbox, row.sequence)}
    log.rechain(outbox)
    named = {
        kind for kind, own, sequence in log.found() if (own, sequence) == (outbox, row.sequence)
    }
    assert named & {"altered", "removed"}


@given(st.data(), outboxes)
@examples
def test_a_removed_entry_is_named(data, outbox):
    log = week()
    row = pick(data, log, outbox)
    log.rows.remove(row)
    assert log.found() == {("removed", outbox, row.sequence)}


@given(st.data(), outboxes)
@examples
def test_a_removed_entry_is_named_though_all_was_numbered_anew(data, outbox):
    log = week()
    row = pick(data, log, outbox, closed=True)
    log.rows.remove(row)
    log.rechain(outbox)
    found = log.found()
    assert ("removed", outbox, row.sequence) in {one for one in found if one[0] != "rewritten"}
    # The last number is missing at the end, now that there are fewer.
    assert {one[0] for one in found} <= {"removed", "rewritten"}
    assert len([one for one in found if one[0] == "removed"]) <= 2


@given(st.data(), outboxes, st.booleans())
@examples
def test_an_inserted_entry_is_named(data, outbox, comes_first):
    log = week()
    row = pick(data, log, outbox)
    shift = timedelta(microseconds=-1 if comes_first else 1)
    entry = dataclasses.replace(
        row.entry, accepted_at=row.entry.accepted_at + shift, queue_id="forged"
    )
    log.rows.append(dataclasses.replace(row, entry=entry, seed=seed_of(999)))
    assert log.found() == {("inserted", outbox, row.sequence)}


@given(st.data(), outboxes, st.booleans())
@examples
def test_an_entry_put_in_between_is_named(data, outbox, rechained):
    log = week()
    row = pick(data, log, outbox, closed=True)
    entry = dataclasses.replace(row.entry, queue_id="forged")
    forged = dataclasses.replace(row, entry=entry, seed=seed_of(999))
    rows = log.of(outbox)
    place = rows.index(row)
    rows.insert(place, forged)
    if rechained:
        log.rechain(outbox, rows)
    else:
        log.rows = [one for one in log.rows if one.outbox != outbox]
        log.rows += [dataclasses.replace(one, sequence=n) for n, one in enumerate(rows, 1)]
    found = log.found()
    assert ("inserted", outbox, row.sequence) in found
    kinds = {kind for kind, own, sequence in found if sequence != row.sequence}
    assert kinds <= {"rewritten", "inserted"}


def swapped_pair(data, log, outbox, *, closed):
    first = pick(data, log, outbox, closed=closed)
    second = pick(data, log, outbox, closed=closed)
    return sorted([first, second], key=lambda row: row.sequence)


@given(st.data(), outboxes, st.sampled_from(["numbers", "contents", "entries alone"]))
@examples
def test_two_entries_in_each_others_place_are_named(data, outbox, how):
    log = week()
    first, second = swapped_pair(data, log, outbox, closed=False)
    if first.sequence == second.sequence:
        return
    if how == "numbers":
        log.change(first, sequence=second.sequence)
        log.change(second, sequence=first.sequence)
    else:
        names = ["entry", "seed"] + (["digest"] if how == "contents" else [])
        log.change(first, **{name: getattr(second, name) for name in names})
        log.change(second, **{name: getattr(first, name) for name in names})
    found = {one for one in log.found() if one[0] != "rewritten"}
    assert found == {
        ("reordered", outbox, first.sequence),
        ("reordered", outbox, second.sequence),
    }


@given(st.data(), outboxes)
@examples
def test_swapped_entries_are_named_though_the_chain_was_computed_anew(data, outbox):
    log = week()
    first, second = swapped_pair(data, log, outbox, closed=True)
    if first.sequence == second.sequence:
        return
    rows = log.of(outbox)
    i, j = rows.index(first), rows.index(second)
    rows[i], rows[j] = rows[j], rows[i]
    log.rechain(outbox, rows)
    found = {one for one in log.found() if one[0] != "rewritten"}
    assert found == {
        ("reordered", outbox, first.sequence),
        ("reordered", outbox, second.sequence),
    }


@given(st.data(), outboxes)
@examples
def test_an_entry_moved_to_another_place_is_named(data, outbox):
    log = week()
    row = pick(data, log, outbox, closed=True)
    rows = log.of(outbox)
    target = data.draw(st.integers(1, len(rows)))
    if target == row.sequence:
        return
    rows.remove(row)
    rows.insert(target - 1, row)
    log.rechain(outbox, rows)
    found = {one for one in log.found() if one[0] != "rewritten"}
    assert {kind for kind, *_ in found} == {"reordered"}


def test_the_end_cut_off_is_found_while_the_shipper_or_a_statement_remembers():
    log = week()
    last = log.of(ONE)[-3:]
    for row in last:
        log.rows.remove(row)
    assert log.found() == {("removed", ONE, row.sequence) for row in last}
    log.rechain(ONE)
    assert {sequence for kind, _, sequence in log.found() if kind == "removed"} == {
        row.sequence for row in last
    }


def test_a_whole_outbox_that_is_gone_is_found():
    log = week()
    log.rows = [row for row in log.rows if row.outbox != TWO]
    del log.heads[TWO]
    assert log.found() == {("removed", TWO, sequence) for sequence in range(1, 9)} | {
        ("derived", None, None)
    }


# Statements


def statement_texts(log):
    return [one.detail for one in log.verify().findings if one.kind.value == "statement"]


def test_an_altered_statement_is_found():
    log = week()
    log.signed[1] = Signed(log.signed[1].text.replace('"entries":6', '"entries":5'),
                           log.signed[1].signature)  # fmt: skip
    assert "statement 2: the signature of a statement is wrong" in statement_texts(log)


@pytest.mark.parametrize("number", [0, 1])
def test_a_statement_taken_away_is_found(number):
    log = week()
    del log.signed[number]
    assert any("does not follow" in text for text in statement_texts(log))


def test_the_last_statement_taken_away_is_found_by_what_was_published():
    log = week()
    published = list(log.signed)
    assert log.found(published=published) == set()
    del log.signed[-1]
    findings = log.verify(published=published).findings
    assert any("published statement is not in the log" in one.detail for one in findings)


def test_leaves_other_than_those_signed_are_found():
    log = week()
    statement, day, unit, leaf = log.stored_leaves[0]
    log.stored_leaves[0] = (statement, day, unit, dataclasses.replace(leaf, hash=bytes(32)))
    assert any("are not those signed" in text for text in statement_texts(log))


def test_another_key_signs_nothing_here():
    from compliance.messagelog.seal.verification import verify

    findings = verify(week(), [bytes(31) + b"\x01"], "sjovalla.example").findings
    assert len([one for one in findings if "signature" in one.detail]) == 3


def signed_anew(log, number, **changes):
    """Sign a statement that an honest sealer would not, by the right key."""
    statement = from_text(log.signed[number - 1].text)
    log.signed[number - 1] = sign(KEY, dataclasses.replace(statement, **changes))


def test_a_statement_of_another_municipality_is_found():
    log = week()
    signed_anew(log, 3, domain="omvarlden.example")
    assert statement_texts(log) == ["statement 3 is of omvarlden.example, not of sjovalla.example"]


@pytest.mark.parametrize("earlier", [None, "another root", "no path"])
def test_trees_that_do_not_prove_their_growth_are_found(earlier):
    log = week()
    log.add(ONE, entry_of(90, ONE, MONDAY, recipient_unit="ks", sender_unit=None), seed_of(90))
    (made,) = log.seal(THURSDAY)
    trees = {
        None: lambda grown: None,
        "another root": lambda grown: dataclasses.replace(grown, root=bytes(32)),
        "no path": lambda grown: dataclasses.replace(grown, path=()),
    }
    units = tuple(
        dataclasses.replace(tree, earlier=trees[earlier](tree.earlier))
        if tree.unit == "ks"
        else tree
        for tree in made.says.units
    )
    signed_anew(log, 4, says=dataclasses.replace(made.says, units=units))
    assert statement_texts(log) == ["2026-11-23, unit ks did not grow from what it was"]


# A part of the time


def test_a_part_of_the_time_is_verified_by_itself():
    log = week()
    row = log.of(ONE)[0]
    log.rows.remove(row)
    assert log.found(since=MONDAY + timedelta(days=1)) == set()
    assert ("removed", ONE, 1) in log.found(until=MONDAY + timedelta(days=1))
    report = week().verify(since=MONDAY + timedelta(days=1), until=MONDAY + timedelta(days=2))
    assert (report.findings, report.days, report.entries) == ([], 1, 6)


# Disposal


def test_what_was_lawfully_disposed_of_leaves_a_log_that_holds():
    log = week()
    rows = [log.of(ONE)[2], log.of(ONE)[3], log.of(TWO)[1]]
    log.dispose([(row.outbox, row.sequence) for row in rows], THURSDAY)
    assert all(row not in log.rows for row in rows)
    report = log.verify()
    assert report.findings == []
    assert report.disposed == {"KS 2026/117": 3}
    assert len(log.seal(MONDAY + timedelta(days=4))) == 1
    assert log.found() == set()


def test_a_tombstone_without_a_signed_decision_is_found():
    log = week()
    row = log.of(ONE)[2]
    log.dispose([(ONE, 1)], THURSDAY)
    number = len(log.signed)
    log.bury(number, [row])
    assert any("KS 2026/117" in text for text in statement_texts(log))
    log.stones = [(number + 7, *stone[1:]) for stone in log.stones]
    assert any(f"name statement {number + 7}" in text for text in statement_texts(log))


def test_an_entry_that_is_back_beside_its_tombstone_is_found():
    log = week()
    row = log.of(ONE)[2]
    log.dispose([(ONE, row.sequence)], THURSDAY)
    log.rows.append(row)
    assert ("inserted", ONE, row.sequence) in log.found()


def test_utc_is_the_day():
    log = week()
    late = datetime(2026, 11, 23, 23, 59, 59, 999999, tzinfo=UTC)
    log.add(ONE, entry_of(90, ONE, MONDAY, accepted_at=late), seed_of(90))
    (made,) = log.seal(THURSDAY)
    assert made.says.day == MONDAY
