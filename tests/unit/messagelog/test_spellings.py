"""An outcome finds its entry however the recipient was spelled, and no other entry."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from test_reconcile import Town, accepted, delivered, found

from compliance.messagelog import reconcile
from compliance.messagelog.reading import Filter, Identity, Reader, open_session

NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=6)
ANNA, BO = "anna@sjovalla.example", "bo@sjovalla.example"
POSTMASTER, ALL = "postmaster@sjovalla.example", "alla@sjovalla.example"


@pytest.fixture
def town(connect):
    made = Town(connect)
    made.followed(began=NOW - timedelta(days=30), until=NOW)
    return made


@pytest.fixture
def told(connect):
    """Say what the list tells of each recipient, and at which places."""

    def ask():
        token = open_session(connect("login"), Identity("person:1", "Åsa Ek", ["ks"]), 60)
        reader = Reader(connect("web"), token)
        rows = reader.page_with_outcomes(Filter(unit="ks"))
        return {row["recipient"]: row["outcome"] for row in rows}

    return ask


@pytest.mark.parametrize(
    ("entry", "to", "orig_to"),
    [
        (POSTMASTER, POSTMASTER, None),
        (POSTMASTER, POSTMASTER, "postmaster"),
        (POSTMASTER, POSTMASTER, "Postmaster"),
        (POSTMASTER, ANNA, "postmaster"),  # bare, and an alias
        (POSTMASTER, ANNA, POSTMASTER),
        (POSTMASTER, ANNA, f"{POSTMASTER}."),
        (ANNA, ANNA, f"{ANNA}."),
        (ANNA, ANNA, "sjovalla.example!anna"),
        ('"anna berg"@sjovalla.example', '"anna berg"@sjovalla.example', '"anna berg"'),
        ("postmaster", POSTMASTER, "postmaster"),  # as entries were before
    ],
)
def test_an_outcome_finds_its_entry_however_the_recipient_was_spelled(
    town, told, entry, to, orig_to
):
    town.logged("SPELLED", entry, at=OLD)
    assert told() == {entry: "unknown"}
    town.followed(until=NOW, deliveries=[delivered("SPELLED", to, orig_to=orig_to)])
    assert told() == {entry: "sent"}


@pytest.mark.parametrize(
    ("entries", "to", "orig_to", "whose"),
    [
        ((POSTMASTER, ANNA), ANNA, POSTMASTER, POSTMASTER),
        ((POSTMASTER, ANNA), ANNA, "postmaster", POSTMASTER),
        ((POSTMASTER, ANNA), ANNA, f"{POSTMASTER}.", POSTMASTER),
        ((POSTMASTER, ANNA), ANNA, None, ANNA),
        ((POSTMASTER, ANNA), ANNA, f"{ANNA}.", ANNA),
        ((POSTMASTER, "postmaster@x.example"), POSTMASTER, "postmaster", POSTMASTER),
        ((ALL, ANNA, BO), BO, ALL, ALL),
        ((ANNA, BO), "ks+sent@sjovalla.example", None, None),
    ],
)
def test_an_outcome_is_of_no_other_entry(town, told, entries, to, orig_to, whose):
    town.logged("SEVERAL", *entries, at=NOW - timedelta(minutes=1))
    town.followed(until=NOW, deliveries=[delivered("SEVERAL", to, orig_to=orig_to)])
    assert told() == {entry: "sent" if entry == whose else None for entry in entries}


def test_an_expanded_recipient_comes_from_the_entry_that_was_spelled_otherwise(town, connect):
    town.logged("LIST", "astrid@sjovalla.example", ALL)
    town.followed(
        until=NOW,
        deliveries=[
            delivered("LIST", ANNA, orig_to=f"{ALL}."),
            delivered("LIST", BO, orig_to="alla"),
            delivered("LIST", ALL, orig_to="alla"),
        ],
    )
    rows = connect("reader").execute("SELECT recipient, sequence FROM log.expanded ORDER BY 1")
    assert rows.fetchall() == [(ANNA, 2), (BO, 2)]


def test_an_address_probe_is_not_missing(connect):
    """Postfix asks another host whether an address is there; no milter sees that."""
    town = Town(connect)
    town.logged("QUEUEID1")
    town.drained()
    town.followed(accepted=[accepted("QUEUEID1"), accepted("PROBEID1"), accepted("PROBEID2")])
    assert found(town.check()) == [("missing", "PROBEID1"), ("missing", "PROBEID2")]
    town.followed(
        requeued=[{"queue_id": "PROBEID3", "original": "PROBEID2"}],
        probes=[{"queue_id": "PROBEID1"}, {"queue_id": "PROBEID3"}],
    )
    assert town.check().status == reconcile.AGREE


def test_reasons_to_refuse_are_so_many_a_day_and_no_more(town, connect):
    def refused(*numbers, day="2026-11-24"):
        events = [{"day": day, "reason": f"550 reason {n:03}"} for n in numbers]
        town.followed(until=NOW, refused=events)

    refused(*range(150))
    refused(*range(1000), 0)
    refused(0, 999, 999)
    refused(999, day="2026-11-25")
    rows = connect("reader").execute(
        "SELECT day::text, count(DISTINCT reason), sum(count) FROM log.refused"
        " GROUP BY 1 ORDER BY 1"
    )
    assert rows.fetchall() == [("2026-11-24", 201, 1154), ("2026-11-25", 1, 1)]
    told = dict(connect("reader").execute("SELECT reason, count FROM log.refused WHERE count > 1"))
    assert (told["550 reason 000"], told["other reasons"]) == (4, 802)


@pytest.mark.parametrize(
    ("begins", "known"), [("<" + "x" * 76 + "...", True), ("<" + "y" * 76 + "...", False)]
)
def test_a_long_message_id_that_dovecot_shortened_is_the_letters_own(connect, begins, known):
    """It was stored when its host died, and Postfix's words of it died too."""
    town = Town(connect)
    town.logged("QUEUEID1", message_id="<" + "x" * 900 + "@x.example>")
    town.drained()
    at = datetime(2026, 11, 24, 12, tzinfo=UTC).isoformat()
    told = {"session": "s1", "at": at, "recipient": ANNA, "message_id": begins}
    town.followed(accepted=[accepted("QUEUEID1")], stored=[told], boots=[{"ended_at": at}])
    assert found(town.check()) == ([] if known else [("unseen", "s1")])


def test_how_well_an_outcome_fits_is_a_part_of_the_question(town, connect):
    """It is not called row by row: a message may have a thousand recipients."""
    town.logged("SPELLED", POSTMASTER, ANNA)
    town.followed(until=NOW, deliveries=[delivered("SPELLED", ANNA, orig_to="postmaster")])
    owner = connect("owner")
    owner.execute("SET enable_seqscan = off")
    (plan,) = owner.execute(
        "EXPLAIN (ANALYZE, FORMAT JSON) SELECT FROM log.entry AS e JOIN log.delivery AS d"
        " ON d.queue_id = e.queue_id WHERE e.queue_id = 'SPELLED' AND NOT EXISTS ("
        " SELECT FROM log.entry AS n WHERE n.queue_id = e.queue_id AND n.host = e.host"
        " AND n.accepted_at = e.accepted_at AND log.fit(n.recipient, d.recipient, d.orig_to) < 3)"
    ).fetchone()
    assert "log.fit" not in json.dumps(plan)
