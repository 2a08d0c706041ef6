"""What a reader sees of the letters that belong together."""

import json
import uuid
from datetime import timedelta

import psycopg
import pytest
from messagelog.test_formats import HOSTILE
from messagelog.test_reading import HOST, OUTBOX, START

from compliance.messagelog.entry import first_chain, link, new_seed, to_json

OWN = uuid.uuid4()


@pytest.fixture(scope="module")
def threads(installation, entry):
    """A unit of its own: a question with two answers, a letter alone, and hostile ones."""
    told = [("fråga", "<f>", ""), ("svar", "<s>", "<f>"), ("tack", "<t>", "<f>\n<s>")]
    told += [("ensam", "<e>", "")]
    told += [(subject.replace("\x00", ""), "<h>", "") for subject in HOSTILE]
    chain, records = first_chain(OWN), []
    for number, (subject, message_id, references) in enumerate(told, 1):
        made = entry(
            accepted_at=START - timedelta(days=60 - number),
            subject=subject,
            message_id=message_id,
            references=references,
            recipient_unit="kult",
        )
        record = link(chain, number, made, new_seed())
        chain = record.chain
        records.append(to_json(record))
    with psycopg.connect(installation("writer"), autocommit=True) as writer:
        writer.execute("SELECT log.append(%s, %s, %s)", [OWN, HOST, json.dumps(records)])


def page_of(browser, sequence, unit="kult", outbox=OWN):
    return browser.get(f"/units/{unit}/{outbox}/{sequence}/conversation")


def test_an_entry_leads_to_its_conversation_oldest_first(visit, threads):
    browser = visit("chef")
    address = f"/units/kult/{OWN}/2"
    assert f'href="{address}/conversation"' in browser.get(address).content.decode()
    text = page_of(browser, 2).content.decode()
    places = [text.index(f"<bdi>{subject}</bdi></a>") for subject in ("fråga", "svar", "tack")]
    assert "ensam" not in text
    assert text.count("<tr>") == 4
    assert places == sorted(places)


def test_a_letter_alone_is_said_to_be_alone(visit, threads):
    assert "ingen annan e-post" in page_of(visit("chef"), 4).content.decode()


def test_hostile_letters_are_told_as_text(visit, threads):
    text = page_of(visit("chef"), 5).content.decode()
    assert text.count("<tr>") == len(HOSTILE) + 1
    assert "<script" not in text
    assert "⟦U+202E⟧" in text


def test_a_long_conversation_says_that_it_is_cut(visit, threads, monkeypatch):
    from compliance.loglist.views import entries

    monkeypatch.setattr(entries, "CONVERSATION", 2)
    text = page_of(visit("chef"), 1).content.decode()
    assert "Bara de 2 nyaste visas." in text
    assert text.count("<tr>") == 3


def test_a_conversation_ends_where_the_readers_unit_ends(visit):
    assert "Elevhälsan" not in page_of(visit("ks"), 1, "ks", OUTBOX).content.decode()
    assert page_of(visit("ks"), 2, "ks", OUTBOX).status_code == 404
    assert page_of(visit("ks"), 2, "bun", OUTBOX).status_code == 404
    assert page_of(visit("bun"), 2, "bun", OUTBOX).status_code == 200
