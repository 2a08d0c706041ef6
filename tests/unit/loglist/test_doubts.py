"""A reviewer in doubt asks an official, who sees that question alone, answers, and no more."""

import re

import psycopg
import pytest
from messagelog.test_formats import HOSTILE

from compliance.directory.officials import Official

from .test_review import decide, left, rows, text_of  # noqa: F401 - fixtures
from .test_work import arrive  # noqa: F401

REVIEW, DOUBTS = "/units/sbn/review/", "/units/sbn/doubts/"
ASKED = Official("person:4", "Person 4", "ingen@sjovalla.example")
HOLDER = "registrator@sjovalla.example"


@pytest.fixture
def asks(visit, rows, monkeypatch):  # noqa: F811
    """Let a reviewer ask about a new row; return the number of the question."""
    from compliance.errors import UserError
    from compliance.loglist import doubts

    def look_up(address):
        if address == "borta@sjovalla.example":
            raise UserError.of("away")
        known = {HOLDER: ASKED, "bun@sjovalla.example": Official("person:2", "Två", address)}
        return known.get(address.strip())

    monkeypatch.setattr(doubts, "look_up", look_up)

    def ask(*subjects, asked=HOLDER, question="Vad gäller det?"):
        from compliance.loglist.models import ReviewDecision
        from compliance.loglist.work import worker

        chosen = rows(*(subjects or ["Om altanen"]))
        answer = decide(
            visit("sbn"), *chosen, outcome="doubt", asked=asked, question=question
        )  # fmt: skip
        assert answer.status_code == 302, text_of(answer)
        with worker():
            made = ReviewDecision.objects.filter(outcome="doubt").order_by("-id").first()
            return made.id

    return ask


def row_in_doubt(browser):
    (row,) = left(browser)
    return row


def read_rows(installation):
    with psycopg.connect(installation("owner")) as owner:
        return owner.execute(
            "SELECT reader, unit, rows FROM log.reading JOIN log.reading_page ON number = reading "
            "WHERE filter ->> 'what' = 'question'"
        ).fetchall()


def test_whoever_is_asked_sees_the_question_and_its_row_and_answers(asks, visit, installation):
    number = asks()
    before = read_rows(installation)
    official = visit("ingen")
    assert f"/questions/{number}" in text_of(official.get("/questions/"))
    text = text_of(official.get(f"/questions/{number}"))
    for told in ("Vad gäller det?", "Om altanen", "Person 7", "Samhällsbyggnadsnämnden", HOLDER):
        assert told in text, told
    assert read_rows(installation)[len(before) :] == [("person:4", "sbn", 1)]
    answer = official.post(
        f"/questions/{number}", {"kind": "matter", "matter": "KS 2026/17", "words": "Bygglov.\nJa."}
    )
    assert answer.status_code == 302
    told = text_of(official.get(answer["Location"]))
    assert "Det hör till ett ärende: KS 2026/17" in told
    assert "<textarea" not in told
    for page in (
        DOUBTS,
        re.search(r'href="(/units/sbn/[^"]+/1)"', text_of(visit("sbn").get(DOUBTS)))[1],
    ):
        text = text_of(visit("sbn").get(page))
        for said in (
            "Det hör till ett ärende: KS 2026/17",
            "Bygglov.</bdi><br><bdi>Ja.",
            "Person 4",
        ):
            assert said in text, said


def test_the_holder_of_each_rows_mailbox_is_asked_if_nobody_is_named(asks, visit):
    asks("Ett", "Två", asked="")
    assert text_of(visit("sbn").get(DOUBTS)).count("Person 4") == 2


def test_nothing_is_asked_without_an_own_question_but_the_usual_one(asks, visit):
    asks(question="")
    assert "Hör meddelandet till ett ärende" in text_of(visit("sbn").get(DOUBTS))


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("nagon@annan.example", "Ingen person har adressen nagon@annan.example"),
        ("<b>\u202e@x", "&lt;b&gt;⟦U+202E⟧@x"),
        ("borta@sjovalla.example", "Katalogen svarar inte"),
    ],
)
def test_only_a_person_of_the_directory_can_be_asked(asks, visit, rows, address, told):  # noqa: F811
    chosen = rows("Ett", "Två")
    browser = visit("sbn")
    answer = decide(browser, *chosen, outcome="doubt", asked=address)
    assert answer.status_code == 400
    assert told in text_of(answer)
    assert left(browser) == chosen
    assert "Ingen rad är tveksam" in text_of(browser.get(DOUBTS))


