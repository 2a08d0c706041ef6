"""The log against the mail hosts' records: each difference is named, and ordinary mail is none."""

import json
import uuid
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from conftest import make_entry
from test_log_commands import SETTINGS, run

from compliance.messagelog import reconcile
from compliance.messagelog.entry import first_chain, link, new_seed, to_json

HOST = "mail.sjovalla.example"
OUTBOX = uuid.UUID("7c1f2e0a-5b52-4b52-9a53-1d1f4c3b2a10")
DAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
NEXT_DAY = datetime(2026, 11, 25, 6, tzinfo=UTC)
ANNA = "anna@sjovalla.example"


class Town:
    """What milter, shipper and follower bring of one mail host."""

    def __init__(self, connect):
        self.connect = connect
        self.writer = connect("writer")
        self.tail = (0, first_chain(OUTBOX))
        self.cursor = None

    def logged(self, queue_id, *recipients, at=NOON, **changes):
        entries = [
            make_entry(queue_id=queue_id, recipient=recipient, accepted_at=at, **changes)
            for recipient in recipients or [ANNA]
        ]
        records = []
        for entry in entries:
            record = link(self.tail[1], self.tail[0] + 1, entry, new_seed())
            self.tail = (record.sequence, record.chain)
            records.append(to_json(record))
        self.writer.execute("SELECT log.append(%s, %s, %s)", [OUTBOX, HOST, json.dumps(records)])

    def drained(self, at=NEXT_DAY):
        self.writer.execute("SELECT log.drained(%s, %s)", [OUTBOX, at])

    def followed(self, until=NEXT_DAY, began=None, host=HOST, **events):
        kinds = (
            *("accepted", "requeued", "withdrawn", "removed", "deliveries", "stored", "refused"),
            *("boots", "probes", "held"),
        )
        given = {kind: events.get(kind, []) for kind in kinds}
        if self.cursor is None and began is None:
            began = NOON - timedelta(days=1)
        cursor = uuid.uuid4().hex
        self.writer.execute(
            "SELECT log.follow(%s, %s, %s, %s, %s, '{}', %s)",
            [host, self.cursor, cursor, began, until, json.dumps(given)],
        )
        self.cursor = cursor

    def check(self, now=NEXT_DAY, day=DAY):
        with self.connect("reader") as reader:
            return reconcile.reconcile(reader, day, now)


@pytest.fixture
def town(connect):
    return Town(connect)


def accepted(queue_id, at=NOON, recipients=1):
    moment = at + timedelta(milliseconds=20)
    return {"queue_id": queue_id, "at": moment.isoformat(), "recipients": recipients}


def delivered(queue_id, recipient=ANNA, at=NOON, session=None, orig_to=None, status="sent"):
    return {
        "queue_id": queue_id,
        "at": at.isoformat(),
        "recipient": recipient,
        "orig_to": orig_to,
        "status": status,
        "session": session,
    }


def stored(session, recipient=ANNA, at=NOON, message_id=None):
    told = {"session": session, "at": at.isoformat(), "recipient": recipient}
    return told if message_id is None else {**told, "message_id": message_id}


def found(result):
    return [(one.kind, one.queue_id or one.session) for one in result.differences]


def test_ordinary_mail_agrees(town):
    town.logged("QUEUEID1")
    town.drained()
    town.followed(
        accepted=[accepted("QUEUEID1")],
        deliveries=[delivered("QUEUEID1", session="s1")],
        stored=[stored("s1")],
    )
    result = town.check()
    assert (result.status, result.accepted, result.logged) == (reconcile.AGREE, 1, 1)
    assert (result.differences, result.waiting, result.gaps) == ((), (), ())


