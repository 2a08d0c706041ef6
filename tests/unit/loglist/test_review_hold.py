"""What is not reviewed is not disposed of: how the log list holds the log."""

import threading
from datetime import UTC, datetime

import psycopg
import pytest

from .test_periods import MONDAY, close, rows  # noqa: F401
from .test_review import decide
from .test_work import arrive, taken_in  # noqa: F401


@pytest.fixture
def log(installation):
    """Look at the log as its owner; of other tests nothing is held."""
    with psycopg.connect(installation("owner"), autocommit=True) as owner:
        owner.execute("UPDATE log.hold SET until = now() WHERE kind = 'review' AND until IS NULL")
        yield owner


@pytest.fixture
def held(log):
    """Say from when on mail of a unit (None: all) is held for review; None if it is not."""

    def ask(unit="sbn"):
        found = log.execute(
            "SELECT accepted_from FROM log.hold WHERE kind = 'review' AND until IS NULL"
            " AND unit IS NOT DISTINCT FROM %s", [unit],
        ).fetchall()  # fmt: skip
        assert len(found) <= 1, "one hold is enough, however many rows"
        return found[0][0] if found else None

    return ask


def day(number):
    return MONDAY.replace(day=number)


def test_mail_is_held_from_the_oldest_row_on_until_its_period_is_closed(visit, rows, held):  # noqa: F811
    one, two, _later = rows(2, 4, 9)
    browser = visit("sbn")
    assert held() == day(2)
    decide(browser, one)
    decide(browser, two)
    assert held() == day(2), "decided, but the period is open"
    close(browser)
    assert held() == day(9)


def test_when_all_is_reviewed_and_closed_nothing_is_held_and_new_mail_is(visit, rows, held):  # noqa: F811
    (one,) = rows(2)
    browser = visit("sbn")
    decide(browser, one)
    close(browser)
    assert held() is None
    rows(10)
    assert held() == day(10)


def test_a_row_that_came_late_is_held_although_its_week_is_closed(visit, rows, held):  # noqa: F811
    one, _later = rows(3, 9)
    browser = visit("sbn")
    decide(browser, one)
    close(browser)
    (late,) = rows(2)
    assert held() == day(2)
    decide(browser, late)
    assert held() == day(2), "it stands in no protocol yet"


def test_a_closed_row_that_comes_into_doubt_is_held_until_that_ends(visit, rows, held):  # noqa: F811
    from compliance.loglist.models import ReviewDecision
    from compliance.loglist.work import worker

    one, _later = rows(2, 9)
    item = one.split(".")[0]
    browser = visit("sbn")
    decide(browser, one)
    close(browser)
    with worker() as reader:
        ReviewDecision.objects.create(
            item_id=item, unit="sbn", revision=2, outcome="doubt", reviewer="worker",
            reviewer_name=reader.session().name, at=day(20),
        )  # fmt: skip
    assert held() == day(2)
    decide(browser, f"{item}.2", why="Innehavaren har svarat")
    assert held() == day(9)


def test_one_units_review_holds_no_other_units_mail(arrive, held):  # noqa: F811
    arrive([("internal", "sbn", "kfn", None, None), ("in", None, "skn", None, None)])
    taken_in()
    assert held("sbn")
    assert held("kfn")
    assert held("ks") is None


def test_what_the_worker_has_not_come_to_is_held(arrive, log, held, monkeypatch):  # noqa: F811
    from compliance.loglist import work

    before = datetime.now(UTC)
    taken_in()
    assert held(None) >= before
    reached = held(None)
    arrive()
    monkeypatch.setattr(work, "_store", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        taken_in()
    assert held(None) == reached


def test_until_its_first_round_has_ended_everything_is_held(arrive, log, monkeypatch):  # noqa: F811
    """As after an installation upon a log with old mail in it."""
    from compliance.loglist import work

    arrive()
    monkeypatch.setattr(work, "_store", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        taken_in()
    standing = "SELECT isfinite(accepted_from) FROM log.hold WHERE unit IS NULL AND until IS NULL"
    assert log.execute(standing).fetchall() == [(False,)]


def test_only_the_worker_says_how_far_it_has_come(visit, installation, log, held):
    taken_in()
    reached = held(None)
    browser = visit("sbn")
    with psycopg.connect(installation("web"), autocommit=True) as web:
        web.execute("SELECT set_config('loglist.token', %s, false)", [browser.session["token"]])
        for statement in (
            "SELECT loglist.taken_in('infinity')",
            "SELECT loglist.hold_for_review('sbn', 'infinity')",
            "UPDATE log.hold SET until = now()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                web.execute(statement)
    assert held(None) == reached


def test_a_period_closed_while_the_worker_adds_a_late_row_leaves_that_held(
    visit, rows, log, held, installation  # noqa: F811
):  # fmt: skip
    from django.db import connection

    (one,) = rows(3)
    browser = visit("sbn")
    decide(browser, one)

    def closed():
        try:
            close(browser)
        finally:
            connection.close()

    with psycopg.connect(installation("owner")) as adding:
        adding.execute(
            "INSERT INTO loglist.loglist_reviewitem"
            " (unit, outbox, sequence, accepted_at, direction, outcome, number, revision)"
            " VALUES ('sbn', gen_random_uuid(), 1, %s, 'in', '', '', 0)", [day(2)],
        )  # fmt: skip
        closing = threading.Thread(target=closed)
        closing.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while closing.is_alive() and not log.execute(waiting).fetchone()[0]:
            pass
        adding.commit()
        closing.join()
    assert held() == day(2)
