"""Every page can be used by everybody: axe, narrow screens, the keyboard, colours of one's own."""

import uuid

import pytest
from person import accessible, fits, reached_by_keyboard
from places import LOGGED_IN, OPEN
from playwright.sync_api import expect

LONG = "Brevetharenmycketlångärendemeningutanmellanslag" * 3


@pytest.fixture(scope="module")
def filled(visit, office, mailbox, arrived, on_host):
    """What stands in the pages' addresses: a letter, and a request whose rows it is."""
    word = uuid.uuid4().hex[:8]
    row = arrived(mailbox, f"{LONG} {word}")
    on_host("mail", "systemctl start kommunpost-log-list-work.service")
    unit = row["recipient_unit"]
    with visit("sv", office) as page:
        page.goto(f"/units/{unit}/disclosures/new")
        page.get_by_label("Vad som begärs").fill(f"{LONG} {word}")
        page.get_by_role("button", name="Registrera").click()
        request = page.url
        page.goto(f"{request}select?q={word}")
        page.get_by_role("button", name="Välj de här raderna").click()
        yield {"unit": unit, "word": word, "entry": row["page"], "request": request}
        # An open request keeps the unit's mail from disposal.
        page.goto(request)
        page.get_by_label("Varför inget lämnas ut").fill("Begäran återkallad")
        page.get_by_role("button", name="Avsluta begäran").click()
        expect(page.get_by_text("Avslutad utan utdrag").first).to_be_visible()


def used_by_everybody(page, address: str, language: str) -> None:
    """Look at a page with all that looks by itself."""
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    accessible(page)
    fits(page)
    if language == "sv":  # the keyboard's way is the same in each language
        reached_by_keyboard(page)


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("name", OPEN)
def test_an_open_page_can_be_used_by_everybody(visit, name, language):
    with visit(language) as page:
        used_by_everybody(page, OPEN[name], language)
        assert page.locator("html").get_attribute("lang") == language


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("name", LOGGED_IN)
def test_a_page_can_be_used_by_everybody(visit, office, filled, name, language):
    with visit(language, office) as page:
        used_by_everybody(page, LOGGED_IN[name].format(**filled), language)


def test_pictures_are_seen_in_colours_of_ones_own(visit, office, filled):
    with visit("sv", office, forced_colors="active", color_scheme="dark") as page:
        page.goto(f"/units/{filled['unit']}/overview/")
        bars = page.get_by_role("img")
        expect(bars).to_be_visible()
        assert colour(bars, "fill") == colour(page.get_by_role("heading", level=1), "color")
        page.goto("/second-step")
        code = page.get_by_role("img")
        assert colour(code, "background-color") == "rgb(255, 255, 255)"
        assert colour(code.locator("path"), "stroke") == "rgb(0, 0, 0)"


def colour(one, what: str) -> str:
    return one.evaluate(f"element => getComputedStyle(element)['{what}']")
