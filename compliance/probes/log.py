"""The message log's rows of given queue ids, read as the log's reader."""

import time

import psycopg

from compliance.errors import UserError
from compliance.probes.errors import first_problem
from compliance.probes.facts import LogFacts, Row, Seen, now
from compliance.settings import Log, read_secret

# How long the shipper may take from the outbox to PostgreSQL before a row counts as missing.
SHIPPING_SECONDS = 30.0
_PAUSE = 0.5
_QUERY = "SELECT queue_id, recipient FROM log.entry WHERE queue_id = ANY(%s)"


def read(settings: Log, queue_ids: list[str]) -> LogFacts:
    """Read the rows, waiting until each queue id has one or the shipper's time is up."""
    seen = Seen(f"rows of {len(queue_ids)} queue ids in log.entry", settings.dsn, now())
    started = time.monotonic()
    try:
        password = read_secret(settings.password_file) if settings.password_file else None
        with psycopg.connect(settings.dsn, password=password, connect_timeout=10) as connection:
            connection.autocommit = True
            while True:
                rows = [Row(*found) for found in connection.execute(_QUERY, (queue_ids,))]
                waited = time.monotonic() - started
                if {row.queue_id for row in rows} >= set(queue_ids) or waited > SHIPPING_SECONDS:
                    return LogFacts(seen, tuple(rows), waited)
                time.sleep(_PAUSE)  # PostgreSQL tells a reader nothing by itself
    except UserError as error:
        told = first_problem(error)
    except psycopg.Error as error:
        told = " ".join(str(error).split()) or type(error).__name__
    return LogFacts(Seen(seen.asked, seen.of, seen.at, told))
