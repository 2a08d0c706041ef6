"""Closing a period of the review: when it may, by whom, and the protocol that is kept."""

import hashlib
import html
import re
import subprocess
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from .test_review import decide, left, text_of
from .test_work import arrive, taken_in  # noqa: F401

PAGE = "/units/sbn/periods/"
REVIEW = "/units/sbn/review/"
WEEK = {"first": "2026-03-02", "last": "2026-03-08"}
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def rows(arrive, installation, monkeypatch):  # noqa: F811
    """Begin with no period closed; let mail come on days of March; return what a form says."""
    from compliance.loglist import periods as service
    from compliance.loglist.views import periods
    from compliance.review import document

    with psycopg.connect(installation("owner"), autocommit=True) as owner:
        owner.execute(
            "TRUNCATE loglist.loglist_protocolrow, loglist.loglist_reviewprotocol, "
            "loglist.loglist_reviewdecision, loglist.loglist_diarymatch, "
            "loglist.loglist_reviewitem, loglist.loglist_doubtletter, "
            "loglist.loglist_doubtanswer"
        )
    monkeypatch.setattr(periods, "today", lambda: date(2026, 3, 20))
    monkeypatch.setattr(periods, "deputies", lambda unit: frozenset({"person:8"}))
    monkeypatch.setattr(periods.timezone, "now", lambda: datetime(2026, 3, 20, 10, tzinfo=UTC))
    # A page takes a second to become paper: only the tests of paper wait for it (`paper`).
    monkeypatch.setattr(service, "to_pdf", lambda *given: document.to_html(*given).encode())

    def add(*days):
        from compliance.loglist.models import ReviewItem
        from compliance.loglist.work import worker

        times = [MONDAY.replace(day=day) for day in days]
        subjects = [f"Hemligt ärende {day}" for day in days]
        outbox = arrive([("in", None, "sbn", None, None)] * len(days), subjects, times)
        taken_in()
        with worker():
            found = ReviewItem.objects.filter(outbox=outbox).order_by("sequence")
            return [f"{item.id}.{item.revision}" for item in found]

    return add


@pytest.fixture
def paper(rows, monkeypatch):
    from compliance.loglist import periods
    from compliance.review.document import to_pdf

    monkeypatch.setattr(periods, "to_pdf", to_pdf)


def close(browser, page=PAGE, **changes):
    return browser.post(page, WEEK | changes)


def test_the_protocol_tells_how_doubts_ended_and_nothing_that_was_written(visit, rows, monkeypatch):
    from compliance.directory.officials import Official
    from compliance.loglist import doubts

    official = Official("person:4", "Person 4", "ingen@sjovalla.example")
    monkeypatch.setattr(doubts, "look_up", lambda address: official)
    chosen = rows(2, 3)
    browser = visit("sbn")
    decide(browser, *chosen, outcome="doubt", question="Vad är det för hemligt?")
    assert "rader kvar i den" in text_of(close(browser))
    asked = visit("ingen")
    number = re.findall(r'href="(/questions/\d+)"', text_of(asked.get("/questions/")))[0]
    asked.post(number, {"kind": "matter", "matter": "KS 2026/7", "words": "Åsa Ek är sjuk."})
    decide(browser, *left(browser), why="Enligt svaret.")
    assert close(browser).status_code == 302
    said = words_of(browser.get(protocols(browser)[0]).content)
    for told in ("Det hör till ett ärende: KS 2026/7", "Inget svar", "Privat: Enligt svaret."):
        assert told in said, told
    for kept in ("hemligt", "Åsa Ek", "Hemligt ärende"):
        assert kept not in said, kept


def test_the_protocol_has_the_number_of_a_diary_of_the_municipalitys_own(
    visit, rows, own_numbers, monkeypatch
):
    from compliance.directory.officials import Official
    from compliance.loglist import doubts

    official = Official("person:4", "Person 4", "ingen@sjovalla.example")
    monkeypatch.setattr(doubts, "look_up", lambda address: official)
    chosen = rows(2)
    browser = visit("sbn")
    decide(browser, *chosen, outcome="doubt")
    given = {"outcome": "registered", "number": "BYGGLOVN 2026/12", "why": "Det är ett ärende."}
    assert decide(browser, *left(browser), **given).status_code == 302
    assert close(browser).status_code == 302
    said = words_of(browser.get(protocols(browser)[0]).content)
    assert "Diarieförd: BYGGLOVN 2026/12" in said


def protocols(browser):
    return re.findall(r'href="(/units/sbn/periods/\d+\.pdf)"', text_of(browser.get(PAGE)))


