"""Who is reminded, when, and in which words."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.clock import SWEDEN
from compliance.watch.letters import write
from compliance.watch.reminders import Keeper, Recipient, Reminder, Told, Watched, after, due
from compliance.workdays import age, is_working_day

WATCHER = Recipient("asa.oberg@sjovalla.example", "Åsa Öberg")
DEPUTY = Recipient("referens.7@sjovalla.example", "Referens 7")
HEAD = Recipient("samhallsbyggnadschef@sjovalla.example", "Samhällsbyggnadschef")
BOX = Watched("bygglov@sjovalla.example", "Bygglovsavdelningen", "lov", HEAD, WATCHER, DEPUTY)
THURSDAY = datetime(2026, 11, 19, 16, 55, tzinfo=SWEDEN)


def run(
    box: Watched, oldest: datetime, days: int, missed: frozenset[int] = frozenset()
) -> list[tuple[date, Keeper]]:
    """Ask every morning for some days; give the letters that were sent."""
    told: Told | None = None
    sent = []
    for number in range(days):
        now = (oldest + timedelta(days=number)).replace(hour=7, minute=0)
        reminder = None if number in missed else due(box, oldest, now, told)
        if reminder:
            sent.append((now.date(), reminder.keeper))
            told = after(reminder, oldest, now.date(), told)
    return sent


def test_watcher_then_deputy_then_head_on_the_days_that_follow():
    assert run(BOX, THURSDAY, 40) == [
        (date(2026, 11, 23), Keeper.WATCHER),
        (date(2026, 11, 24), Keeper.DEPUTY),
        (date(2026, 11, 25), Keeper.HEAD),
    ]


def test_whoever_is_away_is_passed_over():
    assert [keeper for _, keeper in run(replace(BOX, watcher=None), THURSDAY, 40)] == [
        Keeper.DEPUTY,
        Keeper.HEAD,
    ]
    alone = replace(BOX, watcher=None, deputy=None)
    assert run(alone, THURSDAY, 40) == [(date(2026, 11, 23), Keeper.HEAD)]


def test_mail_that_has_lain_long_is_told_to_the_watcher_first():
    """As on the first day of the watch: the head does not hear of it before they could read."""
    now = datetime(2026, 11, 24, 7, tzinfo=SWEDEN)
    reminder = due(BOX, now - timedelta(days=90), now, None)
    assert reminder
    assert reminder.keeper is Keeper.WATCHER


def test_nobody_is_told_when_all_is_read_or_the_office_is_closed():
    assert due(BOX, None, THURSDAY + timedelta(days=30), None) is None
    assert due(BOX, THURSDAY, datetime(2026, 11, 28, 7, tzinfo=SWEDEN), None) is None


def test_another_oldest_message_begins_anew():
    now = datetime(2026, 11, 24, 7, tzinfo=SWEDEN)
    told = Told(THURSDAY - timedelta(days=9), {Keeper.WATCHER: date(2026, 11, 12)})
    reminder = due(BOX, THURSDAY, now, told)
    assert reminder
    assert reminder.keeper is Keeper.WATCHER
    assert after(reminder, THURSDAY, now.date(), told) == Told(
        THURSDAY, {Keeper.WATCHER: now.date()}
    )


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)),
    st.frozensets(st.integers(0, 29)),
    st.booleans(),
    st.booleans(),
)
def test_each_is_told_once_in_turn_on_a_working_day_and_never_too_early(
    arrived, missed, has_watcher, has_deputy
):
    box = replace(
        BOX, watcher=WATCHER if has_watcher else None, deputy=DEPUTY if has_deputy else None
    )
    oldest = arrived.replace(tzinfo=SWEDEN)
    sent = run(box, oldest, 30, missed)
    days = [day for day, _ in sent]
    assert days == sorted(set(days)), "one letter a day"
    assert all(map(is_working_day, days))
    turns = [keeper for keeper, _ in box.chain]
    assert [keeper for _, keeper in sent] == turns[: len(sent)]
    for step, day in enumerate(days, start=1):
        assert age(oldest, datetime(day.year, day.month, day.day, 7, tzinfo=SWEDEN)) >= step


def letter(keeper: Keeper, box: Watched = BOX, old: int = 2) -> str:
    to = dict(box.chain)[keeper]
    written = write(Reminder(box, keeper, to, date(2026, 11, 19), old), "Sjövalla kommun")
    assert written.to == to.address
    assert written.subject
    assert "\n" not in written.subject
    return f"{written.subject}\n{written.body}"


@pytest.mark.parametrize("keeper", list(Keeper))
def test_a_letter_says_which_mailbox_how_old_and_what_to_do(keeper):
    text = letter(keeper)
    for words in (
        "Bygglovsavdelningen (bygglov@sjovalla.example)",
        "kom 19 november 2026",
        "i minst 2 hela arbetsdagar",
        "Gör så här:\n1. ",
        "\n\nSjövalla kommun\n",
    ):
        assert words in text
    assert "\n\n\n" not in text
    assert not any(line != line.strip() for line in text.splitlines())
    assert "en hel arbetsdag" in letter(keeper, old=1)


def test_letters_name_the_others_and_tell_who_is_away():
    assert "din ersättare, Referens 7, att läsa" in letter(Keeper.WATCHER)
    assert "Åsa Öberg, som är bevakningsansvarig, har redan" in letter(Keeper.DEPUTY)
    away = replace(BOX, watcher=None)
    assert "Den som är bevakningsansvarig är inte i tjänst." in letter(Keeper.DEPUTY, away)
    alone = letter(Keeper.HEAD, replace(away, deputy=None))
    assert "Den som är ersättare är inte i tjänst." in alone
    assert "går en påminnelse till förvaltningschefen" in letter(
        Keeper.WATCHER, replace(BOX, deputy=None)
    )


def test_letters_about_a_position_speak_of_its_holder():
    post = replace(BOX, name="Registrator", deputy=None, is_position=True)
    assert "Du är innehavare av befattningen Registrator" in letter(Keeper.WATCHER, post)
    assert "Befattningen innehas av Åsa Öberg" in letter(Keeper.HEAD, post)
    assert "ersättare" not in letter(Keeper.HEAD, replace(post, watcher=None)).partition("Gör")[0]
