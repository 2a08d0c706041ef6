"""How long it took to register a message, in Swedish working days (G7). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from compliance.clock import SWEDEN
from compliance.review.decision import review_texts
from compliance.texts import Text
from compliance.workdays import working_days_after

# "Utan dröjsmål" (OSL 5 kap. 1 §) is taken as the next working day: practice (JO 3579-05).
LIMIT = 1


@dataclass(frozen=True, slots=True)
class Lag:
    """The lag of one row. days: working days, so far if the row is not registered."""

    row: str
    days: int
    registered: bool

    def is_late(self, limit: int = LIMIT) -> bool:
        """Say whether it is longer than the limit, in working days."""
        return self.days > limit


def lag(row: str, received: datetime, registered: date | None, today: date) -> Lag:
    """Measure a row. received: when the message reached the authority (FL 22 §), with a zone.

    0 on the day of receipt, 1 on the next working day, whatever the hour.
    """
    until = registered or today
    arrived = received.astimezone(SWEDEN).date()
    return Lag(row, working_days_after(arrived, until), registered is not None)


def oldest_first(lags: Iterable[Lag]) -> list[Lag]:
    """Give what is not registered, the longest waiting first."""
    waiting = (item for item in lags if not item.registered)
    return sorted(waiting, key=lambda item: (-item.days, item.row))


def label(limit: int = LIMIT) -> Text:
    """Say where the limit comes from, as stands beside every figure."""
    return review_texts()["lag.is-default"].fill(limit=limit)
