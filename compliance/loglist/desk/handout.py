"""Handing out: the files with their proof, made of what was looked at, and kept as they are."""

import hashlib
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.utils import timezone

from compliance.disclosure.files import proof_basis, to_html, to_zip
from compliance.disclosure.masking import (
    PROTECTED_IDENTITY,
    Cell,
    Column,
    Extract,
    Masked,
    Section,
)
from compliance.disclosure.refusal import Hidden, Refusal
from compliance.loglist.desk.rows import MASKABLE, Chosen, language, still_open
from compliance.loglist.models import Disclosure, DisclosureRow, Handout
from compliance.messagelog.entry import FIELDS
from compliance.messagelog.reading import Place, Reader
from compliance.messagelog.seal.extract import make_extract, proven_rows
from compliance.messagelog.seal.verifier import read_keys

# The fields of the log that an extract's columns show.
_FIELDS = {
    Column.TIME: ("accepted_at",),
    Column.DIRECTION: ("direction",),
    Column.SENDER: ("from_address", "from_text"),
    Column.RECIPIENT: ("recipient",),
    Column.SUBJECT: ("subject", "subject_raw"),
}


class ChangedError(Exception):
    """What would be handed out is not what was looked at."""


def digest_of(extract: Extract) -> str:
    """Return what tells an extract from every other one: it stands for having looked at it."""
    return hashlib.sha256(to_html(extract, language()).encode()).hexdigest()


def hand_out(
    reader: Reader, request: Disclosure, rows: Sequence[Chosen], extract: Extract, looked_at: str
) -> None:
    """Make the files, keep them, and end the request. Raises EndedError and ChangedError.

    rows: as they were when the extract was made of them. looked_at: the digest of what was seen.
    """
    if looked_at != digest_of(extract):
        raise ChangedError
    proof, proven = _proof(reader, request.unit, rows, extract)
    file = to_zip(extract, language(), proof, len(rows) - proven)
    with still_open(request) as held:
        if _masks(held.rows.all()) != _masks(one.kept for one in rows):
            raise ChangedError
        _keep_protected(rows)
        Handout.objects.create(
            disclosure=held,
            unit=held.unit,
            rows=len(rows),
            unproven=len(rows) - proven,
            sha256=hashlib.sha256(file).hexdigest(),
            file=file,
        )
        held.ended_at = timezone.now()
        held.outcome = Disclosure.Outcome.HANDED_OUT
        held.save(update_fields=["ended_at", "outcome"])


def _keep_protected(rows: Sequence[Chosen]) -> None:
    """Write down the masks that nobody chose: a decision on them needs no directory then."""
    changed = [one.kept for one in rows if one.row.protected]
    for one in rows:
        for column in one.row.protected:
            if not getattr(one.kept, column):
                setattr(one.kept, column, str(PROTECTED_IDENTITY))
    DisclosureRow.objects.bulk_update(changed, MASKABLE)


def refusal_of(request: Disclosure, unit_name: str) -> Refusal | None:
    """Return what a decision not to hand out is about; None if nothing was kept back."""
    is_handed_out = request.outcome == Disclosure.Outcome.HANDED_OUT
    hidden = tuple(
        Hidden(row.accepted_at, column, Section.parse(section))
        for row in request.rows.all()
        for column in MASKABLE
        if (section := getattr(row, column))
    )
    if request.ended_at is None or (is_handed_out and not hidden):
        return None
    return Refusal(
        municipality=settings.KOMMUNPOST.municipality.name,
        unit=unit_name,
        asked_for=request.asked_for,
        received=request.received_on,
        handed_out=request.ended_at if is_handed_out else None,
        hidden=hidden,
    )


def _masks(rows: Iterable[DisclosureRow]) -> list[tuple[int, ...]]:
    return [(row.pk, *(getattr(row, column) for column in MASKABLE)) for row in rows]


def _proof(
    reader: Reader, unit: str, rows: Sequence[Chosen], extract: Extract
) -> tuple[str | None, int]:
    """Prove what an extract shows, and not a cell more; also say how many rows that are."""
    seal = settings.KOMMUNPOST.seal
    if seal is None:
        return None, 0
    places = [Place.of(one.entry) for one in rows]
    proven = proven_rows(unit, reader.evidence(unit, places))
    sealed = []
    masks = []
    for one, cells in zip(rows, extract.rows, strict=True):
        found = proven.get((one.kept.outbox_id, one.kept.sequence))
        if found is not None:
            sealed.append(found)
            masks.append(_hidden(one, cells))
    if not sealed:
        return None, 0
    keys = read_keys(seal.public_key_file)
    return make_extract(sealed, dict(enumerate(masks)), keys), len(sealed)


def _hidden(one: Chosen, cells: Sequence[Cell]) -> dict[str, str]:
    """Return what the proof of a row hides: masked cells, and fields that no column shows."""
    left_out = proof_basis(language())
    hidden = dict.fromkeys(FIELDS, left_out)
    for column, cell in zip(Column, cells, strict=True):
        for field in _fields(one, column):
            if isinstance(cell, Masked):
                hidden[field] = str(cell.section)
            else:
                del hidden[field]
    return hidden


def _fields(one: Chosen, column: Column) -> tuple[str, ...]:
    if column is Column.SENDER and not one.entry["from_text"]:
        return ("envelope_sender",)
    return _FIELDS[column]