def test_mail_that_is_not_in_the_log_is_named(town):
    town.logged("QUEUEID1")
    town.drained()
    town.followed(
        accepted=[accepted("QUEUEID1"), accepted("QUEUEID2")],
        deliveries=[delivered("QUEUEID2", "bo@sjovalla.example")],
    )
    result = town.check()
    assert found(result) == [("missing", "QUEUEID2")]
    assert result.differences[0].recipients == ("bo@sjovalla.example",)
    assert result.status == reconcile.MISSING
    assert any("QUEUEID2" in line for line in reconcile.as_text(result))
    assert reconcile.as_json(result)["differences"][0]["queue_id"] == "QUEUEID2"


def test_a_host_without_any_log_is_found_out(town):
    town.followed(accepted=[accepted("QUEUEID1")])
    assert found(town.check()) == [("missing", "QUEUEID1")]


def test_a_log_without_any_hosts_records_does_not_agree(town, dsn, connect, monkeypatch, tmp_path):
    text = SETTINGS + f"log: {{dsn: '{dsn('reader')}'}}\n"
    done = run(monkeypatch, tmp_path, text, "reconcile", "--day", "2026-11-24")
    assert done.exit_code == reconcile.INCOMPLETE
    assert "there are no records of a mail host to compare with" in done.stdout
    noted = "SELECT reconciled FROM log.store_health()"
    assert connect("reader").execute(noted).fetchone() == (None,), "nothing was compared"


def test_a_day_before_the_first_record_does_not_agree_and_a_quiet_one_after_it_does(town):
    town.followed(began=NOON, until=NEXT_DAY)
    assert town.check(day=DAY - timedelta(days=1)).status == reconcile.INCOMPLETE
    assert town.check(day=DAY).status == reconcile.AGREE


def test_a_day_that_has_just_begun_agrees_before_its_first_record(town):
    town.followed(until=NEXT_DAY)
    just_begun = datetime(2026, 11, 25, 0, 0, 1, tzinfo=UTC)
    assert town.check(now=just_begun, day=just_begun.date()).status == reconcile.AGREE


def test_what_still_waits_in_the_outbox_is_not_missing_but_not_compared(town):
    town.logged("QUEUEID1")
    town.drained(at=NOON)
    town.followed(accepted=[accepted("QUEUEID1"), accepted("QUEUEID2")])
    result = town.check()
    assert (found(result), len(result.waiting)) == ([], 1)
    assert result.status == reconcile.INCOMPLETE
    assert town.check(now=NOON + timedelta(hours=1)).status == reconcile.AGREE


def test_what_postfix_never_accepted_is_named_and_told_apart(town):
    town.logged("QUEUEID1")
    town.drained()
    town.followed()
    result = town.check()
    assert found(result) == [("never_accepted", "QUEUEID1")]
    assert result.status == reconcile.ONLY_LOGGED


def test_what_was_just_logged_may_still_be_accepted(town):
    town.logged("QUEUEID1")
    town.followed(until=NOON + timedelta(minutes=5))
    result = town.check(now=NOON + timedelta(minutes=5))
    assert (found(result), len(result.waiting)) == ([], 1)
    assert result.status == reconcile.AGREE


def test_what_dovecot_got_past_postfix_or_past_the_milter_is_named(town):
    town.logged("QUEUEID1")
    town.drained()
    town.followed(
        accepted=[accepted("QUEUEID1"), accepted("QUEUEID2")],
        deliveries=[delivered("QUEUEID1", session="s1"), delivered("QUEUEID2", session="s2")],
        stored=[stored("s1"), stored("s2"), stored("s3", "bo@sjovalla.example")],
    )
    result = town.check()
    assert found(result) == [("missing", "QUEUEID2"), ("unseen", "QUEUEID2"), ("unseen", "s3")]
    assert result.differences[2].recipients == ("bo@sjovalla.example",)


def lost_with_the_host(town, *, died=NOON, message_id="<1@omvarlden.example>", postfix=()):
    """Dovecot stored a letter that the log has; Postfix's words of it are only those given."""
    town.logged("QUEUEID1")  # <1@omvarlden.example>
    town.drained()
    town.followed(
        accepted=[accepted("QUEUEID1")],
        deliveries=list(postfix),
        stored=[stored("s1", message_id=message_id)],
        boots=[{"ended_at": died.isoformat()}] if died else [],
    )
    return found(town.check())


