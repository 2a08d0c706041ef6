"""Which letters belong together, and that nobody sees more of a conversation than is theirs."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from compliance.messagelog.entry import first_chain, link, new_seed, to_json
from compliance.messagelog.message_ids import MAX_REFERENCES, own, referred
from compliance.messagelog.reading import Identity, NotYoursError, Place, Reader, open_session

HOST = "mail.sjovalla.example"
START = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)


def id_of(name):
    return f"<{name}@x.example>"


class Letters:
    """Puts letters into a log, a day apart, and reads the conversation of one of them."""

    def __init__(self, dsn, make_entry):
        self.outbox = uuid.uuid4()
        self._make_entry = make_entry
        self._chain = first_chain(self.outbox)
        self._number = 0
        self._writer = psycopg.connect(dsn("writer"), autocommit=True)
        self._login = psycopg.connect(dsn("login"), autocommit=True)
        self._web = psycopg.connect(dsn("web"), autocommit=True)

    def close(self):
        for connection in (self._writer, self._login, self._web):
            connection.close()

    def send(self, subject, refers_to=(), *, unit="ks", version=4, **changes):
        """Log a letter by its subject, which is its id too; return its place."""
        self._number += 1
        ids = {
            "message_id": id_of(subject),
            "references": "\n".join(map(id_of, refers_to)) if version > 3 else None,
        }
        made = self._make_entry(
            accepted_at=START + timedelta(days=self._number),
            subject=subject,
            recipient_unit=unit,
            **ids | changes,
        )
        record = link(self._chain, self._number, made, new_seed(), version)
        self._chain = record.chain
        self._writer.execute(
            "SELECT log.append(%s, %s, %s)", [self.outbox, HOST, json.dumps([to_json(record)])]
        )
        return Place(made.accepted_at, str(self.outbox), self._number)

    def reader(self, *units, everything=False):
        who = Identity("person:1", "Åsa Ek", list(units), everything)
        return Reader(self._web, open_session(self._login, who, 60))

    def of(self, place, unit="ks", **more):
        """Return the subjects of a conversation."""
        rows = self.reader(unit).conversation(unit, place, **more)
        return [row["subject"] for row in rows]


@pytest.fixture
def letters(dsn, entry):
    made = Letters(dsn, entry)
    yield made
    made.close()


def test_a_conversation_is_found_from_each_of_its_letters(letters):
    places = [
        letters.send("question"),
        letters.send("answer", ["question"]),
        letters.send("thanks", ["question", "answer"]),
    ]
    letters.send("something else")
    for place in places:
        assert letters.of(place) == ["question", "answer", "thanks"]


def test_letters_belong_together_that_answer_one_that_the_log_has_not(letters):
    one = letters.send("one answer", ["unseen"])
    letters.send("another answer", ["unseen"])
    assert letters.of(one) == ["one answer", "another answer"]


def test_programs_that_name_only_the_letter_before_make_a_conversation_too(letters):
    names = ["a", "b", "c", "d", "e"]
    places = [letters.send(name, names[max(n - 1, 0) : n]) for n, name in enumerate(names)]
    assert letters.of(places[0]) == letters.of(places[-1]) == names


def test_an_entry_from_before_there_were_references_is_found_by_its_own_id(letters):
    old = letters.send("question", version=3)
    letters.send("answer", ["question"])
    assert letters.of(old) == ["question", "answer"]


def test_no_unit_sees_another_units_part_nor_is_led_on_by_it(letters):
    first = letters.send("ours", unit="ks")
    hidden = letters.send("theirs", ["ours", "elsewhere"], unit="bun")
    letters.send("ours too", ["elsewhere"], unit="ks")
    assert letters.of(first) == ["ours"]
    with pytest.raises(NotYoursError):
        letters.reader("ks").conversation("bun", hidden)
    assert letters.of(hidden, "ks") == []
    office = letters.reader(everything=True).conversation(None, first)
    assert [row["subject"] for row in office] == ["ours", "theirs", "ours too"]


def test_what_each_of_many_letters_answers_is_told_within_the_unit(letters):
    question = letters.send("question")
    letters.send("theirs", unit="bun")
    answer = letters.send("answer", ["unseen", "theirs", "question", "answer"])
    thanks = letters.send("thanks", ["question", "answer"])
    found = letters.reader("ks").answered("ks", [question, answer, thanks])
    told = [(one.sequence, one.answered_sequence, one.message_id) for one in found]
    assert told == [
        (3, 1, id_of("question")),
        (4, 1, id_of("question")),
        (4, 3, id_of("answer")),
    ]
    assert letters.reader("bun").answered("bun", [answer]) == []


def test_letters_without_an_id_do_not_belong_together(letters):
    one = letters.send("one", message_id="")
    letters.send("two", message_id="")
    assert letters.of(one) == []


def test_a_long_conversation_is_told_by_its_newest(letters):
    first = letters.send("0")
    for number in range(1, 8):
        letters.send(str(number), ["0"])
    assert letters.of(first, size=3) == ["5", "6", "7"]


def test_no_id_of_a_stranger_is_too_long_for_the_index(letters):
    hostile = [f"<{n}{'😀' * 5_000}>".encode() for n in range(100)]
    ids = referred(hostile, [])
    assert len(ids) == MAX_REFERENCES
    letters.send("question", message_id=ids[-1])
    place = letters.send("hostile", message_id=own(hostile), references="\n".join(ids))
    assert letters.of(place) == ["question", "hostile"]


def test_reading_a_conversation_leaves_its_trace(letters):
    place = letters.send("question")
    letters.send("answer", ["question"])
    letters.of(place)
    (trace,) = letters.reader(everything=True).trail(unit="ks")
    assert (trace.action, trace.rows, trace.filter["sequence"]) == ("entry", 2, place.sequence)
