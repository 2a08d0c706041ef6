"""The seal's tables in PostgreSQL, and the entries that it covers."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL

from compliance.messagelog import store
from compliance.messagelog.entry import FIELDS, VERSIONS, LogEntry, digest
from compliance.messagelog.seal import cells, processes
from compliance.messagelog.seal.chain import Link, with_tombstones
from compliance.messagelog.seal.derived import Miscount
from compliance.messagelog.seal.merkle import joined, parted
from compliance.messagelog.seal.statement import Day, Head, Signed, Statement
from compliance.messagelog.seal.trees import Leaf

Item = TypeVar("Item")
Result = TypeVar("Result")

_BATCH = 5_000
_SEAL_LOCK = 0x5345414C  # any number that no other program of ours locks
_SIGNING = "a sealing or disposal of the log"
# What PostgreSQL keeps and no entry was made with: before the year 2, after 9998, infinity. In the
# years next to these Python can't tell the time of every zone that a connection may have.
_HAS_TIME = "(accepted_at >= '0002-01-01 00:00+00' AND accepted_at < '9999-01-01 00:00+00')"
_COLUMNS = ", ".join(
    f"CASE WHEN {_HAS_TIME} THEN accepted_at ELSE '0002-01-01 00:00+00' END"
    if name == "accepted_at"
    else f'"{name}"'  # `references` is a word of SQL's
    for name in FIELDS
)
_IN_TIME = "accepted_at >= %s AND accepted_at < %s"
_MERGED_PLACES = """
    (SELECT sequence, chain FROM log.entry WHERE outbox_id = %(outbox)s
     UNION ALL SELECT sequence, chain FROM log.tombstone WHERE outbox_id = %(outbox)s)"""


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as it is stored. seed: of its cells; a row of version 1 didn't hash it.

    version: 0 if the row's time is none that an entry can have.
    """

    outbox: UUID
    sequence: int
    version: int
    seed: bytes
    digest: bytes
    chain: bytes
    entry: LogEntry

    @property
    def own_digest(self) -> bytes:
        """Return the digest of what the row says now; nothing if no entry can say that."""
        if self.version not in VERSIONS:
            return b""
        return digest(self.entry, b"" if self.version == 1 else self.seed, self.version)

    @property
    def leaf(self) -> Leaf:
        """Return its leaf in the trees of its units."""
        return Leaf(self.outbox, self.sequence, cells.leaf(self.entry, self.seed, self.version))

    @property
    def units(self) -> set[str | None]:
        """Return the units whose trees hold it; None if it belongs to no unit."""
        named: set[str | None] = {self.entry.sender_unit, self.entry.recipient_unit}
        return named - {None} or {None}


@dataclass(frozen=True, slots=True)
class Hold:
    """What stops disposal. kind: request or review. unit: whose entries; None for all.

    accepted_from: those of them that came then or later; None for all.
    """

    kind: str
    who: str
    why: str
    since: datetime
    unit: str | None
    accepted_from: datetime | None


