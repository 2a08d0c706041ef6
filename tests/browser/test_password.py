"""Choosing a password by the code of a letter, and another one in its place."""

import re
import secrets

import pytest
from person import accessible, log_in
from playwright.sync_api import Page, expect

TEXTS = {
    "sv": {"address": "E-postadress", "code": "Kod från brevet", "old": "Lösenord som du har nu",
           "new": "Nytt lösenord", "again": "Nytt lösenord en gång till",
           "choose": "Välj lösenordet", "letter": "Jag har ett brev med en kod",
           "change": "Jag har ett lösenord och vill byta det", "chosen": "Lösenordet är valt",
           "not theirs": "hör inte ihop", "wrong": "stämmer inte", "weak": "längre lösenord",
           "different": "inte lika", "to the list": "Till din loggningslista",
           "no unit": "Du granskar ingen enhet"},
    "en": {"address": "E-mail address", "code": "Code from the letter",
           "old": "Password that you have now", "new": "New password",
           "again": "New password once more", "choose": "Choose the password",
           "letter": "I have a letter with a code",
           "change": "I have a password and want another", "chosen": "The password is chosen",
           "not theirs": "do not belong together", "wrong": "is wrong", "weak": "longer password",
           "different": "not the same", "to the list": "To your log list",
           "no unit": "You review no unit"},
}  # fmt: skip


@pytest.fixture(params=["sv", "en"])
def language(request) -> str:
    return request.param


@pytest.fixture
def letter_of(world, kommunpost, language):
    """Somebody whom no other test asks for, and the code of a letter to them."""
    people = [one for one in reversed(world.facts["people"]) if not one["pc"]]
    address = people[5 + ["sv", "en"].index(language)]["address"]
    told = kommunpost("directory", "password", "first", address).stdout
    return address, re.search(r"Kod: +(\S+)", told)[1]


def choose(page: Page, texts: dict[str, str], address: str, proof: tuple[str, str], *new: str):
    """Fill in whose password, the code or the old one, and the new one twice; send it."""
    page.get_by_label(texts["address"]).fill(address)
    page.get_by_label(texts[proof[0]]).fill(proof[1])
    page.get_by_label(texts["new"], exact=True).fill(new[0])
    page.get_by_label(texts["again"]).fill(new[-1])
    page.get_by_role("button", name=texts["choose"]).click()


def test_a_password_is_chosen_by_a_letter_and_changed(visit, language, letter_of):
    texts, (address, code) = TEXTS[language], letter_of
    first, second = (f"fyra ord i rad {secrets.token_hex(6)}" for _ in range(2))
    with visit(language) as page:
        page.goto("/login")
        page.get_by_role("link", name=texts["letter"]).click()
        for proof, new, told in (
            (("code", "fel-kod"), (first,), "not theirs"),
            (("code", code), (first, second), "different"),
            (("code", code), ("kort",), "weak"),
        ):
            choose(page, texts, address, proof, *new)
            expect(page.get_by_role("alert")).to_contain_text(texts[told])
            accessible(page)
        choose(page, texts, address, ("code", code), first)
        expect(page.get_by_role("heading", name=texts["chosen"])).to_be_visible()
        page.goto("/login")
        page.get_by_role("link", name=texts["change"]).click()
        choose(page, texts, address, ("old", "inte detta"), second)
        expect(page.get_by_role("alert")).to_contain_text(texts["wrong"])
        accessible(page)
        choose(page, texts, address, ("old", first), second)
        expect(page.get_by_role("heading", name=texts["chosen"])).to_be_visible()
        accessible(page)
        log_in(page, {"login": address, "password": second}, language)
        expect(page.get_by_role("heading", level=1)).to_have_text(texts["no unit"])
        accessible(page)
        page.goto("/password/first")
        choose(page, texts, address, ("code", code), first)
        expect(page.get_by_role("alert")).to_contain_text(texts["not theirs"])
