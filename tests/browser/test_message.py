"""What a reviewer does with a message of a function mailbox, and with a conversation."""

import uuid
import zipfile
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from person import accessible
from playwright.sync_api import Page, expect

from lablib.letters import letter

WORDS = {
    "sv": {"open": "Öppna meddelandet", "zip": "Spara ett paket till diariet (.zip)",
           "forward": "Spara ett utkast till en annan myndighet (.eml)",
           "file": "Spara meddelandet som fil (.eml)", "hand over": "Lämna över",
           "closed": "Meddelandet kan inte öppnas", "html": "Meddelandet saknar oformaterad text.",
           "conversation": "Visa konversationen", "back": "Tillbaka till posten"},
    "en": {"open": "Open the message", "zip": "Save a package for the diary (.zip)",
           "forward": "Save a draft for another authority (.eml)",
           "file": "Save the message as a file (.eml)", "hand over": "Hand over",
           "closed": "The message can't be opened", "html": "The message has no plain text.",
           "conversation": "Show the conversation", "back": "Back to the entry"},
}  # fmt: skip
DRAWING = b"%PDF-1.4 ritning"
HOSTILE = """<html><body onload="document.title='taken'"><script>document.title='taken'</script>
<p>Titta <a href="https://spion.example/ut">här</a></p><img src="https://spion.example/p.gif">
<iframe src="https://spion.example/"></iframe><form action="https://spion.example/"><input></form>
&lt;script&gt;som text&lt;/script&gt;</body></html>"""


def open_message(page: Page, words: dict[str, str]) -> None:
    """Open the message of the entry on the screen: its copy may still be on its way."""
    page.get_by_role("link", name=words["open"]).click()
    there = page.get_by_role("heading", name=words["hand over"])
    for _ in range(60):
        if there.count():
            return
        page.wait_for_timeout(500)  # the archive tells no page that a copy has come
        page.reload()
    expect(there).to_be_visible()


def saved(page: Page, link: str) -> Path:
    """Save what a link leads to."""
    with page.expect_download() as download:
        page.get_by_role("link", name=link).click()
    return Path(download.value.path())


@pytest.mark.parametrize("language", ["sv", "en"])
def test_a_hostile_message_is_shown_as_text_and_its_parts_are_saved(
    visit, office, world, mailbox, arrived, language
):
    words = WORDS[language]
    note = letter(world.outsider, mailbox, f"Bygglov på Ängsvägen {uuid.uuid4().hex[:8]}")
    note.set_content(HOSTILE, subtype="html")
    note.add_attachment(DRAWING, maintype="application", subtype="pdf",
                        filename="ritning över altan.pdf")  # fmt: skip
    row = arrived(mailbox, "", note)
    with visit(language, office) as page:
        page.goto(row["page"])
        open_message(page, words)
        expect(page.locator("main")).to_contain_text(words["html"])
        expect(page.locator("pre")).to_contain_text("Titta här <https://spion.example/ut>")
        expect(page.locator("pre")).to_contain_text("<script>som text</script>")
        assert "taken" not in page.title()
        assert page.locator("main :is(script, img, iframe, form, input)").count() == 0
        accessible(page)
        assert saved(page, "ritning över altan.pdf").read_bytes() == DRAWING
        with zipfile.ZipFile(saved(page, words["zip"])) as package:
            assert DRAWING in [package.read(name) for name in package.namelist()]
        draft = message_from_bytes(saved(page, words["forward"]).read_bytes(),
                                   policy=policy.default)  # fmt: skip
        inside = [part.get_content_type() for part in draft.walk()]
        assert inside[:3] == ["multipart/mixed", "text/plain", "message/rfc822"]
        assert note["Message-ID"].encode() in saved(page, words["file"]).read_bytes()


@pytest.mark.parametrize("language", ["sv", "en"])
def test_a_message_of_somebodys_own_mailbox_does_not_open(visit, office, world, arrived, language):
    words = WORDS[language]
    colleague = next(one for one in world.facts["people"] if one["unit"] in office["reviews"])
    row = arrived(colleague["address"], f"Till dig {uuid.uuid4().hex[:8]}")
    with visit(language, office) as page:
        page.goto(row["page"])
        with page.expect_response(lambda answer: answer.url.endswith("/message")) as answer:
            page.get_by_role("link", name=words["open"]).click()
        assert answer.value.status == 403
        expect(page.get_by_role("heading", name=words["closed"])).to_be_visible()
        assert page.locator("pre").count() == 0
        assert page.get_by_role("link", name=words["zip"]).count() == 0
        accessible(page)


@pytest.mark.parametrize("language", ["sv", "en"])
def test_letters_that_answer_one_another_stand_together(
    visit, office, world, mailbox, arrived, language
):
    words = WORDS[language]
    token = uuid.uuid4().hex[:8]
    question = letter(world.outsider, mailbox, f"Lekplatsen {token}")
    answer = letter(world.outsider, mailbox, f"SV: Lekplatsen {token}")
    answer["In-Reply-To"] = answer["References"] = question["Message-ID"]
    other = letter(world.outsider, mailbox, f"Lekplatsen {token}, en annan")
    first, *_ = [arrived(mailbox, "", note) for note in (question, answer, other)]
    with visit(language, office) as page:
        page.goto(first["page"])
        page.get_by_role("link", name=words["conversation"]).click()
        links = page.get_by_role("rowheader").get_by_role("link")
        expect(links).to_have_text([question["Subject"], answer["Subject"]])
        accessible(page)
        links.last.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(answer["Subject"])
        page.go_back()
        page.get_by_role("link", name=words["back"]).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(question["Subject"])
