"""The log list as an official uses it in a browser: by mouse, by keyboard, in both languages."""

import re
import uuid

import pytest
from person import WORDS, accessible, log_in, tab_to
from playwright.sync_api import Page, expect

from lablib.letters import letter


@pytest.fixture(scope="module")
def subject(world, reviewer) -> str:
    """The subject of a letter that has come to a colleague in the reviewer's unit."""
    unit = reviewer["reviews"][0]
    colleague = next(one for one in world.facts["people"] if one["unit"] == unit and one["pc"])
    note = letter(
        world.outsider, colleague["address"], f"Gatubelysning på Ängsvägen {uuid.uuid4().hex[:8]}"
    )
    world.submit(world.outsider, note)
    world.arrival(world.person(colleague["address"]), note["Message-ID"])
    return note["Subject"]


def find(page: Page, subject: str, language: str) -> None:
    """Search for a subject until its row is there: a page tells nobody that one has come."""
    words = WORDS[language]
    page.get_by_label(words["subject"]).fill(subject)
    page.get_by_role("button", name=words["show"], exact=True).click()
    row = page.get_by_role("link", name=subject)
    for _ in range(30):
        if row.count():
            return
        page.wait_for_timeout(500)
        page.reload()
    expect(row).to_be_visible()


@pytest.mark.parametrize("language", ["sv", "en"])
def test_a_reviewer_searches_and_opens_an_entry(visit, reviewer, subject, language):
    with visit(language) as page:
        page.goto("/login")
        assert page.locator("html").get_attribute("lang") == language
        accessible(page)
        log_in(page, reviewer, language)
        accessible(page)
        find(page, subject, language)
        accessible(page)
        page.get_by_role("link", name=subject).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(subject)
        accessible(page)


def test_the_list_is_used_by_keyboard_alone(visit, reviewer, subject):
    with visit() as page:
        page.goto("/login")
        expect(page.get_by_label("E-postadress")).to_be_focused()  # by itself
        page.keyboard.type(reviewer["login"])
        page.keyboard.press("Tab")
        page.keyboard.type(reviewer["password"])
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Logga ut")).to_be_visible()
        page.keyboard.press("Tab")
        skip = page.locator(":focus")
        expect(skip).to_have_text("Till innehållet")
        expect(skip).to_be_in_viewport()
        page.keyboard.press("Enter")
        tab_to(page, page.get_by_label("I ärendemeningen"))
        page.keyboard.type(subject)
        page.keyboard.press("Enter")
        find(page, subject, "sv")
        tab_to(page, page.get_by_role("link", name=subject))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(subject)
        tab_to(page, page.get_by_role("button", name="Logga ut"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Logga in")).to_be_visible()


def test_what_is_wrong_is_told_where_it_is(visit, reviewer):
    with visit() as page:
        page.goto("/login")
        page.get_by_label("E-postadress").fill(reviewer["login"])
        page.get_by_label("Lösenord").fill("fel lösenord")
        page.get_by_role("button", name="Logga in").click()
        expect(page.get_by_role("alert")).to_contain_text("stämmer inte")
        accessible(page)
        log_in(page, reviewer)
        page.get_by_label("Från och med").fill("2026-02-01")
        page.get_by_label("Till och med").fill("2026-01-01")
        page.get_by_role("button", name="Visa", exact=True).click()
        expect(page.get_by_role("alert")).to_be_visible()
        accessible(page)


def test_what_is_not_theirs_looks_like_what_is_not_there(visit, reviewer):
    with visit() as page:
        log_in(page, reviewer)
        told = []
        for path in ("/units/ks-finns-inte/", "/trail/"):
            answer = page.goto(path)
            assert answer
            assert answer.status == 404
            told.append(page.locator("main").inner_text())
        assert told[0] == told[1]
        accessible(page)


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_accessibility_statement_is_itself_accessible(visit, language):
    with visit(language) as page:
        page.goto("/login")
        page.get_by_role("contentinfo").get_by_role("link").click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        accessible(page)


def test_the_language_is_changed_and_stays(visit, reviewer):
    with visit() as page:
        log_in(page, reviewer)
        page.get_by_role("button", name="English").click()
        expect(page.get_by_role("button", name="Log out")).to_be_visible()
        page.reload()
        assert page.locator("html").get_attribute("lang") == "en"
        labels = " ".join(page.locator("form.filter label").all_inner_texts())
        assert re.search(r"^[\x00-\x7f]+$", labels)
