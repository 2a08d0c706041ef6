"""Diary exports: tables with a mapping that is saved beside them, and CITS ERMS (FGS) as XML."""

from pathlib import Path

from compliance.diary.importers.erms import is_xml, read_erms
from compliance.diary.importers.mapping import Mapping
from compliance.diary.importers.tabular import read_rows
from compliance.diary.record import DiaryEntry
from compliance.errors import UserError


def read_diary(path: Path, mapping: Mapping) -> list[DiaryEntry]:
    """Read an export, of the kind that its first bytes show. Raises UserError with every problem.

    A diary with a problem is not read in part: what stood in the lost rows would look unregistered.
    """
    if is_xml(path):
        return read_erms(path, mapping.numbers)
    entries = read_rows(path, mapping)
    if not entries:
        raise UserError.of(
            "there is no row below the heading",
            str(path),
            "export the diary anew",
            "Det finns ingen rad under rubriken. Exportera diariet på nytt.",
        )
    return entries
