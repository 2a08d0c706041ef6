"""How far the units' reviews have come, as the audit asks it of a real database."""

from datetime import UTC, date, datetime

import psycopg
import pytest

from compliance.probes import log
from compliance.review.period import Regularity
from compliance.settings import Log

from .test_periods import MONDAY, close, rows  # noqa: F401
from .test_review import decide
from .test_review_hold import log as owner  # noqa: F401 - of other tests nothing is held
from .test_work import arrive, taken_in  # noqa: F401


@pytest.fixture
def ask(owner, installation):  # noqa: F811
    """Ask as the audit does: its account may read the log, and no table of the log list."""

    def run():
        return log.review(Log(dsn=installation("reader")), Regularity.WEEKLY)

    return run


def of_unit(found, unit="sbn"):
    assert found.seen.error is None
    (one,) = (one for one in found.units if one.unit == unit)
    return one


def test_the_audit_sees_the_oldest_open_period_and_what_is_left_of_each_unit(visit, rows, ask):  # noqa: F811
    one, two, _later = rows(3, 4, 9)
    state = of_unit(ask())
    assert (state.begin, state.left, state.oldest) == (
        date(2026, 3, 3),
        3,
        MONDAY.replace(day=3),
    )
    browser = visit("sbn")
    decide(browser, one)
    decide(browser, two)
    assert (of_unit(ask()).begin, of_unit(ask()).left) == (date(2026, 3, 3), 1)
    assert close(browser, first="2026-03-02").status_code == 302
    state = of_unit(ask())
    assert (state.begin, state.left, state.oldest) == (date(2026, 3, 9), 1, MONDAY.replace(day=9))


def test_a_unit_whose_weeks_are_all_closed_is_in_the_next(visit, rows, ask):  # noqa: F811
    (one,) = rows(2)
    browser = visit("sbn")
    decide(browser, one)
    close(browser)
    state = of_unit(ask())
    assert (state.begin, state.left, state.oldest) == (date(2026, 3, 9), 0, None)


def test_it_is_told_up_to_when_the_log_has_been_read(ask):
    assert ask().taken_in is None, "the worker has not been here"
    before = datetime.now(UTC)
    taken_in()
    assert ask().taken_in >= before


def test_the_days_are_swedish(arrive, rows, ask):  # noqa: F811
    rows()
    arrive([("in", None, "sbn", None, None)], ["Sent"], [datetime(2026, 3, 8, 23, 30, tzinfo=UTC)])
    taken_in()
    assert of_unit(ask()).begin == date(2026, 3, 9)


def test_the_audits_account_reads_no_rows_and_says_nothing(installation):
    with psycopg.connect(installation("reader"), autocommit=True) as reader:
        for statement in (
            "SELECT * FROM loglist.loglist_reviewitem",
            "SELECT * FROM loglist.loglist_reviewprotocol",
            "SELECT loglist.taken_in('infinity')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(statement)


@pytest.mark.parametrize("role", ["writer", "publisher", "disposer"])
def test_nobody_else_is_told(installation, role):
    with (
        psycopg.connect(installation(role), autocommit=True) as other,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        other.execute("SELECT * FROM loglist.review_state()")


def test_a_database_without_a_log_list_is_told_and_not_taken_for_one_without_faults(new_log):
    found = log.review(Log(dsn=new_log()("reader")), None)
    assert found.seen.error
    assert found.units == ()
