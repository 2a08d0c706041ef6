"""The shipper: moves records from the outbox to PostgreSQL, in order and exactly once.

The database says how far it has come, in the same transaction that stores the records, so there is
no second memory that a crash could set against it. A chain that doesn't go on from there is left:
the writer begins another, and what is sound in the old one is shipped under a new id (`rescue.py`).
"""

import logging
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from compliance.errors import UserError
from compliance.messagelog.outbox_folder import (
    READ_HANDBOOK,
    REQUEST,
    RESCUED,
    BrokenChainError,
    all_chains,
    ask_for_next,
    chains,
    damage_of,
    ids_of,
    read_identity,
)
from compliance.messagelog.outbox_reader import OutboxReader
from compliance.messagelog.perseverance import Perseverance
from compliance.messagelog.rescue import rescue
from compliance.messagelog.shipped import Shipped
from compliance.messagelog.store import connect
from compliance.notify import Notifier
from compliance.settings import Log, Settings

# New records are looked for this often, at the cost of one small read from the page cache.
POLL_SECONDS = 0.2
BATCH = 1_000
DRAINED_SECONDS = 10.0

_log = logging.getLogger(__name__)


class Shipper:
    """Ships one host's outbox."""

    def __init__(self, folder: Path, host: str, log: Log, notifier: Notifier) -> None:
        """folder: the outbox. host: the name that records carry. log: the database, as writer."""
        self._folder = folder
        self._host = host
        self._settings = log
        self._notifier = notifier
        self._perseverance = Perseverance("shipping", "the outbox", notifier)
        self._note_due = 0.0
        self._suspect: Path | None = None

    def run(self, stop: threading.Event) -> None:
        """Ship until told to stop; a database that is away is tried again ever more slowly."""
        self._perseverance.run(self._ship_while_connected, stop)

    def _ship_while_connected(self, stop: threading.Event) -> None:
        with connect(self._settings) as connection:
            connection.autocommit = True
            shipped = Shipped(connection, self._host)
            while not stop.is_set():
                *left, last = chains(self._folder)
                for chain in left:
                    self._ship_left(chain, shipped, stop)
                self._follow(last, shipped, stop)

    def _follow(self, chain: Path, shipped: Shipped, stop: threading.Event) -> None:
        """Ship the chain that is written to, until there is another or it is found broken."""
        try:
            reader = _open(chain, shipped, is_live=True)
            while not stop.is_set():
                looked_at = datetime.now(UTC)
                self._ship(reader, shipped, stop)
                self._suspect = None
                if chains(self._folder)[-1] != chain:
                    return
                self._note_drained(shipped, looked_at)
                reader.forget(reader.last_read)
                stop.wait(POLL_SECONDS)
        except BrokenChainError as error:
            # Looked at twice, lest a write in the middle be taken for damage.
            if self._suspect == chain and not (chain / REQUEST).exists():
                ask_for_next(chain, error.problems[0])
            self._suspect = chain
            raise

    def _ship_left(self, chain: Path, shipped: Shipped, stop: threading.Event) -> None:
        """Ship what there is of a chain that nobody writes to any more."""
        rescued = chain / RESCUED
        try:
            reader = _open(chain, shipped, is_live=False)
            self._ship(reader, shipped, stop)
            reader.forget(reader.last_read)
        except BrokenChainError as error:
            if not rescued.is_dir():
                _log.error("%s", error)
                shipped_to = max([shipped.place_of(one).sequence for one in ids_of(chain)] or [0])
                rescue(chain, error.problems[0], shipped_to, shipped.lacks)
            for outbox in ids_of(chain):  # if its old files come back, nothing is shipped twice
                shipped.close(outbox)
            self._ship_left(rescued, shipped, stop)
            if damage_of(rescued) is None:  # a person has seen to it
                with suppress(UserError):
                    OutboxReader(chain).forget(sys.maxsize)

    def _ship(self, reader: OutboxReader, shipped: Shipped, stop: threading.Event) -> None:
        """Ship all that can be read by now. Reads on while the database works."""
        batch = reader.read(BATCH)
        if not batch.lines:
            self._went_well()
            return
        with ThreadPoolExecutor(1) as ahead:
            while batch.lines and not stop.is_set():
                coming = ahead.submit(reader.read, BATCH)
                reader.forget(shipped.append(reader.id, batch))
                self._perseverance.note_progress()
                self._went_well()
                batch = coming.result()

    def _went_well(self) -> None:
        self._perseverance.note_up()
        self._notifier.alive()

    def _note_drained(self, shipped: Shipped, at: datetime) -> None:
        """Say now and then that all was shipped, of each chain: the last may be empty yet."""
        if time.monotonic() >= self._note_due:
            for chain in all_chains(self._folder):
                with suppress(OSError, ValueError):
                    shipped.drained(read_identity(chain), at)
            self._note_due = time.monotonic() + DRAINED_SECONDS


def _open(chain: Path, shipped: Shipped, *, is_live: bool) -> OutboxReader:
    """Open a chain where the database has come to. Raises BrokenChainError if it can't go on."""
    try:
        reader = OutboxReader(chain, is_live=is_live)
    except UserError as error:
        what = "the chain has lost its identity"
        raise BrokenChainError.of(what, str(chain), READ_HANDBOOK) from error
    place = shipped.place_of(reader.id)
    if place.is_closed:
        what = f"the database takes no more of this chain than record {place.sequence}"
        raise BrokenChainError.of(what, str(chain), READ_HANDBOOK)
    reader.seek_place(place)
    return reader


def serve(settings: Settings, stop: threading.Event) -> None:
    """Run the shipper until told to stop. Raises UserError if it can't start."""
    if settings.capture is None or settings.log is None:
        raise UserError.of(
            "the settings have no `capture` or no `log`",
            "settings",
            "run this on a mail host, as role message_log sets it up",
        )
    notifier = Notifier.from_environment()
    folder = settings.capture.outbox
    if chains(folder) == [folder]:
        OutboxReader(folder)  # raises if there is none yet
    shipper = Shipper(folder, settings.capture.host, settings.log, notifier)
    notifier.ready()
    shipper.run(stop)