def test_a_letter_is_known_by_its_id_if_postfix_could_not_tell_before_the_host_died(
    town,
):
    assert lost_with_the_host(town, died=NOON + timedelta(milliseconds=3)) == []
    assert town.check().status == reconcile.AGREE


@pytest.mark.parametrize(
    "case",
    [
        {"died": None},
        {"died": NOON + timedelta(minutes=2)},
        {"message_id": "<another@omvarlden.example>"},
        {"message_id": None},
    ],
)
def test_a_message_id_alone_explains_nothing(town, case):
    assert lost_with_the_host(town, **case) == [("unseen", "s1")]


def test_what_postfix_itself_ties_to_mail_that_is_not_logged_no_id_explains(town):
    told = [delivered("QUEUEID2", session="s1")]
    assert lost_with_the_host(town, postfix=told) == [("unseen", "QUEUEID2")]


def test_lists_aliases_and_copies_are_rows_of_their_own_and_no_difference(town, connect):
    town.logged("QUEUEID1", "alla@sjovalla.example", "Astrid@sjovalla.example")
    town.drained()
    town.followed(
        accepted=[accepted("QUEUEID1", recipients=4)],
        deliveries=[
            delivered("QUEUEID1", "anna@sjovalla.example", orig_to="alla@sjovalla.example"),
            delivered("QUEUEID1", "bo@sjovalla.example", orig_to="alla@sjovalla.example"),
            delivered("QUEUEID1", "astrid@sjovalla.example"),
            delivered("QUEUEID1", "ks+sent@sjovalla.example"),
        ],
    )
    assert town.check().status == reconcile.AGREE
    rows = connect("reader").execute(
        "SELECT kind, recipient, sequence FROM log.expanded ORDER BY recipient"
    )
    assert rows.fetchall() == [
        ("expanded", "anna@sjovalla.example", 1),
        ("expanded", "bo@sjovalla.example", 1),
        ("expanded", "ks+sent@sjovalla.example", 1),
    ]


def test_mail_over_midnight_agrees_on_both_days(town):
    last = datetime(2026, 11, 24, 23, 59, 59, 995_000, tzinfo=UTC)
    town.logged("QUEUEID1", at=last)
    town.drained(at=NEXT_DAY + timedelta(days=1))
    town.followed(
        until=NEXT_DAY + timedelta(days=1),
        accepted=[accepted("QUEUEID1", at=last)],
        deliveries=[
            delivered("QUEUEID1", at=last, status="deferred"),
            delivered("QUEUEID1", at=NEXT_DAY, session="s1"),
        ],
        stored=[stored("s1", at=NEXT_DAY)],
    )
    assert town.check().status == reconcile.AGREE
    after = town.check(day=DAY + timedelta(days=1), now=NEXT_DAY + timedelta(days=1))
    assert after.status == reconcile.AGREE


def test_mail_deferred_for_days_is_known_when_it_arrives(town):
    town.logged("QUEUEID1", at=NOON - timedelta(days=4))
    town.drained()
    town.followed(
        began=NOON - timedelta(days=5),
        accepted=[accepted("QUEUEID1", at=NOON - timedelta(days=4))],
        deliveries=[delivered("QUEUEID1", session="s1")],
        stored=[stored("s1")],
    )
    assert town.check().status == reconcile.AGREE


@pytest.mark.parametrize("step", [timedelta(hours=-5), timedelta(days=-40), timedelta(days=3)])
def test_a_clock_that_steps_makes_no_difference(town, step):
    town.logged("QUEUEID1", at=NOON + step)
    town.drained()
    town.followed(accepted=[accepted("QUEUEID1")])
    assert found(town.check()) == []


