"""What a person does at the log list, and what axe says of the page that they see."""

import json
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

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


def used_by_everybody(page: Page, *, by_keyboard: bool) -> None:
    """Look at a page with all that looks by itself.

    by_keyboard: also walk through it by Tab, which is the same in each language.
    """
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    accessible(page)
    fits(page)
    if by_keyboard:
        reached_by_keyboard(page)


def tab_to(page: Page, wanted: Locator) -> None:
    """Go to a link, a field or a button by the Tab key."""
    for _ in range(100):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"the keyboard does not reach {wanted}")


def fits(page: Page) -> None:
    """The page is scrolled one way only at 320 px, and at 640: 1280 at 200 % (WCAG 2.1, 1.4.10).

    Axe looks again there: what lies side by side on a wide screen lies elsewhere on a narrow one.
    """
    size = page.viewport_size
    for width in (640, 320):
        page.set_viewport_size({"width": width, "height": 800})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{page.url} is {wide} px wide on a screen of {width}"
        accessible(page)
    if size:
        page.set_viewport_size(size)


def reached_by_keyboard(page: Page) -> None:
    """Tab reaches all that can be used, in the order in which it is read, and shows where it is."""
    wanted = page.evaluate(_MARK)
    page.evaluate("document.body.tabIndex = -1; document.body.focus()")  # from the very top
    reached: list[int] = []
    for _ in range(8 * wanted):  # a date has a stop for each of its parts
        page.keyboard.press("Tab")
        found = page.evaluate(_FOCUS)
        if found is None:
            break
        assert found["is_shown"], f"{page.url}: nothing shows that {found['text']!r} has the focus"
        if found["number"] not in reached:
            reached.append(found["number"])
    assert reached == list(range(wanted)), f"{page.url}: the keyboard's way is another"


# Number what can be used, in the order of the text; of radio buttons of a name one is a stop.
_MARK = """() => {
  const names = new Set();
  const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, '
    + '[tabindex="0"]')];
  const stops = all.filter(one => {
    if (one.type === 'hidden' || one.disabled || !one.checkVisibility()) return false;
    if (one.type !== 'radio') return true;
    const other = document.querySelector(`input[name="${one.name}"]:checked`);
    if (other) return other === one;
    return !names.has(one.name) && names.add(one.name);
  });
  stops.forEach((one, number) => one.dataset.stop = number);
  return stops.length;
}"""
_FOCUS = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const style = getComputedStyle(one);
  return {
    number: Number(one.dataset.stop ?? -1),
    text: one.textContent.trim() || one.name,
    is_shown: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
  };
}"""
