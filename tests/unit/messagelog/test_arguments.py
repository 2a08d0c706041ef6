"""What a technician writes: read as Swedish days, or refused in words."""

import pwd
import time
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from compliance.errors import UserError
from compliance.messagelog import arguments

TIMES = st.datetimes(min_value=datetime(2, 1, 2), max_value=datetime(9998, 12, 30))


@pytest.fixture(params=["UTC", "Europe/Stockholm", "America/New_York"])
def zone(request, monkeypatch):
    """The machine's own time zone, which must not matter."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_a_day_begins_at_midnight_in_sweden(zone):
    since, until = arguments.times("2026-11-01", "2026-11-02")
    assert since == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert until - since == timedelta(days=1)
    assert arguments.times("2026-07-01", None) == (datetime(2026, 6, 30, 22, tzinfo=UTC), None)
    assert arguments.times("2026-11-24T09:05", None)[0] == datetime(2026, 11, 24, 8, 5, tzinfo=UTC)
    assert arguments.times("2026-11-24T09:05Z", None)[0] == datetime(2026, 11, 24, 9, 5, tzinfo=UTC)


@given(TIMES, TIMES)
def test_times_are_refused_unless_the_first_is_before_the_second(one, other):
    assume(one != other)
    first, second = sorted([one, other])
    assert all(arguments.times(first.isoformat(), second.isoformat()))
    for since, until in ((second, first), (first, first)):
        with pytest.raises(UserError, match="--until is not after --since"):
            arguments.times(since.isoformat(), until.isoformat())


def test_days_are_refused_likewise():
    assert arguments.days("2026-11-01", "2026-11-02") == (date(2026, 11, 1), date(2026, 11, 2))
    for until in ("2026-11-01", "2026-10-31"):
        with pytest.raises(UserError, match="--until is not after --since"):
            arguments.days("2026-11-01", until)


@pytest.mark.parametrize(
    "written",
    ["0001-01-01", "0001-01-01T00:00+14:00", "9999-12-31", "9999-12-31T23:59:59-14:00"],
)  # fmt: skip
def test_a_time_that_a_calendar_ends_at_is_refused(written):
    with pytest.raises(UserError, match="is out of reach"):
        arguments.times(written, None)
    if "T" not in written:
        with pytest.raises(UserError, match="is out of reach"):
            arguments.day("--day", written)


@pytest.mark.parametrize("written", ["igår", "2026-13-01", "", "2026-11-24T25:00", "\udcff", "1 "])
def test_what_is_no_time_is_named(written):
    with pytest.raises(UserError, match="is no time"):
        arguments.times(None, written)
    with pytest.raises(UserError, match="is no day"):
        arguments.days(written, None)


def test_a_day_is_no_time_of_day():
    with pytest.raises(UserError, match="'2026-11-24T09:05' is no day"):
        arguments.days("2026-11-24T09:05", None)


def test_a_text_that_is_not_utf_8_is_refused_by_name():
    assert arguments.text("--part", "å") == "å"
    assert arguments.text("--part", None) is None
    with pytest.raises(UserError, match=r"--part: .* is not UTF-8"):
        arguments.text("--part", "a\udcff")


def test_who_reads_always_has_a_name_that_the_trail_can_hold(monkeypatch):
    monkeypatch.setenv("SUDO_USER", "te\udcffkla")
    assert arguments.user() == "te\ufffdkla"
    monkeypatch.setenv("SUDO_USER", "")
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_000 - 5)
    assert arguments.user() == "3999999995"


def test_nobody_but_root_reads_under_another_name(monkeypatch):
    """The environment is whoever's who runs the command; who they are, the machine says."""
    for name in ("SUDO_USER", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "kommundirektoren")
    monkeypatch.setattr("os.getuid", lambda: pwd.getpwnam("daemon").pw_uid)
    assert arguments.user() == "daemon"
    monkeypatch.setattr("os.getuid", lambda: 0)
    assert arguments.user() == "kommundirektoren", "as sudo has it"
    monkeypatch.delenv("SUDO_USER")
    assert arguments.user() == "root"
