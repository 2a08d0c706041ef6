"""What a technician writes on the command line of the log, read; each raises UserError.

Days and times are Swedish, also on a machine that keeps UTC.
"""

import os
import pwd
from datetime import UTC, date, datetime

from compliance.clock import SWEDEN, midnight
from compliance.errors import UserError
from compliance.messagelog.text import clean

_ROOT = 0


def day(option: str, text: str) -> date:
    """Read a day, e.g. 2026-11-24."""
    try:
        read = date.fromisoformat(text)
    except ValueError as error:
        raise UserError.of(f"{text!r} is no day", option, "write it as 2026-11-24") from error
    _in_reach(option, text, midnight(read))
    return read


def days(since: str | None, until: str | None) -> tuple[date | None, date | None]:
    """Read the days of --since and --until, of which the latter is not included."""
    first = day("--since", since) if since is not None else None
    stop = day("--until", until) if until is not None else None
    _in_order(first, stop, f"--since {since} --until {until}")
    return first, stop


def times(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """Read the times of --since and --until, of which the latter is not included.

    A day stands for its beginning.
    """
    start = moment("--since", since) if since is not None else None
    end = moment("--until", until) if until is not None else None
    _in_order(start, end, f"--since {since} --until {until}")
    return start, end


def text(option: str, written: str | None) -> str | None:
    """Return what was written, if there is any and the log can hold such a text: UTF-8."""
    if written == "":
        raise UserError.of("it is empty", option, "write what it is, or leave the option out")
    if written is not None and any("\ud800" <= sign <= "\udfff" for sign in written):
        raise UserError.of(
            f"{written!r} is not UTF-8", option, "write it in a terminal that is set to UTF-8"
        )
    return written


def user() -> str:
    """Say who runs this, also behind sudo: the trace of what they read bears the name.

    The environment is believed of root alone: anybody else could write a colleague's name there.
    """
    number = os.getuid()
    behind = os.environ.get("SUDO_USER") if number == _ROOT else None
    try:
        return clean(behind or pwd.getpwuid(number).pw_name)
    except KeyError:  # the machine has no name for the number
        return str(number)


def moment(option: str, written: str) -> datetime:
    """Read a time, e.g. 2026-11-24T09:05; a day stands for its beginning."""
    try:
        read = datetime.fromisoformat(written)
    except ValueError as error:
        raise UserError.of(
            f"{written!r} is no time", option, "write it as 2026-11-24 or 2026-11-24T09:05"
        ) from error
    if read.tzinfo is None:
        read = read.replace(tzinfo=SWEDEN)
    _in_reach(option, written, read)
    return read.astimezone(UTC)  # PostgreSQL knows fewer zones


def _in_reach(option: str, written: str, read: datetime) -> None:
    """Refuse what a day of other time zones, and the day after, would fall off the calendar of."""
    try:
        reached = 1 < read.astimezone(UTC).year < 9999
    except OverflowError:
        reached = False
    if not reached:
        raise UserError.of(f"{written!r} is out of reach", option, "write a year from 2 to 9998")


def _in_order(since: date | None, until: date | None, written: str) -> None:
    """Refuse a time that ends before it begins, or as it does: it would hold nothing."""
    if since is not None and until is not None and since >= until:
        raise UserError.of(
            "--until is not after --since, so that no time is between them",
            written,
            "write the earlier one after --since; --until is not included",
        )
