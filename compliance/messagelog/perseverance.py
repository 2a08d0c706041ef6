"""Work over the database that goes on until told to stop, however often the database is away."""

import logging
import threading
from collections.abc import Callable

import psycopg

from compliance.errors import UserError
from compliance.messagelog.store import said
from compliance.notify import Notifier

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 10.0

_log = logging.getLogger(__name__)


class Perseverance:
    """Tries work again, ever more slowly while nothing comes of it, and tells the journal once.

    The work calls `note_up` when it is connected and `note_progress` when something was stored.
    """

    def __init__(
        self, name: str, keeper: str, notifier: Notifier, more: tuple[type[Exception], ...] = ()
    ) -> None:
        """name: what the work is. keeper: what holds all meanwhile. more: what else may pass by."""
        self._name = name
        self._keeper = keeper
        self._notifier = notifier
        self._passing: tuple[type[Exception], ...] = (psycopg.Error, OSError, UserError, *more)
        self._is_down = False
        self._made_progress = False

    def run(self, work: Callable[[threading.Event], None], stop: threading.Event) -> None:
        """Do the work until told to stop."""
        wait = FIRST_WAIT_SECONDS
        while not stop.is_set():
            self._made_progress = False
            try:
                work(stop)
            except self._passing as error:
                self._note_down(error)
                if self._made_progress:
                    wait = FIRST_WAIT_SECONDS
                stop.wait(wait)
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)
            self._notifier.alive()

    def note_up(self) -> None:
        """Say that the work goes on, if it was said to wait."""
        if self._is_down:
            _log.info("%s goes on", self._name)
        self._is_down = False

    def note_progress(self) -> None:
        """Let the next wait be a short one again."""
        self._made_progress = True

    def _note_down(self, error: Exception) -> None:
        if not self._is_down:
            told = said(error) if isinstance(error, psycopg.Error) else str(error).strip()
            words = (self._name, self._keeper, told)
            _log.warning("%s waits, %s keeps all: %s", *words)
        self._is_down = True
