"""A citizen asks for the list: from the request to the preview, as a registrar does it."""

import uuid
import zipfile

import pytest
from person import accessible, log_in
from playwright.sync_api import expect

from lablib.letters import letter


@pytest.fixture
def subject(world, reviewer, rows) -> str:
    """The subject of a letter with a personal number in it, to a colleague of the reviewer."""
    unit = reviewer["reviews"][0]
    colleague = next(one for one in world.facts["people"] if one["unit"] == unit and one["pc"])
    note = letter(
        world.outsider, colleague["address"], f"Ärende {uuid.uuid4().hex[:8]} om 19811218-9876"
    )
    world.submit(world.outsider, note)
    assert rows(note["Message-ID"])
    return note["Subject"]


def test_a_request_is_registered_masked_looked_at_and_handed_out(visit, reviewer, subject):
    word = subject.split()[1]
    with visit() as page:
        log_in(page, reviewer)
        page.goto(f"/units/{reviewer['reviews'][0]}/disclosures/")
        accessible(page)
        page.get_by_role("link", name="Ny begäran").click()
        accessible(page)
        page.get_by_label("Vad som begärs").fill("Alla brev om ärendet i november")
        page.get_by_role("button", name="Registrera").click()
        page.get_by_role("link", name="Välj raderna").click()
        page.get_by_label("I ärendemeningen").fill(word)
        page.get_by_role("button", name="Visa", exact=True).click()
        accessible(page)
        page.get_by_role("button", name="Välj de här raderna").click()
        page.goto(page.url.removesuffix("rows") + "rows")
        expect(page.get_by_text("19811218-9876").first).to_be_visible()
        accessible(page)
        row = page.get_by_role("row", name=subject.split()[1])
        row.get_by_role("combobox").last.fill("21 kap. 1 § OSL")
        with page.expect_navigation():
            page.get_by_role("button", name="Spara").first.click()
        page.goto(page.url.partition("rows")[0] + "preview")
        text = page.locator("body").inner_text()
        assert "21 kap. 1 § OSL" in text
        assert word not in text
        assert "9876" not in page.content()
        accessible(page)
        page.goto(page.url.removesuffix("preview") + "hand-out")
        accessible(page)
        page.get_by_role("button", name="Lämna ut").click()
        expect(page.get_by_role("link", name="Det som lämnades ut")).to_be_visible()
        accessible(page)
        with page.expect_download() as download:
            page.get_by_role("link", name="Det som lämnades ut").click()
        with zipfile.ZipFile(download.value.path()) as handed_out:
            names = handed_out.namelist()
            assert {name.rpartition(".")[2] for name in names} >= {"pdf", "xlsx", "csv"}
            (csv,) = (name for name in names if name.endswith(".csv"))
            told = handed_out.read(csv).decode("utf-8-sig")
        assert "21 kap. 1 § OSL" in told
        assert word not in told
        expect(page.get_by_text("Väntar till 20")).to_be_visible()
        page.get_by_role("button", name="Beslutet är överklagat").click()
        expect(page.get_by_text("Väntar tills vidare")).to_be_visible()
        accessible(page)
        page.get_by_role("button", name="Målet är avslutat").click()
        expect(page.get_by_text("målet är avslutat")).to_be_visible()
        accessible(page)
