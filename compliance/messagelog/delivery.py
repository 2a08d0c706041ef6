"""The follower: carries what became of each message from the journal to PostgreSQL, exactly once.

The journal is the durable memory on this host, and the database says how far it was read, in the
transaction that stores the events. So a crash anywhere neither loses nor doubles. When the database
is away, lines wait in the journal; if they are rotated away meanwhile, or lost in its midst, a new
stretch begins, and `reconcile` tells of the gap.
"""

import copy
import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from compliance.errors import UserError
from compliance.messagelog.journal_tail import JournalTail
from compliance.messagelog.perseverance import Perseverance
from compliance.messagelog.postfix_lines import Line, PostfixLines
from compliance.messagelog.store import connect, first_line
from compliance.messagelog.units import Ldap, Units
from compliance.notify import Notifier
from compliance.settings import Log, Settings

# Waiting for company this long, lines are stored in few transactions.
POLL_SECONDS = 0.5
BATCH = 2_000
# How often a quiet journal is asked whether it is read out.
IDLE_SECONDS = 10.0
# As PostgreSQL refuses what it is given: data, a constraint, a size (its manual, appendix A).
_REFUSED = ("22", "23", "54")
# As `log.follow` says that another follower was here.
_ANOTHER_PLACE = "22000"

_log = logging.getLogger(__name__)

Tail = Callable[[str | None], JournalTail]
UnitOf = Callable[[str], str | None]


class Follower:
    """Follows one host's journal."""

    def __init__(
        self, host: str, log: Log, unit_of: UnitOf, notifier: Notifier, tail: Tail = JournalTail
    ) -> None:
        """host: the name that entries carry. log: the database, as its writer."""
        self._host = host
        self._settings = log
        self._unit_of = unit_of
        self._notifier = notifier
        self._tail = tail
        self._perseverance = Perseverance("following", "the journal", notifier, (ValueError,))

    def run(self, stop: threading.Event) -> None:
        """Follow until told to stop; what fails is tried again ever more slowly."""
        self._perseverance.run(self._follow, stop)

    def _follow(self, stop: threading.Event) -> None:
        with connect(self._settings) as connection:
            connection.autocommit = True
            row = connection.execute(
                "SELECT p.cursor, p.memory FROM log.journal_position(%s) AS p", [self._host]
            ).fetchone()
            cursor, memory = row or (None, {})
            with self._tail(cursor) as journal:
                self._perseverance.note_up()
                stretch = _Stretch(connection, self._host, cursor, memory, self._unit_of)
                while not stop.is_set():
                    if stretch.advance(journal):
                        self._perseverance.note_progress()
                    self._notifier.alive()


class _Stretch:
    """What is being read of the journal over one connection."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        host: str,
        cursor: str | None,
        memory: dict[str, Any],
        unit_of: UnitOf,
    ) -> None:
        self._connection = connection
        self._host = host
        self._stored_cursor = cursor
        self._unit_of = unit_of
        self._lines = PostfixLines(memory, unit_of)
        self._asked = time.monotonic()
        self._behind_at: str | None = None

    def advance(self, journal: JournalTail) -> bool:
        """Read what has come and store it; say whether there was any.

        Raises OSError if lines have long been there and don't come.
        """
        lines = journal.read(POLL_SECONDS)
        while lines and len(lines) < BATCH:
            more = journal.read(0.05)
            lines += more
            if not more:
                break
        if lines:
            self._note_asked()
            self._store(lines)
            return True
        is_due = time.monotonic() - self._asked >= IDLE_SECONDS
        if is_due and journal.place is not None and self._stored_cursor:
            self._ask(journal, journal.place)
        return False

    def _ask(self, journal: JournalTail, place: str) -> None:
        """Ask whether the journal is read out; if it is, note that, and up to which line.

        place: the last line read, of whatever program. There may be much between two lines of mail:
        only who stands still, and has lines before them, doesn't get them.
        """
        started = datetime.now(UTC)
        if journal.is_read_out(place):
            self._note_asked()
            self._send(place, None, started)
        elif self._behind_at == place:
            raise OSError("journalctl doesn't give what stands in the journal")
        else:
            self._note_asked(place)

    def _note_asked(self, behind_at: str | None = None) -> None:
        self._asked, self._behind_at = time.monotonic(), behind_at

    def _store(self, lines: list[Line]) -> None:
        runs: list[list[Line]] = []
        for line in lines:
            if line.follows_gap or not runs:
                runs.append([])
            runs[-1].append(line)
        for run in runs:
            if run[0].follows_gap:
                _log.error("lines of the journal are gone that were not read, before %s", run[0].at)
            begins = run[0].follows_gap or self._stored_cursor is None
            self._store_run(run, run[0].at if begins else None)

    def _store_run(self, run: list[Line], began: datetime | None) -> None:
        """Store lines without a gap; one that the database doesn't take becomes one."""
        memory = copy.deepcopy(self._lines.memory)
        for line in run:
            self._lines.read(line)
        try:
            self._send(run[-1].cursor, began, run[-1].at)
        except psycopg.Error as error:
            state = error.sqlstate or ""
            if state == _ANOTHER_PLACE or not state.startswith(_REFUSED):
                raise
            self._lines = PostfixLines(memory, self._unit_of)
            if middle := len(run) // 2:
                self._store_run(run[:middle], began)
                self._store_run(run[middle:], None)
            else:
                # Its details would name people.
                said = first_line(error)
                _log.error("the line of %s is passed over: %s", run[0].at, said)
                self._send(run[0].cursor, run[0].at, run[0].at)

    def _send(self, cursor: str, began: datetime | None, until: datetime) -> None:
        events = json.dumps(asdict(self._lines.take()), ensure_ascii=False)
        self._connection.execute(
            "SELECT log.follow(%s, %s, %s, %s, %s, %s, %s::jsonb)",
            [self._host, self._stored_cursor, cursor, began, until, Jsonb(self._lines.memory),
             events],
        )  # fmt: skip
        self._stored_cursor = cursor


def serve(settings: Settings, stop: threading.Event) -> None:
    """Run the follower until told to stop. Raises UserError if it can't start."""
    if settings.capture is None or settings.log is None or settings.directory is None:
        raise UserError.of(
            "the settings have no `capture`, `log` or `directory`",
            "settings",
            "run this on a mail host, as role message_log sets it up",
        )
    units = Units(settings.municipality.domain.lower(), Ldap(settings.directory))
    threading.Thread(target=units.keep_fresh, args=[stop], daemon=True).start()
    notifier = Notifier.from_environment()
    follower = Follower(settings.capture.host, settings.log, units.unit_of, notifier)
    notifier.ready()
    follower.run(stop)
