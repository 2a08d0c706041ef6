"""What a person does at the log list, and what axe says of the page that they see."""

import json
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# WCAG 2.1 A and AA, which DOS-lagen asks for by EN 301 549, and what axe calls best practice.
_RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    }
}
WORDS = {
    "sv": {"address": "E-postadress", "password": "Lösenord", "log in": "Logga in",
           "log out": "Logga ut", "subject": "I ärendemeningen", "show": "Visa"},
    "en": {"address": "E-mail address", "password": "Password", "log in": "Log in",
           "log out": "Log out", "subject": "In the subject", "show": "Show"},
}  # fmt: skip


def log_in(page: Page, who: dict[str, Any], language: str = "sv") -> None:
    """Log in by the fields' own names, and wait for the page behind."""
    words = WORDS[language]
    page.goto("/login")
    page.get_by_label(words["address"]).fill(who["login"])
    page.get_by_label(words["password"]).fill(who["password"])
    page.get_by_role("button", name=words["log in"]).click()
    page.get_by_role("button", name=words["log out"]).wait_for()


def accessible(page: Page) -> None:
    """Axe finds nothing wrong on the page."""
    found = Axe().run(page, options=_RULES).response["violations"]
    told = [
        {"rule": one["id"], "impact": one["impact"], "at": [n["target"] for n in one["nodes"]][:5]}
        for one in found
    ]
    assert told == [], f"{page.url}: {json.dumps(told, indent=1)}"
