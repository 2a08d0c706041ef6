"""A text in subjects is found in whichever months it lies, whatever of them is noted by now."""

# ruff: noqa: F811 - fixtures of test_seal_store.py

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from sealed_log import ONE, entry_of
from test_seal_guards import told
from test_seal_store import Ship, check, configured, seal, ship, tamper  # noqa: F401

from compliance.messagelog import store
from compliance.messagelog.reading import Filter, Identity, Place, Reader, open_session

FIRST = datetime(2025, 1, 5, tzinfo=UTC)
DAYS = 330
UNITS = ["ks", "bun", None]
WORDS = ["Bygglov", "LEKPLATS", "åÄö", "50%", "a_b", r"c:\d", "(kl", "14:00)", "", "av", "x" * 40]
PARTS = [
    "bygg", "GLOV", "ekplat", "Åäö", "0%", "a_b", r"c:\D", "(kl 14", "l 14", "lov lek", "bygglov ",
    " bygglov", "gglov  lekp", "ts av xx", "ov av le", "v a", "   ", "---", "ingenstans", "%%%",
    "sist i raden",
]  # fmt: skip


@pytest.fixture
def town(ship, connect, entry):
    """A year of mail, of which months were noted before some of their mail came."""
    random_ = random.Random(20261201)
    owner = connect("owner")
    owner.execute("SELECT log.make_months(%s, %s)", [FIRST.date(), date(2025, 10, 1)])

    def letter(number):
        words = random_.choices(WORDS, k=random_.randint(0, 5))
        if number % 20 == 0:  # longer than a page of an index holds
            words = [random_.choice(WORDS), "å" * 3000, "sist i raden"]
        return entry(
            accepted_at=FIRST + timedelta(days=random_.random() * DAYS),
            sender_unit=random_.choice(UNITS),
            recipient_unit=random_.choice(UNITS),
            subject=random_.choice(["\t", " ", " "]).join(words),
        )

    letters = [letter(number) for number in range(450)]
    ship(ONE, letters[:150])
    for month in ("2025-01-01", "2025-03-01"):
        owner.execute("SELECT log.note_words(%s)", [month])
    ship(ONE, letters[150:300])
    assert date(2025, 9, 1) in set(store.note_words(owner))
    assert list(store.note_words(owner)) == []
    # Of April half is noted, as of a month that goes on, and of June nothing.
    owner.execute("DELETE FROM log.word WHERE month IN ('2025-04-01', '2025-06-01')")
    owner.execute("DELETE FROM log.worded_month WHERE month = '2025-06-01'")
    owner.execute(
        "INSERT INTO log.word SELECT DISTINCT w, date '2025-04-01'"
        " FROM log.entry AS e CROSS JOIN unnest(log.words_of(e.subject)) AS w"
        " WHERE e.accepted_at >= '2025-04-01Z' AND e.accepted_at < '2025-04-08Z'"
    )
    owner.execute("UPDATE log.worded_month SET before = '2025-04-08Z' WHERE month = '2025-04-01'")
    ship(ONE, letters[300:])
    return letters


@pytest.fixture
def reader(connect):
    who = Identity("person:1", "Åsa Ek", ["ks", "bun"], everything=True)
    return Reader(connect("web"), open_session(connect("login"), who, 60))


def has(letters, unit, part):
    """Say by the entries themselves what a unit has with a text in its subject, newest first."""
    found = [
        one for one in letters
        if (unit is None or unit in (one.sender_unit, one.recipient_unit))
        and part.lower() in one.subject.lower()
    ]  # fmt: skip
    return [one.subject for one in sorted(found, key=lambda one: one.accepted_at, reverse=True)]


def subjects(rows):
    return [row["subject"] for row in rows]


def pages(reader, wanted, size):
    rows, after = [], None
    while page := reader.page(wanted, after, size):
        rows += page
        after = Place.of(page[-1])
    return rows


@pytest.mark.parametrize("size", [7, 1000])
def test_every_page_of_every_text_has_its_rows(town, reader, size):
    found = 0
    for unit in UNITS:
        for part in PARTS:
            wanted = has(town, unit, part)
            got = subjects(pages(reader, Filter(unit=unit, part=part), size))
            assert got == wanted, (unit, part)
            found += len(wanted)
    assert found > 500


def test_words_in_another_form_are_found_with_all_that_is_asked_for(town, reader):
    for unit in UNITS:
        rows = pages(reader, Filter(unit=unit, words="lekplats bygglovs"), 1000)
        both = [s for s in has(town, unit, "bygglov") if "lekplats" in s.lower()]
        assert subjects(rows) == both != []
        rows = pages(reader, Filter(unit=unit, words="bygglovs", part="lov lek"), 1000)
        assert subjects(rows) == has(town, unit, "lov lek")


def test_a_part_that_a_thousand_words_have_is_found_all_the_same(ship, connect, entry, reader):
    owner = connect("owner")
    owner.execute("SELECT log.make_months('2025-01-01', '2025-01-01')")
    letters = [
        entry(accepted_at=FIRST + timedelta(minutes=n), subject=f"Brev nr0{n:04} om KS0{n:04}")
        for n in range(1100)
    ]
    ship(ONE, letters)
    assert len(list(store.note_words(owner))) > 0
    for part in ("nr0", "s01", "nr00001", "om ks0", "nr01099 om ks0"):
        assert subjects(pages(reader, Filter(part=part), 1000)) == has(letters, None, part), part