def test_a_function_mailbox_has_no_holder_so_somebody_is_named(asks, visit, rows, monkeypatch):  # noqa: F811
    from compliance.loglist import doubts

    monkeypatch.setattr(doubts, "look_up", lambda address: None)
    answer = decide(visit("sbn"), *rows("Ett"), outcome="doubt")
    assert answer.status_code == 400
    assert f"Ingen person har adressen {HOLDER}" in text_of(answer)


def test_without_an_account_to_send_letters_from_nobody_is_asked(visit, rows, monkeypatch):  # noqa: F811
    from django.conf import settings

    mute = settings.KOMMUNPOST.model_copy(update={"sender": None})
    monkeypatch.setattr(settings, "KOMMUNPOST", mute)
    chosen = rows("Ett")
    assert 'value="doubt"' not in text_of(visit("sbn").get(REVIEW))
    assert decide(visit("sbn"), *chosen, outcome="doubt", asked=HOLDER).status_code == 400


def test_a_doubt_ends_with_a_reason_with_or_without_an_answer(asks, visit):
    asks()
    browser = visit("sbn")
    row = row_in_doubt(browser)
    answer = decide(browser, row, outcome="private")
    assert answer.status_code == 400
    assert "Tveksamheten avslutas med ett motiverat utfall" in text_of(answer)
    answer = decide(browser, row, outcome="private", why="Bara en inbjudan\ntill kollegan.")
    assert answer.status_code == 302
    assert left(browser) == []
    assert "Ingen rad är tveksam" in text_of(browser.get(DOUBTS))


def test_another_can_be_asked_when_the_first_one_does_not_know(asks, visit):
    first = asks()
    browser = visit("sbn")
    answer = decide(browser, row_in_doubt(browser), outcome="doubt", asked="bun@sjovalla.example")
    assert answer.status_code == 302
    text = text_of(browser.get(DOUBTS))
    assert "Två" in text
    assert "Person 4" not in text
    page = text_of(visit("ingen").get(f"/questions/{first}"))
    assert "<textarea" not in page
    assert "Om altanen" not in page


def test_a_question_that_was_decided_takes_no_answer_and_shows_no_row(asks, visit, installation):
    number = asks()
    browser, official = visit("sbn"), visit("ingen")
    decide(browser, row_in_doubt(browser), outcome="private", why="Avgjort utan svar.")
    before = read_rows(installation)
    answer = official.post(f"/questions/{number}", {"kind": "private"})
    text = text_of(official.get(answer["Location"]))
    assert "Frågan är avgjord" in text
    assert "Om altanen" not in text
    assert read_rows(installation) == before
    assert "Avgjord utan svar" in text_of(official.get("/questions/"))


def test_a_second_click_leaves_the_first_answer(asks, visit):
    number = asks()
    official = visit("ingen")
    for kind in ("private", "negligible"):
        assert official.post(f"/questions/{number}", {"kind": kind}).status_code == 302
    text = text_of(official.get(f"/questions/{number}"))
    assert "Det är privat eller fackligt" in text
    assert "ringa" not in text


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "Välj ett svar"),
        ({"kind": "doubt"}, "Välj ett giltigt alternativ"),
        ({"kind": "matter"}, "Skriv diarienumret, eller vilket ärende det är"),
        ({"kind": "words", "words": " \n "}, "Skriv svaret"),
        ({"kind": "words", "words": "x" * 4001}, "4000"),
        ({"kind": "words", "words": "a\x00b"}, "Null"),
    ],
)
def test_an_answer_that_will_not_do_is_not_kept(asks, visit, fields, told):
    number = asks()
    answer = visit("ingen").post(f"/questions/{number}", fields)
    assert answer.status_code == 400
    assert told in text_of(answer)
    assert "Inget svar än" in text_of(visit("sbn").get(DOUBTS))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_questions_and_answers_stay_texts(asks, visit, hostile):
    text = hostile.replace("\x00", "") or "x"
    number = asks(text, question=text[:2000])
    official = visit("ingen")
    pages = [text_of(official.get(f"/questions/{number}")), text_of(official.get("/questions/"))]
    official.post(
        f"/questions/{number}", {"kind": "matter", "matter": text[:60], "words": text[:4000]}
    )
    pages += [text_of(official.get(f"/questions/{number}")), text_of(visit("sbn").get(DOUBTS))]
    for page in pages:
        assert "<script" not in page
        assert "\u202e" not in page
        assert not re.search(r"<(img|b|a href=.?javascript)\b", page)


