"""Without scripts, after the session's end, and where one may not be."""

import uuid

import pytest
from person import WORDS, accessible, log_in
from playwright.sync_api import expect


@pytest.fixture
def waiting(world, reviewer, arrived, on_host):
    """A letter that waits for a decision: its row, and its subject."""
    unit = reviewer["reviews"][0]
    colleague = next(one for one in world.facts["people"] if one["unit"] == unit and one["pc"])
    row = arrived(colleague["address"], f"Rivningslov {uuid.uuid4().hex[:8]}")
    on_host("mail", "systemctl start kommunpost-log-list-work.service")
    return row


def test_a_row_is_found_and_decided_without_scripts(visit, reviewer, waiting):
    subject = waiting["subject"]
    with visit("sv", java_script_enabled=False) as page:
        log_in(page, reviewer)
        page.get_by_label("I ärendemeningen").fill(subject)
        page.get_by_role("button", name="Visa", exact=True).click()
        expect(page.get_by_role("row", name=subject)).to_contain_text("Att granska")
        page.get_by_role("link", name=subject).click()
        page.get_by_label("Diarieförd").check()
        page.get_by_label("Diarienummer").fill("inget nummer")
        page.get_by_role("button", name="Besluta").click()
        expect(page.get_by_role("alert")).to_contain_text("inget diarienummer")
        page.get_by_label("Diarienummer").fill("SBN 2026/77")
        page.get_by_role("button", name="Besluta").click()
        expect(page.get_by_role("listitem")).to_contain_text("Diarieförd: SBN 2026/77")
        page.get_by_role("button", name="Logga ut").click()
        expect(page.get_by_role("button", name="Logga in")).to_be_visible()


@pytest.mark.parametrize("language", ["sv", "en"])
def test_a_session_that_has_ended_shows_nothing_and_leads_back(visit, reviewer, language):
    words = WORDS[language]
    place = f"/units/{reviewer['reviews'][0]}/periods/"
    with visit(language) as page:
        log_in(page, reviewer, language)
        page.goto(place)
        kept = page.context.cookies()
        page.get_by_role("button", name=words["log out"]).click()
        page.get_by_role("button", name=words["log in"]).wait_for()
        page.go_back()
        expect(page.get_by_role("table")).to_have_count(0)
        page.context.clear_cookies()
        page.context.add_cookies(kept)  # an old cookie opens nothing
        page.goto(place)
        accessible(page)
        page.get_by_label(words["address"]).fill(reviewer["login"])
        page.get_by_label(words["password"]).fill(reviewer["password"])
        page.get_by_role("button", name=words["log in"]).click()
        expect(page.get_by_role("table").first).to_be_visible()
        assert page.url.endswith(place)


@pytest.mark.parametrize("language", ["sv", "en"])
def test_who_finds_nothing_is_shown_the_way_back(visit, reviewer, language):
    home = {"sv": "Till din loggningslista", "en": "To your log list"}[language]
    with visit(language, reviewer) as page:
        for path in ("/units/finns-inte/review/", "/units/finns-inte/disclosures/1/", "/nowhere"):
            answer = page.goto(path)
            assert answer.status == 404, path
            accessible(page)
        page.get_by_role("link", name=home).click()
        expect(page.get_by_role("table")).to_be_visible()
