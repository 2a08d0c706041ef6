"""How rows of the log stand in the review against the diary."""

from collections.abc import Sequence

from compliance.loglist.models import ReviewItem
from compliance.messagelog.reading import Row


def with_items(unit: str, rows: Sequence[Row]) -> list[Row]:
    """Add to each row of a unit its `item` of the review; None where none is needed."""
    found = ReviewItem.objects.filter(
        unit=unit,
        outbox__in={row["outbox_id"] for row in rows},
        sequence__in=[row["sequence"] for row in rows],
    )
    items = {(item.outbox, item.sequence): item for item in found}
    return [row | {"item": items.get((row["outbox_id"], row["sequence"]))} for row in rows]
