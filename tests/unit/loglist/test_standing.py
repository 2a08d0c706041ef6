"""The list by how its rows stand in the review: what is shown, handed out and noted."""

import json
import random
import re
import uuid
from datetime import UTC, datetime, timedelta
from html import unescape

import psycopg
import pytest

from compliance.messagelog.reading import FIRST, Filter, NotYoursError, Reader
from compliance.review.decision import Outcome

from . import conftest
from .desk import add_mail, choose, register
from .test_isolation import text_of

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
STANDINGS = ["undecided", *(outcome.value for outcome in Outcome)]


@pytest.fixture
def unit(monkeypatch):
    """Give a unit of its own, with a reviewer, and another unit that they don't read."""
    name = f"kfn-{uuid.uuid4().hex[:6]}"
    monkeypatch.setitem(conftest.UNITS, name, "Kultur- och fritidsnämnden")
    monkeypatch.setitem(
        conftest.ACCOUNTS, "granskare@sjovalla.example", conftest.account("31", name)
    )
    return name


@pytest.fixture
def owner(installation):
    with psycopg.connect(installation("owner"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def rows(installation, entry, owner, unit):
    """Let mail come to the unit, a minute apart; each a standing (None: no item) and changes."""

    def add(*mails, of=unit):
        mails = [(standing, dict(changes)) for standing, changes in mails]
        for number, (_, changes) in enumerate(mails):
            changes.setdefault("accepted_at", START + timedelta(minutes=number))
        outbox = add_mail(installation, entry, of, *(changes for _, changes in mails))
        for number, (standing, changes) in enumerate(mails, 1):
            if standing is not None:
                stand(owner, of, outbox, number, standing, changes)
        return outbox

    return add


def stand(owner, unit, outbox, number, standing, changes):
    owner.execute(
        "INSERT INTO loglist.loglist_reviewitem"
        " (unit, outbox, sequence, accepted_at, direction, outcome, number, revision)"
        " VALUES (%s, %s, %s, %s, %s, %s, '', 0)",
        [unit, outbox, number, changes["accepted_at"], changes.get("direction", "in"),
         "" if standing == "undecided" else standing],
    )  # fmt: skip


def subjects(text):
    """Return the subjects on a page of the list, from above."""
    cells = re.findall(r'<th scope="row">\s*<a [^>]*><bdi>(.*?)</bdi>', text)
    return [unescape(cell) for cell in cells]


def leafed(browser, path):
    """Follow Older to the end; return the pages."""
    pages, here = [], path
    while here:
        answer = browser.get(here)
        assert answer.status_code == 200
        pages.append(answer.content.decode())
        found = re.findall(r'rel="next" href="([^"]+)"', pages[-1])
        here = found and path.partition("?")[0] + unescape(found[0])
    return pages


@pytest.mark.parametrize("standing", STANDINGS)
def test_the_list_the_files_and_the_desk_have_what_stands_so_and_nothing_else(
    visit, unit, rows, standing
):
    rows(*((one, {"subject": f"Rad {one}"}) for one in STANDINGS), (None, {"subject": "Rad utan"}))
    browser = visit("granskare")
    query = f"standing={standing}"
    assert subjects(text_of(browser.get(f"/units/{unit}/?{query}"))) == [f"Rad {standing}"]
    for kind in ("csv", "xlsx"):
        text = text_of(browser.get(f"/units/{unit}/export.{kind}?{query}"))
        assert re.findall(r"Rad [\w-]+", text) == [f"Rad {standing}"]
    request = register(browser, unit)
    look = text_of(browser.get(f"{request}select?{query}"))
    assert re.findall(r"<bdi>(Rad [\w-]+)</bdi>", look) == [f"Rad {standing}"]
    page = text_of(browser.get(choose(browser, request, query)))
    assert "granskning: " in page, "what was chosen is told in words"


def test_the_choices_are_named_as_the_column_names_them(visit, unit, rows):
    rows(("trade-union", {}))
    browser = visit("granskare")
    for language, union, left in (("sv", "Fackligt", "Att granska"),
                                  ("en", "Trade-union matter", "To review")):  # fmt: skip
        browser.post("/language", {"language": language, "next": "/"})
        text = text_of(browser.get(f"/units/{unit}/?standing=trade-union"))
        assert f'<option value="trade-union" selected>{union}</option>' in text
        assert f'<option value="undecided">{left}</option>' in text
        assert f"<bdi>{union}</bdi></td>" in text
    assert browser.get(f"/units/{unit}/?standing=borta").status_code == 400
    assert browser.get(f"/units/{unit}/export.csv?standing=borta").status_code == 404


@pytest.mark.parametrize("query", ["", "&q=rad", "&q=raden&how=words", "&direction=out",
                                   "&address=medborgare@omvarlden.example",
                                   "&since=2026-03-02&until=2026-03-02"])  # fmt: skip
def test_leafing_neither_loses_nor_doubles_a_row_also_of_the_same_microsecond(
    visit, unit, rows, monkeypatch, query
):
    from compliance.loglist.views import entries

    random_ = random.Random(query)
    wanted = []
    for outbox_number in range(2):
        mails = []
        for number in range(60):
            standing = random_.choice(["undecided", "registered", "private", None])
            at = START + timedelta(microseconds=random_.randrange(12))
            way = random_.choice(["in", "out"])
            name = f"Raden {outbox_number}.{number}"
            mails.append((standing, {"subject": name, "accepted_at": at, "direction": way}))
        outbox = rows(*mails)
        wanted += [
            ((mail["accepted_at"], outbox, number), mail["subject"])
            for number, (standing, mail) in enumerate(mails, 1)
            if standing == "registered" and ("direction" not in query or mail["direction"] == "out")
        ]
    monkeypatch.setattr(entries, "PAGE", 7)
    pages = leafed(visit("granskare"), f"/units/{unit}/?standing=registered{query}")
    assert len(pages) > 1
    shown = [subject for page in pages for subject in subjects(page)]
    assert shown == [subject for _, subject in sorted(wanted, reverse=True)]
    assert all(len(subjects(page)) == 7 for page in pages[:-1])


def walk(owner, way, wanted, page, reach):
    """Go along the items or the log to the end; return the sequences that come, in their order."""
    found, place = [], FIRST
    while place:
        steps = owner.execute(
            f"SELECT at, outbox, number, (entry).sequence FROM loglist.along_{way}("
            "jsonb_populate_record(NULL::log.filter, %s::jsonb), %s, %s, %s, %s, %s)",
            [wanted.as_json(), page, reach, *place],
        ).fetchall()
        came = [sequence for *_, sequence in steps if sequence is not None]
        assert len(came) <= page
        found += came
        is_going_on = steps and (len(came) < len(steps) or len(came) == page)
        place = steps[-1][:3] if is_going_on else None
    return found


def test_both_ways_along_find_the_same_however_short_the_steps(unit, rows, owner):
    random_ = random.Random(7)
    mails = [
        (random_.choice(["undecided", "doubt", "private", None]),
         {"subject": random_.choice(["Bygglov för altan", "SV: Byggloven", "100 % klart"]),
          "direction": random_.choice(["in", "out"]),
          "envelope_sender": random_.choice(["A@x.example", "b@x.example"]),
          "accepted_at": START + timedelta(hours=random_.randrange(30))})
        for _ in range(80)
    ]  # fmt: skip
    rows(*mails)
    for wanted in (
        Filter(unit, part="bygglov"),
        Filter(unit, part="0 %"),
        Filter(unit, words="byggloven"),
        Filter(unit, address="a@X.example"),
        Filter(unit, direction="out", part="altan"),
        Filter(unit, since=START + timedelta(hours=5), until=START + timedelta(hours=20), part="a"),
        Filter(unit, address="a@x.example", words="altanen", direction="in"),
    ):
        for standing in ("undecided", "doubt", "private"):
            asked = Filter(**{**wanted.__dict__, "standing": standing})
            whole = walk(owner, "items", asked, 100, 1_000)
            assert whole, "the test asks for something that is there"
            for way in ("items", "log"):
                for page, reach in ((100, 1_000), (3, 1_000), (3, 5), (2, 2)):
                    assert walk(owner, way, asked, page, reach) == whole, (way, page, reach)


@pytest.fixture
def disposed(owner, unit):
    """Of more rows than are looked at at once the review alone is left, newer than all others."""
    owner.execute(
        "INSERT INTO loglist.loglist_reviewitem"
        " (unit, outbox, sequence, accepted_at, direction, outcome, number, revision)"
        " SELECT %s, gen_random_uuid(), n, %s::timestamptz + make_interval(mins => n), 'in',"
        " 'private', '', 1 FROM generate_series(1, 5000) AS n",
        [unit, START + timedelta(days=1)],
    )


def test_a_search_that_has_not_come_to_the_end_says_so_and_goes_on(visit, unit, rows, disposed):
    rows(("private", {"subject": "Långt ned"}))
    browser = visit("granskare")
    first, second = leafed(browser, f"/units/{unit}/?standing=private")
    assert "Sökningen har kommit tillbaka till 2026-03-03" in first
    assert subjects(first) == []
    assert "Ingen e-post stämmer" not in first
    assert subjects(second) == ["Långt ned"]
    assert "Sökningen har kommit" not in second
    assert "Långt ned" in text_of(browser.get(f"/units/{unit}/export.csv?standing=private"))
    request = register(browser, unit)
    assert "Långt ned" in text_of(browser.get(f"{request}select?standing=private"))


def test_among_many_that_stand_so_a_search_finds_its_rows(visit, unit, rows, disposed):
    mails = [("private", {"subject": f"Bygglov {n}"}) for n in range(3)]
    rows(*mails, ("doubt", {"subject": "Bygglov"}))
    browser = visit("granskare")
    for query in ("q=bygglov", "q=byggloven&how=words", "address=medborgare@omvarlden.example"):
        (page,) = leafed(browser, f"/units/{unit}/?standing=private&{query}")
        assert subjects(page) == ["Bygglov 2", "Bygglov 1", "Bygglov 0"], query


def test_mail_between_two_units_stands_in_each_as_that_unit_decided(visit, unit, rows, owner):
    changes = {"sender_unit": "bun", "direction": "internal", "subject": "Mellan två",
               "accepted_at": START}  # fmt: skip
    outbox = rows(("private", changes))
    stand(owner, "bun", outbox, 1, "doubt", changes)
    for who, of, standing, is_there in (
        ("granskare", unit, "private", True), ("granskare", unit, "doubt", False),
        ("bun", "bun", "doubt", True), ("bun", "bun", "private", False),
    ):  # fmt: skip
        text = text_of(visit(who).get(f"/units/{of}/?standing={standing}"))
        assert ("Mellan två" in text) is is_there


@pytest.mark.parametrize("who", ["ks", "bun", "ingen", "forvaltningschef", None])
@pytest.mark.parametrize("page", ["", "export.csv", "export.xlsx"])
def test_others_see_nothing_of_it(visit, unit, rows, who, page):
    rows(("undecided", {"subject": "Inte deras"}))
    answer = visit(who).get(f"/units/{unit}/{page}?standing=undecided")
    assert answer.status_code == (404 if who else 302)
    assert "Inte deras" not in text_of(answer)


@pytest.fixture
def web(installation):
    """Open connections as the web, each with the token of somebody who has logged in."""
    opened = []

    def connect(browser):
        opened.append(psycopg.connect(installation("web"), autocommit=True))
        token = browser.session["token"]
        opened[-1].execute("SELECT set_config('loglist.token', %s, false)", [token])
        return opened[-1], Reader(opened[-1], token)

    yield connect
    for connection in opened:
        connection.close()


def test_the_database_gives_nobody_what_another_asked_for(visit, unit, rows, web):
    rows(("doubt", {"subject": "Inte deras"}))
    theirs, reader = web(visit("granskare"))
    others, _ = web(visit("ks"))
    asked = reader.ask("list", Filter(unit, standing="doubt"))
    take = "SELECT count(*) FROM loglist.rows(%s, 10, 'infinity', %s, 0)"
    assert theirs.execute(take, [asked, uuid.UUID(int=0)]).fetchone() == (1,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        others.execute(take, [asked, uuid.UUID(int=0)])
    for statement in ("loglist.along_items", "loglist.along_log"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            others.execute(
                f"SELECT * FROM {statement}(jsonb_populate_record(NULL::log.filter, %s),"
                " 10, 10, 'infinity', %s, 0)",
                [json.dumps({"unit": unit, "standing": "doubt"}), uuid.UUID(int=0)],
            )


def test_the_log_alone_gives_no_rows_for_what_it_does_not_know(visit, unit, rows, web):
    rows(("doubt", {"subject": "Inte så"}))
    _, reader = web(visit("granskare"))
    with pytest.raises(NotYoursError):
        reader.page(Filter(unit, standing="private"))
    with pytest.raises(NotYoursError):
        list(reader.pages(Filter(unit, standing="private")))


def test_the_trail_says_what_was_asked_for_and_how_many_rows_went_out(visit, unit, rows):
    rows(("doubt", {"subject": "Brev 1"}), ("doubt", {"subject": "Brev 2"}), ("private", {}))
    browser = visit("granskare")
    browser.get(f"/units/{unit}/?standing=doubt&q=brev")
    browser.get(f"/units/{unit}/export.csv?standing=undecided")
    text = text_of(visit("chef").get(f"/trail/{unit}/"))
    lines = re.findall(r'<bdi>([^<]*)</bdi></td>\s*<td class="number">(\d+)</td>', text)
    assert ("text: brev; granskning: Tveksam, frågan är ställd", "2") in lines
    assert ("granskning: Att granska", "0") in lines


def test_the_extract_says_that_the_rows_were_chosen_by_how_they_stand(unit):
    from compliance.loglist.desk.rows import _told_outside

    wanted = {"unit": unit, "standing": "doubt", "part": "Eva Hemlig", "address": "eva@x.example"}
    told = _told_outside(wanted)
    assert "granskning: Tveksam, frågan är ställd" in told
    assert "Eva" not in told
