"""The rows that were chosen for a request, as the desk masks them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from compliance.clock import SWEDEN, today
from compliance.directory import ldap, protected
from compliance.disclosure.masking import Column, Extract, Mask, Row, Section, mask
from compliance.loglist.models import Disclosure, DisclosureRow
from compliance.loglist.templatetags.log import asked, direction
from compliance.messagelog.answers import Row as Entry
from compliance.messagelog.reading import Action, Filter, Place, Reader
from compliance.texts import Language, written

# So many rows can be chosen for one request: what somebody can look through, and what is masked is
# looked for in all of them each time that a page is shown.
MOST = 2_000
MASKABLE = [column for column in Column if column.may_be_masked]


class EndedError(Exception):
    """The request has ended: nothing of it changes any more."""


@dataclass(frozen=True)
class Chosen:
    """A row of a request. number: its place in the selection, from 1."""

    number: int
    kept: DisclosureRow
    entry: Entry
    row: Row

    @property
    def masks(self) -> list[Mask]:
        """What was chosen to be masked in it."""
        return [
            Mask(self.row.key, column, Section.parse(section))
            for column in MASKABLE
            if (section := getattr(self.kept, column))
        ]


def language() -> Language:
    """Return the language of the page, which is that of the extract too."""
    return cast("Language", get_language())


@contextmanager
def still_open(request: Disclosure) -> Iterator[Disclosure]:
    """Lock a request in a transaction. Raises EndedError if it has ended meanwhile."""
    with transaction.atomic():
        held = Disclosure.objects.select_for_update().get(pk=request.pk)
        if held.ended_at is not None:
            raise EndedError
        yield held


def choose(request: Disclosure, wanted: Filter, rows: Sequence[Entry]) -> None:
    """Choose rows for a request; what was masked in them before stays so. Raises EndedError."""
    places = {(str(row["outbox_id"]), row["sequence"]): row["accepted_at"] for row in rows}
    with still_open(request) as held:
        held.wanted = wanted.as_dict()
        held.save(update_fields=["wanted"])
        kept = {(str(row.outbox_id), row.sequence): row for row in held.rows.all()}
        held.rows.filter(pk__in=[row.pk for key, row in kept.items() if key not in places]).delete()
        DisclosureRow.objects.bulk_create(
            DisclosureRow(
                disclosure=held, unit=held.unit, accepted_at=at, outbox_id=key[0], sequence=key[1]
            )
            for key, at in places.items()
            if key not in kept
        )


def save_sections(
    request: Disclosure, rows: Sequence[Chosen], sections: Mapping[tuple[int, Column], str]
) -> None:
    """Mask cells of some rows. sections: by the kept row's key; '' opens. Raises EndedError."""
    with still_open(request):
        for one in rows:
            for column in MASKABLE:
                setattr(one.kept, column, sections[one.kept.pk, column])
        DisclosureRow.objects.bulk_update([one.kept for one in rows], MASKABLE)


def chosen(reader: Reader, request: Disclosure, action: Action = "list") -> list[Chosen]:
    """Read the rows of a request from the log, in its order. Raises UserError without directory."""
    kept = list(request.rows.all())
    places = [Place(row.accepted_at, str(row.outbox_id), row.sequence) for row in kept]
    entries = {
        (row["outbox_id"], row["sequence"]): row
        for row in reader.rows_of(request.unit, places, action)
    }
    finder = protected.Finder(_protected_addresses() if kept else ())
    found = []
    for number, row in enumerate(kept, 1):
        entry = entries[row.outbox_id, row.sequence]
        found.append(Chosen(number, row, entry, _row(str(row.pk), entry, finder)))
    return found


def _protected_addresses() -> frozenset[str]:
    # Asked each time: who was protected a minute ago is protected in what is handed out now.
    with ldap.connect(settings.DIRECTORY, "reader") as connection:
        return protected.addresses(connection, settings.DIRECTORY.base)


def _row(key: str, entry: Entry, finder: protected.Finder) -> Row:
    at: datetime = entry["accepted_at"]
    cells = {
        Column.TIME: f"{at.astimezone(SWEDEN):%Y-%m-%d %H:%M}",
        Column.DIRECTION: direction(entry["direction"]),
        Column.SENDER: entry["from_text"] or entry["envelope_sender"],
        Column.RECIPIENT: entry["recipient"],
        Column.SUBJECT: entry["subject"],
    }
    hidden = frozenset(column for column in MASKABLE if finder.is_in(cells[column]))
    return Row(key, cells, hidden)


def extract(request: Disclosure, rows: Sequence[Chosen], unit_name: str) -> Extract:
    """Make what is handed out of a request's rows, in the language of the page."""
    return mask(
        [one.row for one in rows],
        [item for one in rows for item in one.masks],
        unit=unit_name,
        selection=_told_outside(request.wanted or {}),
        made=written(today(), language()),
    )


def in_words(wanted: dict[str, Any] | None) -> str:
    """Say which rows were chosen, all that the filter said."""
    if wanted is None:
        return ""
    told: str = asked(wanted) or _("all mail of the unit")
    return told


# What of a filter is repeated in an extract: words and addresses that were searched for may be the
# very ones that are masked in it. How the rows stand in the review names nobody, and whoever gets
# the extract has to see that others were left out.
_REPEATED = ("since", "until", "direction", "standing", "probes")


def _told_outside(wanted: dict[str, Any]) -> str:
    told: str = asked({key: value for key, value in wanted.items() if key in _REPEATED})
    parts = [told] if told else []
    if {"part", "words", "address", "mailbox"} & wanted.keys():
        parts.append(_("chosen by a search"))
    return "; ".join(parts) or in_words({})
