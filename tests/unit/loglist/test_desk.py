"""A request for the list: taken in, rows chosen and masked, seen as it would be handed out."""

import base64
import hashlib
import re

import psycopg
import pytest
from disclosure.test_disclosure import HOSTILE

from .desk import add_mail, choose, fields_of, mask, register

UNITS = ("ks", "bun")
SEES = {"ks": {"ks"}, "bun": {"bun"}, "bada": {"ks", "bun"}, "ingen": set(), None: set(),
        "chef": {"ks", "bun"}, "forvaltningschef": {"bun"}}  # fmt: skip
WRITES = {"ks": {"ks"}, "bun": {"bun"}, "bada": {"ks", "bun"}, "ingen": set(), None: set(),
          "chef": {"ks"}, "forvaltningschef": set()}  # fmt: skip
SECTION = "26 kap. 1 § OSL"


@pytest.fixture(autouse=True)
def directory(monkeypatch, installation):
    """The directory's answer to whose identity is protected; the tests change it."""
    from compliance.loglist.desk import rows

    found = set()
    monkeypatch.setattr(rows, "_protected_addresses", lambda: frozenset(found))
    return found


def text_of(browser, path):
    answer = browser.get(path)
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


@pytest.fixture(scope="module")
def requests(installation):
    """A request for each unit, with its rows, to be looked at by others."""
    return {}


@pytest.fixture
def request_of(requests, visit):
    def find(unit):
        if unit not in requests:
            browser = visit("bada")
            requests[unit] = choose(browser, register(browser, unit, asked_for=f"Begärt av {unit}"))
        return requests[unit]

    return find


# --- who sees and who writes


@pytest.mark.parametrize("page", ["", "preview", "rows", "select", "../", "../new"])
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("role", SEES)
def test_a_page_of_a_request_is_for_who_reads_the_unit_and_its_forms_for_who_reviews(
    visit, request_of, role, unit, page
):
    path = re.sub(r"\d+/\.\./", "", request_of(unit) + page)
    answer = visit(role).get(path)
    may = WRITES if page in ("rows", "select", "../new") else SEES
    expected = 302 if role is None else 200 if unit in may[role] else 404
    assert answer.status_code == expected
    if expected != 200:
        assert "Begärt av" not in answer.content.decode()


@pytest.mark.parametrize("page", ["rows", "select", "end", "../new"])
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("role", [role for role in WRITES if role])
def test_only_who_reviews_the_unit_changes_a_request(visit, request_of, role, unit, page):
    path = re.sub(r"\d+/\.\./", "", request_of(unit) + page)
    answer = visit(role).post(path, {"reason": ""})
    assert (answer.status_code == 404) is (unit not in WRITES[role])


@pytest.mark.parametrize("page", ["", "preview", "rows", "select"])
def test_the_number_of_another_units_request_shows_nothing(visit, request_of, page):
    number = request_of("bun").split("/")[-2]
    for guessed in (number, "0", "999999", str(2**63), "9" * 40):
        answer = visit("ks").get(f"/units/ks/disclosures/{guessed}/{page}")
        assert answer.status_code == 404
        assert "Begärt av" not in answer.content.decode()


def test_the_database_keeps_requests_and_rows_to_their_unit(visit, request_of, installation):
    number = int(request_of("bun").split("/")[-2])
    with psycopg.connect(installation("web"), autocommit=True) as web:
        web.execute("SELECT set_config('loglist.token', %s, false)", [visit("ks").session["token"]])
        for table in ("disclosure", "disclosurerow"):
            found = web.execute(f"SELECT DISTINCT unit FROM loglist.loglist_{table}").fetchall()
            assert found in ([], [("ks",)])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            web.execute(
                "INSERT INTO loglist.loglist_disclosurerow (disclosure_id, unit, accepted_at,"
                " outbox_id, sequence, sender, recipient, subject)"
                " VALUES (%s, 'ks', now(), gen_random_uuid(), 1, '', '', '')",
                [number],
            )


# --- the request and its clock


def test_who_asks_may_be_nobody_and_is_asked_for_no_purpose(visit):
    browser = visit("ks")
    form = text_of(browser, "/units/ks/disclosures/new")
    fields = re.findall(r'<(?:input|textarea|select)[^>]* name="(\w+)"', form)
    assert [field for field in fields if field not in ("csrfmiddlewaretoken", "next")] == [
        "asked_for",
        "asked_by",
        "received_on",
    ]
    page = text_of(browser, register(browser, asked_for="Allt från igår", asked_by=""))
    assert "Allt från igår" in page
    assert "Person 1" in page, "who registered it"


