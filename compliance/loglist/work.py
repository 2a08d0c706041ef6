"""What the log list does by itself: it takes in what the log has of new, for review."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from compliance.directory import ldap, log_readers
from compliance.loglist.login import log_in_worker, read_as
from compliance.loglist.models import Bookmark, ReviewItem
from compliance.messagelog.answers import Row
from compliance.messagelog.capture import PROBE_LABEL
from compliance.messagelog.reading import Reader

_BATCH = 1_000


@contextmanager
def worker() -> Iterator[Reader]:
    """Read and write as the program itself, until the work is done."""
    connection.ensure_connection()
    token = log_in_worker()
    read_as(token)
    reader = Reader(connection.connection, token)
    try:
        yield reader
    finally:
        reader.close()


def authorities() -> Mapping[str, str]:
    """Return the authority that each unit belongs to. Raises UserError if the directory is away."""
    with ldap.connect(settings.DIRECTORY, "reader") as opened:
        return log_readers.authorities(opened, settings.DIRECTORY.base)


def take_in(reader: Reader, authority_of: Mapping[str, str]) -> int:
    """Make an item of each new entry that a unit has to review; return how many were made.

    Stopped at any point it goes on where it was: a batch and its bookmark are written together.
    What it has not come to is held from disposal.
    """
    begun = timezone.now()
    _hold_from("-infinity")
    read = {str(mark.outbox): mark.sequence for mark in Bookmark.objects.all()}
    made = 0
    for outbox, head in reader.heads().items():
        after = read.get(outbox, 0)
        if head > after:
            made += sum(
                _store(outbox, batch, authority_of)
                for batch in _batches(reader.news(outbox, after))
            )
    _hold_from(begun)
    return made


def units_to_review(row: Row, authority_of: Mapping[str, str]) -> set[str]:
    """Return the units that have to review an entry: none, one, or the two it went between.

    Not the audit's own mail. Within one authority nothing comes in or goes out (TF 2 kap. 11 §);
    and what is internal without a unit on both sides is from or to a system mailbox.
    """
    units = {row["sender_unit"], row["recipient_unit"]} - {None}
    if row["label"] == PROBE_LABEL:
        return set()
    if row["direction"] == "internal":
        return units if len({authority_of.get(unit, unit) for unit in units}) == 2 else set()
    return units


def _hold_from(moment: datetime | str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT loglist.taken_in(%s)", [moment])


def _store(outbox: str, rows: list[Row], authority_of: Mapping[str, str]) -> int:
    items = [
        ReviewItem(
            unit=unit,
            outbox=outbox,
            sequence=row["sequence"],
            accepted_at=row["accepted_at"],
            direction=row["direction"],
        )
        for row in rows
        for unit in sorted(units_to_review(row, authority_of))
    ]
    with transaction.atomic():
        # Another worker may have been here since the bookmark was read.
        ReviewItem.objects.bulk_create(items, ignore_conflicts=True)
        Bookmark.objects.update_or_create(
            outbox=UUID(outbox), defaults={"sequence": rows[-1]["sequence"]}
        )
    return len(items)


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    left: Iterator[Any] = iter(rows)
    while batch := list(islice(left, _BATCH)):
        yield batch
