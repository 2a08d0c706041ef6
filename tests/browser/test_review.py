"""Reviewing a unit's list in a browser: what is left, a decision, and what becomes of the row."""

import uuid

import pytest
from person import accessible, log_in
from playwright.sync_api import Page, expect

from lablib.letters import letter


@pytest.fixture
def arrived(world, reviewer, on_host, rows):
    """Give the subjects of letters to a colleague, taken in for review."""

    def send(count: int) -> list[str]:
        unit = reviewer["reviews"][0]
        colleague = next(one for one in world.facts["people"] if one["unit"] == unit and one["pc"])
        notes = [
            letter(world.outsider, colleague["address"], f"Bygglov {uuid.uuid4().hex[:8]}")
            for _ in range(count)
        ]
        for note in notes:
            world.submit(world.outsider, note)
        for note in notes:
            assert rows(note["Message-ID"])
        on_host("mail", "systemctl start kommunpost-log-list-work.service")
        return [note["Subject"] for note in notes]

    return send


def row_of(page: Page, subject: str):
    """Find a row among those that are left, on whichever page it is."""
    row = page.get_by_role("row", name=subject)
    while not row.count():
        page.get_by_role("link", name="Nyare").click()
    return row


def test_a_row_is_registered_with_its_number(visit, reviewer, arrived):
    (subject,) = arrived(1)
    with visit() as page:
        log_in(page, reviewer)
        page.get_by_role("link", name="Att granska").click()
        accessible(page)
        row_of(page, subject).get_by_role("checkbox").check()
        page.get_by_label("Diarieförd").check()
        page.get_by_role("button", name="Besluta om de valda raderna").click()
        expect(page.get_by_text("Skriv diarienumret.")).to_be_visible()
        expect(row_of(page, subject).get_by_role("checkbox")).to_be_checked()
        accessible(page)
        page.get_by_label("Diarienummer").fill("BN 2026/123")
        page.get_by_role("button", name="Besluta om de valda raderna").click()
        expect(page.get_by_role("status")).to_contain_text("1")
        page.get_by_role("link", name="Loggningslista", exact=True).last.click()
        expect(page.get_by_role("row", name=subject)).to_contain_text("Diarieförd: BN 2026/123")
        page.get_by_role("link", name=subject).click()
        expect(page.get_by_text("BN 2026/123").first).to_be_visible()
        accessible(page)


def test_several_rows_are_decided_at_once(visit, reviewer, arrived):
    subjects = arrived(3)
    with visit() as page:
        log_in(page, reviewer)
        page.goto(f"/units/{reviewer['reviews'][0]}/review/")
        row_of(page, subjects[0])
        for subject in subjects:
            page.get_by_role("row", name=subject).get_by_role("checkbox").check()
        page.get_by_label("Privat").check()
        page.get_by_role("button", name="Besluta om de valda raderna").click()
        expect(page.get_by_role("status")).to_contain_text("3")
        for subject in subjects:
            expect(page.get_by_role("row", name=subject)).to_have_count(0)


def test_the_executive_office_reads_and_does_not_decide(visit, office, reviewer, arrived):
    arrived(1)
    unit = reviewer["reviews"][0]
    assert unit not in office["reviews"], "the example's office reviews other units"
    with visit("en") as page:
        log_in(page, office, "en")
        page.goto(f"/units/{unit}/review/")
        expect(page.get_by_role("table")).to_be_visible()
        expect(page.get_by_role("checkbox")).to_have_count(0)
        accessible(page)
