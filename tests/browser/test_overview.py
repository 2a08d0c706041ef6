"""The overview of a unit and of all, each figure leading to its rows; and who has read what."""

import uuid

import pytest
from person import WORDS, accessible
from playwright.sync_api import expect

TEXTS = {
    "sv": {"overview": "Översikt", "list": "Loggningslista", "trail": "Vem som har läst",
           "picture": "Siffrorna står i tabellen", "days": "till och från enheten per dag",
           "review": "att granska", "left": "kvar att",
           "opened": "öppnat: visat", "text": "text"},
    "en": {"overview": "Overview", "list": "Log list", "trail": "Who has read",
           "picture": "The table has the figures", "days": "to and from the unit a day",
           "review": "to review", "left": "left to",
           "opened": "opened: shown", "text": "text"},
}  # fmt: skip


@pytest.fixture(scope="module")
def unit(world, reviewer, arrived, on_host) -> str:
    """A unit with a row left to review."""
    unit = reviewer["reviews"][0]
    colleague = next(one for one in world.facts["people"] if one["unit"] == unit and one["pc"])
    arrived(colleague["address"], f"Detaljplan {uuid.uuid4().hex[:8]}")
    on_host("mail", "systemctl start kommunpost-log-list-work.service")
    return unit


@pytest.mark.parametrize("language", ["sv", "en"])
def test_each_figure_of_a_unit_leads_to_its_rows(visit, reviewer, unit, language):
    texts = TEXTS[language]
    with visit(language, reviewer) as page:
        page.goto(f"/units/{unit}/overview/")
        expect(page.get_by_role("img", name=texts["picture"])).to_be_visible()
        accessible(page)
        days = page.get_by_role("table", name=texts["days"])
        newest = days.get_by_role("row").nth(1)
        day = newest.get_by_role("rowheader").inner_text()
        figure = newest.get_by_role("link").last
        number = int(figure.inner_text())
        figure.click()
        expect(page.locator("input[type=date]").first).to_have_value(day)
        shown = page.get_by_role("rowheader").count()
        assert shown == min(number, 50)
        page.goto(f"/units/{unit}/overview/")
        page.get_by_role("link", name=texts["left"]).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(texts["review"])


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_executive_office_goes_from_all_units_to_one(visit, office, unit, language):
    texts = TEXTS[language]
    with visit(language, office) as page:
        page.goto("/")
        pages = page.get_by_role("banner").get_by_role("navigation")
        pages.get_by_role("link", name=texts["overview"]).click()
        accessible(page)
        row = page.locator(f'tr:has(a[href="/units/{unit}/overview/"])')
        to_review = row.locator(f'a[href="/units/{unit}/review/"]').first
        left = to_review.inner_text()
        to_review.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(texts["review"])
        expect(page.locator("main")).to_contain_text(left)
        page.go_back()
        row.get_by_role("link").first.click()
        expect(page.get_by_role("img", name=texts["picture"])).to_be_visible()


@pytest.mark.parametrize("language", ["sv", "en"])
def test_what_somebody_searched_for_stands_in_the_trail(visit, office, reviewer, unit, language):
    texts, word = TEXTS[language], f"sommarfesten {uuid.uuid4().hex[:8]}"
    with visit(language, reviewer) as page:
        page.goto(f"/units/{unit}/")
        page.get_by_label(WORDS[language]["subject"]).fill(word)
        page.get_by_role("button", name=WORDS[language]["show"], exact=True).click()
        expect(page.get_by_role("banner").get_by_role("link", name=texts["trail"])).to_have_count(0)
        answer = page.goto(f"/trail/{unit}/")
        assert answer.status == 404
    with visit(language, office) as page:
        page.goto("/")
        page.get_by_role("link", name=texts["trail"]).click()
        row = page.get_by_role("row", name=word)
        expect(row).to_contain_text(reviewer["name"])
        expect(row).to_contain_text(f"{texts['text']}: {word}")
        accessible(page)
