"""An address's mail is found in whichever months it lies, and only those are looked into."""

# ruff: noqa: F811 - fixtures of test_seal_store.py

import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from psycopg.types.json import Jsonb
from sealed_log import ONE, entry_of
from test_seal_store import Ship, configured, ship, tamper  # noqa: F401

from compliance.messagelog import store
from compliance.messagelog.reading import Filter, Identity, Place, Reader, open_session

FIRST = datetime(2024, 3, 1, tzinfo=UTC)
DAYS = 800
UNITS = ["ks", "bun", None]
# The last of them writes seldom, and the two first all the time.
PEOPLE = ["ks@x.example", "bun@x.example", "Åsa@x.example", "bo@x.example", "eva@x.example"]
OFTEN = [40, 40, 10, 5, 1]


@pytest.fixture
def town(ship, connect, entry):
    """Two years of mail, of which months were noted before some of their mail came."""
    random_ = random.Random(20261130)
    owner = connect("owner")
    last = FIRST + timedelta(DAYS)
    owner.execute("SELECT log.make_months(%s, %s)", [FIRST.date(), last.date()])

    def letter(number):
        sender, recipient = random_.choices(PEOPLE, OFTEN, k=2)
        return entry(
            accepted_at=FIRST + timedelta(days=random_.random() * DAYS),
            envelope_sender=sender,
            from_address=random_.choice([sender, f"{sender}, {random_.choice(PEOPLE)}"]),
            recipient=recipient,
            sender_unit=random_.choice(UNITS),
            recipient_unit=random_.choice(UNITS),
            subject=f"Brev {number}",
        )

    letters = [letter(number) for number in range(450)]
    ship(ONE, letters[:150])
    for month in ("2024-03-01", "2024-12-01", "2025-01-01"):
        owner.execute("SELECT log.note_addresses(%s)", [month])
    ship(ONE, letters[150:300])
    assert len(list(store.note_addresses(owner))) > 20
    owner.execute("DELETE FROM log.addressed_month WHERE month > '2025-11-01'")
    ship(ONE, letters[300:])
    return letters


@pytest.fixture
def reader(connect):
    who = Identity("person:1", "Åsa Ek", ["ks", "bun"], everything=True)
    return Reader(connect("web"), open_session(connect("login"), who, 60))


def subjects(rows):
    return [row["subject"] for row in rows]


def told(town, unit, *addresses):
    """Say by the entries themselves what a unit has of addresses, newest first."""

    def has(one, address):
        all_ = [one.envelope_sender, one.recipient, *one.from_address.split(", ")]
        return address.lower() in [each.lower() for each in all_]

    found = [
        one for one in town
        if (unit is None or unit in (one.sender_unit, one.recipient_unit))
        and all(has(one, address) for address in addresses)
    ]  # fmt: skip
    return [one.subject for one in sorted(found, key=lambda one: one.accepted_at, reverse=True)]


@pytest.mark.parametrize("size", [3, 50])
def test_every_page_of_every_address_has_its_rows(town, reader, size):
    for unit in UNITS:
        for address in [*PEOPLE, "ingen@x.example"]:
            wanted, rows, after = Filter(unit=unit, address=address), [], None
            while page := reader.page(wanted, after, size):
                rows += page
                after = Place.of(page[-1])
            assert subjects(rows) == told(town, unit, address), (unit, address)


def test_mail_between_two_is_in_the_months_of_both(town, reader):
    for unit in UNITS:
        for one in PEOPLE:
            for other in PEOPLE:  # also the same twice
                rows = reader.page(Filter(unit=unit, address=one, mailbox=other), size=1000)
                assert subjects(rows) == told(town, unit, one, other)


def test_a_span_of_time_cuts_a_month(town, reader):
    since, until = FIRST + timedelta(days=100.5), FIRST + timedelta(days=401.3)
    rows = reader.page(Filter(address="bo@x.example", since=since, until=until), size=1000)
    within = [one for one in town if since <= one.accepted_at < until]
    assert subjects(rows) == told(within, None, "bo@x.example") != []


def spans(connect, unit, address, low=FIRST, high=datetime(2025, 11, 1, tzinfo=UTC)):
    """Return the months that are looked into between two times."""
    owner = connect("owner")
    owner.execute("SET TIME ZONE 'UTC'")  # the months' own
    return owner.execute(
        "SELECT DISTINCT m::date FROM log.months_of_addresses(%s, ARRAY[%s], %s, %s) AS s,"
        " generate_series(s.last_along, s.month, interval '1 month') AS m",
        [unit, address, low, high],
    ).fetchall()  # fmt: skip


