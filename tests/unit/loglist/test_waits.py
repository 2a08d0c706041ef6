"""The overview's lag: how long rows wait and took, each figure leading to just its rows."""

import re
from datetime import UTC, date, datetime

import psycopg
import pytest

from .test_overview import table, text_of
from .test_work import arrive, taken_in  # noqa: F401

UNIT = "vatten"  # no other test's; the executive office reads it
LAST = date(2026, 2, 20)  # a Friday
# When rows came, and how long they have waited by then, in Swedish working days.
LEFT = [
    ("2026-02-20T08:00", 0),
    ("2026-02-19T23:30", 0),  # the 20th in Sweden
    ("2026-02-19T08:00", 1),
    ("2026-02-18T08:00", 2),
    ("2026-02-13T08:00", 5),
    ("2026-02-12T08:00", 6),
    ("2026-02-06T08:00", 10),
    ("2026-01-05T08:00", 33),  # Epiphany is no working day
]
# When rows came, when they were decided, and as what.
DECIDED = [
    ("2026-01-22T08:00", "2026-01-23T08:00", "private"),
    ("2026-01-23T08:00", "2026-01-26T08:00", "private"),  # over a weekend: one working day
    ("2026-01-22T08:00", "2026-02-05T23:30", "private"),  # the 6th in Sweden: eleven
    ("2026-01-02T08:00", "2026-01-12T08:00", "private"),  # before the days that are shown
    ("2026-01-20T08:00", "2026-01-26T08:00", "doubt"),  # nobody has decided it yet
]


@pytest.fixture
def today(monkeypatch, visit):
    from compliance.loglist.views import overview, review

    monkeypatch.setattr(overview, "today", lambda: LAST)
    monkeypatch.setattr(review, "today", lambda: LAST)


@pytest.fixture
def rows(today, arrive, installation):  # noqa: F811
    """Let the rows come once for all tests of this module."""
    if rows_have_come:
        return
    times = [_at(came) for came, *_ in (*LEFT, *DECIDED)]
    arrive([("in", None, UNIT, None, None)] * len(times), ["Brev"] * len(times), times)
    taken_in()
    with psycopg.connect(installation("owner"), autocommit=True) as owner:
        for number, (_came, decided, outcome) in enumerate(DECIDED, len(LEFT) + 1):
            owner.execute(
                "UPDATE loglist.loglist_reviewitem SET outcome = %s, decided_at = %s"
                " WHERE unit = %s AND sequence = %s",
                [outcome, _at(decided), UNIT, number],
            )
    rows_have_come.append(True)


rows_have_come = []


def _at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_what_is_left_is_told_by_how_long_it_has_waited(visit, rows):
    text = text_of(visit("chef"), f"/units/{UNIT}/overview/")
    told = {name: cells[0] for name, cells in table(text, 0).items()}
    del told["Har väntat"]
    assert told == {
        "0 till 1 arbetsdagar": "3",
        "2 till 5 arbetsdagar": "2",
        "6 till 10 arbetsdagar": "2",
        "Mer än 10 arbetsdagar": "2",
    }
    assert "den äldsta raden har väntat på beslut: 33." in text
    assert "har väntat längre än gränsen: 6." in text
    assert "Gränsen 1 arbetsdag är praxis, inte lagtext." in text


def test_each_figure_leads_to_just_the_rows_that_have_waited_so_long(visit, rows):
    browser = visit("chef")
    text = text_of(browser, f"/units/{UNIT}/overview/")
    links = re.findall(r'<a href="(/units/\w+/review/\?waited=(\d+)-(\d*))">(\d+)</a>', text)
    assert len(links) == 4
    for page, least, most, figure in links:
        days = [
            int(cell) for cell in re.findall(r'<td class="number">\s*(\d+)', text_of(browser, page))
        ]
        assert len(days) == int(figure), page
        assert all(int(least) <= one <= int(most or 999) for one in days), page


def test_how_long_the_decided_rows_took(visit, rows):
    text = text_of(visit("chef"), f"/units/{UNIT}/overview/")
    assert "avgjorts de senaste 30 dagarna: 3." in text
    assert "inom så många arbetsdagar: 1. Den som tog längst tid: 11." in text


def test_of_all_units_the_oldest_wait_is_told(visit, rows, monkeypatch):
    from compliance.loglist import context

    monkeypatch.setattr(context, "unit_names", lambda: {UNIT: "Vattennämnden", "el": "Elnämnden"})
    text = text_of(visit("chef"), "/overview/")
    told = table(text)
    assert told["Vattennämnden"][4:7] == ["30 %", "9", "33"]
    assert told["Elnämnden"][4:7] == ["–", "0", "–"]
    assert "praxis, inte lagtext" in text


def test_the_filter_stays_from_page_to_page_and_what_is_no_wait_is_refused(
    visit, rows, monkeypatch
):
    from compliance.loglist.views import review

    monkeypatch.setattr(review, "PAGE", 2)
    browser = visit("chef")
    text = text_of(browser, f"/units/{UNIT}/review/?waited=0-1")
    (newer,) = re.findall(r'<a rel="next" href="\?([^"]+)">', text)
    assert "waited=0-1" in newer
    assert text_of(browser, f"/units/{UNIT}/review/?{newer}").count('<td class="time">') == 1
    assert browser.get(f"/units/{UNIT}/review/", {"waited": "2-3"}).status_code == 400
