"""The day as a municipality sees it: in Sweden, whatever zone the machine keeps."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

SWEDEN = ZoneInfo("Europe/Stockholm")


def today() -> date:
    """Return the day in Sweden now."""
    return datetime.now(SWEDEN).date()
