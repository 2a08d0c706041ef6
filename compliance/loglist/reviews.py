"""The review of a unit's rows: how they stand, what is left, and what is decided of them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from compliance.directory.officials import Official
from compliance.loglist.language import read
from compliance.loglist.models import ReviewDecision, ReviewItem
from compliance.messagelog.answers import Row, Session
from compliance.messagelog.reading import NotYoursError, Place, Reader
from compliance.review.decision import Decision, NegligibleReason, Outcome

# How a row stands that somebody still has to decide.
LEFT = ("", Outcome.DOUBT.value)
# What a filter calls those that nobody has decided, nor asked about.
UNDECIDED = "undecided"


def standings() -> dict[str, str]:
    """Name how a row can stand in the review, in the reader's language, by what a filter says."""
    decided = {outcome.value: read(outcome.text) for outcome in Outcome}
    return {UNDECIDED: _("To review"), **decided}


def is_in_doubt(item: ReviewItem) -> bool:
    """Say whether somebody was asked about a row and it is not decided yet."""
    return bool(item.outcome == Outcome.DOUBT.value)


class Spot(NamedTuple):
    """Where an item stands among what is left; a page begins behind one."""

    accepted_at: datetime
    id: int


class OvertakenError(Exception):
    """Somebody else has decided rows in the meantime. items: those, as they stand now."""

    def __init__(self, items: Sequence[ReviewItem]) -> None:
        """items: the rows that were decided."""
        super().__init__(items)
        self.items = items


def reasons() -> list[NegligibleReason]:
    """Return the municipality's list of what is negligible."""
    return [NegligibleReason(one.id, one.text, one.decision) for one in settings.LOGLIST.negligible]


def with_items(unit: str, rows: Sequence[Row]) -> list[Row]:
    """Add to each row of a unit its `item` of the review; None where none is needed."""
    found = ReviewItem.objects.filter(
        unit=unit,
        outbox__in={row["outbox_id"] for row in rows},
        sequence__in=[row["sequence"] for row in rows],
    )
    items = {(item.outbox, item.sequence): item for item in found}
    return [row | {"item": items.get((row["outbox_id"], row["sequence"]))} for row in rows]


def left(unit: str, direction: str = "") -> Any:
    """Return what is left to decide of a unit, the oldest first; direction '': all."""
    wanted = {"direction": direction} if direction else {}
    found = ReviewItem.objects.filter(unit=unit, outcome__in=LEFT, **wanted)
    return found.order_by("accepted_at", "id")


def behind(items: Any, spot: Spot | None) -> Any:
    """Return those of the items that `left` gave that stand behind a place."""
    if spot is None:
        return items
    later = items.filter(accepted_at__gte=spot.accepted_at)
    return later.exclude(accepted_at=spot.accepted_at, id__lte=spot.id)


def with_rows(reader: Reader, unit: str, items: Sequence[ReviewItem]) -> list[Row]:
    """Return the log's rows of a unit's items, in their order.

    Of an entry that was lawfully disposed of nothing is left but what the item says.
    """
    places = [Place(item.accepted_at, str(item.outbox), item.sequence) for item in items]
    rows = {(row["outbox_id"], row["sequence"]): row for row in reader.rows_of(unit, places)}
    found = [rows.get((item.outbox, item.sequence)) for item in items]
    return [
        (row or {}) | {"item": item, "is_disposed": row is None}
        for item, row in zip(items, found, strict=True)
    ]


def decisions_of(item: ReviewItem) -> Any:
    """Return what was decided of a row, the last decision first, with questions' answers."""
    made = item.decisions.order_by("-revision")
    return made.select_related("answer").prefetch_related("letters")


def chosen(unit: str, seen: Mapping[int, int]) -> list[ReviewItem]:
    """Return a unit's items by their ids. Raises NotYoursError if one is not there."""
    items = list(ReviewItem.objects.filter(unit=unit, id__in=list(seen)).order_by("id"))
    if not items or len(items) < len(seen):
        raise NotYoursError
    return items


def decide(
    items: Collection[ReviewItem],
    seen: Mapping[int, int],
    decision: Decision,
    who: Session,
    asked: Mapping[int, Official] | None = None,
) -> None:
    """Decide rows of one unit, all of them or none.

    seen: by item, the revision that the reviewer saw. asked: by item, who is asked of a row that
    is put in doubt. Raises OvertakenError if one has another by
    now; but when the decision is the very one that the same person has just made, all is well.
    """
    texts = {reason.id: f"{reason.text} ({reason.decision})" for reason in reasons()}
    made = [
        ReviewDecision(
            item=item,
            unit=item.unit,
            revision=seen[item.id] + 1,
            reviewer=who.reader,
            reviewer_name=who.name,
            at=decision.at,
            outcome=decision.outcome.value,
            number=str(decision.number or ""),
            secret=decision.secret,
            reason=decision.reason,
            reason_text=texts.get(decision.reason, ""),
            authority=decision.authority,
            asked=asked[item.id].id if asked else "",
            asked_name=asked[item.id].name if asked else "",
            question=decision.question,
        )
        for item in items
    ]
    try:
        with transaction.atomic():
            ReviewDecision.objects.bulk_create(made)
    except IntegrityError as error:
        if all(map(_is_made_already, made)):
            return
        now = ReviewItem.objects.filter(id__in=list(seen)).order_by("id")
        overtaken = [item for item in now if item.revision != seen[item.id]]
        if not overtaken:
            raise
        raise OvertakenError(overtaken) from error


def _is_made_already(made: ReviewDecision) -> bool:
    """Say whether the same person has decided the same, on a first click, and that still holds."""
    last = made.item.decisions.order_by("revision").last()
    same = (
        *("revision", "reviewer", "outcome", "number", "secret", "reason", "authority"),
        *("asked", "question"),
    )
    return last is not None and all(getattr(last, name) == getattr(made, name) for name in same)