def words_of(pdf):
    """Return what a protocol says, as one line; of a page without paper, see `rows`."""
    if pdf.startswith(b"<!DOCTYPE"):
        text = html.unescape(re.sub("<style>.*</style>|<[^>]+>", " ", pdf.decode(), flags=re.S))
    else:
        text = tool("pdftotext", pdf, "-layout", "-", "-")
    return " ".join(text.split())


def tool(name, pdf, *arguments):
    made = subprocess.run([name, *arguments], input=pdf, capture_output=True, check=True)
    return made.stdout.decode()


def test_a_period_closes_only_when_each_of_its_rows_has_an_outcome(visit, rows):
    one, two, _later = rows(2, 8, 9)
    browser = visit("sbn")
    decide(browser, one)
    assert close(browser).status_code == 409
    assert "rader kvar i den" in text_of(close(browser))
    assert protocols(browser) == []
    decide(browser, two)
    assert "Avsluta och signera som Person 7" in text_of(browser.get(PAGE))
    assert close(browser).status_code == 302
    assert len(protocols(browser)) == 1


def test_the_protocol_is_kept_as_it_was_signed_and_its_sum_is_told(visit, rows, paper):
    one, two, three = rows(2, 3, 4)
    browser = visit("sbn")
    decide(browser, one, outcome="registered", number="SBN 2026/12")
    decide(browser, two, outcome="negligible", reason="reklam")
    decide(browser, three, outcome="other-authority", authority="Regionen\u202e<b>")
    close(browser)
    (path,) = protocols(browser)
    answer = browser.get(path)
    assert answer["Content-Type"] == "application/pdf"
    assert hashlib.sha256(answer.content).hexdigest() in text_of(browser.get(PAGE))
    words = words_of(answer.content)
    for told in (
        "Granskningsprotokoll", "Samhällsbyggnadsnämnden", "2 mars 2026 till och med 8 mars 2026",
        "varje vecka", "förval i programmet", "Person 7, 20 mars 2026", "Diarieförd: SBN 2026/12",
        "Av ringa betydelse: Reklam", "Reklam (KS 2026/41) 1", "Regionen[U+202E]<b>",
        "senare än gränsen",
    ):  # fmt: skip
        assert told in words
    assert "Hemligt" not in words, "anybody may read a protocol"
    # What is decided afterwards changes no protocol.
    decide(browser, f"{three.split('.')[0]}.1", outcome="private")
    assert browser.get(path).content == answer.content


def test_the_pdf_can_be_read_aloud(visit, rows, paper):
    (one,) = rows(2)
    browser = visit("sbn")
    decide(browser, one)
    close(browser)
    pdf = browser.get(protocols(browser)[0]).content
    assert re.search(r"Tagged: +yes", tool("pdfinfo", pdf, "-"))
    tags = tool("pdfinfo", pdf, "-struct", "-")
    assert {"H1", "Table", "TH", "TD"} <= set(re.findall(r"\w+", tags))


def test_the_deputy_signs_as_such(visit, rows):
    rows()
    browser = visit("ersattare")
    (item,) = rows(2)
    decide(browser, item)
    assert close(browser).status_code == 302
    assert "Person 8, 20 mars 2026 klockan 11.00 (som ersättare)" in words_of(
        browser.get(protocols(browser)[0]).content
    )


@pytest.mark.parametrize("name", ["sbnchef", "chef"])
def test_whoever_does_not_review_sees_the_periods_and_closes_none(visit, rows, name):
    (item,) = rows(2)
    decide(visit("sbn"), item)
    browser = visit(name)
    assert "Avsluta och signera" not in text_of(browser.get(PAGE))
    assert close(browser).status_code == 404
    close(visit("sbn"))
    assert browser.get(protocols(browser)[0]).status_code == 200


@pytest.mark.parametrize("name", ["ks", "bun", "ingen", None])
def test_another_units_periods_and_protocols_are_not_there(visit, rows, name):
    (item,) = rows(2)
    decide(visit("sbn"), item)
    for answer in (visit(name).get(PAGE), close(visit(name))):
        assert answer.status_code == (404 if name else 302)
    close(visit("sbn"))
    (path,) = protocols(visit("sbn"))
    for guess in (path, path.replace("sbn", "ks"), path.replace("sbn", "bun")):
        answer = visit(name).get(guess)
        assert answer.status_code == (404 if name else 302)
        assert "Granskningsprotokoll" not in text_of(answer)
    assert visit("chef").get(path.replace("sbn", "ks")).status_code == 404


