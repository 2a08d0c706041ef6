"""Reading by place, what became of mail, and what is new: the log list's own questions."""

import uuid

import psycopg
import pytest
from messagelog.test_reading import (  # noqa: F401
    HOST,
    OUTBOX,
    START,
    TRAFFIC,
    log,
    login,
    reader,
    subjects,
    web,
)

from compliance.messagelog.reading import Filter, NotYoursError, Place


def places(who, unit):
    return [Place.of(row) for row in who.page(Filter(unit=unit))]


def test_rows_are_read_by_their_places_and_leave_a_trace(reader):  # noqa: F811
    who = reader("ks", reader="person:77")
    wanted = places(who, "ks")[:2]
    assert subjects(who.rows_of("ks", wanted)) == ["Remiss om skolskjutsar", "SV: Byggloven"]
    trace = reader(everything=True).trail("ks")[0]
    assert (trace.reader, trace.action, trace.rows) == ("person:77", "list", 2)


def test_a_place_of_another_unit_gives_nothing(reader):  # noqa: F811
    others = places(reader("bun"), "bun")
    assert subjects(reader("ks").rows_of("ks", others)) == ["Remiss om skolskjutsar"]
    with pytest.raises(NotYoursError):
        reader("ks").rows_of("bun", others)


def test_a_row_tells_what_became_of_the_message(log, reader, entry):  # noqa: F811
    queue_id = entry().queue_id
    with log("owner").transaction():
        for status, reply in (("deferred", "451 vänta"), ("sent", "250 ok")):
            log("owner").execute(
                "INSERT INTO log.delivery (host, queue_id, at, recipient, orig_to, status, reply) "
                "VALUES (%s, %s, %s, 'KS@x.example', NULL, %s, %s)",
                [HOST, queue_id, START, status, reply],
            )
    rows = {row["subject"]: row for row in reader("ks").page_with_outcomes(Filter(unit="ks"))}
    (delivery,) = rows["Bygglov för altan"]["deliveries"]
    assert (delivery.status, delivery.reply) == ("sent", "250 ok")
    assert rows["Remiss om skolskjutsar"]["deliveries"] == []


def test_what_is_new_is_read_in_order_and_only_by_who_reads_everything(reader):  # noqa: F811
    all_of_it = reader(everything=True)
    assert all_of_it.heads() == {str(OUTBOX): len(TRAFFIC)}
    news = list(all_of_it.news(str(OUTBOX), 2, size=2))
    assert [row["sequence"] for row in news] == [3, 4, 5, 6, 7]
    assert list(all_of_it.news(str(uuid.uuid4()), 0)) == []
    for question in (lambda who: who.heads(), lambda who: list(who.news(str(OUTBOX), 0))):
        with pytest.raises(NotYoursError):
            question(reader("ks", "bun"))


def test_a_reading_of_a_list_gives_no_news(web, reader, login):  # noqa: F811
    token = login(everything=True)
    number = web.execute("SELECT log.ask(%s, 'list', '{}')", [token]).fetchone()[0]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        web.execute("SELECT log.news(%s, %s, %s, 0, 5)", [token, number, OUTBOX])
