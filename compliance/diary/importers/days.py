"""Days as diary systems write them."""

import re
from datetime import date, datetime

from compliance.clock import SWEDEN

# All begin with the year, so that none can be misread; a time may stand behind.
_DAY = re.compile(
    r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|(\d\d)(\d\d))(?:[T ](\d.*))?", re.ASCII | re.DOTALL
)


def read_day(text: str) -> date | None:
    """Read 2026-10-15, 2026/10/15, 2026.10.15 or 20261015, with or without a time of ISO 8601.

    Returns the day in Sweden, where the time has a zone; None if the text is no day.
    """
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    year, _sign, month, day, glued_month, glued_day, time = found.groups()
    try:
        read = date(int(year), int(month or glued_month), int(day or glued_day))
        if time is None:
            return read
        hour, colon, rest = time.partition(":")
        at = datetime.fromisoformat(f"{read}T{hour.zfill(2)}{colon}{rest}")
        return at.astimezone(SWEDEN).date() if at.tzinfo else read
    except (ValueError, OverflowError):
        return None
