"""Swedish working days: what a municipality's calendar says."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.clock import SWEDEN
from compliance.workdays import (
    age,
    first_day_within,
    is_working_day,
    running_count,
    working_days_after,
    working_days_between,
)

DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2040, 12, 31)).map(
    lambda time: time.replace(tzinfo=UTC)
)


@pytest.mark.parametrize(
    "day",
    [
        "2026-01-01", "2026-01-06", "2026-04-03", "2026-04-06", "2026-05-01", "2026-05-14",
        "2028-06-06", "2026-06-19", "2027-06-25", "2026-12-24", "2026-12-25", "2026-12-31",
        "2026-11-21", "2026-11-22",
    ],
)  # fmt: skip
def test_offices_are_closed(day):
    assert not is_working_day(date.fromisoformat(day))


@pytest.mark.parametrize(
    "day",
    [
        "2026-11-24",
        "2026-01-05",  # the eve of Epiphany, and a day between two holidays
        "2026-04-02",  # Maundy Thursday
        "2026-04-30",  # Walpurgis Night
        "2026-05-15",  # the Friday after Ascension Day
        "2026-06-18",
        "2027-06-07",  # the national day on a Sunday gives no Monday off
        "2026-12-23",
    ],
)
def test_offices_are_open(day):
    assert is_working_day(date.fromisoformat(day))


@pytest.mark.parametrize(
    ("arrived", "now", "days"),
    [
        ("2026-11-24T08:00", "2026-11-24T16:00", 0),
        ("2026-11-24T16:55", "2026-11-25T07:00", 0),  # no whole working day has passed
        ("2026-11-24T16:55", "2026-11-26T07:00", 1),
        ("2026-11-20T12:00", "2026-11-23T07:00", 0),  # over a weekend
        ("2026-11-21T12:00", "2026-11-24T07:00", 1),
        ("2026-12-23T12:00", "2026-12-28T07:00", 0),  # over Christmas
        ("2026-12-23T12:00", "2027-01-04T07:00", 3),
        ("2026-06-18T12:00", "2026-06-23T07:00", 1),  # over midsummer
        ("2026-11-24T08:00", "2026-11-20T08:00", 0),  # a clock that was set back
    ],
)
def test_the_age_counts_whole_working_days(arrived, now, days):
    one, other = (datetime.fromisoformat(text).replace(tzinfo=SWEDEN) for text in (arrived, now))
    assert age(one, other) == days


def test_the_day_is_the_swedish_one():
    """23.30 UTC on a Monday is Tuesday here, so Tuesday is the day of arrival."""
    arrived = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    assert age(arrived, datetime(2026, 11, 25, 8, tzinfo=UTC)) == 0
    assert age(arrived - timedelta(hours=1), datetime(2026, 11, 25, 8, tzinfo=UTC)) == 1


@given(DAYS, DAYS, DAYS)
def test_counting_in_two_parts_comes_to_the_same(one, two, three):
    first, middle, last = sorted((one, two, three))
    parts = working_days_between(first, middle) + working_days_between(middle, last)
    counts = is_working_day(middle) and first < middle < last
    assert working_days_between(first, last) == parts + counts


@given(DAYS)
def test_a_week_has_at_most_five_and_no_two_weeks_are_off(day):
    week = [day + timedelta(days=number) for number in range(7)]
    assert sum(map(is_working_day, week)) <= 5
    assert any(is_working_day(day + timedelta(days=number)) for number in range(14))


@given(TIMES, st.integers(0, 60), st.integers(0, 48))
def test_mail_never_grows_younger(arrived, days, hours):
    now = arrived + timedelta(days=days)
    later = now + timedelta(hours=hours)
    assert 0 <= age(arrived, now) <= age(arrived, later) <= days + 2


@given(DAYS, st.integers(0, 12), st.integers(0, 40))
def test_the_first_day_within_parts_days_by_what_has_come_since(last, days, before):
    day = last - timedelta(days=before)
    assert (day >= first_day_within(days, last)) == (working_days_after(day, last) <= days)


@given(DAYS, st.integers(0, 40), st.integers(0, 40))
def test_a_running_count_rises_by_the_working_days_after(first, one, other):
    low, high = (first + timedelta(days=days) for days in sorted((one, other)))
    count = running_count(first, first + timedelta(days=40))
    assert count[high] - count[low] == working_days_after(low, high)
