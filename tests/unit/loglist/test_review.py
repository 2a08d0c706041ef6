"""What a reviewer meets: what is left of a unit, and deciding it, alone or many at once."""

import re
import threading
import uuid
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from messagelog.test_formats import HOSTILE

from .test_work import AUTHORITY_OF, arrive  # noqa: F401

PAGE = "/units/sbn/review/"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday, before all else of the unit


@pytest.fixture
def rows(arrive, installation):  # noqa: F811
    """Let mail come to the unit, the oldest first; return what a form says of each row."""
    with psycopg.connect(installation("owner"), autocommit=True) as owner:
        # Of other tests nothing is left.
        owner.execute("UPDATE loglist.loglist_reviewitem SET outcome = 'private'")

    def add(*subjects, direction="in"):
        from compliance.loglist.models import ReviewItem
        from compliance.loglist.work import take_in, worker

        sides = (None, "sbn") if direction == "in" else ("sbn", None)
        mail = [(direction, *sides, None, None)] * len(subjects)
        times = [START + timedelta(hours=number) for number in range(len(subjects))]
        outbox = arrive(mail, subjects, times)
        with worker() as reader:
            take_in(reader, AUTHORITY_OF)
            found = ReviewItem.objects.filter(outbox=outbox).order_by("sequence")
            return [f"{item.id}.{item.revision}" for item in found]

    return add


def text_of(answer):
    return answer.content.decode()


def decide(browser, *rows, page=PAGE, **fields):
    return browser.post(page, {"row": rows, "outcome": "private", **fields})


def left(browser, page=PAGE):
    return re.findall(r'name="row"\s+value="([\d.]+)"', text_of(browser.get(page)))


def test_what_is_left_stands_there_the_oldest_first(visit, rows):
    one, two, three = rows("Ett", "Två", "Tre")
    browser = visit("sbn")
    assert left(browser) == [one, two, three]
    assert decide(browser, two).status_code == 302
    assert left(browser) == [one, three]


def test_the_lag_is_told_in_working_days_and_late_in_words(visit, rows, monkeypatch):
    from compliance.loglist.views import review

    rows("Ett")
    for day, told in ((2, "0"), (3, "1"), (9, "5")):
        monkeypatch.setattr(review, "today", lambda day=day: START.date().replace(day=day))
        text = text_of(visit("sbn").get(PAGE))
        (cell,) = re.findall(r'<td class="number">(.*?)</td>', text, flags=re.S)
        assert cell.split()[0] == told
        assert ("sen" in cell) is (int(told) > 1)
    assert "praxis, inte lagtext" in text


def test_one_direction_can_be_shown_alone(visit, rows):
    (received,), (sent,) = rows("Till oss"), rows("Från oss", direction="out")
    browser = visit("sbn")
    assert left(browser, f"{PAGE}?direction=in") == [received]
    assert left(browser, f"{PAGE}?direction=out") == [sent]
    assert browser.get(f"{PAGE}?direction=upp").status_code == 400


def test_a_page_leads_to_the_next_and_no_row_is_lost_or_told_twice(visit, rows, monkeypatch):
    from compliance.loglist.views import review

    every = rows(*map(str, range(5)))
    monkeypatch.setattr(review, "PAGE", 2)
    browser, path, seen = visit("sbn"), PAGE, []
    while path:
        text = text_of(browser.get(path))
        seen += left(browser, path)
        found = re.findall(r'rel="next" href="([^"]+)"', text)
        path = found and PAGE + found[0].replace("&amp;", "&")
    assert seen == every


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"outcome": "registered", "number": "dnr sbn 2026-00012"}, "Diarieförd: SBN 2026/12"),
        ({"outcome": "kept-in-order", "secret": "no"}, "Hålls ordnad utan diarieföring"),
        ({"outcome": "negligible", "reason": "reklam"}, "Reklam (KS 2026/41)"),
        ({"outcome": "private"}, "Privat"),
        ({"outcome": "trade-union"}, "Fackligt"),
        (
            {"outcome": "other-authority", "authority": "Regionen"},
            "Hör till en annan myndighet: Regionen",
        ),
    ],
)
def test_each_decision_stands_on_the_entrys_page_with_who_made_it(visit, rows, fields, told):
    from compliance.loglist.models import ReviewItem  # noqa: F401

    (row,) = rows("Ett")
    browser = visit("sbn")
    (entry,) = re.findall(r'href="(/units/sbn/[0-9a-f-]{36}/\d+)"', text_of(browser.get(PAGE)))
    assert decide(browser, row, **fields).status_code == 302
    text = text_of(browser.get(entry))
    assert told in text
    assert "Person 7" in text


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("miljönb 2026/12", "MILJÖNB 2026/12"),
        ("2026/BYGGLOVN12", "BYGGLOVN 2026/12"),
        ("BYGGLOVN 2026/12.3", "BYGGLOVN 2026/12-3"),
        ("4711/26", "2026/4711"),
    ],
)
def test_a_number_is_read_as_the_municipality_writes_its_own(
    visit, rows, own_numbers, written, stored
):
    (row,) = rows("Ett")
    browser = visit("sbn")
    (entry,) = re.findall(r'href="(/units/sbn/[0-9a-f-]{36}/\d+)"', text_of(browser.get(PAGE)))
    assert decide(browser, row, outcome="registered", number=written).status_code == 302
    assert f"Diarieförd: {stored}" in text_of(browser.get(entry))


