"""A search answers what the subjects and addresses themselves say, however it is found."""

# ruff: noqa: F811 - fixtures of test_seal_store.py

import random
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.types.json import Jsonb
from sealed_log import ONE
from test_seal_store import Ship, ship  # noqa: F401

from compliance.messagelog import store
from compliance.messagelog.reading import Filter, Identity, Place, Reader, open_session

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ODD = [
    "Straße 5, STRASSE",
    "ẞ är stort ß",
    "İstanbul och Istanbul, ıstanbul",
    "Café e\u0301cole cafe\u0301",
    "A\u030angström Ångström",
    "100 % klart_nu",
    "C:\\temp\\bilaga",
    "ÖVERKLAGANDE STAKET",
    "SV: överklagande staket",
    "staket överklagande",
    "överklagandestaket",
    "ΑΣ ΟΔΟΣ οδος οδοσ",
    "Ǆungla ǆungla ǅungla",
    "KS 2024/00777",
    "KS 2024/00778 och 00777",
    "日本語の件名",
    "'; DROP TABLE log.entry; --",
    "$$ $1 %I %1$I %s",
    "möten mötet mötena",
    "",
    " ",
]  # fmt: skip
PARTS = [
    *(text for text in ODD if text.strip()),
    "ss", "ß", "STRASSE", "straße", "istanbul", "İST", "ıst", "e\u0301co", "fe\u0301", "Å", "å",
    "%", "_", "\\", "\\t", "klart_", "0 % k", "%%%", "___", "\\\\\\", "klagande stak",
    "STAKET ÖVER", "λος", "ΣΟΣ", "οδος", "ΟΔΟΣ", "00777", "2024/00777", "ks 2024/00777", "語の件",
    "--;", "%1$I", "$1 %I", "mötet", "ta över", "klagandestak", "aaa", "DROP TABLE log", "   ",
    "xyzzy",
]  # fmt: skip
WORDS = ["staket överklagande", "möte", "Straße", "00777 ks", "och", "cafe\u0301", "100 %", "ΟΔΟΣ"]


@pytest.fixture
def owner(connect):
    return connect("owner")


@pytest.fixture
def reader(connect):
    who = Identity("person:1", "Åsa Ek", ["ks"], everything=True)
    return Reader(connect("web"), open_session(connect("login"), who, 60))


@pytest.fixture
def town(ship, entry, owner):
    """Subjects of odd letters among many plain ones, in two months."""
    random_ = random.Random(20261201)
    plain = ["Fråga om bygglov", "Svar på överklagande", "Nytt staket", "Möte om staket och plan"]
    subjects = ODD + random_.choices(ODD[7:] + plain, k=300)
    owner.execute("SELECT log.make_months('2026-10-01', '2026-11-01')")
    ship(ONE, [
        entry(
            subject=subject, accepted_at=NOON - timedelta(hours=3 * number),
            sender_unit=random_.choice(["ks", None]),
            recipient_unit=random_.choice(["ks", "bun", None]),
        )
        for number, subject in enumerate(subjects)
    ])  # fmt: skip


def told(owner, unit, condition, *values):
    """Return the entries that a condition holds for, newest first, each read on its own."""
    return [
        sequence
        for (sequence,) in owner.execute(
            "SELECT e.sequence FROM (SELECT * FROM log.entry OFFSET 0) AS e"
            " WHERE (%s::text IS NULL OR e.recipient_unit = %s OR e.sender_unit = %s)"
            f" AND {condition} ORDER BY e.accepted_at DESC",
            [unit, unit, unit, *values],
        )
    ]


@pytest.mark.parametrize("noted", [False, True])
def test_a_part_is_found_in_each_subject_that_has_it(town, owner, reader, noted):
    if noted:
        assert list(store.note_words(owner))
    some = 0
    for unit in ("ks", None):
        for part in PARTS:
            wanted = Filter(unit=unit, part=part)
            found = [row["sequence"] for row in reader.page(wanted, size=1000)]
            # As the question is stored: Filter makes its text what the log's texts are.
            stored = wanted.as_dict()["part"]
            expected = told(owner, unit, "e.subject ILIKE log.pattern_of(%s)", stored)
            assert found == expected, (unit, part)
            some += bool(found)
    assert some > 60


