"""Follows the directory: what changes there is in force on this mail store soon after."""

import logging
import threading

from compliance.directory.ldap import Connection, connect
from compliance.errors import UserError
from compliance.notify import Notifier
from compliance.settings import Directory
from compliance.sharing.store import Store
from compliance.sharing.wanted import read, state_of

POLL_SECONDS = 10.0  # at the cost of one small search
_LONGEST_WAIT_SECONDS = 60.0

_log = logging.getLogger(__name__)


class Follower:
    """Asks the directory now and then whether it has changed, and hands it to the store."""

    def __init__(self, directory: Directory, store: Store, notifier: Notifier) -> None:
        """directory: as its reader."""
        self._directory = directory
        self._store = store
        self._notifier = notifier
        self._made = ""  # the state of the directory that the store was last made as

    def run(self, stop: threading.Event) -> None:
        """Follow until told to stop; after an error it is tried again ever more slowly."""
        wait = POLL_SECONDS
        while not stop.is_set():
            try:
                with connect(self._directory, "reader") as connection:
                    while not stop.is_set():
                        self._follow(connection)
                        wait = POLL_SECONDS
                        stop.wait(POLL_SECONDS)
            except UserError as error:
                _log.warning("sharing waits: %s", error)
                stop.wait(wait)
                wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
            self._notifier.alive()

    def _follow(self, connection: Connection) -> None:
        state = state_of(connection, self._directory.base)
        if state != self._made:
            self._store.make(read(connection, self._directory.base))
            self._made = state
        self._notifier.alive()