def test_only_months_that_have_it_are_looked_into_and_two_between(town, connect):
    until = datetime(2025, 11, 1, tzinfo=UTC)
    has = {
        one.accepted_at.year * 12 + one.accepted_at.month
        for one in town
        if one.accepted_at < until and told([one], "bun", "eva@x.example")
    }
    looked = {day.year * 12 + day.month for (day,) in spans(connect, "bun", "eva@x.example")}
    assert has <= looked
    for month in looked - has:
        assert min(later for later in has if later > month) - max(
            earlier for earlier in has if earlier < month
        ) <= 3  # fmt: skip
    assert 0 < len(looked) < 15
    assert spans(connect, "bun", "ingen@x.example") == []


@pytest.fixture
def read_for_a_page(ship, connect, entry):
    """Return how many rows are read, for a page of 50, of who writes so much in each month."""
    owner = connect("owner")
    owner.execute("SET TIME ZONE 'UTC'")

    def read(monthly):
        months = [datetime(2022 + n // 12, n % 12 + 1, 1, tzinfo=UTC) for n in range(len(monthly))]
        until = months[-1] + timedelta(days=31)
        owner.execute("SELECT log.make_months(%s, %s)", [months[0].date(), until.date()])
        letters = [
            entry(accepted_at=month + timedelta(days=28 * (n + 0.5) / count))
            for month, count in zip(months, monthly, strict=True)
            for n in range(count)
        ]
        ship(ONE, letters)
        list(store.note_addresses(owner))
        with owner.transaction():  # the database counts what is read in one
            page = owner.execute(
                "SELECT subject FROM log.rows_of_addresses("
                " jsonb_populate_record(NULL::log.filter, %s),"
                " '2000-01-01', %s, 'infinity', %s, 0, 50)",
                [Jsonb({"address": letters[0].recipient}), until, uuid.UUID(int=0)],
            ).fetchall()
            (rows,) = owner.execute(
                "SELECT sum(pg_stat_get_xact_tuples_fetched(inhrelid)) FROM pg_inherits"
                " WHERE inhparent = 'log.entry'::regclass"
            ).fetchone()
        assert len(page) == 50
        return int(rows)

    return read


def test_a_page_of_who_writes_weekly_reads_little_more_than_it_shows(read_for_a_page):
    assert 50 <= read_for_a_page([4] * 40) < 75


def test_a_page_of_who_was_quiet_of_late_does_not_read_all_that_was_before(read_for_a_page):
    assert 50 <= read_for_a_page([40] * 40 + [1]) < 200


def test_mail_that_comes_while_its_month_is_noted_is_noted_too(dsn, connect, entry):
    """The shipper's transaction is open when the month is noted: noting waits for it."""
    owner = connect("owner")
    owner.execute("SELECT log.make_months('2025-01-01', '2025-01-01')")
    with psycopg.connect(dsn("writer")) as writer, ThreadPoolExecutor() as pool:
        Ship(writer)(ONE, [entry(accepted_at=datetime(2025, 1, 9, tzinfo=UTC))])
        noting = pool.submit(owner.execute, "SELECT log.note_addresses('2025-01-01')")
        with psycopg.connect(dsn("owner"), autocommit=True) as other:
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'ShareLock'"
            while other.execute(waits).fetchone() == (0,):
                assert not noting.done()
        writer.commit()
        noting.result()
    january = [datetime(2025, month, 1, tzinfo=UTC) for month in (1, 2)]
    looked = spans(connect, "ks", "registrator@sjovalla.example", *january)
    assert looked == [(date(2025, 1, 1),)]
    assert spans(connect, "ks", "ingen@sjovalla.example", *january) == []


def test_a_disposal_leaves_no_address_behind(ship, configured, connect, tmp_path):
    owner = connect("owner")
    owner.execute("SELECT log.make_months('2025-01-01', '2025-02-01')")
    for month in (1, 2):
        labels = ["probe", None] if month == 2 else ["probe"]
        ship(ONE, [entry_of(n, ONE, date(2025, month, 9), label=labels[n]) for n in range(month)])
    configured("sealer", "seal")
    assert {date(2025, 1, 1), date(2025, 2, 1)} < set(store.note_addresses(owner))
    owner.execute("INSERT INTO log.busy_address SELECT key, month, 200 FROM log.address_month")
    (tmp_path / "disposal.yml").write_text(
        "disposal:\n  - {class: probe, period: 1 year, decision: KS 2026/117,"
        " authority: Kommunstyrelsen, decided: 2026-10-14}\n",
        encoding="utf-8",
    )
    file = str(tmp_path / "disposal.yml")
    code = configured("disposer", "dispose", "--dry-run", disposal_file=file).output.split()[-1]
    done = configured("disposer", "dispose", "--plan", code, disposal_file=file)
    assert done.exit_code == 0, done.output
    for table in ("address_month", "busy_address"):
        assert owner.execute(f"SELECT DISTINCT month FROM log.{table}").fetchall() == []
    assert list(store.note_addresses(owner)) == [date(2025, 2, 1)]
    left = owner.execute("SELECT DISTINCT month FROM log.address_month").fetchall()
    assert left == [(date(2025, 2, 1),)]