@pytest.mark.parametrize("noted", [False, True])
def test_words_are_found_in_each_subject_that_has_them_all(town, owner, reader, noted):
    if noted:
        assert list(store.note_words(owner))
    for words in WORDS:
        for part in (None, "sta"):
            found = [
                row["sequence"]
                for row in reader.page(Filter(unit="ks", words=words, part=part), size=1000)
            ]
            assert found == told(
                owner, "ks",
                "to_tsvector('swedish', e.subject) @@ plainto_tsquery('swedish', %s)"
                " AND e.subject ILIKE ALL (SELECT log.pattern_of(s) FROM unnest("
                "tsvector_to_array(to_tsvector('swedish', %s)) || %s::text[]) AS s)",
                words, words, [part] if part else [],
            ), (words, part)  # fmt: skip


def test_a_month_that_is_dropped_leaves_the_others_to_read(town, owner, reader):
    owner.execute("SELECT log.make_months('2026-08-01', '2026-09-01')")
    newest = reader.page(Filter(unit="ks"), size=1000)
    owner.execute("DROP TABLE log.entry_2026_09")
    assert reader.page(Filter(unit="ks"), size=1000) == newest


@pytest.fixture
def busy(ship, entry, owner):
    """Two months in which each second letter is from one address; some are out, some are probes."""
    months = [datetime(2026, month, 1, tzinfo=UTC) for month in (9, 10)]
    owner.execute("SELECT log.make_months('2026-09-01', '2026-10-01')")
    ship(ONE, [
        entry(
            envelope_sender=f"{'ofta' if number % 2 else 'nagon'}@x.example",
            from_address="x@x.example",
            subject=f"Brev {number}",
            direction="out" if number % 20 == 1 else "in",
            label="probe" if number % 30 == 3 else None,
            accepted_at=month + timedelta(minutes=30 * number),
        )
        for month in months for number in range(1400)
    ])  # fmt: skip
    for month in months:
        owner.execute("SELECT log.note_addresses(%s)", [month.date()])


def test_how_many_a_busy_address_has_is_noted(busy, owner):
    noted = owner.execute("SELECT entries, count(*) FROM log.busy_address GROUP BY 1 ORDER BY 1")
    # Of each month, in the unit and in all: the two senders; who is in From, and the recipient.
    assert noted.fetchall() == [(700, 8), (1400, 8)]


@pytest.mark.parametrize(
    "more", [{}, {"direction": "out"}, {"probes": True}, {"direction": "out", "part": "3"}]
)
@pytest.mark.parametrize("unit", ["ks", None])
def test_the_pages_of_a_busy_address_have_all_its_rows(busy, reader, unit, more):
    wanted, pages, after = Filter(unit=unit, address="Ofta@x.example", **more), [], None
    while rows := reader.page(wanted, after):
        pages += rows
        after = Place.of(rows[-1])
    every = reader.page(Filter(unit=unit, probes=more.get("probes", False)), size=5000)
    assert pages == [
        row for row in every
        if row["envelope_sender"] == "ofta@x.example"
        and row["direction"] == more.get("direction", row["direction"])
        and more.get("part", "") in row["subject"]
    ]  # fmt: skip
    assert len(pages) >= 20


@pytest.mark.parametrize("unit", ["ks", None])
def test_a_page_of_a_busy_address_reads_its_last_days(busy, owner, unit):
    owner.execute("ANALYZE log.entry")
    with owner.transaction():  # the database counts what is read in one
        page = owner.execute(
            "SELECT log.found(jsonb_populate_record(NULL::log.filter, %s), 50, 'infinity', %s, 0)",
            [Jsonb({"unit": unit, "address": "ofta@x.example"}), ONE],
        ).fetchall()
        (read,) = owner.execute(
            "SELECT sum(pg_stat_get_xact_tuples_fetched(inhrelid)) FROM pg_inherits"
            " WHERE inhparent = 'log.entry'::regclass"
        ).fetchone()
    assert len(page) == 50
    assert 50 <= read < 250