def test_a_clock_that_was_ahead_for_a_while_hides_no_gap_afterwards(town):
    """A year ahead for some minutes, and then set: what was said meanwhile is no longer so."""
    ahead = NOON + timedelta(days=365)
    town.followed(until=ahead)
    town.followed(until=NOON)
    town.logged("QUEUEID1", at=NOON + timedelta(hours=1))
    town.drained()
    result = town.check()
    assert result.gaps == (reconcile.Gap(HOST, NOON, None),)
    assert (found(result), result.status) == ([], reconcile.INCOMPLETE)


def test_a_clock_that_was_ahead_for_a_while_makes_nothing_missing_that_waits(town):
    ahead = NOON + timedelta(days=365)
    town.logged("QUEUEID1")
    town.drained(at=ahead)
    town.drained(at=NOON)
    town.followed(accepted=[accepted("QUEUEID1"), accepted("QUEUEID2")])
    result = town.check()
    assert (found(result), result.status) == ([], reconcile.INCOMPLETE)
    rows = town.writer.execute("SELECT shipped_until FROM log.host_health()").fetchall()
    assert rows == [(NOON,)], "so that `log health` sees a shipper that stands"


def test_requeued_held_discarded_and_refused_mail_is_no_difference(town):
    town.logged("QUEUEID1")  # requeued twice
    town.logged("QUEUEID2")  # held: never active yet
    town.logged("QUEUEID3")  # discarded after the milter
    town.drained()
    town.followed(accepted=[accepted("QUEUEID1"), accepted("QUEUEID2")])
    town.followed(
        requeued=[{"queue_id": "QUEUEIDX", "original": "QUEUEID1"}],
        accepted=[accepted("QUEUEIDX")],
        withdrawn=[
            {"queue_id": "QUEUEID3", "kind": "discarded"},
            {"queue_id": "QUEUEID4", "kind": "refused"},  # held by a header, then refused
        ],
        deliveries=[delivered("QUEUEIDX", session="s1")],
        stored=[stored("s1")],
    )
    town.followed(
        requeued=[{"queue_id": "QUEUEIDY", "original": "QUEUEIDX"}],
        accepted=[accepted("QUEUEIDY"), accepted("QUEUEID4")],
    )
    assert town.check().status == reconcile.AGREE


def test_a_journal_that_was_not_read_is_told(town):
    town.logged("QUEUEID1")
    town.drained()
    town.followed(until=NOON, accepted=[accepted("QUEUEID1")])
    result = town.check()
    assert result.status == reconcile.INCOMPLETE
    assert result.gaps == (reconcile.Gap(HOST, NOON, None),)
    town.followed(began=NOON + timedelta(hours=2))
    assert town.check().gaps == (reconcile.Gap(HOST, NOON, NOON + timedelta(hours=2)),)
    assert any("was not read" in line for line in reconcile.as_text(town.check()))


def test_a_host_whose_journal_nobody_reads_is_told(town):
    town.logged("QUEUEID1")
    town.drained()
    result = town.check()
    assert [gap.host for gap in result.gaps] == [HOST]
    assert result.status == reconcile.INCOMPLETE


def test_two_followers_of_one_host_cannot_both_go_on(town):
    town.followed()
    late = Town(town.connect)
    with pytest.raises(psycopg.errors.DataException, match="another place"):
        late.followed()


def test_what_became_of_a_message_goes_with_its_last_entry(town, connect):
    town.logged("QUEUEID1")
    town.followed(
        accepted=[accepted("QUEUEID1")],
        deliveries=[delivered("QUEUEID1", session="s1")],
        stored=[stored("s1")],
    )
    owner = connect("owner")
    for table in ("delivery", "accepted"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute(f"DELETE FROM log.{table}")
    statement = "INSERT INTO log.statement VALUES (1, NULL, '{}', %s)"
    owner.execute(statement, [bytes(64)])
    owner.execute(
        "INSERT INTO log.tombstone SELECT outbox_id, sequence, digest, chain, 1 FROM log.entry"
    )
    owner.execute("DELETE FROM log.entry")
    for table in ("delivery", "accepted", "stored"):
        assert owner.execute(f"SELECT count(*) FROM log.{table}").fetchone() == (0,)
