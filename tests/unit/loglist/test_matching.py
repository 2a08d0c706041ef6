"""What the program finds in a unit's diary by itself, and what it leaves to a person."""

# ruff: noqa: F811 - fixtures are named as those that they are imported from

import json
import re
import uuid
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from compliance.clock import SWEDEN

from .test_diary import ROWS, hand_over, stored, text, unit  # noqa: F401

DAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def arrive(installation, entry, unit):
    """Put letters to the unit into the log and take them in; return their outbox."""

    def add(*subjects, day=DAY, **more):
        from compliance.loglist import work
        from compliance.messagelog.entry import first_chain, link, to_json

        outbox = uuid.uuid4()
        chain, records = first_chain(outbox), []
        for number, subject in enumerate(subjects, 1):
            values = {
                "direction": "in",
                "recipient_unit": unit,
                "sender_unit": None,
                "accepted_at": day + timedelta(minutes=number),
                "from_address": "asa.oberg@post.example",
                "from_text": "Åsa Öberg <asa.oberg@post.example>",
                "message_id": f"<{uuid.uuid4().hex}@post.example>",
            } | more
            record = link(chain, number, entry(subject=subject, **values), bytes(32))
            chain = record.chain
            records.append(to_json(record))
        with psycopg.connect(installation("writer"), autocommit=True) as writer:
            writer.execute(
                "SELECT log.append(%s, %s, %s)",
                [outbox, "mail.sjovalla.example", json.dumps(records)],
            )
        with work.worker() as reader:
            work.take_in(reader, {})
        return outbox

    return add


def match():
    from compliance.loglist import matching, work

    with work.worker() as reader:
        return matching.match_units(reader)


@pytest.fixture
def standing(stored):
    """Read how the unit's rows stand, the oldest first."""
    return lambda: stored("outcome, number, revision", "reviewitem", "id")


def test_what_is_certain_is_registered_by_the_program(arrive, hand_over, standing, stored):
    hand_over()
    arrive("Bullret MBN 2026/12", "Erbjudande till kommuner")
    found = match()
    assert (found.decided, standing()) == (1, [("registered", "MBN 2026/12", 1), ("", "", 0)])
    assert stored("reviewer, reviewer_name", "reviewdecision", "id") == [("worker", "Kommunpost")]


def test_what_is_less_certain_is_suggested_with_reasons(arrive, hand_over, standing, stored):
    hand_over()
    arrive("buller", from_address="x7@post.example", from_text="x7@post.example")
    found = match()
    assert (found.decided, found.suggested, standing()) == (0, 1, [("", "", 0)])
    (rank, certain, reasons), *others = stored("rank, is_certain, reasons", "diarymatch", "rank")
    assert (rank, certain, len(others) < 3) == (1, False, True)
    assert any("nämner" in reason["sv"] for reason in reasons)
    assert all(reason["en"] for reason in reasons)


def test_a_diary_that_comes_later_is_held_against_what_is_left(arrive, hand_over, standing):
    arrive("Bullret MBN 2026/12")
    assert match().decided == 0
    hand_over()
    assert match().decided == 1
    assert standing() == [("registered", "MBN 2026/12", 1)]


def test_a_second_run_changes_nothing(arrive, hand_over, stored):
    hand_over()
    arrive("Bullret MBN 2026/12", "avloppet", "buller")
    match()
    before = [stored("id", table, "id") for table in ("diarymatch", "reviewdecision")]
    assert match().decided == 0
    hand_over()  # the same export once more, which makes it look again
    match()
    assert [stored("id", table, "id") for table in ("diarymatch", "reviewdecision")] == before


def test_what_a_person_has_decided_stands(arrive, hand_over, standing, visit, unit):
    from compliance.loglist.login import read_as
    from compliance.loglist.models import ReviewDecision, ReviewItem

    arrive("Bullret MBN 2026/12", "Bullret igen MBN 2026/12")
    token = visit("granskare").session["token"]
    read_as(token)
    for outcome, item in zip(
        ("private", "doubt"), ReviewItem.objects.filter(unit=unit).order_by("id"), strict=True
    ):
        ReviewDecision.objects.create(
            item=item, unit=unit, revision=1, reviewer="person:21", reviewer_name="x",
            at=datetime.now(UTC), outcome=outcome,
        )  # fmt: skip
    hand_over()
    assert match().decided == 0
    assert standing() == [("private", "", 1), ("doubt", "", 1)]


def test_a_record_is_given_to_one_letter_also_in_another_run(arrive, hand_over, standing):
    hand_over()
    arrive("Bullret MBN 2026/12")
    match()
    arrive("Mer om bullret MBN 2026/12")
    match()
    assert standing() == [("registered", "MBN 2026/12", 1), ("", "", 0)]


