"""Who may read what of the log, and that every reading leaves its trace."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from compliance.messagelog.answers import DayCount
from compliance.messagelog.entry import first_chain, link, to_json
from compliance.messagelog.reading import (
    Filter,
    Identity,
    NotYoursError,
    Place,
    Reader,
    SessionEndedError,
    open_session,
)

OUTBOX = uuid.UUID("7c1f2e0a-5b52-4b52-9a53-1d1f4c3b2a10")
HOST = "mail.sjovalla.example"
START = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)

# Who wrote to whom about what, and the label; a unit of None is outside the municipality.
TRAFFIC = [
    (None, "ks", "Bygglov för altan", None),
    (None, "bun", "Elevhälsan i grundskolan", None),
    ("ks", None, "SV: Byggloven", None),
    ("ks", "bun", "Remiss om skolskjutsar", None),
    ("bun", "bun", "Lokaler 100 % klara", None),
    (None, None, "Till postmaster", None),
    (None, "ks", "Provbrev", "probe"),
]


def traffic(entry, offset=0):
    """Return records of TRAFFIC, a minute apart, from 09:06 on."""
    chain, records = first_chain(OUTBOX), []
    for number, (sender_unit, recipient_unit, subject, label) in enumerate(TRAFFIC, 1):
        made = entry(
            accepted_at=START + timedelta(minutes=number),
            direction="internal" if sender_unit and recipient_unit else "in",
            sender_unit=sender_unit,
            recipient_unit=recipient_unit,
            subject=subject,
            envelope_sender=f"{sender_unit or 'bounce-17'}@x.example",
            # Two who sign together stand both in From.
            from_address="KS@x.example, Sekreterare@x.example"
            if sender_unit == "ks"
            else f"{sender_unit or 'Medborgare'}@x.example",
            recipient=f"{recipient_unit or 'nagon'}@x.example",
            label=label,
        )
        record = link(chain, number, made, bytes(range(32)))
        chain = record.chain
        records.append(to_json(record))
    return records


@pytest.fixture(scope="module")
def log(new_log, entry):
    """A log with TRAFFIC in it; connects to it as a role."""
    dsn = new_log()
    opened = []

    def connect(role):
        opened.append(psycopg.connect(dsn(role), autocommit=True))
        return opened[-1]

    connect("writer").execute(
        "SELECT log.append(%s, %s, %s)", [OUTBOX, HOST, json.dumps(traffic(entry))]
    )
    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture(scope="module")
def login(log):
    """Open a session in the manner of the log-in; return its token."""
    connection = log("login")

    def open_(units=(), everything=False, minutes=60, reader="person:1"):
        return open_session(
            connection, Identity(reader, "Åsa Ek", list(units), everything), minutes
        )

    return open_


@pytest.fixture(scope="module")
def web(log):
    return log("web")


@pytest.fixture
def reader(web, login):
    def make(*units, everything=False, reader="person:1"):
        return Reader(web, login(units, everything, reader=reader))

    return make


def subjects(rows):
    return [row["subject"] for row in rows]


KS = ["Remiss om skolskjutsar", "SV: Byggloven", "Bygglov för altan"]


def test_a_unit_sees_what_it_sent_and_what_it_got_newest_first(reader):
    assert subjects(reader("ks").page(Filter(unit="ks"))) == KS


def test_mail_between_two_units_is_in_the_lists_of_both(reader):
    bun = subjects(reader("bun").page(Filter(unit="bun")))
    assert bun == ["Lokaler 100 % klara", "Remiss om skolskjutsar", "Elevhälsan i grundskolan"]


@pytest.mark.parametrize("action", ["list", "entry", "export"])
@pytest.mark.parametrize("unit", ["bun", None, "", "KS", "ks' OR 'a'='a"])
def test_a_unit_that_the_directory_did_not_give_cannot_be_asked_for(reader, unit, action):
    with pytest.raises(NotYoursError):
        reader("ks").page(Filter(unit=unit), action=action)


def test_whoever_has_no_unit_reads_nothing(reader):
    with pytest.raises(NotYoursError):
        reader().page(Filter(unit="ks"))
    assert reader().counts(Filter()) == []


@pytest.mark.parametrize(
    "wanted",
    [
        {"address": "bun@x.example"},
        {"words": "elevhälsan"},
        {"part": "Lokaler"},
        {"outbox": str(OUTBOX), "sequence": 2},
        {"part": "' OR true --"},
        {"words": "') OR true --"},
        {"address": "x' OR 'a'='a"},
    ],
)
def test_no_filter_leads_to_another_units_rows(reader, wanted):
    found = subjects(reader("ks").page(Filter(unit="ks", **wanted)))
    assert set(found) <= set(KS)


def test_the_executive_office_sees_all_but_probes_unless_asked(reader):
    office = reader(everything=True)
    assert len(office.page(Filter())) == len(TRAFFIC) - 1
    assert len(office.page(Filter(probes=True))) == len(TRAFFIC)
    assert subjects(office.page(Filter(unit="ks"))) == KS


def test_one_entry_is_found_by_its_number_in_its_own_unit_alone(reader):
    assert reader("ks").entry("ks", str(OUTBOX), 1)["subject"] == "Bygglov för altan"
    for sequence in (2, 5, 6, 99):
        with pytest.raises(NotYoursError):
            reader("ks").entry("ks", str(OUTBOX), sequence)


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({"words": "bygglov"}, [3, 1]),
        ({"words": "byggloven altan"}, [1]),
        ({"part": "gglov"}, [3, 1]),
        ({"part": "gg"}, [3, 1]),
        ({"part": "ALTAN"}, [1]),
        ({"part": "%"}, []),
        ({"part": "_"}, []),
        ({"part": "\\"}, []),
        ({"address": "KS@x.example"}, [4, 3, 1]),
        ({"address": "medborgare@x.example"}, [1]),
        ({"address": "sekreterare@x.example"}, [4, 3]),
        ({"address": "x.example"}, []),
        ({"address": "bun@x.example"}, [4]),
        ({"direction": "internal"}, [4]),
        ({"since": START + timedelta(minutes=3)}, [4, 3]),
        ({"until": START + timedelta(minutes=3)}, [1]),
        ({"address": "ks@x.example", "words": "remiss"}, [4]),
    ],
)
def test_each_filter_finds_what_it_says(reader, wanted, numbers):
    found = reader("ks").page(Filter(unit="ks", **wanted))
    assert [row["sequence"] for row in found] == numbers


def test_a_unit_without_mail_has_no_rows_since_any_day(reader):
    wanted = Filter(unit="tom", since=datetime(2026, 11, 1, tzinfo=UTC))
    assert reader("tom").page(wanted) == []


def test_a_percent_sign_is_looked_for_as_it_stands(reader):
    assert subjects(reader("bun").page(Filter(unit="bun", part="100 %"))) == ["Lokaler 100 % klara"]


def test_pages_follow_one_another_without_gap_or_double(reader):
    office, seen, after = reader(everything=True), [], None
    while rows := office.page(Filter(), after, size=2):
        seen += [row["sequence"] for row in rows]
        after = Place.of(rows[-1])
    assert seen == [6, 5, 4, 3, 2, 1]
    assert [row["sequence"] for row in office.pages(Filter())] == seen


def test_a_page_goes_on_across_months(new_log, entry):
    dsn = new_log()
    chain, records = first_chain(OUTBOX), []
    times = [datetime(2023, 5, 1, tzinfo=UTC), datetime(2026, 4, 30, 23, 59, tzinfo=UTC)]
    times += [datetime(2026, 10, 31, 23, 59, tzinfo=UTC), START, datetime(2027, 2, 1, tzinfo=UTC)]
    # A clock that is years off: such a row lies in no month, and is found all the same.
    times.append(datetime(2031, 1, 1, tzinfo=UTC))
    for number, at in enumerate(times, 1):
        record = link(chain, number, entry(accepted_at=at, subject="möten"), bytes(32))
        chain = record.chain
        records.append(to_json(record))
    with (
        psycopg.connect(dsn("writer"), autocommit=True) as writer,
        psycopg.connect(dsn("reader"), autocommit=True) as technician,
    ):
        writer.execute("SELECT log.append(%s, %s, %s)", [OUTBOX, HOST, json.dumps(records)])
        token = open_session(technician, Identity("technician:x", "x", [], True), 5)
        all_ = Reader(technician, token)
        for wanted in (
            Filter(),
            Filter(unit="ks"),
            Filter(words="möte"),
            Filter(unit="ks", part="öten"),
            Filter(address="registrator@sjovalla.example"),
        ):
            assert [row["accepted_at"] for row in all_.page(wanted)] == times[::-1]
            seen, after = [], None
            while rows := all_.page(wanted, after, size=1):
                seen.append(rows[0]["accepted_at"])
                after = Place.of(rows[0])
            assert seen == times[::-1]


def test_counts_are_by_unit_and_swedish_day(reader):
    assert reader("ks", "bun").counts(Filter()) == [
        DayCount("bun", START.date(), incoming=1, outgoing=0, internal=2, probes=0),
        DayCount("ks", START.date(), incoming=2, outgoing=0, internal=1, probes=1),
    ]
    assert {count.unit for count in reader("bun").counts(Filter())} == {"bun"}
    assert reader("ks").counts(Filter(unit="ks", until=START - timedelta(days=1))) == []
    with pytest.raises(NotYoursError):
        reader("ks").counts(Filter(unit="bun"))


def test_a_disposed_entry_is_no_longer_counted(new_log, entry):
    dsn = new_log()
    with (
        psycopg.connect(dsn("writer"), autocommit=True) as writer,
        psycopg.connect(dsn("owner"), autocommit=True) as owner,
    ):
        records = json.dumps(traffic(entry))
        writer.execute("SELECT log.append(%s, %s, %s)", [OUTBOX, HOST, records])
        summed = "SELECT sum(incoming + outgoing + internal + probes) FROM log.unit_day"
        before = owner.execute(summed).fetchone()[0]
        owner.execute("INSERT INTO log.statement VALUES (1, NULL, 'x', %s)", [bytes(64)])
        owner.execute(
            "INSERT INTO log.tombstone SELECT outbox_id, sequence, digest, chain, 1 FROM log.entry "
            "WHERE sequence = 4"
        )
        owner.execute("DELETE FROM log.entry WHERE sequence = 4")
        after = owner.execute(summed).fetchone()[0]
    assert before - after == 2  # it was in the lists of two units


def test_every_reading_leaves_who_what_and_how_many(reader):
    office = reader(everything=True, reader="person:chef")
    ks = reader("ks", reader="person:trace")
    ks.page(Filter(unit="ks", part="altan"))
    list(ks.pages(Filter(unit="ks")))
    with pytest.raises(NotYoursError):
        ks.entry("ks", str(OUTBOX), 2)
    ks.counts(Filter())
    trail = [trace for trace in office.trail() if trace.reader == "person:trace"]
    assert [(t.action, t.unit, t.rows) for t in trail] == [
        ("count", None, 1),
        ("entry", "ks", 0),
        ("export", "ks", 3),
        ("list", "ks", 1),
    ]
    assert trail[-1].filter == {"unit": "ks", "part": "altan"}
    assert trail[-1].name == "Åsa Ek"
    assert all(trace.unit == "ks" for trace in office.trail(unit="ks"))
    assert len(office.trail(size=1)) == 1
    assert office.trail(before=trail[-1].number)[0].number < trail[-1].number


def test_the_trail_is_for_the_executive_office(reader):
    with pytest.raises(NotYoursError):
        reader("ks").trail()
    with pytest.raises(NotYoursError):
        reader("ks").trail(unit="ks")


def test_a_reading_that_is_rolled_back_left_its_trace_or_did_not_happen(log, login):
    token = login(["ks"], reader="person:sly")
    with log("web") as sly:
        with pytest.raises(NotYoursError), sly.transaction():
            # Asking and reading in one transaction: nothing is read.
            Reader(sly, token).page(Filter(unit="ks"))
        with pytest.raises(NotYoursError), sly.transaction(), sly.transaction():
            Reader(sly, token).page(Filter(unit="ks"))
        asked = sly.execute("SELECT log.ask(%s, 'list', %s)", [token, '{"unit":"ks"}']).fetchone()
        with sly.transaction(force_rollback=True):
            rows = sly.execute("SELECT * FROM log.rows(%s, %s, 50)", [token, asked[0]]).fetchall()
    assert len(rows) == len(KS)
    traces = log("owner").execute("SELECT action FROM log.reading WHERE reader = 'person:sly'")
    assert traces.fetchall() == [("list",)]


def test_what_another_asked_for_cannot_be_read(web, login):
    mine, other = login(["ks"]), login(["bun"])
    asked = web.execute("SELECT log.ask(%s, 'list', %s)", [other, '{"unit":"bun"}']).fetchone()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        web.execute("SELECT * FROM log.rows(%s, %s, 50)", [mine, asked[0]])


@pytest.mark.parametrize("read", ["counts(%s, %s)", "trail(%s, %s, 5)"])
def test_a_list_that_was_asked_for_is_no_leave_for_other_readings(web, login, read):
    token = login(everything=True)
    asked = web.execute("SELECT log.ask(%s, 'list', '{}')", [token]).fetchone()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        web.execute(f"SELECT * FROM log.{read}", [token, asked[0]])


def test_a_filter_with_a_key_that_is_none_is_refused(web, login):
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="a key that is none"):
        web.execute("SELECT log.ask(%s, 'list', %s)", [login(["ks"]), '{"unit":"ks","till":1}'])


def test_a_session_ends_by_logging_out_and_by_time(web, login):
    reader = Reader(web, login(["ks"]))
    assert reader.session().units == ["ks"]
    reader.close()
    for token in (login(["ks"], minutes=0), "", "0" * 64):
        with pytest.raises(SessionEndedError):
            Reader(web, token).page(Filter(unit="ks"))
    with pytest.raises(SessionEndedError):
        reader.page(Filter(unit="ks"))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM log.entry",
        "SELECT * FROM log.unit_day",
        "SELECT * FROM log.session",
        "SELECT * FROM log.reading",
        "SELECT * FROM log.reading_page",
        "INSERT INTO log.session VALUES ('x', 'x', 'x', '{}', true, 'infinity')",
        "SELECT log.open_session('x', 'x', '{}', true, 5)",
        "SELECT log.statement_for(NULL, 0, 0)",
        "SELECT log.append(gen_random_uuid(), 'x', '[]')",
        "CREATE TABLE loglist.x ()",
        "CREATE TABLE public.x ()",
    ],
)
def test_the_webs_role_can_do_no_more_than_read_by_token(web, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        web.execute(statement)


@pytest.mark.parametrize(
    "statement", ["SELECT * FROM log.entry", "SELECT log.ask('', 'list', '{}')"]
)
def test_the_log_ins_role_lets_in_and_reads_nothing(log, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        log("login").execute(statement)


@pytest.mark.parametrize("table", ["reading", "reading_page"])
@pytest.mark.parametrize("verb", ["DELETE FROM", "TRUNCATE", "UPDATE"])
def test_nobody_alters_the_trail(log, reader, table, verb):
    reader("ks").page(Filter(unit="ks"))
    change = " SET reader = 'x'" if table == "reading" else " SET rows = 0"
    statement = f"{verb} log.{table}{change if verb == 'UPDATE' else ''}"
    if verb == "TRUNCATE":
        statement += " CASCADE"
    with pytest.raises(psycopg.Error, match="never changed"):
        log("owner").execute(statement)