# Whoever is not asked sees nothing, whatever they read or review.
@pytest.mark.parametrize("role", ["ks", "bun", "sbn", "ersattare", "sbnchef", "chef", None])
def test_the_question_is_for_nobody_else(asks, visit, installation, role):
    number = asks()
    before = read_rows(installation)
    browser = visit(role)
    for answer in (
        browser.get(f"/questions/{number}"),
        browser.post(f"/questions/{number}", {"kind": "private"}),
    ):
        assert answer.status_code == (302 if role is None else 404)
        assert "Om altanen" not in text_of(answer)
    assert "Om altanen" not in text_of(browser.get("/questions/"))
    assert read_rows(installation) == before
    assert "Inget svar än" in text_of(visit("sbn").get(DOUBTS))


@pytest.mark.parametrize("number", [0, 10**9, 2**63, 10**30])
def test_a_guessed_number_shows_nothing(asks, visit, number):
    asks()
    assert visit("ingen").get(f"/questions/{number}").status_code == 404


def test_whoever_is_asked_sees_nothing_of_the_unit(asks, visit):
    asks()
    official = visit("ingen")
    link = re.search(r'href="(/units/sbn/[^"]+/1)"', text_of(visit("sbn").get(DOUBTS)))[1]
    for page in ("/units/sbn/", REVIEW, DOUBTS, link, f"{link}/message"):
        answer = official.get(page)
        assert answer.status_code == 404, page
        assert "Om altanen" not in text_of(answer)


@pytest.mark.parametrize(
    ("role", "may"),
    [("sbn", True), ("sbnchef", True), ("chef", True), ("ks", False), ("ingen", False)],
)
def test_a_units_questions_are_for_its_readers(asks, visit, role, may):
    asks()
    answer = visit(role).get(DOUBTS)
    assert answer.status_code == (200 if may else 404)
    assert ("Om altanen" in text_of(answer)) is may


@pytest.fixture
def web(installation, visit):
    """Connect as the web, for somebody who is logged in."""
    with psycopg.connect(installation("web"), autocommit=True) as connection:

        def as_somebody(name):
            token = visit(name).session["token"]
            connection.execute("SELECT set_config('loglist.token', %s, false)", [token])
            return connection

        yield as_somebody


STATEMENTS = [
    "SELECT loglist.ask_question({})",
    "SELECT loglist.answer_question({}, 'private', '', '')",
    "INSERT INTO loglist.loglist_doubtanswer (doubt_id, unit, by, by_name, at, kind, matter, "
    "words) VALUES ({}, 'sbn', 'person:4', 'Person 4', now(), 'private', '', '')",
    'INSERT INTO loglist.loglist_doubtletter (doubt_id, unit, step, day, "to", message_id) '
    "VALUES ({}, 'sbn', 'head', now(), '', '')",
    "UPDATE loglist.loglist_doubtanswer SET words = ''",
    "DELETE FROM loglist.loglist_doubtanswer",
    "DELETE FROM loglist.loglist_doubtletter",
    "UPDATE loglist.loglist_doubtletter SET step = 'x'",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_database_lets_nobody_else_answer_and_nothing_change(asks, web, statement):
    number = asks()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        web("sbn").execute(statement.format(number))


def test_the_database_shows_whoever_is_asked_that_row_alone(asks, web, installation):
    number = asks()
    asked = web("ingen")
    for table in ("reviewitem", "reviewdecision", "doubtletter", "doubtanswer"):
        assert asked.execute(f"SELECT count(*) FROM loglist.loglist_{table}").fetchone() == (0,)
    (reading,) = asked.execute("SELECT loglist.ask_question(%s)", [number]).fetchone()
    token = asked.execute("SELECT loglist.token()").fetchone()[0]
    for statement in ("log.rows(%s, %s, 10)", "log.rows_of(%s, %s, '{}', '{}', '{}')"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            asked.execute(f"SELECT * FROM {statement}", [token, reading])
    other = web("sbn")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        other.execute("SELECT * FROM loglist.question_entry(%s)", [reading])


def test_the_database_wants_a_reason_for_ending_a_doubt(asks, web):
    asks()
    reviewer = web("sbn")
    (item, revision) = reviewer.execute(
        "SELECT id, revision + 1 FROM loglist.loglist_reviewitem WHERE outcome = 'doubt'"
    ).fetchone()
    statement = (
        "INSERT INTO loglist.loglist_reviewdecision (item_id, unit, revision, reviewer, "
        "reviewer_name, at, outcome, number, reason, reason_text, authority, asked, asked_name, "
        "question) VALUES (%s, 'sbn', %s, 'person:7', 'P', now(), 'private', '', %s, '', '', '', "
        "'', '')"
    )
    with pytest.raises(psycopg.errors.CheckViolation):
        reviewer.execute(statement, [item, revision, " "])
    reviewer.execute(statement, [item, revision, "Privat inbjudan."])
