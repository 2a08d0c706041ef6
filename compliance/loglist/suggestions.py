"""What the program found in the diary for rows of the review, as the pages show it."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from compliance.loglist.models import DiaryMatch, ReviewItem
from compliance.review.decision import Outcome

PROGRAM = "worker"  # in whose name the program decides


def matches_of(items: Collection[ReviewItem]) -> Mapping[ReviewItem, list[DiaryMatch]]:
    """Return the records that matter of each item, the likeliest first.

    Of a row that the program has decided, and nobody since, those are the ones that it was decided
    by; of one that nobody has decided, the suggestions.
    """
    found: dict[ReviewItem, list[DiaryMatch]] = defaultdict(list)
    for match in (
        DiaryMatch.objects.filter(item__in=items).select_related("row", "item").order_by("rank")
    ):
        item = match.item
        is_the_programs = item.outcome == Outcome.REGISTERED.value and item.revision == 1
        if (match.is_certain and is_the_programs) or (not match.is_certain and not item.outcome):
            found[item].append(match)
    return found