class SealStore:
    """One connection's view, in one snapshot."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Use `snapshot` to make one."""
        self._connection = connection

    @classmethod
    @contextmanager
    def exclusive(cls, connection: psycopg.Connection[Any]) -> Iterator["SealStore"]:
        """Begin a transaction that signs, after any other that does; it commits in the end."""
        # The lock comes before the snapshot, so that this one holds what the other signed.
        with (
            store.alone(connection, _SEAL_LOCK, _SIGNING),
            cls.snapshot(connection) as view,
        ):
            yield view

    @classmethod
    @contextmanager
    def disposing(cls, connection: psycopg.Connection[Any]) -> Iterator["SealStore"]:
        """Begin a transaction that disposes, after any other that signs; it commits in the end.

        It sees every hold: one that begins meanwhile waits for it. No snapshot, which would be
        older than the lock; what may go changes no more, but by a hold that ends.
        """
        with store.alone(connection, _SEAL_LOCK, _SIGNING):
            connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            with connection.transaction():
                connection.execute("SET LOCAL TIME ZONE 'UTC'")
                connection.execute("SELECT log.freeze_holds()")
                yield cls(connection)

    @classmethod
    @contextmanager
    def snapshot(
        cls, connection: psycopg.Connection[Any], shared: str | None = None
    ) -> Iterator["SealStore"]:
        """Begin a transaction that sees one state of the log, whatever is shipped meanwhile.

        shared: a snapshot that another transaction exported; None for one of its own.
        """
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with connection.transaction():
            if shared is not None:
                connection.execute(SQL("SET TRANSACTION SNAPSHOT {}").format(shared))
            connection.execute("SET LOCAL TIME ZONE 'UTC'")
            yield cls(connection)

    def spread(
        self, work: Callable[["SealStore", Item], Result], items: Sequence[Item]
    ) -> AbstractContextManager[Iterator[Result]]:
        """Begin to do work for each item on all processors, as `processes.spread` does.

        Each process has a connection of its own that sees what this one sees.
        """
        row = self._connection.execute("SELECT pg_export_snapshot()").fetchone()
        info = self._connection.info
        reached = make_conninfo(info.dsn, password=info.password or None)
        opened = partial(_shared, reached, row[0] if row else "")
        return processes.spread(opened, work, items)

    def positions(self) -> list[Head]:
        """Return how far each outbox was shipped."""
        rows = self._connection.execute(
            "SELECT host, outbox_id, sequence, chain FROM log.position"
            " WHERE sequence > 0 ORDER BY outbox_id"
        )
        return [Head(*row) for row in rows]

    def statements(self) -> list[Signed]:
        """Return all that was signed, in order."""
        rows = self._connection.execute("SELECT text, signature FROM log.statement ORDER BY number")
        return [Signed(*row) for row in rows]

    def register(self) -> dict[int, str | None]:
        """Return by number under which day each statement stands in the table, as its text has it.

        log.closings and log.disposable go by that day, and not by the text.
        """
        rows = self._connection.execute("SELECT number, day::text FROM log.statement")
        return dict(rows.fetchall())

    def miscounts(self, since: date | None, until: date | None) -> list[Miscount]:
        """Return where the counts of days (Sweden's) are not the number of entries."""
        rows = self._connection.execute(
            "SELECT unit, day::text, outbox_id, counted, there FROM log.miscounted(%s, %s)",
            [since, until],
        )
        return [Miscount(*row) for row in rows]

    def misaddressed(self, since: date | None, until: date | None) -> list[tuple[str, int]]:
        """Return the months of which searches don't know all addresses, and how many they lack."""
        query = "SELECT month, lacking FROM log.misaddressed(%s, %s)"
        return self._connection.execute(query, [since, until]).fetchall()

    def misworded(self, since: date | None, until: date | None) -> list[tuple[str, int]]:
        """Return the months of which searches don't know all words, and how many they lack."""
        query = "SELECT month, lacking FROM log.misworded(%s, %s)"
        return self._connection.execute(query, [since, until]).fetchall()

    def outboxes(self) -> set[UUID]:
        """Return the outboxes that have entries. Each costs one look into an index, no more."""
        rows = self._connection.execute(
            "WITH RECURSIVE own AS ("
            " (SELECT outbox_id FROM log.entry ORDER BY outbox_id LIMIT 1)"
            " UNION ALL SELECT (SELECT outbox_id FROM log.entry WHERE outbox_id > own.outbox_id"
            " ORDER BY outbox_id LIMIT 1) FROM own WHERE outbox_id IS NOT NULL)"
            " SELECT outbox_id FROM own WHERE outbox_id IS NOT NULL"
        )
        return {outbox for (outbox,) in rows}

    def add_statement(self, statement: Statement, signed: Signed) -> None:
        """Store a statement."""
        day = statement.says.day if isinstance(statement.says, Day) else None
        self._connection.execute(
            "INSERT INTO log.statement (number, day, text, signature) VALUES (%s, %s, %s, %s)",
            [statement.number, day, signed.text, signed.signature],
        )

    def time_stamps(self) -> dict[int, bytes]:
        """Return the time stamps by the number of the statement that each is on."""
        rows = self._connection.execute(
            "SELECT statement, token FROM log.time_stamp ORDER BY statement"
        )
        return dict(rows.fetchall())

    def add_time_stamp(self, statement: int, token: bytes) -> None:
        """Store the time stamp on a statement."""
        self._connection.execute("INSERT INTO log.time_stamp VALUES (%s, %s)", [statement, token])

    def days_beyond(self, heads: Mapping[UUID, int]) -> set[date]:
        """Return the days of entries that came after those heads.

        One whose time is none that an entry can have is of no day; verifying names it.
        """
        days: set[date] = set()
        for head in self.positions():
            rows = self._connection.execute(
                "SELECT DISTINCT accepted_at::date FROM log.entry"  # noqa: S608 - constant
                f" WHERE outbox_id = %s AND sequence > %s AND {_HAS_TIME}",
                [head.outbox, heads.get(head.outbox, 0)],
            )
            days |= {day for (day,) in rows}
        return days

    def rows_of_day(self, day: date) -> Iterator[Row]:
        """Yield the day's entries by outbox and sequence."""
        yield from self._rows(_IN_TIME, _bounds(day))

    def rows_of_unit(self, day: date, unit: str) -> Iterator[Row]:
        """Yield the entries in the tree of a unit's day by outbox and sequence."""
        own = f"{_IN_TIME} AND (recipient_unit = %s OR sender_unit = %s)"
        yield from self._rows(own, [*_bounds(day), unit, unit])

    def links(self, outbox: UUID, first: int, last: int | None) -> Iterator[Link]:
        """Yield the chain of an outbox, tombstones too, by sequence. last is included."""
        bounds = [outbox, first, last, last]
        where = "outbox_id = %s AND sequence >= %s AND (%s::bigint IS NULL OR sequence <= %s)"
        stones = self._connection.execute(
            f"SELECT sequence, digest, chain FROM log.tombstone WHERE {where} ORDER BY sequence",  # noqa: S608 - constant
            bounds,
        )
        rows = self._rows(where, bounds)
        yield from with_tombstones(
            (Link(row.sequence, row.digest, row.chain, row.own_digest) for row in rows),
            (Link(sequence, own, chain, None) for sequence, own, chain in stones),
        )

    def span(
        self, outbox: UUID, since: datetime | None, until: datetime | None
    ) -> tuple[int, int] | None:
        """Return the first and last sequence of an outbox in a time; None if it has none there."""
        row = self._connection.execute(
            "SELECT min(sequence), max(sequence) FROM log.entry WHERE outbox_id = %s"
            " AND accepted_at >= coalesce(%s::timestamptz, '-infinity')"
            " AND accepted_at < coalesce(%s::timestamptz, 'infinity')",
            [outbox, since, until],
        ).fetchone()
        return None if row is None or row[0] is None else (row[0], row[1])

    def before(self, outbox: UUID, sequence: int) -> tuple[int, bytes] | None:
        """Return the place before a sequence that is there, and its chain value; None if none."""
        row = self._connection.execute(
            f"SELECT sequence, chain FROM {_MERGED_PLACES} AS p"  # noqa: S608 - constant
            " WHERE sequence > 0 AND sequence < %(sequence)s ORDER BY sequence DESC LIMIT 1",
            {"outbox": outbox, "sequence": sequence},
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def leaves(
        self, day: date, unit: str | None = None
    ) -> dict[str | None, list[tuple[int, Leaf]]]:
        """Return a day's signed leaves by unit, each with its statement's number, in tree order.

        unit: the one wanted; None for all.
        """
        rows = self._connection.execute(
            "SELECT unit, statement, outbox_id, sequences, hashes FROM log.leaves"
            " WHERE day = %s AND (%s::text IS NULL OR unit = %s) ORDER BY statement, outbox_id",
            [day, unit, unit],
        )
        found: dict[str | None, list[tuple[int, Leaf]]] = defaultdict(list)
        for unit, statement, outbox, sequences, hashes in rows:
            # Whoever rules the database may have put in no number, or more of them than hashes.
            found[unit] += [
                (statement, Leaf(outbox, sequence or 0, value))
                for sequence, value in zip(sequences, parted(hashes), strict=False)
            ]
        return dict(found)

    def stray_leaves(self) -> list[tuple[str, int]]:
        """Return day and statement of leaves that stand with a statement of another day, or none.

        Of which day a statement is, its row says: see `register`.
        """
        rows = self._connection.execute(
            "SELECT DISTINCT l.day::text, l.statement FROM log.leaves AS l"
            " LEFT JOIN log.statement AS s ON s.number = l.statement"
            " WHERE s.day IS DISTINCT FROM l.day ORDER BY 1, 2"
        )
        return rows.fetchall()

    def add_leaves(
        self, statement: int, day: date, unit: str | None, leaves: Sequence[Leaf]
    ) -> None:
        """Store the leaves that a statement adds to a unit's day, by outbox and sequence."""
        by_outbox: dict[UUID, list[Leaf]] = defaultdict(list)
        for leaf in leaves:
            by_outbox[leaf.outbox].append(leaf)
        for outbox, own in by_outbox.items():
            self._connection.execute(
                "INSERT INTO log.leaves (statement, day, unit, outbox_id, sequences, hashes)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                [statement, day, unit, outbox, [leaf.sequence for leaf in own],
                 joined([leaf.hash for leaf in own])],
            )  # fmt: skip

    def tombstones(
        self, of: Sequence[int] | None = None
    ) -> dict[int, list[tuple[UUID, int, bytes]]]:
        """Return outbox, sequence and digest of what was disposed of, by statement, in order.

        of: the numbers of the statements wanted; None for all.
        """
        wanted = None if of is None else list(of)
        rows = self._connection.execute(
            "SELECT statement, outbox_id, sequence, digest FROM log.tombstone"
            " WHERE %s::bigint[] IS NULL OR statement = ANY (%s)"
            " ORDER BY statement, outbox_id, sequence",
            [wanted, wanted],
        )
        found: dict[int, list[tuple[UUID, int, bytes]]] = defaultdict(list)
        for statement, *stone in rows:
            found[statement].append((stone[0], stone[1], stone[2]))
        return dict(found)

    def disposable(self, kind: str, month: date) -> list[tuple[UUID, int, bytes]]:
        """Return outbox, sequence and digest of a month's entries that may go, in order."""
        rows = self._connection.execute(
            "SELECT outbox_id, sequence, digest FROM log.disposable(%s, %s) WHERE NOT held",
            [kind, month],
        )
        return [(outbox, sequence, digest) for outbox, sequence, digest in rows]

    def plan(self, kind: str, before: date) -> list[tuple[date, int, int]]:
        """Return each month before one, how much of it may go, and how much is held."""
        rows = self._connection.execute(
            "SELECT month, entries, held FROM log.disposal_plan(%s, %s)", [kind, before]
        )
        return [(month, entries, held) for month, entries, held in rows]

    def holds(self, before: date) -> list[Hold]:
        """Return the holds that stand on something older than a day."""
        rows = self._connection.execute(
            "SELECT kind, who, why, since, unit, nullif(accepted_from, '-infinity') FROM log.hold"
            " WHERE (until IS NULL OR until > now()) AND accepted_from < %s ORDER BY number",
            [before],
        )
        return [Hold(*row) for row in rows]

    def dispose_of(self, signed: Signed) -> None:
        """Put a tombstone for each entry that the statement is about, and delete it."""
        self._connection.execute("SELECT log.dispose(%s, %s)", [signed.text, signed.signature])

    def _rows(self, where: str, values: list[Any]) -> Iterator[Row]:
        query = (
            "SELECT outbox_id, sequence,"  # noqa: S608 - constants
            f" CASE WHEN {_HAS_TIME} THEN version ELSE 0 END, seed, digest, chain, {_COLUMNS}"
            f" FROM log.entry WHERE {where} ORDER BY outbox_id, sequence, accepted_at"
        )
        with self._connection.cursor(f"seal_{id(values)}", scrollable=False) as cursor:
            cursor.itersize = _BATCH
            cursor.execute(query, values, binary=True)
            for outbox, sequence, version, seed, own, chain, *fields in cursor:
                yield Row(outbox, sequence, version, seed, own, chain, LogEntry(*fields))


def _bounds(day: date) -> list[datetime]:
    start = datetime.combine(day, time(), UTC)
    return [start, start + timedelta(days=1)]


@contextmanager
def _shared(reached: str, snapshot: str) -> Iterator[SealStore]:
    with (
        psycopg.connect(reached) as connection,
        SealStore.snapshot(connection, snapshot) as view,
    ):
        yield view
