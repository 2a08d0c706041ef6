"""Rows in doubt: whom the reviewer asks, how each question stands, and what a protocol says."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext as _

from compliance.directory import ldap, officials
from compliance.directory.officials import Official
from compliance.loglist.decision_form import HOLDER
from compliance.loglist.message.opening import own_addresses
from compliance.loglist.models import ReviewDecision, ReviewItem
from compliance.loglist.reviews import with_rows
from compliance.messagelog import addresses
from compliance.messagelog.formats import visible
from compliance.messagelog.reading import Reader
from compliance.review.decision import Outcome


class NobodyToAskError(Exception):
    """An address is no person's. address: which; empty if a row shows none of the unit's."""

    def __init__(self, address: str) -> None:
        """address: as it was written."""
        super().__init__(address)
        self.address = address


def nobody_text(address: str) -> str:
    """Tell the reviewer that an address is no person's."""
    none: str = _("Write the address of whoever is to be asked.")
    told: str = _("No person has the address %(address)s. Write the address of whoever is asked.")
    return told % {"address": visible(address)} if address else none


def whom_to_ask(
    reader: Reader, unit: str, items: Sequence[ReviewItem], wanted: str
) -> Mapping[int, Official]:
    """Return by item who is asked about it.

    wanted: somebody's address, or HOLDER for whoever holds the mailbox on the unit's side of each
    row. Raises NobodyToAskError, and UserError if the directory is away.
    """
    if wanted != HOLDER:
        official = _first_official([wanted])
        return {item.id: official for item in items}
    rows = with_rows(reader, unit, items)
    written = {
        row["item"].id: [] if row["is_disposed"] else own_addresses(unit, row) for row in rows
    }
    known: dict[tuple[str, ...], Official] = {}
    for each in {tuple(each) for each in written.values()}:
        known[each] = _first_official(each)
    return {item: known[tuple(each)] for item, each in written.items()}


def _first_official(written: Sequence[str]) -> Official:
    for address in written:
        found = look_up(address)
        if found is not None:
            return found
    raise NobodyToAskError(written[0] if written else "")


def look_up(address: str) -> Official | None:
    """Ask the directory whose an address is. Raises UserError if it is away."""
    base = addresses.without_extension(addresses.key_of(address.strip()))
    with ldap.connect(settings.DIRECTORY, "reader") as connection:
        return officials.by_address(connection, settings.DIRECTORY.base, base)


def open_doubts(unit: str | None = None) -> Any:
    """Return the questions of a unit, or of all, whose rows are still in doubt, the oldest first.

    Each is the decision that asked it, with its item, its letters and its answer.
    """
    mine = {} if unit is None else {"unit": unit, "item__unit": unit}
    found = ReviewDecision.objects.filter(
        outcome=Outcome.DOUBT.value,
        item__outcome=Outcome.DOUBT.value,
        item__revision=F("revision"),
        **mine,
    )
    return found.select_related("item", "answer").prefetch_related("letters").order_by("id")