def test_only_words_that_have_the_part_are_looked_for(town, connect):
    def demanded(part):
        return connect("owner").execute(
            "SELECT log.words_wanted(ARRAY[%s], '2025-03-01')", [part]
        ).fetchone()[0]  # fmt: skip

    first, second = demanded("glov (kl 14")
    assert "bygglov" in first
    assert "lekplats" not in first
    assert second == "{(kl}"  # of two signs, nothing is looked for
    assert demanded("l 14") == []
    assert demanded("ingenstans") == ["{}"]


def test_mail_that_comes_while_its_month_is_noted_is_noted_too(dsn, connect, entry, reader):
    """The shipper's transaction is open when the month is noted: noting waits for it."""
    owner = connect("owner")
    owner.execute("SELECT log.make_months('2025-01-01', '2025-01-01')")
    with psycopg.connect(dsn("writer")) as writer, ThreadPoolExecutor() as pool:
        Ship(writer)(ONE, [entry(accepted_at=FIRST, subject="Lekplatsen")])
        noting = pool.submit(owner.execute, "SELECT log.note_words('2025-01-01')")
        with psycopg.connect(dsn("owner"), autocommit=True) as other:
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'ShareLock'"
            while other.execute(waits).fetchone() == (0,):
                assert not noting.done()
        writer.commit()
        noting.result()
    assert subjects(reader.page(Filter(part="kplatsen"))) == ["Lekplatsen"]


def test_today_is_found_before_it_is_noted(ship, connect, entry, reader):
    owner = connect("owner")
    now = datetime.now(UTC)
    owner.execute("SELECT log.make_months(%s, %s)", [now.date(), now.date()])
    yesterday = now - timedelta(days=1)
    for at, subject in ((yesterday, "Lekplatsen"), (now, "Lekplatserna")):
        ship(ONE, [entry(accepted_at=at, subject=subject)])
        list(store.note_words(owner))
    assert owner.execute("SELECT word FROM log.word").fetchall() == [("lekplatsen",)]
    assert subjects(reader.page(Filter(part="kplats"))) == ["Lekplatserna", "Lekplatsen"]


def test_a_disposal_leaves_no_word_behind(ship, configured, connect, reader, tmp_path):
    owner = connect("owner")
    owner.execute("SELECT log.make_months('2025-01-01', '2025-02-01')")
    for month in (1, 2):
        labels = ["probe", None] if month == 2 else ["probe"]
        ship(ONE, [entry_of(n, ONE, date(2025, month, 9), label=labels[n]) for n in range(month)])
    configured("sealer", "seal")
    assert {date(2025, 1, 1), date(2025, 2, 1)} <= set(store.note_words(owner))
    (tmp_path / "disposal.yml").write_text(
        "disposal:\n  - {class: probe, period: 1 year, decision: KS 2026/117,"
        " authority: Kommunstyrelsen, decided: 2026-10-14}\n",
        encoding="utf-8",
    )
    file = str(tmp_path / "disposal.yml")
    code = configured("disposer", "dispose", "--dry-run", disposal_file=file).output.split()[-1]
    done = configured("disposer", "dispose", "--plan", code, disposal_file=file)
    assert done.exit_code == 0, done.output
    assert owner.execute("SELECT FROM log.word").fetchall() == []
    (left,) = owner.execute("SELECT subject FROM log.entry").fetchone()
    assert subjects(reader.page(Filter(part=left[:4]))) == [left]  # until it is noted anew
    assert list(store.note_words(owner)) == [date(2025, 2, 1)]
    assert owner.execute("SELECT DISTINCT month FROM log.word").fetchall() == [(date(2025, 2, 1),)]
    assert subjects(reader.page(Filter(part=left[:4]))) == [left]


def test_a_word_hidden_from_searches_is_found(ship, seal, check, connect, tamper):
    owner = connect("owner")
    owner.execute("SELECT log.make_months('2026-01-01', '2026-03-01')")
    for day in (date(2026, 1, 15), date(2026, 2, 15), date(2026, 3, 15)):
        ship(ONE, [entry_of(n, ONE, day) for n in range(1, 7)])
    owner.execute("SELECT log.note_words(m) FROM unnest('{2026-01-01,2026-02-01}'::date[]) AS m")
    seal()
    assert check().findings == []
    tamper(
        "DELETE FROM log.word WHERE month = '2026-02-01' AND word ="
        " (SELECT min(word) FROM log.word WHERE month = '2026-02-01')"
    )
    lacks = "derived: log.word lacks {} words that mail of {} has"
    assert told(check()).startswith(lacks.format(1, "2026-02-01"))
    assert check(until=date(2026, 2, 1)).findings == check(since=date(2026, 3, 1)).findings == []
    # A month that nobody noted is said to be.
    tamper("INSERT INTO log.worded_month VALUES ('2026-03-01', '2026-04-01')")
    assert "2026-03-01" in told(check())