def test_a_unit_is_matched_to_its_own_diary_alone(arrive, hand_over, stored, installation):
    hand_over()
    other = f"annan-{uuid.uuid4().hex[:6]}"
    arrive("Bullret MBN 2026/12", recipient_unit=other)
    assert match().decided == 0
    with psycopg.connect(installation("owner")) as owner:
        found = owner.execute(
            "SELECT count(*) FROM loglist.loglist_diarymatch WHERE unit = %s", [other]
        ).fetchone()
    assert found == (0,)


def test_protected_texts_are_in_no_reason_and_match_nobody(arrive, hand_over, stored):
    hand_over()
    arrive(
        "Anmälan om Eva Hemlig MBN 2026/14",
        day=datetime(2026, 3, 4, 9, tzinfo=UTC),
        from_address="eva.hemlig@post.example",
        from_text="Eva Hemlig <eva.hemlig@post.example>",
    )
    assert match().decided == 1
    told = json.dumps(stored("reasons", "diarymatch", "id"), ensure_ascii=False)
    assert "MBN 2026/14-1" in told
    assert "Hemlig" not in told


def test_reasons_are_forgotten_when_the_record_becomes_secret(arrive, hand_over, stored):
    hand_over()
    arrive("Bullret MBN 2026/12")
    match()
    assert "Åsa Öberg" in str(stored("reasons", "diarymatch", "id"))
    hand_over([ROWS[0].replace(";;", ";OSL 26:1;"), *ROWS[1:]])
    assert "Åsa Öberg" not in str(stored("reasons", "diarymatch", "id"))


@pytest.mark.parametrize(("subject", "heading"), [
    ("Bullret MBN 2026/12", "I diariet, funnet av programmet"),
    ("buller", "Kan finnas i diariet"),
])  # fmt: skip
def test_the_entrys_page_says_what_was_found_and_why(
    arrive,
    hand_over,
    visit,
    unit,
    subject,
    heading,
):
    hand_over()
    sender = {} if "MBN" in subject else {"from_address": "x@post.example", "from_text": ""}
    outbox = arrive(subject, **sender)
    match()
    page = text(visit("granskare").get(f"/units/{unit}/{outbox}/1"))
    for told in (heading, "MBN 2026/12-1", "Buller från Ekmans Åkeri", "Dagen i diariet"):
        assert told in page
    assert "Hemlig" not in page


def test_the_web_may_not_say_what_a_row_is_in_the_diary(arrive, hand_over, visit, unit):
    from django.db import ProgrammingError

    from compliance.loglist.login import read_as
    from compliance.loglist.models import DiaryMatch, DiaryRow, ReviewItem

    hand_over()
    arrive("Bullret")
    read_as(visit("granskare").session["token"])
    with pytest.raises(ProgrammingError):
        DiaryMatch.objects.create(
            item=ReviewItem.objects.get(unit=unit),
            row=DiaryRow.objects.filter(unit=unit).first(),
            unit=unit,
            rank=1,
            is_certain=True,
        )


def test_the_name_is_read_from_the_header():
    from compliance.loglist.matching import _name

    assert _name('"Öberg, Åsa" <a@x.example>') == "Öberg, Åsa"
    assert _name("Åsa Öberg <a@x.example> | Bo <b@x.example>") == "Åsa Öberg"
    assert _name("a@x.example") == ""
    assert _name("") == ""


@pytest.fixture
def suggested(arrive, hand_over, stored, unit):
    """Let a letter come that the program isn't sure of; give the suggestion as the page does."""
    hand_over()
    outbox = arrive("buller", from_address="x7@post.example", from_text="x7@post.example")
    match()
    (number, *_), *_ = stored("id", "diarymatch", "rank")
    return outbox, f"{number}.0"


def test_a_suggestion_stands_beside_its_row_and_is_taken_by_one_click(
    suggested, visit, unit, standing
):
    browser, page = visit("granskare"), f"/units/{unit}/review/"
    shown = text(browser.get(page))
    for told in ("Kan finnas i diariet", "MBN 2026/12-1", suggested[1], "Varför"):
        assert told in shown
    answer = browser.post(f"/units/{unit}/diary/take?direction=in", {"suggestion": suggested[1]})
    assert answer["Location"] == f"{page}?direction=in&decided=1"
    assert standing() == [("registered", "MBN 2026/12-1", 1)]
    assert "Kan finnas i diariet" not in text(browser.get(page))


def test_a_suggestion_is_taken_on_the_entrys_page_too(suggested, visit, unit, standing):
    outbox, number = suggested
    browser, page = visit("granskare"), f"/units/{unit}/{outbox}/1"
    assert number in text(browser.get(page))
    answer = browser.post(f"/units/{unit}/diary/take?entry", {"suggestion": number})
    assert answer["Location"] == page
    assert standing() == [("registered", "MBN 2026/12-1", 1)]


