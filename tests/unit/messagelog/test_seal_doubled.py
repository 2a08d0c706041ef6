"""A copied row is told as one put in, and the rows behind it as what they are."""

import dataclasses
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from sealed_log import MONDAY, ONE, TWO, is_closed, week

outboxes = st.sampled_from([ONE, TWO])
examples = settings(max_examples=150, deadline=None)


def but_rewritten(found):
    return {one for one in found if one[0] != "rewritten"}


@given(st.data(), outboxes)
@examples
def test_a_doubled_row_is_inserted_though_all_was_numbered_anew(data, outbox):
    log = week()
    rows = log.of(outbox)
    closed = [row for row in rows if is_closed(log, row)]
    index = data.draw(st.integers(0, len(closed) - 1))
    place = data.draw(st.integers(index + 1, len(closed)))
    log.rechain(outbox, [*rows[:place], rows[index], *rows[place:]])
    assert but_rewritten(log.found()) == {("inserted", outbox, place + 1)}


def test_a_row_doubled_many_times_is_each_time_inserted():
    log = week()
    rows = log.of(ONE)
    log.rechain(ONE, [*rows[:4], rows[3], rows[3], *rows[4:]])
    assert but_rewritten(log.found()) == {("inserted", ONE, 5), ("inserted", ONE, 6)}


def test_a_row_copied_into_another_outbox_is_inserted_there():
    log = week()
    rows, own = log.of(ONE), log.of(TWO)
    log.rechain(TWO, [*own[:2], dataclasses.replace(rows[3], outbox=TWO), *own[2:]])
    assert but_rewritten(log.found()) == {("inserted", TWO, 3)}


def test_a_row_moved_into_another_outbox_is_reordered():
    log = week()
    row, own = log.of(ONE)[3], log.of(TWO)
    log.rechain(TWO, [*own[:2], dataclasses.replace(row, outbox=TWO), *own[2:]])
    log.rows.remove(row)
    assert but_rewritten(log.found()) == {("removed", ONE, 4)}  # the chain's word comes first
    assert ("reordered", row.sequence) in {
        (one.kind.value, one.sequence)
        for unit in row.units
        for one in log.verify_unit(unit, row.entry.accepted_at.date()).findings
    }


def test_a_copy_that_was_shipped_is_an_entry_like_others_and_is_sealed():
    log = week()
    row = log.of(ONE)[11]
    log.add(ONE, row.entry, row.seed)
    assert log.found() == set()
    log.seal(MONDAY + timedelta(days=4))
    assert log.found() == set()
    log.rows.remove(row)
    assert log.found() == {("removed", ONE, 12)}
