"""Mail of somebody's own reaches the reviewer: handed over, or opened by two persons."""

import uuid

import pytest
from person import accessible, fits, log_in
from playwright.sync_api import Page, expect

from lablib.letters import letter


@pytest.fixture
def holder(world, registrar):
    """Somebody whose mail the registrar's unit has in its list."""
    return next(
        one
        for one in world.facts["people"]
        if one["unit"] in registrar["reviews"] and one["login"] != registrar["login"]
    )


@pytest.fixture
def in_a_folder(world, holder, arrived):
    """A letter that its holder has filed in a folder with a space and an å in its name."""
    token = uuid.uuid4().hex[:8]
    note = letter(world.outsider, holder["address"], f"Ängsvägen {token}", "Bara för dina ögon.")
    row = arrived(holder["address"], "", note)
    owner = world.person(holder["address"])
    world.arrival(owner, note["Message-ID"])
    with world.mailbox(owner) as client:
        client.select_folder("INBOX")
        (found,) = client.search(["HEADER", "Message-ID", note["Message-ID"]])
        folder = f"Pågående {token}"
        client.create_folder(folder)
        client.move([found], folder)

    def flags() -> tuple[bytes, ...]:
        with world.mailbox(owner) as client:
            client.select_folder(folder, readonly=True)
            return next(iter(client.get_flags(client.search()).values()))

    return row, flags


def in_doubt(page: Page, row: dict) -> None:
    page.goto(row["page"])
    page.get_by_label("Tveksam, frågan är ställd").check()
    page.get_by_role("button", name="Besluta").click()
    expect(page.get_by_role("listitem").first).to_contain_text("Tveksam")


def test_whoever_is_asked_hands_the_message_over_by_one_click(
    visit, world, registrar, holder, in_a_folder, on_host
):
    row, flags = in_a_folder
    on_host("mail", "systemctl start kommunpost-log-list-work.service")
    with visit("sv", registrar) as page:
        in_doubt(page, row)
        page.goto(f"{row['page']}/message")
        expect(page.get_by_role("heading", name="Meddelandet kan inte öppnas")).to_be_visible()
    on_host("mail", "systemctl start kommunpost-log-list-work.service")  # which sends the letter
    with visit() as page:
        log_in(page, holder)
        page.get_by_role("link", name="Frågor till dig").first.click()
        page.get_by_role("rowheader").first.get_by_role("link").click()
        page.get_by_role("button", name="Lämna över meddelandet").click()
        expect(page.get_by_role("heading", name="Ditt svar")).to_be_visible()
        accessible(page)
        fits(page)
    with visit("sv", registrar) as page:
        page.goto(f"{row['page']}/message")
        expect(page.locator("main")).to_contain_text("Bara för dina ögon.")
    assert b"\\Seen" not in flags(), "the holder has not read it"


def test_the_question_reaches_the_official_as_a_letter_that_names_nobody(
    visit, world, registrar, holder, in_a_folder, on_host
):
    row, _ = in_a_folder
    on_host("mail", "systemctl start kommunpost-log-list-work.service")
    with visit("sv", registrar) as page:
        in_doubt(page, row)
    on_host("mail", "systemctl start kommunpost-log-list-work.service")
    with world.mailbox(world.person(holder["address"])) as client:
        client.select_folder("INBOX", readonly=True)
        found = client.search(["FROM", f"kommunpost@{world.domain}"])
        letters = client.fetch(found[-5:], ["BODY[]"])
    texts = [one[b"BODY[]"].decode(errors="replace") for one in letters.values()]
    assert any("/questions/" in text for text in texts)
    assert not any(world.outsider.address in text for text in texts)


def test_two_persons_open_a_message_while_its_holder_is_away(visit, registrar, office, in_a_folder):
    row, flags = in_a_folder
    with visit("sv", registrar) as page:
        page.goto(f"{row['page']}/message")
        page.get_by_role("link", name="öppna det i innehavarens frånvaro").click()
        accessible(page)
        fits(page)
        page.get_by_label("Varför det inte kan vänta").fill(
            "Innehavaren är borta och svaret kan inte vänta."
        )
        page.get_by_role("button", name="Begär godkännande av en andra person").click()
        expect(page.locator("main")).to_contain_text("Ingen än.")
        page.goto(f"{row['page']}/message")
        expect(page.get_by_role("heading", name="Meddelandet kan inte öppnas")).to_be_visible()
    with visit("sv", office) as page:
        page.goto(f"/units/{row['recipient_unit']}/absences/")
        accessible(page)
        page.get_by_role("rowheader").last.get_by_role("link").click()
        page.get_by_role("button", name="Godkänn, i mitt namn").click()
        accessible(page)
        page.goto(f"{row['page']}/message")
        expect(page.locator("main")).not_to_contain_text("Bara för dina ögon.")
    with visit("sv", registrar) as page:
        page.goto(f"{row['page']}/message")
        expect(page.locator("main")).to_contain_text("Bara för dina ögon.")
    assert b"\\Seen" not in flags(), "the holder has not read it"
    with visit("sv", office) as page:
        page.goto(f"/trail/{row['recipient_unit']}/")
        told = page.locator("main")
        expect(told).to_contain_text("Innehavaren är borta och svaret kan inte vänta.")
        expect(told).to_contain_text(office["name"])
