"""What may be decided, when a period closes, and what happens to a doubt."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weasyprint.text.line_break import Layout

from compliance.clock import SWEDEN
from compliance.diary.number import DiaryNumber
from compliance.errors import UserError
from compliance.review.decision import Decision, NegligibleReason, Outcome, current, faults
from compliance.review.document import Place, to_pdf
from compliance.review.doubt import Doubt, Row, Step, due, letter, settling_faults
from compliance.review.lag import Lag, label, lag, oldest_first
from compliance.review.period import (
    Period,
    Regularity,
    Reviewers,
    open_rows,
    period_of,
    periods_between,
)
from compliance.review.protocol import Reviewed, Settled, close

NOW = datetime(2026, 11, 24, 9, 5, tzinfo=SWEDEN)  # a Tuesday
NUMBER = DiaryNumber("KS", 2026, 123)
REASONS = [NegligibleReason("reklam", "Reklam", "KF 2024 § 12")]


def decide(outcome, row="1", **rest):
    return Decision(row, outcome, "10023", NOW, **rest)


SOUND = [
    decide(Outcome.REGISTERED, number=NUMBER),
    decide(Outcome.KEPT_IN_ORDER, secret=False),
    decide(Outcome.NEGLIGIBLE, reason="reklam"),
    decide(Outcome.PRIVATE),
    decide(Outcome.TRADE_UNION),
    decide(Outcome.OTHER_AUTHORITY, authority="Region Sjöland"),
    decide(Outcome.DOUBT, asked="10024", question="Är det ett ärende?"),
]
UNSOUND = [
    decide(Outcome.REGISTERED),
    decide(Outcome.KEPT_IN_ORDER),
    decide(Outcome.KEPT_IN_ORDER, secret=True),
    decide(Outcome.NEGLIGIBLE),
    decide(Outcome.NEGLIGIBLE, reason="tråkigt"),
    decide(Outcome.OTHER_AUTHORITY, authority=" "),
    decide(Outcome.DOUBT, asked="10024"),
    decide(Outcome.DOUBT, question="?"),
]


@pytest.mark.parametrize("decision", SOUND, ids=lambda item: item.outcome.value)
def test_a_decision_with_what_it_needs_may_stand(decision):
    assert faults(decision, REASONS) == []


@pytest.mark.parametrize("decision", UNSOUND, ids=lambda item: item.outcome.value)
def test_a_decision_that_lacks_something_is_told_so(decision):
    assert faults(decision, REASONS)


def test_every_outcome_has_a_sound_decision_here_and_a_name():
    assert {item.outcome for item in SOUND} == set(Outcome)
    assert all(outcome.text.sv and outcome.text.en for outcome in Outcome)


def test_what_is_secret_is_never_kept_in_order():
    (fault,) = faults(decide(Outcome.KEPT_IN_ORDER, secret=True), REASONS)
    assert "5 kap. 1 § OSL" in fault.sv


def test_the_last_decision_holds_and_the_earlier_one_is_kept():
    later = replace(SOUND[0], at=NOW + timedelta(hours=1))
    history = [later, SOUND[3]]
    assert current(history)["1"] is later
    assert len(history) == 2


@pytest.mark.parametrize(
    ("received", "registered", "days"),
    [
        ("2026-11-24T08:00", date(2026, 11, 24), 0),
        ("2026-11-24T23:59", date(2026, 11, 25), 1),
        ("2026-11-20T16:55", date(2026, 11, 23), 1),  # Friday to Monday
        ("2026-11-21T10:00", date(2026, 11, 23), 1),  # Saturday to Monday
        ("2026-11-21T10:00", date(2026, 11, 22), 0),
        ("2026-12-23T10:00", date(2026, 12, 28), 1),  # over Christmas
        ("2026-11-24T10:00", date(2026, 11, 20), 0),
    ],
)
def test_lag_is_counted_in_working_days(received, registered, days):
    moment = datetime.fromisoformat(received).replace(tzinfo=SWEDEN)
    found = lag("1", moment, registered, date(2027, 1, 1))
    assert (found.days, found.registered) == (days, True)
    assert found.is_late() is (days > 1)


def test_what_waits_longest_stands_first_and_the_limit_is_told_as_practice():
    today = date(2026, 11, 27)
    waiting = [lag(str(n), NOW - timedelta(days=n), None, today) for n in (0, 5, 3)]
    done = lag("done", NOW - timedelta(days=90), NOW.date(), today)
    assert [item.row for item in oldest_first([*waiting, done])] == ["5", "3", "0"]
    assert "praxis" in label().sv


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.sampled_from(Regularity))
def test_every_day_belongs_to_one_period_and_none_between(day, regularity):
    period = period_of(day, regularity)
    assert day in period
    assert period_of(period.first, regularity) == period == period_of(period.last, regularity)
    following = period_of(period.last + timedelta(1), regularity)
    assert following.first == period.last + timedelta(1)
    assert periods_between(period.first, following.last, regularity) == [period, following]
    assert period.due() > period.last


def test_weeks_begin_on_monday_and_are_the_default():
    assert period_of(date(2026, 11, 24)) == Period(date(2026, 11, 23), date(2026, 11, 29))
    assert Period(date(2026, 11, 23), date(2026, 11, 29)).due() == date(2026, 12, 4)


def test_the_deputy_reviews_when_the_reviewer_is_away():
    both = Reviewers("a", "b")
    assert both.in_charge([]) == "a"
    assert both.in_charge(["a"]) == "b"
    assert both.in_charge(["a", "b"]) == ""
    assert Reviewers("a").in_charge(["a"]) == ""
    assert not Reviewers("a").may_close("")


def reviewed(rows, decisions):
    return Reviewed(
        "Kommunstyrelsen",
        Period(date(2026, 11, 16), date(2026, 11, 22)),
        Regularity.WEEKLY,
        is_default_regularity=True,
        rows=rows,
        decisions={item.row: item for item in decisions},
        settled=[Settled("Fråga?", "Svar", SOUND[0])],
        lags=[lag("1", NOW - timedelta(days=20), NOW.date(), NOW.date())],
        reasons=REASONS,
    )


def test_a_period_closes_only_when_every_row_has_an_outcome():
    decisions = [replace(item, row=str(at)) for at, item in enumerate(SOUND)]
    rows = [item.row for item in decisions]
    assert open_rows([*rows, "9"], current(decisions)) == ["6", "9"]
    with pytest.raises(UserError, match="1 rows have no outcome"):
        close(reviewed(rows, decisions), Reviewers("a", "b"), "a", "Åsa", NOW)
    with pytest.raises(UserError, match="2 rows have no outcome"):
        close(reviewed([*rows, "9"], decisions), Reviewers("a", "b"), "a", "Åsa", NOW)


def test_the_protocol_counts_what_was_decided_and_who_signed():
    decisions = [replace(item, row=str(at)) for at, item in enumerate(SOUND[:-1])]
    rows = [item.row for item in decisions]
    protocol = close(reviewed(rows, decisions), Reviewers("a", "b"), "b", "Bo Ek", NOW)
    assert sum(protocol.counts.values()) == len(rows)
    assert set(protocol.counts) == set(Outcome) - {Outcome.DOUBT}
    assert protocol.negligible == {REASONS[0]: 1}
    assert protocol.signature.as_deputy
    assert protocol.is_default_regularity
    assert [item.row for item in protocol.late] == ["1"]


def test_nobody_else_closes_a_period_nor_before_its_end():
    with pytest.raises(UserError, match="only the unit's reviewer"):
        close(reviewed([], []), Reviewers("a", "b"), "c", "Cilla", NOW)
    early = datetime(2026, 11, 22, 12, tzinfo=SWEDEN)
    with pytest.raises(UserError, match="lasts until"):
        close(reviewed([], []), Reviewers("a", "b"), "a", "Åsa", early)


DOUBT = Doubt("1", "10024", "Är det ett ärende?", NOW)


def run(doubt, days):
    """Ask every morning; give the letters by day."""
    sent = []
    for number in range(days):
        now = (NOW + timedelta(days=number)).replace(hour=10)
        step = due(doubt, now)
        if step:
            sent.append((now.date(), step))
            doubt = doubt.with_letter(step, now.date())
    return sent


def test_a_doubt_is_asked_reminded_of_and_told_to_the_head():
    assert run(DOUBT, 60) == [
        (date(2026, 11, 24), Step.QUESTION),
        (date(2026, 11, 27), Step.REMINDER),
        (date(2026, 12, 2), Step.HEAD),
    ]


def test_an_answer_ends_the_letters_and_empty_words_are_none():
    assert run(DOUBT.with_answer("Nej.", NOW), 60) == []
    assert not DOUBT.with_answer(" \n", NOW).is_answered


def test_a_doubt_ends_in_a_reasoned_outcome():
    assert settling_faults(decide(Outcome.PRIVATE, reason="Bara en inbjudan till kollegan.")) == []
    assert len(settling_faults(decide(Outcome.DOUBT))) == 2
    assert len(settling_faults(decide(Outcome.PRIVATE, reason=" "))) == 1


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    st.lists(st.integers(0, 100), max_size=20, unique=True),
)
def test_no_doubt_gets_two_letters_a_day_or_any_twice(opened, days):
    doubt = replace(DOUBT, opened=opened)
    for number in sorted(days):
        now = opened + timedelta(days=number)
        step = due(doubt, now)
        if step:
            doubt = doubt.with_letter(step, now.astimezone(SWEDEN).date())
            assert due(doubt, now) is None
    assert len({step for step, _ in doubt.sent}) == len(doubt.sent)
    assert [step for step, _ in doubt.sent] == list(Step)[: len(doubt.sent)]


@pytest.mark.parametrize("step", Step)
def test_letters_say_what_is_asked_and_where_to_answer(step):
    row = Row(NOW, "in", 4711, "https://logg.sjovalla.example/questions/1")
    subject, body = letter(
        step, DOUBT, row, to="Per Ek", reviewer="Åsa Öberg", unit="Kommunstyrelsen"
    )
    assert "\n" not in subject
    told = (row.link, "Per Ek", "24 november 2026", "klockan 09.05", "nummer 4711", "inkommande")
    for part in told:
        assert part in body
    assert "None" not in body


@pytest.mark.parametrize("step", Step)
def test_no_letter_tells_the_question_whatever_stands_in_it(step):
    row = Row(NOW, "out", 1, "https://logg.sjovalla.example/questions/1")
    doubt = replace(DOUBT, question="Är Åsa Ek sjuk?\r\nBcc: x")
    said = letter(step, doubt, row, to="Per Ek", reviewer="Åsa Öberg", unit="KS")
    assert not any("sjuk" in part or "Bcc" in part for part in said)


def test_no_text_of_a_protocol_is_measured_sign_by_sign(monkeypatch):
    """Which took minutes for a period with many late rows, where nginx waits for one."""
    measured, measure = [], Layout.get_first_line
    monkeypatch.setattr(Layout, "get_first_line", lambda self: measured.append(1) or measure(self))
    rows = [str(number) for number in range(60)]
    period = replace(
        reviewed(rows, [decide(Outcome.REGISTERED, row, number=NUMBER) for row in rows]),
        lags=[Lag(row, 5, registered=True) for row in rows],
    )
    protocol = close(period, Reviewers("a", "b"), "a", "Åsa", NOW)
    places = dict.fromkeys(rows, Place(NOW, "in", 100_000, "Åsa Öberg"))
    assert to_pdf(protocol, places, "Sjövalla kommun", "sv").startswith(b"%PDF")
    assert len(measured) < 50 * len(rows)
