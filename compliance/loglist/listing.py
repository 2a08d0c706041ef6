"""The rows of a unit's list that a filter asks for, also by how they stand in the review.

A filter without `standing` is the log's own to answer. One with it is the walk's (migration 0017),
which looks so far at a time and then says where it stopped.
"""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from django.db import connection
from psycopg.rows import dict_row

from compliance.messagelog.answers import Row
from compliance.messagelog.reading import EXPORT_PAGE, FIRST, Filter, Place, Reader


class Page(NamedTuple):
    """A page of the list. older: where the next one begins; None if the list ends here."""

    rows: list[Row]
    older: Place | None


def page(reader: Reader, wanted: Filter, after: Place | None, size: int) -> Page:
    """Return the newest rows behind a place, at most so many, each with what became of it.

    By how they stand it may be fewer, and the list goes on all the same: the search has come to
    `older`. Raises NotYoursError and SessionEndedError, as the others here.
    """
    older: Place | None = None
    if wanted.standing is None:
        rows = reader.page_with_outcomes(wanted, after, size + 1)
    else:
        reading = reader.ask("list", wanted)
        walked, older = _walk(reading, after, size + 1)
        rows = reader.with_outcomes(reading, walked)
    return Page(rows[:size], Place.of(rows[size - 1]) if len(rows) > size else older)


def newest(reader: Reader, wanted: Filter, size: int) -> list[Row]:
    """Return the newest rows, so many if there are, however far that is to look."""
    if wanted.standing is None:
        return reader.page(wanted, size=size)
    parts = _walk_on(reader.ask("list", wanted), size)
    return list(islice((row for rows in parts for row in rows), size))


def every(reader: Reader, wanted: Filter) -> Iterator[Row]:
    """Give all rows, newest first, each with what became of it: an export, asked for at once."""
    if wanted.standing is None:
        return reader.pages(wanted)
    reading = reader.ask("export", wanted)
    parts = _walk_on(reading, EXPORT_PAGE)
    return (row for rows in parts for row in reader.with_outcomes(reading, rows))


def _walk_on(reading: int, size: int) -> Iterator[list[Row]]:
    """Give the rows of a walk to its end, some at a time."""
    rows, stopped = _walk(reading, None, size)
    yield rows
    while stopped:
        rows, stopped = _walk(reading, stopped, size)
        yield rows


def _walk(reading: int, after: Place | None, size: int) -> tuple[list[Row], Place | None]:
    """Return rows, at most so many, and the place up to which they are all; None: all there are."""
    with connection.connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            "SELECT at, outbox, number, (entry).* FROM loglist.rows(%s, %s, %s, %s, %s)",
            [reading, size, *(after or FIRST)],
        )
        steps = cursor.fetchall()
    rows = [step for step in steps if step["outbox_id"] is not None]
    if steps and (len(rows) < len(steps) or len(rows) == size):
        last = steps[-1]
        return rows, Place(last["at"], str(last["outbox"]), last["number"])
    return rows, None
