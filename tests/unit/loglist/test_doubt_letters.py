"""Whoever is asked gets a letter at once, a reminder, and their head hears of it: each once."""

import re
from datetime import timedelta

import psycopg
import pytest

from compliance.errors import UserError
from compliance.watch.reminders import Recipient

from .test_doubts import ASKED, DOUBTS, asks, row_in_doubt  # noqa: F401
from .test_review import decide, rows, text_of  # noqa: F401
from .test_work import arrive  # noqa: F401

HEAD = Recipient("forvaltningschef@sjovalla.example", "Förvaltningschefen")


class Post:
    """Takes letters in the place of Postfix, and runs the worker."""

    def __init__(self):
        self.taken, self.refuses, self.here = [], set(), True

    def send(self, sender, letter):
        if letter.to in self.refuses:
            raise UserError.of("not taken", letter.to)
        self.taken.append(letter)

    def run(self, after=timedelta()):
        """Let the worker run, so long after now; return to whom it wrote."""
        from django.utils import timezone

        from compliance.loglist.doubt_letters import send_due
        from compliance.loglist.work import worker

        before = len(self.taken)
        with worker():
            sent = send_due(timezone.now() + after)
        assert sent == len(self.taken) - before
        return [letter.to for letter in self.taken[before:]]


@pytest.fixture
def post(asks, monkeypatch):  # noqa: F811
    from compliance.loglist import doubt_letters

    post = Post()
    monkeypatch.setattr(doubt_letters, "send", post.send)
    monkeypatch.setattr(doubt_letters, "unit_names", lambda: {"sbn": "Samhällsbyggnadsnämnden"})
    directory = doubt_letters.Directory
    monkeypatch.setattr(directory, "official", lambda _, person: ASKED if post.here else None)
    monkeypatch.setattr(directory, "head", lambda _, unit: HEAD)
    return post


def test_the_question_goes_out_at_once_with_a_link_and_nothing_of_the_message(asks, post, visit):  # noqa: F811
    number = asks("Om Åsa Eks sjukdom", question="Är hon sjuk?")
    assert post.run() == [ASKED.address]
    (letter,) = post.taken
    link = f"https://loggningslista.intranat.sjovalla.example/questions/{number}"
    for told in (link, "Hej Person 4!", "Person 7", "2 mars 2026 klockan 10.00", "inkommande"):
        assert told in letter.body, told
    for kept in ("sjuk", "Åsa", "medborgare@omvarlden.example", "registrator@"):
        assert kept not in letter.subject + letter.body, kept
    assert visit("ingen").get(f"/questions/{number}").status_code == 200
    assert re.search(r"Fråga\s+<time", text_of(visit("sbn").get(DOUBTS)))
    assert post.run() == []


def test_the_official_is_reminded_and_then_the_head_is_told_once(asks, post, visit):  # noqa: F811
    asks()
    by_day = [post.run(timedelta(days=day)) for day in range(20)]
    assert all(len(letters) <= 1 for letters in by_day)
    assert [to for letters in by_day for to in letters] == [
        ASKED.address, ASKED.address, HEAD.address
    ]  # fmt: skip
    assert "/units/sbn/doubts/" in post.taken[-1].body
    assert len({letter.message_id for letter in post.taken}) == 3
    text = text_of(visit("sbn").get(DOUBTS))
    assert "Påminnelse" in text
    assert "Till chefen" in text


@pytest.mark.parametrize("ending", ["answer", "decision"])
def test_no_letter_goes_out_when_the_question_is_answered_or_decided(asks, post, visit, ending):  # noqa: F811
    number = asks()
    post.run()
    if ending == "answer":
        visit("ingen").post(f"/questions/{number}", {"kind": "private"})
    else:
        decide(visit("sbn"), row_in_doubt(visit("sbn")), why="Avgjord.")
    assert [post.run(timedelta(days=day)) for day in range(1, 15)] == [[]] * 14


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_a_letter_the_worker_leaves_none_out(asks, post, monkeypatch, when):  # noqa: F811
    from compliance.loglist import doubt_letters

    asks("Ett", "Två", "Tre")
    place, count = {"before": "send", "after": "DoubtLetter"}[when], []
    kept = getattr(doubt_letters, place)

    class Killed:
        """Ends the worker at the second letter: before it is sent, or before it is noted."""

        def __init__(self):
            self.objects = self

        def __call__(self, *arguments):
            self._strike()
            kept(*arguments)

        def create(self, **fields):
            self._strike()
            kept.objects.create(**fields)

        def _strike(self):
            count.append(1)
            if len(count) == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(doubt_letters, place, Killed())
    with pytest.raises(KeyboardInterrupt):
        post.run()
    monkeypatch.setattr(doubt_letters, place, kept)
    again = len(post.run())
    sent = [letter.message_id for letter in post.taken]
    assert len(set(sent)) == 3
    assert (again, len(sent)) == {"before": (2, 3), "after": (2, 4)}[when]
    assert post.run() == []


def test_a_letter_that_is_not_taken_stops_no_other_and_is_tried_again(asks, post):  # noqa: F811
    asks()
    post.refuses = {ASKED.address}
    with pytest.raises(UserError):
        post.run()
    post.refuses = set()
    assert post.run() == [ASKED.address]


def test_two_workers_at_once_send_each_letter_once(asks, post, installation):  # noqa: F811
    asks()
    with psycopg.connect(installation("web"), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtext('loglist.doubt_letters'))")
        assert post.run() == []
        # A connection that is closed lets go of its lock only when the server gets to it.
        other.execute("SELECT pg_advisory_unlock(hashtext('loglist.doubt_letters'))")
    assert post.run() == [ASKED.address]


def test_of_somebody_who_has_left_the_head_is_told_once(asks, post):  # noqa: F811
    asks()
    post.here = False
    assert post.run() == [HEAD.address]
    assert [post.run(timedelta(days=day)) for day in range(1, 15)] == [[]] * 14
