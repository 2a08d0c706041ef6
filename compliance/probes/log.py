"""The message log's rows of given queue ids, read as the log's reader."""

import time

import psycopg

from compliance.errors import UserError
from compliance.probes.errors import first_problem
from compliance.probes.facts import Accepted, LogFacts, Row, Seen, now
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


def read(settings: Log, accepted: list[Accepted]) -> LogFacts:
    """Read the rows, waiting until each message has its rows or the services' time is up."""
    queue_ids = [item.queue_id for item in accepted]
    wanted = {(item.queue_id, to.lower()) for item in accepted for to in item.recipients}
    seen = Seen(f"rows of {len(queue_ids)} queue ids in log.entry", settings.dsn, now())
    started = time.monotonic()
    try:
        password = read_secret(settings.password_file) if settings.password_file else None
        with psycopg.connect(settings.dsn, password=password, connect_timeout=10) as connection:
            connection.autocommit = True
            while True:
                rows = [Row(*values) for values in connection.execute(_QUERY, (queue_ids,))]
                waited = time.monotonic() - started
                found = {row.queue_id for row in rows} >= set(queue_ids)
                found = found and {(row.queue_id, row.recipient.lower()) for row in rows} >= wanted
                if found or waited > SHIPPING_SECONDS:
                    return LogFacts(seen, tuple(rows), waited)
                time.sleep(_PAUSE)  # PostgreSQL tells a reader nothing by itself
    except UserError as error:
        told = first_problem(error)
    except psycopg.Error as error:
        told = " ".join(str(error).split()) or type(error).__name__
    return LogFacts(Seen(seen.asked, seen.of, seen.at, told))
