"""Every page can be used by everybody: axe, narrow screens, the keyboard, colours of one's own."""

import uuid

import pytest
from person import used_by_everybody
from places import LOGGED_IN, OPEN
from playwright.sync_api import expect

LONG = "Brevetharenmycketlångärendemeningutanmellanslag" * 3


@pytest.fixture(scope="module")
def filled(visit, office, registrar, world, mailbox, arrived, on_host):
    """What stands in the pages' addresses.

    A letter, and a request whose rows it is; one in somebody's own mailbox, which is asked for in
    their absence; a question about it to whoever looks at the pages.
    """
    word = uuid.uuid4().hex[:8]
    row = arrived(mailbox, f"{LONG} {word}")
    away = next(
        one
        for one in world.facts["people"]
        if one["unit"] in registrar["reviews"] and one["login"] != registrar["login"]
    )
    own = arrived(away["address"], f"{LONG} {word}")
    on_host("mail", "systemctl start kommunpost-log-list-work.service")
    unit = row["recipient_unit"]
    with visit("sv", registrar) as page:
        page.goto(f"{own['page']}/absence")
        page.get_by_label("Varför det inte kan vänta").fill(LONG)
        page.get_by_role("button", name="Begär godkännande av en andra person").click()
        page.goto(own["page"])
        page.get_by_label("Tveksam, frågan är ställd").check()
        page.get_by_label("Vem som tillfrågas").fill(office["login"])
        page.get_by_label("Fråga. Lämna tomt").fill(LONG)
        page.get_by_role("button", name="Besluta").click()
        expect(page.get_by_role("listitem").first).to_contain_text("Tveksam")
    with visit("sv", office) as page:
        page.goto("/questions/")
        question = page.get_by_role("rowheader").first.get_by_role("link").get_attribute("href")
        page.goto(f"/units/{unit}/disclosures/new")
        page.get_by_label("Vad som begärs").fill(f"{LONG} {word}")
        page.get_by_role("button", name="Registrera").click()
        request = page.url
        page.goto(f"{request}select?q={word}")
        page.get_by_role("button", name="Välj de här raderna").click()
        yield {
            "unit": unit,
            "word": word,
            "entry": row["page"],
            "request": request,
            "own": own["page"],
            "own_unit": own["recipient_unit"],
            "question": question,
        }
        # An open request keeps the unit's mail from disposal.
        page.goto(request)
        page.get_by_label("Varför inget lämnas ut").fill("Begäran återkallad")
        page.get_by_role("button", name="Avsluta begäran").click()
        expect(page.get_by_text("Avslutad utan utdrag").first).to_be_visible()


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("name", OPEN)
def test_an_open_page_can_be_used_by_everybody(visit, name, language):
    with visit(language) as page:
        page.goto(OPEN[name])
        used_by_everybody(page, by_keyboard=language == "sv")
        assert page.locator("html").get_attribute("lang") == language


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("name", LOGGED_IN)
def test_a_page_can_be_used_by_everybody(visit, office, filled, name, language):
    with visit(language, office) as page:
        page.goto(LOGGED_IN[name].format(**filled))
        used_by_everybody(page, by_keyboard=language == "sv")


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


@pytest.mark.parametrize(
    ("language", "title"),
    [("sv", "Formuläret togs inte emot"), ("en", "The form was not taken")],
)
def test_a_form_that_is_not_taken_tells_everybody_why(visit, language, title):
    with visit(language) as page:
        page.goto("/login")
        page.context.clear_cookies(name="__Host-csrf")
        page.locator("input[name=address]").fill("anna@exempel.se")
        page.locator("input[name=password]").fill("x")
        page.locator("input[name=password]").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        used_by_everybody(page, by_keyboard=language == "sv")


@pytest.mark.parametrize("language", ["sv", "en"])
def test_a_page_that_is_not_there_says_so_to_everybody(visit, office, language):
    with visit(language, office) as page:
        answer = page.goto("/finns-inte")
        assert answer.status == 404
        used_by_everybody(page, by_keyboard=language == "sv")
