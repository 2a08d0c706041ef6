"""Role by unit by page by format: readers see their own units and nothing else, try as they may."""

import psycopg
import pytest
from messagelog.test_reading import OUTBOX

from compliance.messagelog.reading import Filter, Identity, Place, Reader, open_session

SUBJECTS = {
    "ks": {"Bygglov för altan", "SV: Byggloven", "Remiss om skolskjutsar"},
    "bun": {"Elevhälsan i grundskolan", "Remiss om skolskjutsar", "Lokaler 100 % klara"},
}
EVERY = {
    "Bygglov för altan", "Elevhälsan i grundskolan", "SV: Byggloven", "Remiss om skolskjutsar",
    "Lokaler 100 % klara", "Till postmaster", "Provbrev",
}  # fmt: skip
ENTRY_OF = {"ks": 1, "bun": 2}
MAY = {
    "ks": {"ks"},
    "bun": {"bun"},
    "bada": {"ks", "bun"},
    "ingen": set(),
    "chef": {"ks", "bun"},
    None: set(),
}
PAGES = [
    "/units/{unit}/",
    "/units/{unit}/?q=e",
    "/units/{unit}/?q=remisser&how=words",
    "/units/{unit}/?address=bounce-17@x.example",
    "/units/{unit}/?probes=on",
    "/units/{unit}/export.csv",
    "/units/{unit}/export.xlsx",
    "/units/{unit}/{outbox}/{sequence}",
]


def text_of(answer):
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if content.startswith(b"PK"):
        import io

        from openpyxl import load_workbook

        rows = load_workbook(io.BytesIO(content))["Log"].iter_rows(values_only=True)
        return "\n".join(str(row) for row in rows)
    return content.decode()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("unit", ["ks", "bun"])
@pytest.mark.parametrize("role", MAY)
def test_a_page_shows_its_unit_to_its_readers_and_nothing_to_others(visit, role, unit, page):
    path = page.format(unit=unit, outbox=OUTBOX, sequence=ENTRY_OF[unit])
    answer = visit(role).get(path)
    text = text_of(answer)
    seen = {subject for subject in EVERY if subject in text}
    if role is None:
        assert answer.status_code == 302
        assert answer["Location"].startswith("/login?next=")
    elif unit in MAY[role]:
        assert answer.status_code == 200
        assert seen <= SUBJECTS[unit] | (
            {"Provbrev"} if "probes" in page and unit == "ks" else set()
        )
        assert seen
    else:
        assert answer.status_code == 404
    if role is None or unit not in MAY[role]:
        assert not seen


@pytest.mark.parametrize("sequence", [2, 5, 6, 99, 2**63 - 1, 2**63, 10**30])
def test_a_guessed_number_shows_nothing(visit, sequence):
    answer = visit("ks").get(f"/units/ks/{OUTBOX}/{sequence}")
    assert answer.status_code == 404
    assert not any(subject in answer.content.decode() for subject in EVERY)


@pytest.mark.parametrize("unit", ["ks2", "KS", "0", "-", "ks%27--", "ks/../bun", "%00", "all"])
def test_a_guessed_unit_shows_nothing(visit, unit):
    for page in ("", "export.csv"):
        answer = visit("ks").get(f"/units/{unit}/{page}")
        assert answer.status_code in (404, 400)
        assert not any(subject in text_of(answer) for subject in EVERY)


@pytest.mark.parametrize("after", ["x", "~~", "2026-11-24T09:05+00:00~x~1", "x~y~z~1", "\x00"])
def test_a_made_up_place_is_no_page(visit, after):
    assert visit("ks").get("/units/ks/", {"after": after}).status_code in (404, 400)


def test_a_place_in_another_units_list_shows_ones_own(visit):
    after = f"2026-11-25T00:00:00+00:00~{OUTBOX}~2"
    text = visit("ks").get("/units/ks/", {"after": after}).content.decode()
    assert {subject for subject in EVERY if subject in text} == SUBJECTS["ks"]


@pytest.mark.parametrize("role", ["ks", "bun", "bada", "ingen"])
def test_the_trail_is_for_the_executive_office(visit, role):
    assert visit(role).get("/trail/").status_code == 404
    assert visit(role).get("/trail/ks/").status_code == 404
    assert "/trail/" not in visit(role).get("/", follow=True).content.decode()


def test_the_executive_office_sees_who_has_read_what(visit):
    visit("bun").get("/units/bun/?q=grundskolan")
    text = visit("chef").get("/trail/").content.decode()
    assert "Person 2" in text
    assert "grundskolan" in text
    assert visit("chef").get("/trail/bun/?before=1").status_code == 200


def test_a_cookie_of_before_logging_out_is_worth_nothing(visit):
    browser = visit("ks")
    cookies = browser.cookies.copy()
    assert browser.post("/logout").status_code == 302
    browser.cookies = cookies
    assert browser.get("/units/ks/").status_code == 302


def test_a_cookie_that_somebody_made_up_is_worth_nothing(visit):
    browser = visit()
    browser.cookies["__Host-loglist"] = "eyJ0b2tlbiI6ICJ4In0:1abc:xyz"
    assert browser.get("/units/ks/").status_code == 302


def test_a_token_stands_in_no_question_that_others_of_the_same_role_see(installation):
    from django.db import connection

    from compliance.loglist.login import read_as

    with psycopg.connect(installation("login"), autocommit=True) as login:
        token = open_session(login, Identity("person:1", "Åsa Ek", ["ks"], everything=True), 60)
    connection.ensure_connection()
    reader = Reader(connection.connection, token)
    rows = reader.page(Filter(unit="ks"))
    places = [Place.of(row) for row in rows]
    questions = [
        lambda: read_as(token),
        reader.session,
        lambda: reader.page(Filter(unit="ks")),
        lambda: reader.rows_of("ks", places),
        lambda: reader.page_with_outcomes(Filter(unit="ks")),
        lambda: reader.evidence("ks", places),
        lambda: reader.ask("list", Filter(unit="ks")),
        lambda: reader.trail("ks"),
        reader.heads,
        reader.mailboxes,
        reader.close,
    ]
    with psycopg.connect(installation("web"), autocommit=True) as other:
        for ask in questions:
            ask()
            seen = other.execute("SELECT query FROM pg_stat_activity WHERE query <> ''").fetchall()
            assert seen
            assert [query for (query,) in seen if token in query] == []
