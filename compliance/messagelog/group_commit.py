"""Many hand over what is to be made durable; one thread writes for all who wait (group commit)."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from compliance.messagelog.entry import LogEntry

_log = logging.getLogger(__name__)

Done = Callable[[Exception | None], None]


@dataclass
class Ticket:
    """One caller's entries, waiting for the disk.

    done: is called once from the writing thread, with what went wrong or None; it must not raise.
    """

    entries: Sequence[LogEntry]
    done: Done
    error: Exception | None = None


class GroupCommit:
    """Commit in a thread of its own whatever came since the last time.

    If there was company in the last batch it lingers for a moment, so that more can share one sync;
    a lone session never waits for others.
    """

    def __init__(self, commit: Callable[[list[Ticket]], None], linger: float) -> None:
        """Begin. commit: makes a batch durable; what it raises is the error of the whole batch."""
        self._commit = commit
        self._linger = linger
        self._waiting: list[Ticket] = []
        self._has_more = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="group commit", daemon=True)
        self._thread.start()

    def submit(self, ticket: Ticket) -> None:
        """Hand over one caller's entries; returns at once."""
        with self._has_more:
            self._waiting.append(ticket)
            self._has_more.notify()

    def close(self) -> None:
        """Commit what waits, and end. Nothing may be handed over after it."""
        with self._has_more:
            self._is_closed = True
            self._has_more.notify()
        self._thread.join()

    def _run(self) -> None:
        had_company = False
        while batch := self._next(self._linger if had_company else 0):
            had_company = len(batch) > 1
            try:
                self._commit(batch)
            except Exception as error:
                for ticket in batch:
                    ticket.error = ticket.error or error
                _log.error("the outbox cannot write: %s", error)
            for ticket in batch:
                ticket.done(ticket.error)

    def _next(self, linger: float) -> list[Ticket]:
        """Wait for the next batch; it is empty when all is done."""
        with self._has_more:
            self._has_more.wait_for(lambda: self._waiting or self._is_closed)
        if linger:
            time.sleep(linger)
        with self._has_more:
            batch, self._waiting = self._waiting, []
        return batch
