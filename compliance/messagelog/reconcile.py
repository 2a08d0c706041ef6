"""Holds the log against the records of Postfix and Dovecot, both ways, for one day (UTC).

The comparison itself is `log.differences` in the database, where the follower has brought those
records; here it is asked, and told to people.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import psycopg

from compliance.messagelog.entry import instant

AGREE = 0
MISSING = 1
INCOMPLETE = 3
ONLY_LOGGED = 4

_SAID = {
    "missing": "accepted by Postfix, not in the log",
    "unseen": "stored by Dovecot, not from a logged message",
    "never_accepted": "in the log, never accepted by Postfix",
}


@dataclass(frozen=True)
class Difference:
    """One message on one side only. kind, queue_id, session: as `log.differences` tells."""

    kind: str
    host: str
    queue_id: str | None
    session: str | None
    at: datetime
    recipients: tuple[str, ...]


@dataclass(frozen=True)
class Gap:
    """A time of which a host's journal was not read."""

    host: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class Reconciliation:
    """What was found. waiting: differences that shipper or follower may still resolve.

    has_records: whether there are any of a mail host up to the day; without one none can differ.
    """

    day: date
    is_over: bool
    has_records: bool
    accepted: int
    logged: int
    differences: tuple[Difference, ...]
    waiting: tuple[Difference, ...]
    gaps: tuple[Gap, ...]

    @property
    def status(self) -> int:
        """Return the command's exit code; mail that the log lacks is told before all else."""
        kinds = {difference.kind for difference in self.differences}
        if kinds & {"missing", "unseen"}:
            return MISSING
        if self.gaps or (self.is_over and self.waiting) or not self.has_records:
            return INCOMPLETE
        return ONLY_LOGGED if kinds else AGREE


def reconcile(connection: psycopg.Connection[Any], day: date, now: datetime) -> Reconciliation:
    """Compare a day; today up to now. connection: as the log's reader, in a transaction."""
    start = datetime.combine(day, time(), UTC)
    end = start + timedelta(days=1)
    stop = min(end, now)
    found = connection.execute(
        "SELECT certain, kind, host, queue_id, session, at, recipients"
        " FROM log.differences(%s, %s) ORDER BY kind, at, queue_id, session",
        [start, stop],
    ).fetchall()
    gaps = connection.execute(
        "SELECT host, since, until FROM log.journal_gaps(%s, %s) ORDER BY host, since",
        [start, stop],
    ).fetchall()
    counted = connection.execute("SELECT * FROM log.counted(%s, %s)", [start, stop]).fetchone()
    accepted, logged = counted or (0, 0)
    # Where a journal that was begun has not been read further, that is a gap.
    begun = connection.execute("SELECT FROM log.journal WHERE since < %s LIMIT 1", [stop])
    is_over = now >= end
    return Reconciliation(
        day=day,
        is_over=is_over,
        has_records=begun.fetchone() is not None,
        accepted=accepted,
        logged=logged,
        differences=tuple(_difference(row) for row in found if row[0]),
        waiting=tuple(_difference(row) for row in found if not row[0]),
        # Of today nobody can have read the last seconds.
        gaps=tuple(Gap(*row) for row in gaps if is_over or row[2] is not None),
    )


def note(connection: psycopg.Connection[Any], result: Reconciliation) -> None:
    """Keep how the comparison of a day that is over ended, for `kommunpost log health`.

    Where there was nothing to compare with, the day was not compared.
    """
    if not result.has_records and not result.gaps:
        return
    connection.execute("SELECT log.note_reconciled(%s, %s::smallint)", [result.day, result.status])


def _difference(row: tuple[Any, ...]) -> Difference:
    _, kind, host, queue_id, session, at, recipients = row
    return Difference(kind, host, queue_id, session, at, tuple(recipients))


def as_json(result: Reconciliation) -> dict[str, Any]:
    """Return the result as JSON: times are ISO 8601 in UTC."""
    return {
        "day": result.day.isoformat(),
        "status": result.status,
        "accepted": result.accepted,
        "logged": result.logged,
        "differences": [_difference_json(one) for one in result.differences],
        "waiting": [_difference_json(one) for one in result.waiting],
        "gaps": [
            {
                "host": gap.host,
                "since": instant(gap.since),
                "until": instant(gap.until) if gap.until else None,
            }
            for gap in result.gaps
        ],
    }


def _difference_json(one: Difference) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "host": one.host,
        "queue_id": one.queue_id,
        "session": one.session,
        "at": instant(one.at),
        "recipients": list(one.recipients),
    }


def as_text(result: Reconciliation) -> Iterator[str]:
    """Yield the lines that a technician reads."""
    for one in result.differences:
        name = one.queue_id or one.session or "?"
        to = ", ".join(one.recipients) or "nobody yet"
        yield f"{_SAID[one.kind]}: {name} on {one.host} at {instant(one.at)}, to {to}"
    for gap in result.gaps:
        until = instant(gap.until) if gap.until else "now"
        yield f"the journal of {gap.host} was not read from {instant(gap.since)} to {until}"
    if not result.has_records:
        yield "there are no records of a mail host to compare with, of that day or before it"
    if result.waiting:
        said = "is still on its way" if len(result.waiting) == 1 else "are still on their way"
        yield f"{len(result.waiting)} {said} to the log's database"
    verdict = {
        AGREE: "the log and the mail hosts agree",
        MISSING: "the log lacks mail",
        INCOMPLETE: "not everything could be compared",
        ONLY_LOGGED: "nothing is missing; the log has more than was accepted",
    }[result.status]
    so_far = "" if result.is_over else " so far"
    yield (f"{result.day}{so_far}: {result.accepted} accepted, {result.logged} logged; {verdict}")
