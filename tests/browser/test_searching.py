"""Finding mail in the list: the filter, pages to the end and back, files, and paper."""

import csv
import io
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from person import WORDS, accessible, tab_to
from playwright.sync_api import Page, expect

from lablib.letters import letter

PAGE = 50  # rows on a page
TEXTS = {
    "sv": {"how": "Sök efter", "forms": "ord i alla böjningar", "as written": "texten som den står",
           "none": "Ingen e-post stämmer", "direction": "Riktning", "out": "Utgående",
           "in": "Inkommande", "party": "Avsändare eller mottagare", "since": "Från och med",
           "until": "Till och med", "all": "Visa alla", "older": "Äldre", "newest": "Senaste",
           "mailbox": "Brevlåda", "standing": "Granskning", "undecided": "Att granska",
           "private": "Privat"},
    "en": {"how": "Search for", "forms": "words in any form", "as written": "the text as written",
           "none": "No mail is like that", "direction": "Direction", "out": "Outgoing",
           "in": "Incoming", "party": "Sender or recipient", "since": "From",
           "until": "To and including", "all": "Show all", "older": "Older", "newest": "Newest",
           "mailbox": "Mailbox", "standing": "Review", "undecided": "To review",
           "private": "Private"},
}  # fmt: skip


@pytest.fixture(scope="module")
def colleague(world, reviewer):
    """Somebody of the unit that the reviewer's list opens with."""
    unit = reviewer["reviews"][0]
    return next(one for one in world.facts["people"] if one["unit"] == unit and one["pc"])


@dataclass(frozen=True)
class Many:
    """Mail of more rows than a page has: a word in all of their subjects, and their number."""

    word: str
    rows: int


@pytest.fixture(scope="module")
def many(world, colleague, ask) -> Many:
    """Letters to all of the unit, and one to a colleague alone."""
    word = uuid.uuid4().hex[:8]
    everybody = [
        one["address"] for one in world.facts["people"] if one["unit"] == colleague["unit"]
    ]
    times = PAGE // len(everybody) + 1
    for number in range(times):
        note = letter(world.outsider, everybody[0], f"Lekplatsen {number:02} {word}")
        world.submit(world.outsider, note, *everybody)
    alone = letter(world.outsider, colleague["address"], f"Lekplatsen ensam {word}")
    world.submit(world.outsider, alone)
    made = times * len(everybody) + 1
    ask(f"SELECT count(*) FROM log.entry WHERE subject LIKE '%{word}'", str(made))
    return Many(word, made)


def search(page: Page, language: str, **wanted: str) -> None:
    """Fill in the filter anew and ask for what it finds."""
    texts, words = TEXTS[language], WORDS[language]
    page.get_by_label(words["subject"]).fill(wanted.get("subject", ""))
    page.get_by_label(texts["how"]).select_option(wanted.get("how", texts["as written"]))
    page.get_by_label(texts["party"]).fill(wanted.get("party", ""))
    page.get_by_label(texts["mailbox"], exact=True).select_option(wanted.get("mailbox"))
    page.get_by_label(texts["direction"]).select_option(label=wanted.get("direction"))
    page.get_by_label(texts["standing"], exact=True).select_option(label=wanted.get("standing"))
    page.get_by_label(texts["since"], exact=True).fill(wanted.get("since", ""))
    page.get_by_label(texts["until"], exact=True).fill(wanted.get("until", ""))
    page.get_by_role("button", name=words["show"], exact=True).click()


def found(page: Page) -> int:
    """Count the rows on the page."""
    return page.get_by_role("rowheader").count()


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_filter_finds_what_is_meant_and_nothing_else(
    visit, reviewer, world, colleague, many, language
):
    texts = TEXTS[language]
    with visit(language, reviewer) as page:
        page.goto(f"/units/{colleague['unit']}/")
        search(page, language, subject=f"lekplatser {many.word}")
        expect(page.get_by_text(texts["none"])).to_be_visible()
        search(page, language, subject=f"lekplatser {many.word}", how=texts["forms"])
        assert found(page) == PAGE
        accessible(page)
        search(page, language, subject=f"ensam {many.word}")
        assert found(page) == 1
        today = page.get_by_role("row", name=many.word).get_by_role("time").inner_text()[:10]
        for right, wrong in (
            ({"direction": texts["in"]}, {"direction": texts["out"]}),
            ({"party": world.outsider.address}, {"party": f"ingen@{world.domain}"}),
            ({"since": today}, {"since": "2001-01-01", "until": "2001-12-31"}),
        ):
            search(page, language, subject=f"ensam {many.word}", **right)
            assert found(page) == 1, right
            search(page, language, subject=f"ensam {many.word}", **wrong)
            assert found(page) == 0, wrong
        page.get_by_role("link", name=texts["all"]).click()
        assert found(page) == PAGE


