"""What a reader sees of a message of which nobody can know what became of it."""

import csv
import json
import uuid
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from compliance.messagelog.entry import first_chain, link, new_seed, to_json

UNIT, HOST, OUTBOX = "arkiv", "mx2.sjovalla.example", uuid.uuid4()
NOW = datetime.now(UTC)
DIED = NOW - timedelta(hours=2)
# The sequence of each message, and when it came.
CAME = {"overdue": NOW - timedelta(days=6), "crash": DIED, "new": NOW - timedelta(minutes=1)}


@pytest.fixture(scope="module", autouse=True)
def messages(installation, entry):
    """A unit's mail, on a host of its own that died once."""
    chain, records = first_chain(OUTBOX), []
    for number, at in enumerate(CAME.values(), 1):
        made = entry(
            accepted_at=at, host=HOST, queue_id=f"UNKNOWN{number}", recipient_unit=UNIT,
            subject="\u202e<script>alert(1)</script>",
        )  # fmt: skip
        record = link(chain, number, made, new_seed())
        chain = record.chain
        records.append(to_json(record))
    with psycopg.connect(installation("writer"), autocommit=True) as writer:
        writer.execute("SELECT log.append(%s, %s, %s)", [OUTBOX, HOST, json.dumps(records)])
        writer.execute(
            "SELECT log.follow(%s, NULL, 'c', %s, %s, '{}', %s)",
            [HOST, DIED, NOW, json.dumps({"boots": [{"ended_at": DIED.isoformat()}]})],
        )


def test_the_list_calls_it_unknown_and_not_what_may_still_come(visit):
    _, _, *rows = visit("chef").get(f"/units/{UNIT}/").content.decode().split("<tr>")
    assert ["Okänt" in row for row in rows] == [False, True, True]
    assert ["Ännu inte känt" in row for row in rows] == [True, False, False]


@pytest.mark.parametrize(
    ("sequence", "said"),
    [(1, "högst fem dygn"), (2, "stannade ungefär när"), (3, "Ännu inte känt")],
)
def test_the_entrys_page_says_why(visit, sequence, said):
    text = visit("chef").get(f"/units/{UNIT}/{OUTBOX}/{sequence}").content.decode()
    sentences = ("högst fem dygn", "stannade ungefär när", "Ännu inte känt")
    assert [sentence for sentence in sentences if sentence in text] == [said]


def test_the_file_that_is_fetched_says_so(visit):
    answer = visit("chef").get(f"/units/{UNIT}/export.csv")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert [row["outcome"] for row in csv.DictReader(lines, delimiter=";")] == [
        "",
        "unknown",
        "unknown",
    ]


@pytest.mark.parametrize(
    ("event", "word", "said"),
    [
        ({"removed": [{"queue_id": "GONE", "at": DIED.isoformat()}]}, "Borttaget ur kön",
         "En tekniker tog bort meddelandet"),
        ({"withdrawn": [{"queue_id": "GONE", "kind": "refused"}]}, "Avvisat",
         "tog ändå inte emot meddelandet"),
        ({"withdrawn": [{"queue_id": "GONE", "kind": "discarded"}]}, "Kastat",
         "kastade meddelandet enligt sina regler"),
        ({"held": [{"queue_id": "GONE", "at": DIED.isoformat(), "is_held": True}]},
         "Hålls kvar i kön", "tills en tekniker släpper fram det"),
    ],
)  # fmt: skip
def test_what_was_withdrawn_is_told(visit, installation, entry, event, word, said):
    """unit, host and outbox are each test's own."""
    unit, host, outbox = uuid.uuid4().hex, f"{uuid.uuid4().hex}.example", uuid.uuid4()
    made = entry(accepted_at=DIED, host=host, queue_id="GONE", recipient_unit=unit)
    with psycopg.connect(installation("writer"), autocommit=True) as writer:
        record = to_json(link(first_chain(outbox), 1, made, new_seed()))
        writer.execute("SELECT log.append(%s, %s, %s)", [outbox, host, json.dumps([record])])
        writer.execute(
            "SELECT log.follow(%s, NULL, 'c', %s, %s, '{}', %s)",
            [host, DIED, NOW, json.dumps(event)],
        )
    browser = visit("chef")
    assert word in browser.get(f"/units/{unit}/").content.decode()
    assert said in browser.get(f"/units/{unit}/{outbox}/1").content.decode()
