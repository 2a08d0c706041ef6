"""A period of the review is closed and signed, and its protocol is what the page says it is."""

import hashlib
import uuid
from pathlib import Path

import pytest
from person import accessible
from playwright.sync_api import Page, expect


@pytest.fixture
def last_week(world, visit, registrar, arrived, on_host):
    """A letter of last week, not decided, to a unit with no closed period; its unit and page."""
    unit = _not_closed_yet(visit, registrar)
    colleague = next(one for one in world.facts["people"] if one["unit"] == unit)
    row = arrived(colleague["address"], f"Förra veckan {uuid.uuid4().hex[:8]}")
    on_host("mail", "systemctl start kommunpost-log-list-work.service")
    # A lab is born today, and no page may move a row to another day: only whoever owns the host.
    moved = on_host(
        "mail",
        "runuser -u postgres -- psql -Atd kommunpost -c "
        '"SET session_replication_role = replica; '
        "UPDATE loglist.loglist_reviewitem SET accepted_at = accepted_at - interval '7 days' "
        f"WHERE outbox = '{row['outbox_id']}' AND sequence = {row['sequence']} RETURNING unit\"",
    )
    assert unit in moved.split()
    return unit, row["page"]


def _not_closed_yet(visit, registrar) -> str:
    """The last of the registrar's units of which no period is closed; other tests use the first."""
    with visit("sv", registrar) as page:
        for unit in reversed(registrar["reviews"]):
            page.goto(f"/units/{unit}/periods/")
            if not page.get_by_role("table", name="Avslutade perioder").count():
                return unit
    pytest.fail("each of the registrar's units has a closed period: reset the lab")


def oldest(page: Page):
    """The first of the open periods."""
    return page.get_by_role("table", name="Öppna perioder").get_by_role("row").nth(1)


def test_a_period_is_closed_when_each_row_has_an_outcome(visit, registrar, last_week):
    unit, entry = last_week
    close = f"Avsluta och signera som {registrar['name']}"
    with visit("sv", registrar) as page:
        page.goto(f"/units/{unit}/periods/")
        expect(oldest(page)).to_contain_text("Rader är kvar")
        expect(page.get_by_role("button", name=close)).to_have_count(0)
        page.goto(entry)
        page.get_by_label("Privat").check()
        page.get_by_role("button", name="Besluta").click()
        expect(page.get_by_text("Privat").first).to_be_visible()
        page.goto(f"/units/{unit}/periods/")
        days = oldest(page).get_by_role("rowheader").inner_text()
        accessible(page)
        page.get_by_role("button", name=close).click()
        closed = page.get_by_role("table", name="Avslutade perioder").get_by_role("row").nth(1)
        expect(closed).to_contain_text(days)
        expect(closed).to_contain_text(registrar["name"])
        assert days not in page.get_by_role("table", name="Öppna perioder").inner_text()
        accessible(page)
        with page.expect_download() as download:
            closed.get_by_role("link").click()
        protocol = Path(download.value.path()).read_bytes()
        assert protocol.startswith(b"%PDF-")
        expect(closed).to_contain_text(hashlib.sha256(protocol).hexdigest())


def test_whoever_only_reads_closes_nothing(visit, office, registrar):
    unit = next(unit for unit in registrar["reviews"] if unit not in office["reviews"])
    with visit("en", office) as page:
        page.goto(f"/units/{unit}/periods/")
        expect(page.get_by_role("table", name="Open periods")).to_be_visible()
        expect(page.get_by_role("columnheader", name="Close", exact=True)).to_have_count(0)
        expect(page.locator("main").get_by_role("button")).to_have_count(0)
        accessible(page)
