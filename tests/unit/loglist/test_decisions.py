"""The database holds decisions: made once, in one's own name, one upon the other, never changed."""

import psycopg
import pytest

from .test_work import arrive, taken_in  # noqa: F401

ONE = [("in", None, "sbn", None, None)]


@pytest.fixture
def item(arrive, installation):  # noqa: F811
    outbox = arrive(ONE)
    taken_in()
    with psycopg.connect(installation("owner")) as owner:
        (found,) = owner.execute(
            "SELECT id FROM loglist.loglist_reviewitem WHERE outbox = %s", [outbox]
        ).fetchone()
    return found


@pytest.fixture
def web(installation, visit):
    """Connect as the web, for somebody who is logged in."""
    with psycopg.connect(installation("web"), autocommit=True) as connection:

        def as_somebody(name):
            token = visit(name).session["token"]
            connection.execute("SELECT set_config('loglist.token', %s, false)", [token])
            return connection

        yield as_somebody


def decide(connection, item, revision=1, by="person:7", unit="sbn", outcome="private"):
    connection.execute(
        "INSERT INTO loglist.loglist_reviewdecision (item_id, unit, revision, reviewer, "
        "reviewer_name, at, outcome, number, reason, reason_text, authority, asked, asked_name, "
        "question) "
        "VALUES (%s, %s, %s, %s, 'Person', now(), %s, '', '', '', '', '', '', '')",
        [item, unit, revision, by, outcome],
    )


def state(connection, item):
    return connection.execute(
        "SELECT outcome, revision FROM loglist.loglist_reviewitem WHERE id = %s", [item]
    ).fetchone()


def test_a_row_stands_as_the_last_decision_says(web, item):
    sbn = web("sbn")
    assert state(sbn, item) == ("", 0)
    decide(sbn, item)
    decide(sbn, item, revision=2, outcome="doubt")
    assert state(sbn, item) == ("doubt", 2)


@pytest.mark.parametrize("revision", [0, 1, 3])
def test_a_decision_follows_the_last_one_and_no_other(web, item, revision):
    sbn = web("sbn")
    decide(sbn, item)
    with pytest.raises(psycopg.errors.UniqueViolation):
        decide(sbn, item, revision=revision, outcome="doubt")
    assert state(sbn, item) == ("private", 1)


def test_nobody_decides_in_anothers_name(web, item):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        decide(web("sbn"), item, by="person:2")


@pytest.mark.parametrize("name", ["bun", "sbnchef", "ingen"])
@pytest.mark.parametrize("unit", ["sbn", "bun"])
def test_nobody_decides_for_another_unit(web, item, name, unit):
    number = {"bun": "2", "sbnchef": "9", "ingen": "4"}[name]
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.UniqueViolation)):
        decide(web(name), item, unit=unit, by=f"person:{number}")
    assert state(web("sbn"), item) == ("", 0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE loglist.loglist_reviewdecision SET outcome = 'registered'",
        "DELETE FROM loglist.loglist_reviewdecision",
        "UPDATE loglist.loglist_reviewitem SET outcome = 'registered'",
        "DELETE FROM loglist.loglist_reviewitem",
        "TRUNCATE loglist.loglist_reviewdecision",
        "INSERT INTO loglist.loglist_reviewitem (unit, outbox, sequence, accepted_at, direction, "
        "outcome, number, revision) "
        "VALUES ('sbn', gen_random_uuid(), 1, now(), 'in', 'private', '', 1)",
        "SELECT party FROM loglist.loglist_diaryprotected",
    ],
)
def test_what_was_decided_stays_and_protected_texts_are_kept(web, item, statement):
    sbn = web("sbn")
    decide(sbn, item)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sbn.execute(statement)


def test_how_far_the_log_is_read_is_the_workers_alone(web, item):
    sbn = web("sbn")
    assert sbn.execute("SELECT count(*) FROM loglist.loglist_bookmark").fetchone() == (0,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        sbn.execute("INSERT INTO loglist.loglist_bookmark VALUES (gen_random_uuid(), 1)")


def test_protected_texts_of_a_diary_are_written_and_taken_away(installation):
    from compliance.loglist.models import DiaryProtected, DiaryRow
    from compliance.loglist.work import worker

    with worker():
        row = DiaryRow.objects.create(unit="sbn", key="KS 2026/1", year=2026, serial=1)
        DiaryProtected.objects.bulk_create([DiaryProtected(row=row, unit="sbn", party="Hemlig")])
        with psycopg.connect(installation("owner")) as owner:
            kept = owner.execute("SELECT party FROM loglist.loglist_diaryprotected").fetchall()
        assert kept == [("Hemlig",)]
        DiaryRow.objects.all().delete()
        assert not DiaryProtected.objects.exists()
