"""A message that an administrator requeues (`postsuper -r`) is one message with one outcome."""

from datetime import UTC, datetime, timedelta

import pytest
from test_reconcile import Town, accepted, delivered

from compliance.messagelog import reconcile
from compliance.messagelog.reading import Filter, Identity, Reader, open_session

NOW = datetime.now(UTC)
CAME, REQUEUED, LATER = (NOW - timedelta(minutes=minutes) for minutes in (50, 40, 30))
ALL = "alla@sjovalla.example"
ANNA, BO, WRONG = (f"{name}@sjovalla.example" for name in ("anna", "bo", "fel"))
REQUEUE = {"queue_id": "SECOND", "original": "FIRST1", "at": REQUEUED.isoformat()}


@pytest.fixture
def town(connect):
    made = Town(connect)
    made.followed(began=NOW - timedelta(days=30), until=NOW)
    made.logged("FIRST1", ALL, at=CAME)
    return made


@pytest.fixture
def outcome(connect):
    """Say what the list tells of the message, and of which recipients."""

    def ask():
        token = open_session(connect("login"), Identity("person:1", "Åsa Ek", ["ks"]), 60)
        (row,) = Reader(connect("web"), token).page_with_outcomes(Filter(unit="ks"))
        return row["outcome"], [one.recipient for one in row["deliveries"]]

    return ask


def test_mail_that_waits_for_an_address_which_an_alias_had_no_longer_waits_for_it(town, outcome):
    """That is what requeueing is for: addresses are looked up anew."""
    town.followed(
        until=NOW,
        accepted=[accepted("FIRST1", at=CAME)],
        deliveries=[
            delivered("FIRST1", ANNA, orig_to=ALL, at=CAME),
            delivered("FIRST1", WRONG, orig_to=ALL, at=CAME, status="deferred"),
        ],
    )
    assert outcome() == ("deferred", [ANNA, WRONG])
    town.followed(until=NOW, requeued=[REQUEUE])
    assert outcome() == ("sent", [ANNA])
    town.followed(
        until=NOW, deliveries=[delivered("SECOND", BO, orig_to=ALL, at=LATER, status="deferred")]
    )
    assert outcome() == ("deferred", [ANNA, BO])
    town.followed(until=NOW, deliveries=[delivered("SECOND", BO, orig_to=ALL, at=LATER)])
    assert outcome() == ("sent", [ANNA, BO])


@pytest.mark.parametrize("at_once", [True, False])
def test_the_order_is_that_of_the_lines_however_many_are_stored_at_a_time(town, outcome, at_once):
    first = delivered("FIRST1", WRONG, orig_to=ALL, at=CAME, status="deferred")
    second = delivered("SECOND", BO, orig_to=ALL, at=LATER)
    if at_once:
        town.followed(until=NOW, requeued=[REQUEUE], deliveries=[first, second])
    else:
        town.followed(until=NOW, deliveries=[first])
        town.followed(until=NOW, requeued=[REQUEUE])
        town.followed(until=NOW, deliveries=[second])
    assert outcome() == ("sent", [BO])


def test_what_expires_after_that_expires_for_those_who_still_wait(town, outcome):
    waits = {"orig_to": ALL, "status": "deferred"}
    town.followed(
        until=NOW,
        requeued=[REQUEUE],
        deliveries=[
            delivered("FIRST1", WRONG, at=CAME, **waits),
            delivered("SECOND", BO, at=LATER, **waits),
        ],
    )
    town.followed(
        until=NOW,
        deliveries=[{"queue_id": "SECOND", "at": NOW.isoformat(), "status": "expired"}],
    )
    assert outcome() == ("expired", [BO])


def test_requeued_mail_that_a_rule_made_since_throws_away_is_told(town, outcome):
    """A technician who clears the queue of rubbish: a header check, then `postsuper -r ALL`."""
    town.followed(until=NOW, accepted=[accepted("FIRST1", at=CAME)], requeued=[REQUEUE])
    assert outcome() == (None, [])
    town.followed(until=NOW, withdrawn=[{"queue_id": "SECOND", "kind": "discarded"}])
    assert outcome() == ("discarded", [])
    town.drained(at=NOW)
    assert town.check(now=NOW, day=CAME.date()).status == reconcile.AGREE
