"""What the worker takes in: what each unit has to review, once, however often it is stopped."""

import json
import uuid

import psycopg
import pytest

from compliance.errors import UserError

from .test_faults import database_away

AUTHORITY_OF = {"sbn": "sbn", "sbf": "sbn", "kfn": "kfn", "kff": "kfn"}
# Direction, unit of the sender and of the recipient, label; and whose list it has to stand in.
MAIL = [
    ("in", None, "sbn", None, {"sbn"}),
    ("out", "kff", None, None, {"kff"}),
    ("internal", "sbn", "kfn", None, {"sbn", "kfn"}),
    ("internal", "sbn", "sbf", None, set()),
    ("internal", "kfn", "kfn", None, set()),
    ("internal", None, "kfn", None, set()),
    ("in", None, "sbn", "probe", set()),
    ("in", None, None, None, set()),
    ("internal", "sbn", "okand", None, {"sbn", "okand"}),
]


@pytest.fixture
def arrive(installation, entry):
    """Put mail into the log, by an outbox of its own; return the outbox."""
    from compliance.messagelog.entry import first_chain, link, to_json

    def add(mail=MAIL, subjects=(), times=()):
        outbox = uuid.uuid4()
        chain, records = first_chain(outbox), []
        for number, (direction, sender, recipient, label, _) in enumerate(mail, 1):
            more = {}
            if subjects:
                more = {"subject": subjects[number - 1], "accepted_at": times[number - 1]}
            made = entry(
                direction=direction,
                sender_unit=sender,
                recipient_unit=recipient,
                label=label,
                **more,
            )
            record = link(chain, number, made, bytes(32))
            chain = record.chain
            records.append(to_json(record))
        with psycopg.connect(installation("writer"), autocommit=True) as writer:
            writer.execute(
                "SELECT log.append(%s, %s, %s)",
                [outbox, "mail.sjovalla.example", json.dumps(records)],
            )
        return outbox

    return add


def taken_in(reader=None):
    from compliance.loglist import work

    with work.worker() as reader:
        return work.take_in(reader, AUTHORITY_OF)


def items(installation, outbox):
    with psycopg.connect(installation("owner")) as owner:
        rows = owner.execute(
            "SELECT sequence, unit FROM loglist.loglist_reviewitem WHERE outbox = %s", [outbox]
        ).fetchall()
    assert len(rows) == len(set(rows))
    return set(rows)


WANTED = {(number, unit) for number, (*_, units) in enumerate(MAIL, 1) for unit in units}


def test_a_unit_reviews_what_passed_its_authoritys_border(arrive, installation):
    outbox = arrive()
    assert taken_in() >= len(WANTED)
    assert items(installation, outbox) == WANTED


def test_nothing_is_taken_in_twice(arrive, installation):
    outbox = arrive()
    taken_in()
    assert taken_in() == 0
    with psycopg.connect(installation("owner"), autocommit=True) as owner:
        owner.execute("DELETE FROM loglist.loglist_bookmark")  # as after a restored backup
    taken_in()
    assert items(installation, outbox) == WANTED


@pytest.mark.parametrize("batches", [0, 1, 3])
def test_stopped_at_any_batch_it_goes_on_where_it_was(arrive, installation, monkeypatch, batches):
    from compliance.loglist import work

    taken_in()
    outbox = arrive()
    monkeypatch.setattr(work, "_BATCH", 2)
    store, left = work._store, batches

    def killed(*arguments):
        nonlocal left
        if not left:
            raise KeyboardInterrupt
        left -= 1
        return store(*arguments)

    monkeypatch.setattr(work, "_store", killed)
    with pytest.raises(KeyboardInterrupt):
        taken_in()
    before = items(installation, outbox)
    assert before == {(number, unit) for number, unit in WANTED if number <= 2 * batches}
    monkeypatch.setattr(work, "_store", store)
    assert taken_in() == len(WANTED - before)
    assert items(installation, outbox) == WANTED


def test_a_log_without_news_is_not_read(arrive, installation):
    taken_in()
    with psycopg.connect(installation("owner")) as owner:
        count = "SELECT count(*) FROM log.reading"
        before = owner.execute(count).fetchone()
        taken_in()
        assert owner.execute(count).fetchone() == before


def test_the_list_and_the_entry_tell_how_a_row_stands(arrive, visit):
    from compliance.loglist.models import ReviewDecision, ReviewItem
    from compliance.loglist.work import worker

    outbox = arrive([("in", None, "sbn", None, None), ("internal", "sbn", "sbf", None, None)])
    taken_in()
    browser = visit("sbn")
    assert "Att granska" in browser.get(f"/units/sbn/{outbox}/1").content.decode()
    assert "Att granska" not in browser.get(f"/units/sbn/{outbox}/2").content.decode()
    with worker() as reader:
        item = ReviewItem.objects.get(outbox=outbox)
        ReviewDecision.objects.create(
            item=item, unit="sbn", revision=1, outcome="registered", number="KS 2026/17",
            reviewer="worker", reviewer_name=reader.session().name, at=item.accepted_at,
        )  # fmt: skip
    for path in ("/units/sbn/", f"/units/sbn/{outbox}/1"):
        assert "Diarieförd: KS 2026/17" in browser.get(path).content.decode()
    browser.post("/language", {"language": "en", "next": "/"})
    text = browser.get(f"/units/sbn/{outbox}/1").content.decode()
    assert "Registered: KS 2026/17" in text


def test_the_command_says_how_many_rows_came(arrive, installation, monkeypatch):
    from typer.testing import CliRunner

    from compliance.loglist import work
    from compliance.loglist.commands import app

    monkeypatch.setattr(work, "authorities", lambda: AUTHORITY_OF)
    taken_in()
    arrive()
    told = CliRunner().invoke(app, ["work"]).output.splitlines()
    assert told[0] == f"{len(WANTED)} rows to review"
    assert CliRunner().invoke(app, ["work"]).output == ""


def test_the_command_says_that_the_database_is_away(visit, server, monkeypatch):
    from django.db import connections
    from typer.testing import CliRunner

    from compliance.loglist import work
    from compliance.loglist.commands import app

    monkeypatch.setattr(work, "authorities", lambda: AUTHORITY_OF)
    with database_away(server):
        told = CliRunner().invoke(app, ["work"])
    connections.close_all()  # a command is a process of its own; here it is that of other tests
    assert isinstance(told.exception, UserError)
    assert "PostgreSQL cannot be reached" in str(told.exception)
    assert "as kommunpost_web" in str(told.exception)
