"""Reading the message log as somebody: `schema/0006_reading.sql` says who may read what.

A session's token stands for the reader. What is read is asked for first, in a transaction of its
own, so that the trace stands even if what follows is rolled back; the connection must therefore be
in autocommit.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal, LiteralString, NamedTuple, TypeVar

import psycopg
from psycopg.rows import RowFactory, class_row, dict_row, tuple_row

from compliance.messagelog.answers import (
    Answered,
    DayCount,
    Delivery,
    Evidence,
    Row,
    Session,
    Trace,
    worst,
)
from compliance.messagelog.mailboxes import Mailbox
from compliance.messagelog.text import clean

Item = TypeVar("Item")
Action = Literal["list", "entry", "export", "count", "audit"]

PAGE = 50
EXPORT_PAGE = 5_000
CONVERSATION = 200


class NotYoursError(Exception):
    """The reader may not read this, or it isn't there: the two can't be told apart."""


class SessionEndedError(Exception):
    """The token stands for nobody (any more)."""


@dataclass(frozen=True)
class Filter:
    """Which rows are wanted. None: whichever.

    unit: id of a unit; only those who may read all can leave it out. since is included, until is
    not. address: envelope sender, From or recipient, exactly. words: all of them, in any Swedish
    form. part: stands in the subject as it is, in any case. probes: also the audit's own mail.
    mailbox: an address as well: mail between the two has both.
    standing: how the rows stand in the log list's review, which is for the log list to hold them
    against (`loglist/listing.py`); the log notes in the trail that it was asked for, and gives no
    rows for it.
    """

    unit: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    direction: str | None = None
    address: str | None = None
    words: str | None = None
    part: str | None = None
    probes: bool = False
    outbox: str | None = None
    sequence: int | None = None
    standing: str | None = None
    mailbox: str | None = None

    def as_json(self) -> str:
        """Write it as the database reads it, without what isn't set."""
        return json.dumps(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """Return what is set: times as ISO 8601, texts as the log stores them (`text.clean`)."""
        set_ = {key: value for key, value in asdict(self).items() if value not in (None, False)}
        return {key: _as_stored(key, value) for key, value in set_.items()}


def _as_stored(key: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if key in ("address", "mailbox", "words"):
        return clean(value) or value
    if key == "part":  # between bars, so that the spaces at its ends are not cut off
        return clean(f"|{value}|")[1:-1] or value
    return value


class Place(NamedTuple):
    """Where a row stands in the list; a page begins behind one."""

    accepted_at: datetime
    outbox_id: str
    sequence: int

    @classmethod
    def of(cls, row: Row) -> "Place":
        """Return the place of a row."""
        return cls(row["accepted_at"], str(row["outbox_id"]), row["sequence"])


@dataclass(frozen=True)
class Identity:
    """A reader whom the caller has identified, and the rights that the directory gives them."""

    reader: str
    name: str
    units: list[str]
    everything: bool = False


def open_session(connection: psycopg.Connection[Any], who: Identity, minutes: int) -> str:
    """Let a reader in; return the token. The connection: kommunpost_login or kommunpost_reader."""
    row = connection.execute(
        "SELECT log.open_session(%s, %s, %s, %s, %s)",
        [who.reader, who.name, who.units, who.everything, minutes],
    ).fetchone()
    assert row is not None  # noqa: S101 - a function without rows is none
    return str(row[0])


class Reader:
    """Reads as the one whom a token stands for. Raises NotYoursError and SessionEndedError."""

    def __init__(self, connection: psycopg.Connection[Any], token: str) -> None:
        """connection: in autocommit, as kommunpost_web or kommunpost_reader."""
        self._connection = connection
        self._token = token

    def _cursor(self, rows: RowFactory[Item]) -> psycopg.Cursor[Item]:
        """Return a cursor that keeps the token out of a question's text, where Django's has it.

        Every session of the web's role sees that text (pg_stat_activity).
        """
        return psycopg.Cursor(self._connection, row_factory=rows)

    def session(self) -> Session:
        """Say who reads."""
        with _told(), self._cursor(class_row(Session)) as cursor:
            cursor.execute(
                "SELECT reader, name, units, everything, expires_at FROM log.session_of(%s)",
                [self._token],
            )
            found = cursor.fetchone()
        if found is None:
            raise SessionEndedError
        return found

    def close(self) -> None:
        """Log out: the token is worth nothing from now on."""
        self._cursor(tuple_row).execute("SELECT log.close_session(%s)", [self._token])

    def page(
        self, wanted: Filter, after: Place | None = None, size: int = PAGE, action: Action = "list"
    ) -> list[Row]:
        """Return the newest rows behind a place."""
        with _told():
            return self._rows(self.ask(action, wanted), after, size)

    def page_with_outcomes(
        self, wanted: Filter, after: Place | None = None, size: int = PAGE, action: Action = "list"
    ) -> list[Row]:
        """Return the newest rows behind a place, each with what became of it.

        `deliveries`: its `Delivery`s. `outcome`: the worst status among them; how the message was
        withdrawn, if it still waited then (`refused`, `discarded`, `removed` or `held`, and
        `withdrawn_at` when the last two were, `schema/0037_held.sql`); `unknown` if there are none
        and none can be expected any more; else None. `unknown`: why, `crash` or `overdue`
        (`schema/0022_unknown.sql`); else None.
        """
        with _told():
            reading = self.ask(action, wanted)
            return self.with_outcomes(reading, self._rows(reading, after, size))

    def rows_of(self, unit: str, places: Sequence[Place], action: Action = "list") -> list[Row]:
        """Return a unit's rows at places, newest first, each with what became of it.

        Places that are not the unit's, or whose entry is disposed of, are left out.
        """
        if not places:
            return []
        with _told(), self._cursor(dict_row) as cursor:
            reading = self.ask(action, Filter(unit=unit))
            cursor.execute(
                "SELECT * FROM log.rows_of(%s, %s, %s, %s::uuid[], %s)",
                [self._token, reading, *_columns(places)],
            )
            return self.with_outcomes(reading, cursor.fetchall())

    def answered(self, unit: str, places: Sequence[Place]) -> list[Answered]:
        """Return which of a unit's entries those at places answer, the oldest of each first."""
        if not places:
            return []
        with _told(), self._cursor(tuple_row) as cursor:
            reading = self.ask("list", Filter(unit=unit))
            cursor.execute(
                "SELECT * FROM log.answered_by(%s, %s, %s, %s::uuid[], %s)",
                [self._token, reading, *_columns(places)],
            )
            return [Answered(*row) for row in cursor]

    def evidence(self, unit: str, places: Sequence[Place]) -> Evidence:
        """Return what proves a unit's entries at places; those that are not its are left out."""
        days = sorted({place.accepted_at.astimezone(UTC).date() for place in places})
        with _told(), self._cursor(dict_row) as cursor:
            reading = self.ask("export", Filter(unit=unit))
            cursor.execute(
                "SELECT * FROM log.sealed_rows(%s, %s, %s, %s::uuid[], %s)",
                [self._token, reading, *_columns(places)],
            )
            found = Evidence(cursor.fetchall(), defaultdict(list), {})
            # By one question: a day may be closed again between two.
            cursor.execute(
                "SELECT c.day, c.number, c.text, c.signature, l.outbox_id, l.sequences, l.hashes"
                " FROM log.closings(%s) AS c LEFT JOIN log.leaves_of(%s, %s, %s)"
                " WITH ORDINALITY AS l (day, outbox_id, sequences, hashes, place)"
                " ON l.day = c.day ORDER BY l.place",
                [days, self._token, reading, days],
            )
            for row in cursor:
                found.closings[row["day"]] = row["number"], row["text"], row["signature"]
                if row["outbox_id"] is not None:
                    leaf = row["outbox_id"], row["sequences"], row["hashes"]
                    found.leaves[row["day"]].append(leaf)
        return found

    def heads(self) -> dict[str, int]:
        """Return the last sequence of each outbox; only for whoever may read everything."""
        with _told():
            rows = self._cursor(tuple_row).execute("SELECT * FROM log.heads(%s)", [self._token])
            return {str(outbox): sequence for outbox, sequence in rows.fetchall()}

    def news(self, outbox: str, after: int, size: int = EXPORT_PAGE) -> Iterator[Row]:
        """Give an outbox's entries after a sequence, in order; only for who reads everything."""
        with _told(), self._cursor(dict_row) as cursor:
            reading = self.ask("export", Filter(probes=True))
            while True:
                cursor.execute(
                    "SELECT * FROM log.news(%s, %s, %s, %s, %s)",
                    [self._token, reading, outbox, after, size],
                )
                rows = cursor.fetchall()
                yield from rows
                if len(rows) < size:
                    return
                after = rows[-1]["sequence"]

    def pages(self, wanted: Filter, action: Action = "export") -> Iterator[Row]:
        """Give all rows, newest first, by one question, which is asked at once.

        Each has what became of it, as `page_with_outcomes` tells.
        """
        with _told():
            return self._all_rows(self.ask(action, wanted))

    def _all_rows(self, reading: int) -> Iterator[Row]:
        after = None
        with _told():
            while rows := self._rows(reading, after, EXPORT_PAGE):
                yield from self.with_outcomes(reading, rows)
                after = Place.of(rows[-1])

    def entry(self, unit: str | None, outbox: str, sequence: int) -> Row:
        """Return one entry of a unit, with what became of it."""
        wanted = Filter(unit=unit, outbox=outbox, sequence=sequence)
        rows = self.page_with_outcomes(wanted, size=1, action="entry")
        if not rows:
            raise NotYoursError
        return rows[0]

    def conversation(self, unit: str | None, entry: Place, size: int = CONVERSATION) -> list[Row]:
        """Return what a unit's list has of an entry's conversation, oldest first.

        Entries belong together that share a Message-ID, as their own or in References or
        In-Reply-To. Of more than `size` the newest are given. The entry's own is among them, but if
        it has no Message-ID and refers to none: then there is none. Each has what became
        of it.
        """
        wanted = Filter(unit=unit, outbox=entry.outbox_id, sequence=entry.sequence)
        with _told(), self._cursor(dict_row) as cursor:
            reading = self.ask("entry", wanted)
            cursor.execute(
                "SELECT * FROM log.conversation(%s, %s, %s)", [self._token, reading, size]
            )
            return self.with_outcomes(reading, cursor.fetchall()[::-1])

    def counts(self, wanted: Filter) -> list[DayCount]:
        """Return the entries a day of the unit wanted, else of all that the reader may see.

        Of the filter only unit, since and until count.
        """
        with _told(), self._cursor(tuple_row) as cursor:
            cursor.execute(
                "SELECT * FROM log.counts(%s, %s)", [self._token, self.ask("count", wanted)]
            )
            return [DayCount(*row) for row in cursor]

    def mailboxes(self) -> list[Mailbox]:
        """Return what is noted of the function mailboxes of all that the reader may see."""
        with _told(), self._cursor(tuple_row) as cursor:
            cursor.execute("SELECT * FROM log.mailboxes(%s)", [self._token])
            return [Mailbox(*row) for row in cursor]

    def trail(
        self, unit: str | None = None, before: int | None = None, size: int = PAGE
    ) -> list[Trace]:
        """Return who has read what, newest first, before a number."""
        with _told(), self._cursor(dict_row) as cursor:
            reading = self.ask("audit", Filter(unit=unit))
            # As text: Django's connections and psycopg's own read JSON differently.
            cursor.execute(
                "SELECT number, asked_at, reader, name, action, unit, filter::text, rows "
                "FROM log.trail(%s, %s, %s, %s)",
                [self._token, reading, size, before],
            )
            return [Trace(**row | {"filter": json.loads(row["filter"])}) for row in cursor]

    def ask(self, action: Action, wanted: Filter) -> int:
        """Ask to read; return the number that the reading goes by."""
        with _told():
            row = (
                self._cursor(tuple_row)
                .execute("SELECT log.ask(%s, %s, %s)", [self._token, action, wanted.as_json()])
                .fetchone()
            )
        assert row is not None  # noqa: S101 - a function without rows is none
        return int(row[0])

    def with_outcomes(self, reading: int, rows: list[Row]) -> list[Row]:
        """Add to rows of a reading what became of each, as `page_with_outcomes` tells it."""
        found: dict[tuple[str, int], list[Delivery]] = defaultdict(list)
        with _told():
            for outbox, sequence, *told in self._of_places(_OUTCOMES, reading, rows):
                found[str(outbox), sequence].append(Delivery(*told))
            waiting = [row for row in rows if worst(found[_key(row)]) in (None, "deferred")]
            withdrawn = {
                (str(outbox), sequence): told
                for outbox, sequence, *told in self._of_places(_WITHDRAWN, reading, waiting)
            }
            left = [row for row in waiting if not found[_key(row)] and _key(row) not in withdrawn]
            why = {
                (str(outbox), sequence): reason
                for outbox, sequence, reason in self._of_places(_UNKNOWN, reading, left)
            }

        def told_of(key: tuple[str, int]) -> Row:
            how, withdrawn_at = withdrawn.get(key, (None, None))
            told = how or worst(found[key]) or ("unknown" if key in why else None)
            return {
                "deliveries": found[key],
                "outcome": told,
                "withdrawn_at": withdrawn_at,
                "unknown": why.get(key),
            }

        return [row | told_of(_key(row)) for row in rows]

    def _rows(self, reading: int, after: Place | None, size: int) -> list[Row]:
        with self._cursor(dict_row) as cursor:
            cursor.execute(
                "SELECT * FROM log.rows(%s, %s, %s, %s, %s, %s)",
                [self._token, reading, size, *(after or FIRST)],
            )
            return cursor.fetchall()

    def _of_places(
        self, question: LiteralString, reading: int, rows: list[Row]
    ) -> list[tuple[Any, ...]]:
        """Return what the database tells of rows."""
        if not rows:
            return []
        with self._cursor(tuple_row) as cursor:
            places = _columns([Place.of(row) for row in rows])
            cursor.execute(question, [self._token, reading, *places])
            return cursor.fetchall()


_OUTCOMES: LiteralString = "SELECT * FROM log.outcomes_of(%s, %s, %s, %s::uuid[], %s)"
_WITHDRAWN: LiteralString = "SELECT * FROM log.withdrawn_of(%s, %s, %s, %s::uuid[], %s)"
_UNKNOWN: LiteralString = "SELECT * FROM log.unknown_of(%s, %s, %s, %s::uuid[], %s)"


def _key(row: Row) -> tuple[str, int]:
    return str(row["outbox_id"]), row["sequence"]


def _columns(places: Sequence[Place]) -> list[list[Any]]:
    """Return the times, outboxes and sequences of places."""
    return [list(column) for column in zip(*places, strict=True)] or [[], [], []]


# Before the newest row, as the database writes it: a list begins behind it.
FIRST: Any = ("infinity", "00000000-0000-0000-0000-000000000000", 0)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotYoursError(error.diag.message_primary) from error
    except psycopg.errors.InvalidAuthorizationSpecification as error:
        raise SessionEndedError from error