@pytest.mark.parametrize("language", ["sv", "en"])
def test_rows_are_found_by_mailbox_and_by_how_they_stand(
    visit, office, world, mailbox, arrived, on_host, language
):
    texts, word = TEXTS[language], uuid.uuid4().hex[:8]
    unit = arrived(mailbox, f"Lekplatsen {word}")["recipient_unit"]
    on_host("mail", "systemctl start kommunpost-log-list-work.service")
    with visit(language, office) as page:
        page.goto(f"/units/{unit}/")
        choices = page.get_by_label(texts["mailbox"], exact=True).locator("option")
        addresses = choices.evaluate_all("all => all.map(one => one.value)")
        assert mailbox in addresses
        board = next(one for one in addresses if one not in ("", mailbox))
        for right, wrong in (
            ({"mailbox": mailbox}, {"mailbox": board}),
            ({"mailbox": mailbox, "party": world.outsider.address},
             {"mailbox": mailbox, "party": f"ingen@{world.domain}"}),
            ({"standing": texts["undecided"]}, {"standing": texts["private"]}),
            ({"mailbox": mailbox, "standing": texts["undecided"]},
             {"mailbox": board, "standing": texts["undecided"]}),
        ):  # fmt: skip
            search(page, language, subject=word, **right)
            assert found(page) == 1, right
            accessible(page)
            search(page, language, subject=word, **wrong)
            assert found(page) == 0, wrong
            expect(page.get_by_text(texts["none"])).to_be_visible()


def test_the_list_is_leafed_to_its_end_and_back_by_keyboard_alone(visit, reviewer, colleague, many):
    with visit("sv", reviewer) as page:
        page.goto(f"/units/{colleague['unit']}/")
        tab_to(page, page.get_by_label("I ärendemeningen"))
        page.keyboard.type(many.word)
        page.keyboard.press("Enter")
        expect(page.get_by_role("rowheader")).to_have_count(PAGE)
        first = page.get_by_role("rowheader").first.inner_text()
        tab_to(page, page.get_by_role("link", name="Äldre"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("rowheader")).to_have_count(many.rows - PAGE)
        expect(page.get_by_role("link", name="Äldre")).to_have_count(0)
        expect(page.get_by_label("I ärendemeningen")).to_have_value(many.word)
        tab_to(page, page.get_by_role("link", name="Senaste"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("rowheader").first).to_have_text(first)


def test_all_that_was_found_is_saved_as_a_file(visit, reviewer, colleague, many):
    with visit("sv", reviewer) as page:
        page.goto(f"/units/{colleague['unit']}/?q={many.word}")
        files = {}
        for kind in ("Excel", "CSV"):
            with page.expect_download() as download:
                page.get_by_role("link", name=kind).click()
            files[download.value.suggested_filename] = Path(download.value.path()).read_bytes()
    name = f"loggningslista-{colleague['unit']}"
    told = list(csv.reader(io.StringIO(files[f"{name}.csv"].decode("utf-8-sig")), delimiter=";"))
    assert len(told) == 1 + many.rows, "the rows of both pages, and a heading"
    assert all(many.word in " ".join(line) for line in told[1:])
    with zipfile.ZipFile(io.BytesIO(files[f"{name}.xlsx"])) as book:
        assert book.read("xl/worksheets/sheet1.xml").count(b"<row") == len(told)


def test_on_paper_stands_the_list_alone(visit, reviewer, colleague, many):
    with visit("sv", reviewer) as page:
        page.goto(f"/units/{colleague['unit']}/?q={many.word}")
        page.emulate_media(media="print")
        for unwanted in (
            page.get_by_role("button", name="Visa", exact=True),
            page.get_by_role("button", name="Logga ut"),
            page.get_by_role("link", name="Äldre"),
            page.get_by_role("link", name="Att granska", exact=True),
        ):
            expect(unwanted).not_to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_role("rowheader")).to_have_count(PAGE)
        paper = page.pdf(format="A4", landscape=True)
        assert paper.count(b"/Type /Page\n") in (2, 3), "fifty rows on two or three sheets"
