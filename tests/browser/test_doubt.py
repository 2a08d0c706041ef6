"""A reviewer in doubt asks whoever got the letter, who answers; the answer stands by the row."""

import uuid

import pytest
from person import accessible, fits, log_in, reached_by_keyboard
from playwright.sync_api import expect

TEXTS = {
    "sv": {"doubt": "Tveksam, frågan är ställd", "ask": "Besluta",
           "questions": "Frågor till dig", "private": "Det är privat", "words": "Med egna ord",
           "send": "Skicka svaret", "answer": "Ditt svar",
           "else": "Annat, med egna ord", "write": "Skriv svaret."},
    "en": {"doubt": "In doubt, the question is asked", "ask": "Decide",
           "questions": "Questions to you", "private": "It is private",
           "words": "In your own words", "send": "Send the answer", "answer": "Your answer",
           "else": "Something else", "write": "Write the answer."},
}  # fmt: skip


@pytest.mark.parametrize("language", ["sv", "en"])
def test_whoever_is_asked_answers_and_the_reviewer_decides(
    visit, registrar, world, arrived, on_host, language
):
    texts, token = TEXTS[language], uuid.uuid4().hex[:8]
    asked = next(
        one
        for one in world.facts["people"]
        if one["unit"] in registrar["reviews"] and one["login"] != registrar["login"]
    )
    row = arrived(asked["address"], f"Sommarfesten {token}")
    on_host("mail", "systemctl start kommunpost-log-list-work.service")
    with visit(language, registrar) as page:
        page.goto(row["page"])
        page.get_by_label(texts["doubt"]).check()
        page.get_by_role("button", name=texts["ask"]).click()
        expect(page.get_by_role("listitem").first).to_contain_text(texts["doubt"])
        accessible(page)
    with visit(language) as page:
        log_in(page, asked, language)
        page.get_by_role("link", name=texts["questions"]).first.click()
        accessible(page)
        page.get_by_role("rowheader").first.get_by_role("link").click()
        expect(page.locator("main")).to_contain_text(f"Sommarfesten {token}")
        page.get_by_label(texts["else"]).check()
        page.get_by_role("button", name=texts["send"]).click()
        expect(page.get_by_role("alert")).to_have_text(texts["write"])
        accessible(page)
        fits(page)
        reached_by_keyboard(page)
        page.get_by_label(texts["private"]).check()
        page.get_by_label(texts["words"], exact=True).fill(f"Festen {token} är vår egen")
        page.get_by_role("button", name=texts["send"]).click()
        expect(page.get_by_role("heading", name=texts["answer"])).to_be_visible()
        accessible(page)
        page.goto(row["page"])
        expect(page.get_by_role("heading", level=1)).not_to_contain_text(token)
    with visit(language, registrar) as page:
        page.goto(f"/units/{row['recipient_unit']}/doubts/")
        told = page.get_by_role("row", name=token)
        expect(told).to_contain_text(f"Festen {token} är vår egen")
        accessible(page)
        told.get_by_role("link").click()
        expect(page.locator("main")).to_contain_text(f"Festen {token} är vår egen")