def test_a_number_that_nobody_knows_how_to_read_is_told_and_other_decisions_are_taken(
    visit, rows, own_numbers, caplog
):
    own_numbers.write_text("columns: {number: A}\n", encoding="utf-8")
    one, two = rows("Ett", "Två")
    browser = visit("sbn")
    answer = decide(browser, one, outcome="registered", number="SBN 2026/12")
    assert answer.status_code == 400
    assert "Numret kan inte tolkas" in text_of(answer)
    assert "diary.yml:1" in caplog.text
    assert decide(browser, two, outcome="private").status_code == 302


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"outcome": ""}, "Välj ett beslut."),
        ({"outcome": "doubt"}, "doubt"),
        ({"outcome": "registered"}, "Skriv diarienumret."),
        ({"outcome": "registered", "number": "i morgon"}, "Det här är inget diarienummer."),
        ({"outcome": "registered", "number": "KS 2206/117"}, "Det året har inte kommit än."),
        ({"outcome": "kept-in-order"}, "Ange om någon uppgift"),
        ({"outcome": "kept-in-order", "secret": "yes"}, "ska diarieföras"),
        ({"outcome": "negligible"}, "Välj ett skäl"),
        ({"outcome": "negligible", "reason": "påhittat"}, "påhittat"),
        ({"outcome": "other-authority", "authority": "  "}, "vilken myndighet"),
    ],
)
def test_a_decision_that_lacks_something_is_told_and_nothing_is_decided(visit, rows, fields, told):
    one, two = rows("Ett", "Två")
    browser = visit("sbn")
    answer = decide(browser, one, two, **fields)
    assert answer.status_code == 400
    assert told in text_of(answer)
    assert "Inget är beslutat än" in text_of(answer)
    assert len(re.findall(r"\bchecked\b", text_of(answer))) >= 2, "the boxes are still ticked"
    assert left(browser) == [one, two]


def test_without_a_row_nothing_is_decided(visit, rows):
    rows("Ett")
    answer = decide(visit("sbn"))
    assert answer.status_code == 400
    assert "välj minst en rad" in text_of(answer)


def test_many_rows_are_decided_at_once(visit, rows):
    chosen = rows(*map(str, range(50)))
    browser = visit("sbn")
    ticked = text_of(browser.get(f"{PAGE}?&all"))
    assert len(re.findall(r"\bchecked\b", ticked)) == 50
    answer = decide(browser, *chosen, outcome="negligible", reason="reklam")
    assert "Beslutade rader: 50" in text_of(browser.get(answer["Location"]))
    assert left(browser) == []


def test_a_double_click_decides_once(visit, rows):
    from compliance.loglist.models import ReviewDecision
    from compliance.loglist.work import worker

    one, two = rows("Ett", "Två")
    browser = visit("sbn")
    assert [decide(browser, one, two).status_code for _ in range(2)] == [302, 302]
    with worker():
        items = [row.split(".")[0] for row in (one, two)]
        assert ReviewDecision.objects.filter(item__in=items).count() == 2


def test_two_reviewers_at_once_one_is_first_and_the_other_is_told(visit, rows, installation):
    from django.db import connection

    one, two = rows("Ett", "Två")
    browsers = {"sbn": visit("sbn"), "ersattare": visit("ersattare")}
    outcomes = {"sbn": "private", "ersattare": "trade-union"}
    start, answers = threading.Barrier(2), {}

    def click(name):
        start.wait()
        try:
            answers[name] = decide(browsers[name], two, one, outcome=outcomes[name])
        finally:
            connection.close()

    clicks = [threading.Thread(target=click, args=[name]) for name in browsers]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    (first,) = [name for name in answers if answers[name].status_code == 302]
    (second,) = [name for name in answers if answers[name].status_code == 409]
    assert "någon annan hann före" in text_of(answers[second])
    with psycopg.connect(installation("owner")) as owner:
        stored = owner.execute(
            "SELECT outcome FROM loglist.loglist_reviewdecision WHERE item_id = ANY (%s)",
            [[int(row.split(".")[0]) for row in (one, two)]],
        ).fetchall()
    assert stored == [(outcomes[first],)] * 2