@pytest.mark.parametrize(
    ("came", "now", "days"),
    [("2026-11-25", (2026, 11, 25), 0), ("2026-11-25", (2026, 11, 26), 1),
     ("2026-11-27", (2026, 11, 30), 1), ("2026-12-23", (2026, 12, 28), 1)],
)  # fmt: skip
def test_the_clock_counts_working_days(visit, monkeypatch, came, now, days):
    from datetime import date

    from compliance.loglist.desk import forms
    from compliance.loglist.models import disclosure

    for module in (forms, disclosure):
        monkeypatch.setattr(module, "today", lambda: date(*now))
    browser = visit("ks")
    path = register(browser, received_on=came)
    assert re.search(rf"<dt>Arbetsdagar</dt>\s*<dd>\s*{days}\s*</dd>", text_of(browser, path))


@pytest.mark.parametrize(
    "changes",
    [{"asked_for": ""}, {"received_on": "igår"}, {"received_on": "2999-01-01"},
     {"asked_for": "a\0b"}, {"asked_by": "x" * 201}],
)  # fmt: skip
def test_a_request_that_makes_no_sense_is_told(visit, changes):
    asked = {"asked_for": "Allt", "received_on": "2026-11-25"}
    answer = visit("ks").post("/units/ks/disclosures/new", {**asked, **changes})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()


# --- disposal waits


def holds(installation, unit):
    with psycopg.connect(installation("reader")) as reader:
        return reader.execute(
            "SELECT count(*) FROM log.hold WHERE kind = 'request' AND unit = %s"
            " AND (until IS NULL OR until > now())",
            [unit],
        ).fetchone()[0]


def test_nothing_of_the_unit_is_disposed_of_while_a_request_is_open(visit, installation):
    browser = visit("bun")
    before = holds(installation, "bun")
    path = register(browser, "bun")
    assert holds(installation, "bun") == before + 1
    assert browser.post(f"{path}end", {"reason": ""}).status_code == 400
    assert holds(installation, "bun") == before + 1


