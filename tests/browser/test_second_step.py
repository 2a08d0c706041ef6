"""Two-step verification, as a person with a telephone sets it up."""

import time

import pyotp
import pytest
from person import WORDS, accessible, log_in
from playwright.sync_api import Page, expect

TEXTS = {
    "sv": {"link": "Tvåstegsverifiering", "code": "Sex siffror", "on": "Slå på", "off": "Stäng av"},
    "en": {"link": "Two-step verification", "code": "Six digits", "on": "Turn on",
           "off": "Turn off"},
}  # fmt: skip


class Telephone:
    """An authenticator program. It waits for a code that the list has not had yet."""

    def __init__(self, secret: str) -> None:
        self._shows, self._last = pyotp.TOTP(secret), 0

    def code(self) -> str:
        """Return the next code; the list takes the one after now too."""
        step = max(int(time.time()) // 30, self._last + 1)
        while step > int(time.time()) // 30 + 1:
            time.sleep(0.5)  # a clock tells nobody that half a minute is over
        self._last = step
        return self._shows.at(step * 30)


def give(page: Page, code: str, words: dict[str, str], button: str) -> None:
    page.get_by_label(words["code"]).fill(code)
    page.get_by_role("button", name=button, exact=True).click()


@pytest.mark.parametrize("language", ["sv", "en"])
def test_a_person_turns_it_on_logs_in_with_it_and_turns_it_off(visit, office, language):
    words, at_login = TEXTS[language], WORDS[language]
    with visit(language) as page:
        log_in(page, office, language)
        page.get_by_role("link", name=words["link"]).click()
        expect(page.get_by_role("img")).to_be_visible()
        accessible(page)
        telephone = Telephone(page.locator("code").inner_text().replace(" ", ""))
        give(page, telephone.code(), words, words["on"])
        expect(page.get_by_role("button", name=words["off"])).to_be_visible()
        accessible(page)
    with visit(language) as page:
        page.goto("/login")
        page.get_by_label(at_login["address"]).fill(office["login"])
        page.get_by_label(at_login["password"]).fill(office["password"])
        page.get_by_role("button", name=at_login["log in"]).click()
        give(page, "000000", words, at_login["log in"])
        expect(page.get_by_role("alert")).to_be_visible()
        accessible(page)
        give(page, telephone.code(), words, at_login["log in"])
        page.get_by_role("link", name=words["link"]).click()
        give(page, telephone.code(), words, words["off"])
        expect(page.get_by_role("button", name=words["on"])).to_be_visible()