def test_when_another_was_before_with_one_row_none_is_decided(visit, rows):
    one, two = rows("Ett", "Två")
    decide(visit("ersattare"), one)
    browser = visit("sbn")
    answer = decide(browser, one, two, outcome="trade-union")
    assert answer.status_code == 409
    assert "Ett</bdi></a>: <bdi>Privat" in text_of(answer)
    assert left(browser) == [two]


def test_a_later_decision_follows_an_earlier_one_and_both_are_kept(visit, rows):
    (row,) = rows("Ett")
    browser = visit("sbn")
    (entry,) = re.findall(r'href="(/units/sbn/[0-9a-f-]{36}/\d+)"', text_of(browser.get(PAGE)))
    decide(browser, row)
    (again,) = re.findall(r'name="row"\s+value="([\d.]+)"', text_of(browser.get(entry)))
    assert again != row
    missing = decide(browser, again, page=f"{entry}/decide", outcome="registered")
    assert missing.status_code == 400
    assert "Skriv diarienumret." in text_of(missing)
    registered = {"page": f"{entry}/decide", "outcome": "registered", "number": "SBN 2026/1"}
    assert decide(browser, again, **registered)["Location"] == entry
    made = re.findall(r"<strong>(.*?)</strong>", text_of(browser.get(entry)))
    assert made == ["<bdi>Diarieförd: SBN 2026/1</bdi>", "<bdi>Privat</bdi>"]
    late = decide(visit("ersattare"), again, page=f"{entry}/decide", outcome="trade-union")
    assert late.status_code == 409
    assert "någon annan hann före" in text_of(late)


@pytest.mark.parametrize("name", ["sbnchef", "chef"])
def test_whoever_does_not_review_the_unit_sees_and_does_not_decide(visit, rows, name):
    (row,) = rows("Ett")
    browser = visit(name)
    text = text_of(browser.get(PAGE))
    assert "Ett" in text
    assert "Du får läsa listan" in text
    assert 'name="row"' not in text
    assert decide(browser, row).status_code == 404
    (entry,) = re.findall(r'href="(/units/sbn/[0-9a-f-]{36}/\d+)"', text)
    assert "Besluta" not in text_of(browser.get(entry))
    assert decide(browser, row, page=f"{entry}/decide").status_code == 404
    assert left(visit("sbn")) == [row]


@pytest.mark.parametrize("name", ["ks", "bun", "ingen", None])
@pytest.mark.parametrize("unit", ["sbn", "sbn2", "all"])
def test_the_review_of_another_unit_is_not_there(visit, rows, name, unit):
    (row,) = rows("Hemligt ärende")
    for answer in (
        visit(name).get(f"/units/{unit}/review/"),
        decide(visit(name), row, page=f"/units/{unit}/review/"),
        decide(visit(name), row, page=f"/units/{unit}/{uuid.uuid4()}/1/decide"),
    ):
        assert answer.status_code == (404 if name else 302)
        assert "Hemligt" not in text_of(answer)
    assert left(visit("sbn")) == [row]


def test_a_row_of_another_unit_is_not_decided_as_ones_own(visit, rows):
    (row,) = rows("Ett")
    assert decide(visit("ks"), row, page="/units/ks/review/").status_code == 404
    assert left(visit("sbn")) == [row]


@pytest.mark.parametrize(
    "made_up", ["", "1", "x.y", "1.1.1", "-1.0", "999999999.0", f"{2**64}.0", f"1.{2**31}"]
)
def test_a_made_up_row_decides_nothing(visit, rows, made_up):
    (row,) = rows("Ett")
    browser = visit("sbn")
    assert decide(browser, row, made_up).status_code == 404
    assert left(browser) == [row]


@pytest.mark.parametrize(
    "after", ["x", "~", "2026-03-02~x", "2026-03-02~-1", "\x00", "0001-01-01~1"]
)
def test_a_made_up_place_is_no_page(visit, after):
    assert visit("sbn").get(PAGE, {"after": after}).status_code in (404, 200)
    assert visit("sbn").get(PAGE, {"after": "x", "decided": "<b>"}).status_code == 404


def test_a_form_of_another_site_decides_nothing(visit, rows):
    (row,) = rows("Ett")
    browser = visit("sbn")
    browser.handler.enforce_csrf_checks = True
    assert decide(browser, row).status_code == 403
    assert left(browser) == [row]


def test_hostile_texts_are_shown_harmlessly(visit, rows):
    subjects = [subject.replace("\0", "\ufffd") for subject in HOSTILE]
    row, *_ = rows(*subjects)
    browser = visit("sbn")
    (entry, *_) = re.findall(r'href="(/units/sbn/[0-9a-f-]{36}/\d+)"', text_of(browser.get(PAGE)))
    decide(browser, row, outcome="other-authority", authority="<script>alert(1)</script>\u202e")
    for path in (PAGE, entry):
        text = text_of(browser.get(path))
        assert "<script>alert" not in text
        assert not set("\u202e\u2066\x1b\x85") & set(text)
