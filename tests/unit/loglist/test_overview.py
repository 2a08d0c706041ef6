"""What the overview counts, and that each figure leads to just the rows that it counts."""

import html
import re
from datetime import UTC, date, datetime

import pytest

from .test_work import arrive, taken_in  # noqa: F401

LAST = date(2026, 2, 20)
# When, which way, from and to which unit, and the label.
MAIL = [
    ("2026-02-10T12:00", "in", None, "sbn", None),
    ("2026-02-10T13:00", "in", None, "sbn", None),
    ("2026-02-10T14:00", "out", "sbn", None, None),
    ("2026-02-10T23:30", "in", None, "sbn", None),  # the next day in Sweden
    ("2026-02-11T12:00", "internal", "sbn", "sbn", None),
    ("2026-02-11T12:00", "in", None, "sbn", "probe"),
    ("2026-02-11T12:00", "in", None, "kfn", None),
    ("2026-01-01T12:00", "in", None, "sbn", None),  # before the days that are shown
]


@pytest.fixture
def today(monkeypatch, visit):
    from compliance.loglist.views import overview

    monkeypatch.setattr(overview, "today", lambda: LAST)


@pytest.fixture
def mail(today, arrive):  # noqa: F811
    """Let the mail come once for all tests of this module."""
    if not mail_has_come:
        times = [datetime.fromisoformat(at).replace(tzinfo=UTC) for at, *_ in MAIL]
        arrive([(*one, None) for _, *one in MAIL], [f"Brev {n}" for n in range(len(MAIL))], times)
        mail_has_come.append(True)


mail_has_come = []


def text_of(browser, page):
    answer = browser.get(page)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def table(text, number=-1):
    """Return the cells of each row of a table by its heading, without marks."""
    text = re.findall(r"<table>.*?</table>", text, flags=re.S)[number]
    rows = re.findall(r"<tr>(.*?)</tr>", text, flags=re.S)
    bare = [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.split("</t[hd]>", row)] for row in rows
    ]
    return {cells[0]: cells[1:-1] for cells in bare}


def test_a_day_is_counted_as_people_in_sweden_count_days(visit, mail):
    told = table(text_of(visit("sbn"), "/units/sbn/overview/"))
    assert told["2026-02-10"] == ["2", "1", "0", "3"]
    assert told["2026-02-11"] == ["1", "0", "1", "2"]
    assert told["2026-02-12"] == ["0", "0", "0", "0"]
    assert len(told) == 31, "thirty days and the heading"


def test_each_figure_leads_to_as_many_rows(visit, mail):
    browser = visit("sbn")
    figures = re.findall(
        r'<a href="(/units/sbn/\?since=[^"]+)">(\d+)</a>', text_of(browser, "/units/sbn/overview/")
    )
    assert len(figures) == 6
    for page, figure in figures:
        rows = text_of(browser, page).count("<tr>") - 1
        assert rows == int(figure), page


def test_the_picture_has_a_bar_a_day_and_says_what_it_shows(visit, mail):
    text = text_of(visit("sbn"), "/units/sbn/overview/")
    picture = text[text.index('role="img"') :]
    heights = [int(height) for height in re.findall(r'<rect [^>]*height="(\d+)"', picture)]
    assert len(heights) == 30
    assert (heights[-11], heights[-10], heights[-1]) == (120, 80, 0)
    assert "E-post per dag från 2026-01-22 till 2026-02-20, som mest 3" in text


def test_the_share_that_is_reviewed_leads_to_what_is_left(visit, mail):
    from compliance.loglist.models import ReviewItem  # only now is Django set up

    taken_in()
    text = text_of(visit("sbn"), "/units/sbn/overview/")
    assert "0 procent av 4 rader från de här dagarna som ska granskas är avgjorda." in text
    (left,) = re.findall(r'<a href="/units/sbn/review/">(\d+) kvar att granska</a>', text)
    assert int(left) == ReviewItem.objects.filter(unit="sbn", outcome__in=["", "doubt"]).count()


def test_another_units_overview_is_not_there(visit, mail):
    assert visit("ks").get("/units/sbn/overview/").status_code == 404


def test_a_reader_sees_the_units_that_are_theirs_and_the_office_all(visit, mail):
    own = table(text_of(visit("sbn"), "/overview/"))
    assert len(own) == 2
    (figures,) = [cells for name, cells in own.items() if name != "Enhet"]
    assert figures[:4] == ["3", "1", "1", "5"]
    everything = text_of(visit("chef"), "/overview/")
    assert 'href="/units/sbn/overview/"' in everything
    assert 'href="/units/kfn/overview/"' in everything
    assert 'href="/units/kfn/overview/"' not in text_of(visit("sbn"), "/overview/")
