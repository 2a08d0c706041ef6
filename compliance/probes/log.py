"""The message log's rows of given queue ids, its last seal, and how its review stands."""

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg

from compliance.errors import UserError
from compliance.probes.errors import first_problem
from compliance.probes.facts import (
    Accepted,
    LogFacts,
    ReviewFacts,
    Row,
    SealFacts,
    Seen,
    UnitReview,
    now,
)
from compliance.review.period import Regularity
from compliance.settings import Log, read_secret

# How long shipper and follower may take to PostgreSQL before a row counts as missing.
SHIPPING_SECONDS = 30.0
_PAUSE = 0.5
# The rows of a message that was requeued go by its first queue id. Recipients that arose later, of
# lists and copies, have rows of kind `expanded`.
_QUERY = """
    WITH named AS (
        SELECT q.queue_id, coalesce(r.original, q.queue_id) AS original
        FROM unnest(%s::text[]) AS q (queue_id) LEFT JOIN log.requeued AS r USING (queue_id)
    )
    SELECT n.queue_id, e.recipient FROM named AS n JOIN log.entry AS e ON e.queue_id = n.original
    UNION SELECT n.queue_id, x.recipient
    FROM named AS n JOIN log.expanded AS x ON x.queue_id = n.original"""

_LAST_DAY = (
    "SELECT number, day, text FROM log.statement WHERE day IS NOT NULL ORDER BY number DESC LIMIT 1"
)

_REVIEW = "SELECT unit, begin, rows_left, oldest_left FROM loglist.review_state() ORDER BY unit"

_Connection = psycopg.Connection[tuple[Any, ...]]
_Answer = TypeVar("_Answer")


def read(settings: Log, accepted: list[Accepted]) -> LogFacts:
    """Read the rows, waiting until each message has its rows or the services' time is up."""
    queue_ids = [item.queue_id for item in accepted]
    wanted = {(item.queue_id, to.lower()) for item in accepted for to in item.recipients}
    seen = Seen(f"rows of {len(queue_ids)} queue ids in log.entry", settings.dsn, now())
    started = time.monotonic()

    def ask(connection: _Connection) -> LogFacts:
        while True:
            rows = [Row(*values) for values in connection.execute(_QUERY, (queue_ids,))]
            waited = time.monotonic() - started
            found = {row.queue_id for row in rows} >= set(queue_ids)
            found = found and {(row.queue_id, row.recipient.lower()) for row in rows} >= wanted
            if found or waited > SHIPPING_SECONDS:
                return LogFacts(seen, tuple(rows), waited)
            time.sleep(_PAUSE)  # PostgreSQL tells a reader nothing by itself

    found = _asked(settings, ask)
    return LogFacts(_silent(seen, found)) if isinstance(found, str) else found


def last_seal(settings: Log) -> SealFacts:
    """Read what the last closed day was sealed with."""
    seen = Seen("the last statement on a day in log.statement", settings.dsn, now())

    def ask(connection: _Connection) -> SealFacts:
        row = connection.execute(_LAST_DAY).fetchone()
        if row is None:
            return SealFacts(seen)
        digest = hashlib.sha256(row[2].encode("utf-8")).hexdigest()
        return SealFacts(seen, row[0], row[1], json.loads(row[2])["entries"], digest)

    found = _asked(settings, ask)
    return SealFacts(_silent(seen, found)) if isinstance(found, str) else found


def review(settings: Log, regularity: Regularity | None) -> ReviewFacts:
    """Read how far the units' reviews have come, as the log list in the same database knows it."""
    seen = Seen("loglist.review_state()", settings.dsn, now())

    def ask(connection: _Connection) -> ReviewFacts:
        units = [UnitReview(*row) for row in connection.execute(_REVIEW)]
        taken_in = connection.execute("SELECT loglist.taken_in_until()").fetchone()
        return ReviewFacts(seen, regularity, taken_in[0] if taken_in else None, tuple(units))

    found = _asked(settings, ask)
    return ReviewFacts(_silent(seen, found)) if isinstance(found, str) else found


def _asked(settings: Log, ask: Callable[[_Connection], _Answer]) -> _Answer | str:
    """Return the answer, or why there is none."""
    try:
        password = read_secret(settings.password_file) if settings.password_file else None
        with psycopg.connect(settings.dsn, password=password, connect_timeout=10) as connection:
            connection.autocommit = True
            return ask(connection)
    except UserError as error:
        return first_problem(error)
    except psycopg.Error as error:
        return " ".join(str(error).split()) or type(error).__name__


def _silent(seen: Seen, told: str) -> Seen:
    return Seen(seen.asked, seen.of, seen.at, told)
