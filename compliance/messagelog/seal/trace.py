"""What is disposed of besides entries: who read what of the log, and who fetched what it is about.

None of it is sealed, so that no tombstone is left: a note says of which month how much went, and by
which decision.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import psycopg

from compliance.messagelog.seal.disposal import READINGS
from compliance.messagelog.seal.statement import Decision


@dataclass(frozen=True)
class Gone:
    """A month (UTC) of the trace that was disposed of at a time."""

    at: datetime
    decision: Decision
    month: date
    readings: int


def dispose_of(
    connection: psycopg.Connection[Any], decision: Decision, month: date, readings: int
) -> int:
    """Delete a month's trace and note it, in the transaction that is open; return how much went.

    That is all that was shown, or nothing if nothing is left. Raises psycopg.errors.DataException
    if another number may go.
    """
    row = connection.execute(
        "SELECT log.dispose_of_readings(%s, %s, %s, %s, %s, %s)",
        [month, readings, decision.number, decision.authority, decision.decided, datetime.now(UTC)],
    ).fetchone()
    return int(row[0]) if row else 0


def disposed(connection: psycopg.Connection[Any]) -> list[Gone]:
    """Return what went, in order."""
    rows = connection.execute(
        "SELECT disposed_at, decision, authority, decided, month, readings"
        " FROM log.reading_disposal ORDER BY disposed_at, month"
    )
    return [
        Gone(at, Decision(number, authority, decided, READINGS), month, readings)
        for at, number, authority, decided, month, readings in rows
    ]
