"""What of the outboxes is in the database, as a mail host's role may ask and tell it."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

from compliance.messagelog.entry import Record
from compliance.messagelog.outbox_reader import Batch, Place


class Shipped:
    """The database's side of shipping. All of it raises psycopg.Error."""

    def __init__(self, connection: psycopg.Connection[Any], host: str) -> None:
        """connection: in autocommit, as the log's writer. host: this host, as entries name it."""
        self._connection = connection
        self._host = host

    def place_of(self, outbox: uuid.UUID) -> Place:
        """Return how far an outbox was shipped."""
        row = self._connection.execute(
            "SELECT sequence, chain, host, is_closed FROM log.place_of(%s)", [outbox]
        ).fetchone()
        return Place(*row) if row else Place()

    def append(self, outbox: uuid.UUID, batch: Batch) -> int:
        """Store a batch in one transaction; return the last sequence that is stored."""
        # One call of libpq's, for which Python's lock is given away once: psycopg takes it again
        # for each piece that the socket has room for, every time behind the thread that reads on.
        result = self._connection.pgconn.exec_params(
            b"SELECT log.append($1, $2, $3::json)",
            [text.encode() for text in (str(outbox), batch.host, f"[{','.join(batch.lines)}]")],
        )
        if result.status != ExecStatus.TUPLES_OK:
            raise error_from_result(result)
        return batch.last

    def lacks(self, records: Sequence[Record]) -> list[Record]:
        """Return those of these records that are stored in no outbox's chain."""
        rows = self._connection.execute(
            "SELECT * FROM log.lacking(%s, %s)",
            [
                [record.entry.queue_id for record in records],
                [record.digest.hex() for record in records],
            ],
        ).fetchall()
        return [records[place - 1] for (place,) in rows]

    def close(self, outbox: uuid.UUID) -> None:
        """Take no more of an outbox whose chain broke."""
        self._connection.execute("SELECT log.close_outbox(%s, %s)", [outbox, self._host])

    def drained(self, outbox: uuid.UUID, at: datetime) -> None:
        """Say that all that was accepted before is stored: `reconcile` tells late from missing."""
        self._connection.execute("SELECT log.drained(%s, %s)", [outbox, at])