@pytest.fixture
def answering(arrive, hand_over, stored):
    """Let a letter be answered months after it was registered; give the answer and the suggestion.

    The answer says nothing by itself, is from somebody else, and its document is in no diary.
    """
    hand_over()
    arrive("Bullret MBN 2026/12", message_id="<bullret@post.example>")
    match()
    outbox = arrive(
        "Hej igen <b>",
        day=DAY + timedelta(days=120),
        references="<sedd-av-ingen@post.example>\n<bullret@post.example>",
        from_address="x7@post.example",
        from_text="",
    )
    assert match().decided == 0
    matches = stored("id, is_certain, is_case", "diarymatch", "id")
    (number,) = [one for one, is_certain, is_case in matches if is_case and not is_certain]
    return outbox, f"{number}.0"


def test_the_case_of_a_letter_that_is_answered_is_suggested_and_taken(
    answering, visit, unit, standing
):
    outbox, number = answering
    browser, page = visit("granskare"), f"/units/{unit}/{outbox}/1"
    shown = text(browser.get(page))
    for told in (
        "<bdi>MBN 2026/12</bdi>",
        "Meddelandet svarar på ett som är diariefört som MBN 2026/12.",
        "En annan handling i ärendet:",
        "Det är det här ärendet",
    ):
        assert told in shown
    browser.post(f"/units/{unit}/diary/take?entry", {"suggestion": number})
    assert standing()[1] == ("registered", "MBN 2026/12", 1)


def test_another_units_registered_letter_says_nothing_of_an_answer(arrive, hand_over, stored, unit):
    hand_over()
    arrive("Bullret MBN 2026/12", message_id="<annans@post.example>", recipient_unit="bun")
    arrive(
        "Hej igen", day=DAY + timedelta(days=120), references="<annans@post.example>",
        from_address="x7@post.example", from_text="",
    )  # fmt: skip
    match()
    assert stored("id", "diarymatch", "id") == []


def test_two_reviewers_at_once_one_of_whom_takes_a_suggestion(suggested, visit, unit, standing):
    _, number = suggested
    row = re.search(r'name="row"\s+value="([\d.]+)"', text(visit("granskare").get(
        f"/units/{unit}/review/"
    )))[1]  # fmt: skip
    visit("granskare").post(f"/units/{unit}/review/", {"row": row, "outcome": "private"})
    answer = visit("granskare").post(f"/units/{unit}/diary/take", {"suggestion": number})
    assert answer.status_code == 409
    assert "någon annan hann före" in text(answer)
    assert standing() == [("private", "", 1)]


@pytest.mark.parametrize(("who", "status"), [("namndchef", 404), ("bun", 404), (None, 302)])
def test_only_reviewers_take_suggestions(suggested, visit, unit, standing, who, status):
    browser = visit(who)
    page = browser.get(f"/units/{unit}/review/")
    assert "<button form=" not in text(page)
    answer = browser.post(f"/units/{unit}/diary/take", {"suggestion": suggested[1]})
    assert answer.status_code == status
    assert standing() == [("", "", 0)]


@pytest.mark.parametrize("number", ["", "x", "1", "1.x", "-1.0", "9" * 30 + ".0", "999999999.0"])
def test_a_suggestion_that_is_not_there_is_not_found(visit, unit, number):
    answer = visit("granskare").post(f"/units/{unit}/diary/take", {"suggestion": number})
    assert answer.status_code == 404


def test_a_suggestion_of_another_unit_is_not_found(suggested, visit, standing):
    answer = visit("bun").post("/units/bun/diary/take", {"suggestion": suggested[1]})
    assert answer.status_code == 404
    assert standing() == [("", "", 0)]


def test_the_page_says_how_many_rows_are_in_the_diary_and_how_many_are_left(
    arrive, hand_over, visit, unit
):
    now = datetime.now(UTC) - timedelta(hours=1)
    day = now.astimezone(SWEDEN).date()  # which is the next one in the last hours of a UTC day
    hand_over([row.replace("2026-03-02", day.isoformat()) for row in ROWS[:1]])
    arrive("Bullret MBN 2026/12", "Erbjudande", "Inbjudan", day=now)
    match()
    page = " ".join(text(visit("granskare").get(f"/units/{unit}/review/")).split())
    assert "som finns i diariet: 1. Rader kvar att besluta om: 2." in page


def test_what_the_program_decided_is_told_to_be_the_programs(arrive, hand_over, visit, unit):
    hand_over()
    outbox = arrive("Bullret MBN 2026/12")
    match()
    assert "programmet, efter diariet" in text(visit("granskare").get(f"/units/{unit}/{outbox}/1"))


def test_a_person_may_decide_anew_what_the_program_decided(
    arrive, hand_over, visit, unit, standing
):
    hand_over()
    outbox = arrive("Bullret MBN 2026/12")
    match()
    page = f"/units/{unit}/{outbox}/1"
    row = re.search(r'name="row"\s+value="([\d.]+)"', text(visit("granskare").get(page)))[1]
    visit("granskare").post(f"{page}/decide", {"row": row, "outcome": "private"})
    hand_over([*ROWS, "MBN 2026/16-1;2026-03-05;In;X;Y;;"])
    match()
    assert standing() == [("private", "", 2)]
    assert "funnet av programmet" not in text(visit("granskare").get(page))
