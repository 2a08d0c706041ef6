"""A unit's diary in the log list: an export takes the place of what was there of its days."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from compliance.diary.importers import read_diary
from compliance.diary.importers.erms import is_xml
from compliance.diary.importers.mapping import Mapping, read_mapping
from compliance.diary.number import DiaryNumber
from compliance.diary.number_rules import NumberRules
from compliance.diary.record import DiaryEntry, DiaryRecord
from compliance.errors import UserError
from compliance.loglist.models import DiaryImport, DiaryMatch, DiaryProtected, DiaryRow
from compliance.messagelog.answers import Session

# What of a row can be another in a later export, in the order of `_face`.
_FACE = ("authority", "year", "serial", "document", "day", "direction", "party", "subject")
_BATCH = 2_000

_Thing = TypeVar("_Thing")


class Diary(NamedTuple):
    """What is known of a unit's diary. latest: the last import, None if there was none."""

    rows: int
    latest: DiaryImport | None


def diary_of(unit: str) -> Diary:
    """Return what is known of a unit's diary."""
    latest = DiaryImport.objects.filter(unit=unit).order_by("-id").first()
    return Diary(DiaryRow.objects.filter(unit=unit).count(), latest)


def read_export(path: Path) -> list[DiaryEntry]:
    """Read an export by the municipality's mapping. Raises UserError with every problem."""
    mapping = settings.LOGLIST.diary_mapping
    if mapping is None and not is_xml(path):
        raise UserError.of(
            "no mapping says what the columns of the diary's export mean",
            str(path),
            "set `log_list_diary_mapping`, or export as FGS Ärendehantering (CITS ERMS)",
            "Det är inte angivet vad kolumnerna i diariets export betyder. Be it-avdelningen om "
            "det, eller exportera som FGS Ärendehantering.",
        )
    return read_diary(path, read_mapping(mapping) if mapping else Mapping({}))


def take_over(unit: str, entries: Sequence[DiaryEntry], file: str, who: Session) -> DiaryImport:
    """Let an export be the unit's diary for the days that it covers; return what came of it.

    Records are told apart by their number, and where that names no document by their day too. What
    the diary had of those days and the export has not, is gone. The same export a second time
    changes nothing. All of it or nothing is stored.
    """
    wanted = _keyed(entries)
    days = [entry.record.day for entry in entries if entry.record.day]
    first, last = min(days, default=None), max(days, default=None)
    with transaction.atomic():
        alone(unit)
        stored = {row.key: row for row in DiaryRow.objects.filter(unit=unit)}
        new = [_row(unit, key, wanted[key].record) for key in wanted if key not in stored]
        changed = [
            _renewed(stored[key], entry.record)
            for key, entry in wanted.items()
            if key in stored and _face(stored[key]) != _face_of(entry.record)
        ]
        gone = [
            row.id
            for key, row in stored.items()
            if key not in wanted and first and row.day and first <= row.day <= last
        ]
        DiaryRow.objects.bulk_create(new, batch_size=_BATCH)
        DiaryRow.objects.bulk_update(changed, _FACE, batch_size=_BATCH)
        _forget_reasons(changed)
        for ids in _batches(gone):
            DiaryRow.objects.filter(id__in=ids).delete()
        _protect(unit, wanted)
        done: DiaryImport = DiaryImport.objects.create(
            unit=unit,
            at=timezone.now(),
            by=who.reader,
            by_name=who.name,
            file=file[-200:],
            rows=len(entries),
            added=len(new),
            changed=len(changed),
            removed=len(gone),
            first=first,
            last=last,
        )
    return done


def numbers_of() -> NumberRules:
    """Return how the municipality writes its diary numbers, as the mapping says."""
    mapping = settings.LOGLIST.diary_mapping
    return read_mapping(mapping).numbers if mapping else NumberRules()


def records_of(unit: str) -> dict[str, DiaryRecord]:
    """Return the public faces of a unit's diary by the ids of their rows, which are their keys."""
    return {
        str(row.id): DiaryRecord(
            str(row.id),
            DiaryNumber(row.authority, row.year, row.serial, row.document),
            row.day,
            row.direction or None,
            row.party,
            row.subject,
        )
        for row in DiaryRow.objects.filter(unit=unit).order_by("id").iterator()
    }


def _keyed(entries: Iterable[DiaryEntry]) -> dict[str, DiaryEntry]:
    """Give each entry a key that it has in every export that covers its day."""
    seen: Counter[str] = Counter()
    keyed = {}
    for entry in entries:
        number, day = entry.record.number, entry.record.day
        key = str(number) if number.document is not None else f"{number} {day or ''}"
        seen[key] += 1
        keyed[key if seen[key] == 1 else f"{key}~{seen[key]}"] = entry
    return keyed


def alone(unit: str) -> None:
    """Wait for whoever is changing the unit's diary or matching it, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"diary {unit}"])


def _face_of(record: DiaryRecord) -> tuple[Any, ...]:
    number = record.number
    return (
        *(number.authority, number.year, number.serial, number.document),
        *(record.day, record.direction or "", record.party, record.subject),
    )


def _face(row: DiaryRow) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in _FACE)


def _row(unit: str, key: str, record: DiaryRecord) -> DiaryRow:
    return DiaryRow(unit=unit, key=key, **dict(zip(_FACE, _face_of(record), strict=True)))


def _renewed(row: DiaryRow, record: DiaryRecord) -> DiaryRow:
    for name, value in zip(_FACE, _face_of(record), strict=True):
        setattr(row, name, value)
    return row


def _forget_reasons(changed: Sequence[DiaryRow]) -> None:
    """Reasons quote a record; what it said before may be under secrecy now."""
    for rows in _batches(changed):
        DiaryMatch.objects.filter(row__in=rows).update(reasons=[])


def _protect(unit: str, wanted: dict[str, DiaryEntry]) -> None:
    """Put the protected texts of the rows anew, since what they were can't be read."""
    ids = dict(DiaryRow.objects.filter(unit=unit).values_list("key", "id"))
    for keys in _batches(list(wanted)):
        DiaryProtected.objects.filter(row_id__in=[ids[key] for key in keys]).delete()
    DiaryProtected.objects.bulk_create(
        [
            DiaryProtected(
                row_id=ids[key],
                unit=unit,
                party=entry.protected.party,
                subject=entry.protected.subject,
                section=entry.protected.section,
            )
            for key, entry in wanted.items()
            if entry.protected
        ],
        batch_size=_BATCH,
    )


def _batches(things: Sequence[_Thing]) -> Iterator[Sequence[_Thing]]:
    for at in range(0, len(things), _BATCH):
        yield things[at : at + _BATCH]
