"""What the program found in the diary for rows of the review, as the pages show it."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import timedelta

from django.utils import timezone

from compliance.loglist.models import DiaryMatch, ReviewItem
from compliance.loglist.reviews import OvertakenError, decide, is_in_doubt
from compliance.messagelog.answers import Session
from compliance.messagelog.reading import NotYoursError
from compliance.review.decision import Decision, Outcome

_COUNTED = timedelta(days=30)


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


def in_the_diary(unit: str, direction: str = "") -> int:
    """Count the unit's rows of the last 30 days that are registered; direction '': all."""
    wanted = {"direction": direction} if direction else {}
    since = timezone.now() - _COUNTED
    registered = Outcome.REGISTERED.value
    found = ReviewItem.objects.filter(unit=unit, outcome=registered, **wanted)
    count: int = found.filter(accepted_at__gt=since).count()
    return count


def suggestion(unit: str, number: int) -> DiaryMatch:
    """Return a suggestion for a row of the unit. Raises NotYoursError if there is none such."""
    found = DiaryMatch.objects.filter(unit=unit, id=number, is_certain=False)
    match: DiaryMatch | None = found.select_related("row", "item").first()
    if match is None:
        raise NotYoursError
    return match


def take(match: DiaryMatch, revision: int, who: Session) -> None:
    """Register a suggestion's row under the record's number, as a person has seen it.

    revision: of the row on the page. Raises OvertakenError if somebody else has decided since, or
    has put the row in doubt.
    """
    if is_in_doubt(match.item):
        raise OvertakenError([match.item])
    decide(
        [match.item],
        {match.item_id: revision},
        Decision(
            row="",
            outcome=Outcome.REGISTERED,
            by=who.reader,
            at=timezone.now(),
            number=match.number,
        ),
        who,
    )
