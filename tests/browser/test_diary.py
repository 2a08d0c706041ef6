"""A diary is handed over, its faults are told, and what it may hold is taken by one click."""

import secrets
import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from person import accessible
from playwright.sync_api import Page, expect

from lablib.letters import letter

HEADING = ("Diarienummer", "Handlingsnr", "Datum", "Riktning", "Avsändare/mottagare",
           "Ärendemening", "Sekretess", "Lagrum", "Avsändare/mottagare (offentlig)",
           "Ärendemening (offentlig)")  # fmt: skip
TEXTS = {
    "sv": {"file": "Fil", "hand over": "Lämna över", "done": "Exporten är intagen",
           "wrong": "Exporten kunde inte tas in. Inget har ändrats.",
           "no day": "är ingen dag"},
    "en": {"file": "File", "hand over": "Hand over", "done": "The export is taken in",
           "wrong": "The export could not be taken in. Nothing was changed.",
           "no day": "is no day"},
}  # fmt: skip


@pytest.fixture(scope="module")
def unit(registrar) -> str:
    """A unit whose diary no other test hands over."""
    return registrar["reviews"][0]


def today() -> str:
    return datetime.now(ZoneInfo("Europe/Stockholm")).date().isoformat()


def record(number: str, subject: str, day: str | None = None) -> tuple[str, ...]:
    """A record of the diary that anybody may read."""
    return (number, "1", day or today(), "Inkommande", "En invånare", subject, "Nej", "", "", "")


def hand_over(page: Page, language: str, *records: tuple[str, ...]) -> None:
    """Hand over an export with these records."""
    texts = TEXTS[language]
    lines = "\n".join(";".join(line) for line in (HEADING, *records))
    export = {"name": "diariet.csv", "mimeType": "text/csv", "buffer": lines.encode()}
    page.get_by_label(texts["file"], exact=True).set_input_files(export)
    page.get_by_role("button", name=texts["hand over"]).click()


@pytest.mark.parametrize("language", ["sv", "en"])
def test_faults_of_an_export_are_told_with_their_line(visit, registrar, unit, language):
    texts = TEXTS[language]
    with visit(language, registrar) as page:
        page.goto(f"/units/{unit}/diary/")
        good, bad = record("BUN 2026/1", "Altan"), record("BUN 2026/2", "Brygga", "i förrgår")
        hand_over(page, language, good, bad)
        expect(page.get_by_role("alert")).to_contain_text(texts["wrong"])
        row = page.get_by_role("row", name="i förrgår")
        expect(row).to_contain_text("diariet.csv:3")
        expect(row).to_contain_text(texts["no day"])
        accessible(page)


def test_what_the_diary_may_hold_is_taken_by_one_click(
    visit, registrar, unit, world, arrived, on_host
):
    word, other = (uuid.uuid4().hex[:8] for _ in range(2))
    # Far from one another: numbers that are alike make the program doubt.
    number, another = (f"BUN 2026/{start + secrets.randbelow(9_999)}" for start in (20_000, 70_000))
    colleague = next(one for one in world.facts["people"] if one["unit"] == unit)
    certain = arrived(colleague["address"], f"Skolskjuts {word}, {number}")
    likely = arrived(colleague["address"], "", _from_somebody(world, colleague, f"Fråga {other}"))
    with visit("sv", registrar) as page:
        page.goto(f"/units/{unit}/diary/")
        hand_over(
            page, "sv",
            record(number, f"Skolskjuts {word}"),
            record(another, f"Anmälan om {other}"),
        )  # fmt: skip
        expect(page.get_by_role("status")).to_contain_text(TEXTS["sv"]["done"])
        accessible(page)
        on_host("mail", "systemctl start kommunpost-log-list-work.service")
        page.goto(certain["page"])
        expect(page.locator("main")).to_contain_text(f"Diarieförd: {number}")
        expect(page.locator("main")).to_contain_text("programmet, efter diariet")
        page.goto(likely["page"])
        expect(page.get_by_text("Kan finnas i diariet")).to_be_visible()
        page.get_by_text("Varför").first.click()
        accessible(page)
        page.get_by_role("button", name=f"Registrerad som {another}").click()
        expect(page.locator("main")).to_contain_text(f"Diarieförd: {another}")
        expect(page.locator("main")).to_contain_text(registrar["name"])
        accessible(page)


def _from_somebody(world, colleague, subject):
    """A letter whose sender's name the diary doesn't have."""
    return letter(world.outsider.address, colleague["address"], subject)
