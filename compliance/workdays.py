"""Swedish working days, and the age of a message counted in them. Pure.

Saturdays, Sundays and public holidays are off (lag 1989:253 om allmänna helgdagar), and so are
midsummer eve, Christmas eve and New Year's eve, as for statutory time limits (lag 1930:173, 2 §).
"""

from datetime import date, datetime, timedelta
from functools import cache
from itertools import accumulate

from compliance.clock import SWEDEN

_DAY = timedelta(days=1)
_FRIDAY, _SATURDAY = 4, 5  # date.weekday()

# Month and day: New Year, Epiphany, first of May, national day, Christmas Eve to Boxing Day, New
# Year's Eve.
_FIXED = ((1, 1), (1, 6), (5, 1), (6, 6), (12, 24), (12, 25), (12, 26), (12, 31))
# Days from Easter Sunday: Good Friday, Easter Monday, Ascension Day. Easter and Whit Sunday, and
# All Saints' Day and midsummer day, which are Saturdays, are off in any case.
_FROM_EASTER = (-2, 1, 39)


def is_working_day(day: date) -> bool:
    """Say whether offices are open on a day. From 2005 on, when the national day came."""
    return day.weekday() < _SATURDAY and day not in _holidays(day.year)


def working_days_between(first: date, last: date) -> int:
    """Count the working days after `first` and before `last`; neither of the two counts."""
    days = (first + number * _DAY for number in range(1, (last - first).days))
    return sum(map(is_working_day, days))


def working_days_after(first: date, last: date) -> int:
    """Count the working days after `first` up to and with `last`: 0 on the first day itself."""
    return working_days_between(first, last) + int(last > first and is_working_day(last))


def first_day_within(days: int, last: date) -> date:
    """Give the earliest day after which no more than so many working days have come by `last`.

    days: 0 or more, as `working_days_after` counts them.
    """
    first = last
    while working_days_after(first - _DAY, last) <= days:
        first -= _DAY
    return first


def running_count(first: date, last: date) -> dict[date, int]:
    """Give, for each day of a span, its working days so far.

    What the count rises by from a day to a later one is `working_days_after`, for many pairs of
    days at the price of one span.
    """
    days = [first + number * _DAY for number in range((last - first).days + 1)]
    return dict(zip(days, accumulate(map(is_working_day, days)), strict=True))


def age(arrived: datetime, now: datetime) -> int:
    """Count the whole working days that have passed since a message came.

    Both are times with a zone. The day of arrival does not count, since the mail may have come in
    its last minute, nor does today, which is not over.
    """
    return working_days_between(arrived.astimezone(SWEDEN).date(), now.astimezone(SWEDEN).date())


@cache
def _holidays(year: int) -> frozenset[date]:
    """Give the days of a year that are off although they may be no Saturday or Sunday."""
    easter = _easter(year)
    return frozenset(
        {date(year, month, day) for month, day in _FIXED}
        | {easter + days * _DAY for days in _FROM_EASTER}
        | {_midsummer_eve(year)}
    )


def _midsummer_eve(year: int) -> date:
    """Give the Friday from 19 to 25 June."""
    first = date(year, 6, 19)
    return first + (_FRIDAY - first.weekday()) % 7 * _DAY


def _easter(year: int) -> date:
    """Give Easter Sunday in the Gregorian calendar, by the rule of Meeus, Jones and Butcher."""
    golden = year % 19
    century, rest = divmod(year, 100)
    leap_centuries, century_rest = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - correction + 15) % 30
    leaps, rest = divmod(rest, 4)
    weekday = (32 + 2 * century_rest + 2 * leaps - epact - rest) % 7
    shift = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)