@pytest.mark.parametrize("number", ["0", "999999", str(2**63), str(10**30)])
def test_a_guessed_protocol_is_not_there(visit, rows, number):
    assert visit("sbn").get(f"{PAGE}{number}.pdf").status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"first": "2026-03-09", "last": "2026-03-15"},  # not its turn
        {"first": "2026-03-16", "last": "2026-03-22"},  # not over
        {"last": "2026-03-20"},
        {"first": "2026-03-01"},
    ],
)
def test_no_other_period_is_closed(visit, rows, changes):
    (item, _later) = rows(2, 9)
    browser = visit("sbn")
    decide(browser, item)
    answer = close(browser, **changes)
    assert answer.status_code == 409
    assert "redan avslutad" in text_of(answer)
    assert protocols(browser) == []


@pytest.mark.parametrize("made_up", ["", "x", "2026-13-01", "0"])
def test_a_made_up_day_closes_nothing(visit, rows, made_up):
    assert close(visit("sbn"), first=made_up).status_code == 404


def test_a_period_is_closed_once_by_a_double_click_or_by_two(visit, rows):
    (item,) = rows(2)
    browser = visit("sbn")
    decide(browser, item)
    assert close(browser).status_code == 302
    assert close(browser).status_code == 409
    assert close(visit("ersattare")).status_code == 409
    assert len(protocols(browser)) == 1


def test_a_row_that_comes_late_stands_in_the_next_protocol(visit, rows):
    (item,) = rows(2)
    browser = visit("sbn")
    decide(browser, item)
    close(browser)
    (late,) = rows(3)
    assert left(browser, REVIEW) == [late]
    following = {"first": "2026-03-09", "last": "2026-03-15"}
    assert close(browser, **following).status_code == 409
    decide(browser, late)
    assert close(browser, **following).status_code == 302
    newest, _first = protocols(browser)
    assert "2026-03-03 10:00" in words_of(browser.get(newest).content)


def test_the_next_period_begins_where_the_last_one_ended(visit, rows, monkeypatch):
    from django.conf import settings

    (item,) = rows(2)
    browser = visit("sbn")
    decide(browser, item)
    close(browser)
    monthly = settings.LOGLIST.model_copy(update={"regularity": "monthly"})
    monkeypatch.setattr(settings, "LOGLIST", monthly)
    text = text_of(browser.get(PAGE))
    assert "2026-03-09 – 2026-03-31" in text
    assert "varje månad" in text
    assert "förval" not in text


def test_an_empty_week_is_closed_too(visit, rows):
    (item,) = rows(2)
    browser = visit("sbn")
    decide(browser, item)
    close(browser)
    assert close(browser, first="2026-03-09", last="2026-03-15").status_code == 302
    newest, _first = protocols(browser)
    assert "Antal rader 0" in words_of(browser.get(newest).content)


def test_when_the_directory_is_away_nothing_is_closed(visit, rows, monkeypatch):
    from compliance.errors import UserError
    from compliance.loglist.views import periods

    def away(unit):
        raise UserError.of("away")

    (item,) = rows(2)
    browser = visit("sbn")
    decide(browser, item)
    monkeypatch.setattr(periods, "deputies", away)
    answer = close(browser)
    assert answer.status_code == 409
    assert "Katalogen svarar inte" in text_of(answer)
    assert protocols(browser) == []


def test_the_database_lets_nobody_sign_for_another_or_change_a_protocol(visit, rows, installation):
    (item,) = rows(2)
    browser = visit("sbn")
    decide(browser, item)
    close(browser)
    with psycopg.connect(installation("web"), autocommit=True) as web:
        web.execute("SELECT set_config('loglist.token', %s, false)", [browser.session["token"]])
        for statement in (
            "UPDATE loglist.loglist_reviewprotocol SET pdf = ''",
            "DELETE FROM loglist.loglist_protocolrow",
            "INSERT INTO loglist.loglist_reviewprotocol (unit, first, last, signer, signer_name, "
            "signed_at, rows, pdf, sha256) VALUES ('sbn', '2026-03-09', '2026-03-15', 'person:8', "
            "'Person 8', now(), 0, '', '')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                web.execute(statement)


def test_days_are_swedish(visit, rows, arrive):  # noqa: F811
    rows()
    late_on_sunday = datetime(2026, 3, 8, 22, 30, tzinfo=UTC)
    assert late_on_sunday + timedelta(hours=1) == datetime(2026, 3, 8, 23, 30, tzinfo=UTC)
    arrive(
        [("in", None, "sbn", None, None)] * 2,
        ["Söndag", "Måndag"],
        [late_on_sunday, late_on_sunday + timedelta(hours=1)],
    )
    taken_in()
    text = text_of(visit("sbn").get(PAGE))
    weeks = re.findall(r"(2026-03-\d\d) – .*?<td class=\"number\">(\d+)</td>", text, flags=re.S)
    assert weeks[:2] == [("2026-03-02", "1"), ("2026-03-09", "1")]
