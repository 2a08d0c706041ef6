"""The day as a municipality sees it: in Sweden, whatever zone the machine keeps."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

SWEDEN = ZoneInfo("Europe/Stockholm")


def today() -> date:
    """Return the day in Sweden now."""
    return datetime.now(SWEDEN).date()


def midnight(day: date) -> datetime:
    """Return when a day begins in Sweden."""
    return datetime.combine(day, time(), SWEDEN)
