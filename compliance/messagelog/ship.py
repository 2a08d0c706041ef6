"""The shipper: moves records from the outbox to PostgreSQL, in order and exactly once.

The database says how far it has come, in the same transaction that stores the records, so there is
no second memory that a crash could set against it.
"""

import threading
import time
from datetime import UTC, datetime

import psycopg

from compliance.errors import UserError
from compliance.messagelog.outbox_reader import Batch, OutboxReader
from compliance.messagelog.perseverance import Perseverance
from compliance.messagelog.store import connect
from compliance.notify import Notifier
from compliance.settings import Log, Settings

# New records are looked for this often, at the cost of one small read from the page cache.
POLL_SECONDS = 0.2
BATCH = 1_000
DRAINED_SECONDS = 10.0


class Shipper:
    """Ships one host's outbox."""

    def __init__(self, reader: OutboxReader, host: str, log: Log, notifier: Notifier) -> None:
        """host: the name that the records carry. log: the database, as its writer."""
        self._reader = reader
        self._host = host
        self._settings = log
        self._notifier = notifier
        self._perseverance = Perseverance("shipping", "the outbox", notifier)
        self._note_due = 0.0

    def run(self, stop: threading.Event) -> None:
        """Ship until told to stop; a database that is away is tried again ever more slowly."""
        self._perseverance.run(self._ship_while_connected, stop)

    def _ship_while_connected(self, stop: threading.Event) -> None:
        with connect(self._settings) as connection:
            connection.autocommit = True
            row = connection.execute("SELECT log.position_of(%s)", [self._reader.id]).fetchone()
            self._reader.seek(int(row[0]) if row else 0)
            self._perseverance.note_up()
            while not stop.is_set():
                looked_at = datetime.now(UTC)
                batch = self._reader.read(BATCH)
                if batch.lines:
                    self._reader.forget(self._store(connection, batch))
                    self._perseverance.note_progress()
                else:
                    self._note_drained(connection, looked_at)
                    stop.wait(POLL_SECONDS)
                self._notifier.alive()

    def _note_drained(self, connection: psycopg.Connection[object], at: datetime) -> None:
        """Say now and then that all was shipped: `reconcile` tells "late" from "missing" by it."""
        if time.monotonic() >= self._note_due:
            connection.execute("SELECT log.drained(%s, %s)", [self._reader.id, at])
            self._note_due = time.monotonic() + DRAINED_SECONDS

    def _store(self, connection: psycopg.Connection[object], batch: Batch) -> int:
        """Store a batch in one transaction; return the last sequence that is stored."""
        connection.execute(
            "SELECT log.append(%s, %s, %s::json)",
            [self._reader.id, self._host, f"[{','.join(batch.lines)}]"],
        )
        return batch.last


def serve(settings: Settings, stop: threading.Event) -> None:
    """Run the shipper until told to stop. Raises UserError if it can't start."""
    if settings.capture is None or settings.log is None:
        raise UserError.of(
            "the settings have no `capture` or no `log`",
            "settings",
            "run this on a mail host, as role message_log sets it up",
        )
    notifier = Notifier.from_environment()
    reader = OutboxReader(settings.capture.outbox)
    shipper = Shipper(reader, settings.capture.host, settings.log, notifier)
    notifier.ready()
    shipper.run(stop)
