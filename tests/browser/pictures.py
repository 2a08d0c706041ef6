"""The handbook's pictures: `make pictures`, on a lab that nobody has used yet.

Sends the example municipality some letters, does with them what the handbook tells, and writes what
a reviewer sees to docs/handbook/pictures.
"""

from pathlib import Path

from person import log_in
from playwright.sync_api import Page
from test_message import WORDS, open_message

from lablib.letters import letter

FOLDER = Path(__file__).parents[2] / "docs/handbook/pictures"
SUBJECTS = (
    "Ansökan om bygglov för altan, Strandvägen 4",
    "Fråga om handläggningstiden för dnr BN 2026/118",
    "Erbjudande: kopiatorer till halva priset",
    "Synpunkter på detaljplanen för Norra hamnen",
    "Lunch på fredag?",
    "Överklagande av beslut BN 2026/97",
)


def picture(page: Page, name: str, *, is_whole: bool = True) -> None:
    """Write the page as it is on the screen; if not whole, what is seen of it at first."""
    FOLDER.mkdir(exist_ok=True)
    page.screenshot(path=FOLDER / f"{name}.png", full_page=is_whole)


def test_pictures(world, visit, reviewer, on_host, rows):
    unit = reviewer["reviews"][0]
    people = [one for one in world.facts["people"] if one["unit"] == unit and one["pc"]]
    colleague = next(one for one in people if one["login"] != reviewer["login"])
    for subject in SUBJECTS:
        note = letter(world.outsider, colleague["address"], subject)
        world.submit(world.outsider, note)
        assert rows(note["Message-ID"])
    on_host("mail", "systemctl start kommunpost-log-list-work.service")
    with visit() as page:
        page.set_viewport_size({"width": 1180, "height": 640})
        log_in(page, reviewer)
        picture(page, "list")
        page.get_by_role("link", name="Att granska").click()
        row = page.get_by_role("row", name=SUBJECTS[1])
        row.get_by_role("checkbox").check()
        page.get_by_label("Diarieförd").check()
        page.get_by_label("Diarienummer").fill("BN 2026/118")
        picture(page, "review")
        page.get_by_role("button", name="Besluta om de valda raderna").click()
        page.goto(f"/units/{unit}/")
        page.get_by_role("link", name=SUBJECTS[1]).click()
        picture(page, "entry")
        page.goto(f"/units/{unit}/disclosures/new")
        page.get_by_label("Vad som begärs").fill("Alla brev om bygglov och planer i november")
        page.get_by_role("button", name="Registrera").click()
        page.get_by_role("link", name="Välj raderna").click()
        page.get_by_role("button", name="Visa", exact=True).click()
        page.get_by_role("button", name="Välj de här raderna").click()
        page.get_by_role(
            "link", name="Läs varje rad och maskera det som omfattas av sekretess"
        ).click()
        cell = page.get_by_role("row", name=SUBJECTS[0]).get_by_role("combobox").last
        cell.fill("21 kap. 1 § OSL")
        picture(page, "masking")
        with page.expect_navigation():
            # By keyboard: a picture of the whole page scrolls it once more, under the pointer.
            page.get_by_role("button", name="Spara").first.press("Enter")
        page.goto(page.url.partition("rows")[0] + "preview")
        picture(page, "preview")
        page.goto(f"/units/{unit}/overview/")
        picture(page, "overview", is_whole=False)
        page.goto(f"/units/{unit}/periods/")
        picture(page, "periods")


def test_picture_of_a_message(visit, office, world, mailbox, arrived):
    note = letter(
        world.outsider, mailbox, "Ritningar till bygglovet", "Hej!\n\nHär är ritningen.\n\nÅsa Ek\n"
    )
    note.add_attachment(
        b"%PDF-1.4", maintype="application", subtype="pdf", filename="ritning över altan.pdf"
    )
    row = arrived(mailbox, "", note)
    with visit("sv", office) as page:
        page.set_viewport_size({"width": 1180, "height": 640})
        page.goto(row["page"])
        open_message(page, WORDS["sv"])
        picture(page, "message")