def test_an_ended_request_is_not_changed_any_more(visit, installation):
    browser = visit("ks")
    path = choose(browser, register(browser))
    fields = fields_of(browser, path)
    browser.post(f"{path}end", {"reason": "Återkallad"})
    page = text_of(browser, path)
    assert "Återkallad" in page
    assert "rows" not in page
    assert browser.post(f"{path}end", {"reason": "Igen"}).status_code == 409
    assert browser.post(f"{path}rows", fields).status_code == 409
    assert browser.post(f"{path}select?").status_code == 409
    assert "är avslutad" in browser.get(f"{path}rows").content.decode()
    number = int(path.split("/")[-2])
    with psycopg.connect(installation("web"), autocommit=True) as web:
        web.execute("SELECT set_config('loglist.token', %s, false)", [browser.session["token"]])
        for statement in (
            "UPDATE loglist.loglist_disclosure SET ended_at = NULL WHERE id = %s",
            "UPDATE loglist.loglist_disclosurerow SET subject = '' WHERE disclosure_id = %s",
            "DELETE FROM loglist.loglist_disclosurerow WHERE disclosure_id = %s",
            "DELETE FROM loglist.loglist_disclosure WHERE id = %s",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                web.execute(statement, [number])


# --- choosing rows


def test_rows_are_chosen_by_the_lists_own_filter(visit):
    browser = visit("ks")
    path = register(browser)
    look = text_of(browser, f"{path}select?q=bygglov")
    assert "Antal rader: 2" in look
    assert "Remiss" not in look
    choose(browser, path, "q=bygglov")
    assert "text: bygglov" in text_of(browser, path)
    preview = text_of(browser, f"{path}preview")
    assert "Bygglov för altan" in preview
    assert "Remiss" not in preview


def test_more_rows_than_somebody_can_read_are_not_chosen(visit, monkeypatch):
    from compliance.loglist.views import disclosure

    monkeypatch.setattr(disclosure, "MOST", 2)
    browser = visit("ks")
    path = register(browser)
    answer = browser.post(f"{path}select?")
    assert "fler än 2 rader" in answer.content.decode()
    assert "Inte valda än" in text_of(browser, path)


def test_what_was_masked_stays_masked_when_rows_are_chosen_again(visit):
    browser = visit("ks")
    path = choose(browser, register(browser), "q=bygglov")
    mask(browser, path, "subject", SECTION)
    choose(browser, path)
    assert list(fields_of(browser, path).values()).count(SECTION) == 1
    assert len(fields_of(browser, path)) == 9


# --- masking


def test_a_masked_text_is_absent_from_what_would_be_handed_out(visit):
    browser = visit("ks")
    path = choose(browser, register(browser), "q=skolskjutsar")
    mask(browser, path, "subject", "osl 26:1")
    preview = text_of(browser, f"{path}preview")
    assert "skolskjutsar" not in preview, "nor in what was searched for"
    assert f"[Maskerat enligt {SECTION}]" in preview
    mask(browser, path, "subject", "")
    assert "Remiss om skolskjutsar" in text_of(browser, f"{path}preview")


def test_one_section_that_cannot_be_read_and_nothing_is_saved(visit):
    browser = visit("ks")
    path = choose(browser, register(browser))
    fields = fields_of(browser, path)
    first, second, *_ = fields
    answer = browser.post(f"{path}rows", {**fields, first: SECTION, second: "hemligt"})
    text = answer.content.decode()
    assert answer.status_code == 400
    assert text.count('aria-invalid="true"') == 1
    assert "hemligt" in text, "what was typed is not lost"
    assert set(fields_of(browser, path).values()) == {""}


def test_protected_identities_are_masked_and_not_shown_to_the_reviewer_either(
    visit, directory, installation, entry
):
    directory.add("skyddad.ek@x.example")
    add_mail(
        installation, entry, "bun",
        {
            "from_text": "Skyddad Ek <Skyddad.Ek+jobb@X.example>",
            "subject": "P1: skyddad.ek@x.example ringde",
        },
    )  # fmt: skip
    browser = visit("bun")
    path = choose(browser, register(browser, "bun"), "q=P1:")
    for page in ("rows", "preview"):
        assert "kyddad" not in text_of(browser, path + page).replace(
            "Maskeras alltid: skyddade", ""
        )
    assert "Maskeras alltid: skyddade personuppgifter" in text_of(browser, f"{path}rows")
    assert text_of(browser, f"{path}preview").count("[Maskerat enligt 21 kap. 3 § OSL]") == 2
    mask(browser, path, "sender", SECTION)
    assert f"[Maskerat enligt {SECTION}]" in text_of(browser, f"{path}preview")


def test_without_the_directory_nothing_is_shown(visit, monkeypatch):
    from compliance.errors import UserError
    from compliance.loglist.desk import rows

    browser = visit("ks")
    path = choose(browser, register(browser))

    def away():
        raise UserError.of("the directory cannot be reached")

    monkeypatch.setattr(rows, "_protected_addresses", away)
    for page in ("rows", "preview"):
        answer = browser.get(path + page)
        assert answer.status_code == 503
        assert "Katalogen svarar inte" in answer.content.decode()


def test_hints_and_echoes_are_told_in_words(visit, installation, entry):
    add_mail(
        installation, entry, "bun",
        {
            "subject": "Ekoprov 811228-9874 om Åsa Öberg",
            "from_text": "Zelda <zelda.qvick@x.example>",
        },
        {"subject": "Ekoprov: svar till zelda.qvick"},
    )  # fmt: skip
    browser = visit("bun")
    path = choose(browser, register(browser, "bun"), "q=Ekoprov")
    text = text_of(browser, f"{path}rows")
    assert "<mark>811228-9874 <small>[personnummer?]</small></mark>" in text
    assert "<mark>Åsa Öberg <small>[namn?]</small></mark>" in text
    # The rows stand newest first: the second letter is row 1.
    mask(browser, path, "sender", SECTION, row=1)
    assert "”qvick” är maskerat på rad 2" in text_of(browser, f"{path}rows")


def test_rows_are_masked_page_by_page(visit, monkeypatch):
    from compliance.loglist.views import masking

    monkeypatch.setattr(masking, "_PAGE", 2)
    browser = visit("ks")
    path = choose(browser, register(browser))
    first, second = fields_of(browser, path), fields_of(browser, path, page=2)
    assert (len(first), len(second)) == (6, 3)
    answer = browser.post(f"{path}rows?page=1", {**dict.fromkeys(first, SECTION), "next": "1"})
    assert answer["Location"].endswith("rows?page=2")
    assert set(fields_of(browser, path).values()) == {SECTION}
    assert set(fields_of(browser, path, page=2).values()) == {""}


# --- the preview


def test_the_preview_is_the_pdfs_page_and_may_use_its_own_style_alone(visit):
    browser = visit("ks")
    path = choose(browser, register(browser))
    answer = browser.get(f"{path}preview")
    page = answer.content.decode()
    (style,) = re.findall(r"<style>(.*?)</style>", page, flags=re.S)
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer["Content-Security-Policy"]
    assert f"style-src 'sha256-{allowed}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "Utdrag ur loggningslistan" in page


def test_hostile_texts_are_harmless_on_every_page_of_the_desk(visit, installation, entry):
    texts = [text.replace("\0", "\ufffd") for text in HOSTILE if "\ud800" not in text]
    add_mail(
        installation, entry, "bun",
        *(
            {"subject": text, "from_text": text, "from_address": "ond@fiende.example"}
            for text in texts
        ),
    )  # fmt: skip
    browser = visit("bun")
    path = register(browser, "bun", asked_for="<script>alert(1)</script>\u202e", asked_by="<b>x")
    choose(browser, path, "address=ond@fiende.example")
    pages = [f"rows?page={page}" for page in range(1, len(texts) // 25 + 2)]
    for page in ("", "preview", "select?address=ond@fiende.example", "../", *pages):
        text = text_of(browser, re.sub(r"\d+/\.\./", "", path + page))
        assert "<script" not in text
        assert not re.search(r"<(?:img|svg|iframe|object|base|bdo|b)\b", text)
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u202a-\u202e\u2066-\u2069]", text)
