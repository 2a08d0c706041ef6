"""Makes extracts: rows with masked cells that anyone can verify (docs/seal-format.md)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from compliance.errors import UserError
from compliance.messagelog.answers import Evidence
from compliance.messagelog.entry import FIELDS, VERSION, LogEntry, fields_of, instant
from compliance.messagelog.seal import cells, merkle, verifier
from compliance.messagelog.seal.sealing import closings
from compliance.messagelog.seal.statement import CHANGED, Signed, of_log
from compliance.messagelog.seal.storage import Row, SealStore
from compliance.messagelog.seal.trees import Place

# Fields that tell the same: whoever masks one masks the other.
_TWINS = {
    "subject": "subject_raw",
    "subject_raw": "subject",
    "from_address": "from_text",
    "from_text": "from_address",
}


@dataclass(frozen=True)
class SealedTree:
    """A unit's day as signed. levels: its tree's rows of nodes (`merkle.levels`)."""

    number: int
    signed: Signed
    unit: str | None
    levels: list[list[bytes]]


@dataclass(frozen=True)
class SealedRow:
    """One row of a tree, at its index."""

    tree: SealedTree
    index: int
    entry: LogEntry
    seed: bytes
    version: int = VERSION


def make_extract(
    rows: Sequence[SealedRow], masks: Mapping[int, Mapping[str, str]], keys: Sequence[bytes]
) -> str:
    """Return an extract as JSON. masks: for a position in rows, the legal basis by masked field.

    The subject is masked with its raw bytes, and the From address with the whole header, whichever
    of the two is named. keys: the public ones, oldest first. Raises UserError for a field that
    doesn't exist, a mask without a basis, a mask on no row, no rows at all, and a proof that does
    not hold: whoever gets it would find that first.
    """
    _check_masks(len(rows), masks)
    statements = {row.tree.number: row.tree.signed for row in rows}
    extract = {
        "format": verifier.EXTRACT_FORMAT,
        "key": b"".join(keys).hex(),
        "statements": [
            {"text": signed.text, "signature": signed.signature.hex()}
            for _, signed in sorted(statements.items())
        ],
        "rows": [
            _row(row, _with_twins(masks.get(position, {}))) for position, row in enumerate(rows)
        ],
    }
    text = json.dumps(extract, ensure_ascii=False, indent=1)
    try:
        verifier.verify(text, keys)
    except verifier.ExtractError as error:
        what = f"the proof of what would be handed out does not hold: {error}"
        raise UserError.of(what, "the log in the database", CHANGED) from error
    return text


def _check_masks(rows: int, masks: Mapping[int, Mapping[str, str]]) -> None:
    if not rows:
        raise UserError.of("an extract needs at least one row")
    for position, fields in masks.items():
        if not 0 <= position < rows:
            raise UserError.of(f"there is no row {position} to mask")
        for name, basis in fields.items():
            if name not in FIELDS:
                raise UserError.of(f"there is no field {name!r} to mask", "", ", ".join(FIELDS))
            if verifier.is_blank(basis):
                raise UserError.of(
                    f"the mask of {name} has no legal basis",
                    f"row {position}",
                    "name the clause, e.g. OSL 21 kap. 7 §",
                )


def _with_twins(fields: Mapping[str, str]) -> dict[str, str]:
    return {_TWINS[name]: basis for name, basis in fields.items() if name in _TWINS} | dict(fields)


def _row(row: SealedRow, masked: Mapping[str, str]) -> dict[str, Any]:
    hidden = cells.commitments(row.entry, row.seed, row.version)
    names = fields_of(row.entry, row.version)
    plain = zip(names, cells.salts(row.seed), hidden, strict=False)
    return {
        "statement": row.tree.number,
        "unit": row.tree.unit,
        "index": row.index,
        "path": [node.hex() for node in merkle.inclusion_path(row.tree.levels, row.index)],
        "cells": [
            {"field": name, "masked": value.hex(), "basis": masked[name]}
            if name in masked
            else {"field": name, **_shown(getattr(row.entry, name)), "salt": salt.hex()}
            for name, salt, value in plain
        ],
    }


def _shown(value: str | bytes | int | datetime | None) -> dict[str, str | int | None]:
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    return {"value": instant(value) if isinstance(value, datetime) else value}


def sealed_rows(
    store: SealStore, day: date, unit: str | None, places: Sequence[Place] | None = None
) -> list[SealedRow]:
    """Return rows of a unit's day (UTC) in the tree's order; all but the disposed if no places.

    Raises UserError if the day isn't closed, or a place isn't in that tree.
    """
    signed = store.statements()
    number = closings(of_log(signed)).get(day, (0, None))[0]
    if not number:
        what = "nothing of the day is sealed"
        remedy = "if mail was accepted then and the day is over, run `kommunpost log seal`"
        raise UserError.of(what, str(day), remedy)
    leaves = [leaf for _, leaf in store.leaves(day).get(unit, [])]
    tree = SealedTree(
        number, signed[number - 1], unit, merkle.levels([leaf.hash for leaf in leaves])
    )
    present = {(row.outbox, row.sequence): row for row in store.rows_of_day(day)}
    indexes = {leaf.place: index for index, leaf in enumerate(leaves)}
    chosen = [leaf.place for leaf in leaves if leaf.place in present] if places is None else places
    for place in chosen:
        if place not in indexes or place not in present:
            raise UserError.of(
                f"entry {place[1]} of outbox {place[0]} is not there", f"{day}, unit {unit}"
            )
    return [_sealed_row(tree, indexes[place], present[place]) for place in chosen]


def proven_rows(unit: str, evidence: Evidence) -> dict[Place, SealedRow]:
    """Return the rows of a unit that are sealed, by place; the others' day is not signed yet."""
    trees: dict[date, SealedTree] = {}
    indexes: dict[Place, int] = {}
    for day, parts in evidence.leaves.items():
        number, text, signature = evidence.closings[day]
        hashes = [value for _, _, joined in parts for value in merkle.parted(joined)]
        trees[day] = SealedTree(number, Signed(text, signature), unit, merkle.levels(hashes))
        places = [(outbox, sequence) for outbox, sequences, _ in parts for sequence in sequences]
        indexes |= {place: index for index, place in enumerate(places)}
    found = {}
    for row in evidence.rows:
        place = row["outbox_id"], row["sequence"]
        if place in indexes:
            tree = trees[row["accepted_at"].astimezone(UTC).date()]
            entry = LogEntry(**{name: row[name] for name in FIELDS})
            found[place] = SealedRow(tree, indexes[place], entry, row["seed"], row["version"])
    return found


def _sealed_row(tree: SealedTree, index: int, row: Row) -> SealedRow:
    return SealedRow(tree, index, row.entry, row.seed, row.version)
