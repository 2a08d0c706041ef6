"""What the controls of the review share: whose log lists there are, and what is not known."""

from datetime import timedelta

from compliance.checks.model import Finding, Status, gap
from compliance.checks.reach import COMMON, directory_gap
from compliance.probes.facts import Facts, ReviewFacts, UnitReview
from compliance.texts import Text, clock, day, plain

# The log list reads the log every five minutes. When it last did is longer ago, it doesn't know
# what is left.
_STALE = timedelta(hours=1)


def lists(facts: Facts) -> list[tuple[Text, UnitReview | None]]:
    """Return the name of each unit that has a log list, and how its review stands.

    Those are the directory's units; None for one without mail to review. A unit that the directory
    no longer has goes by its id while rows of it are left.
    """
    names = {unit.id: plain(unit.name) for unit in facts.directory.units} if facts.directory else {}
    states = {unit.unit: unit for unit in facts.review.units} if facts.review else {}
    gone = [unit for unit in states.values() if unit.unit not in names and unit.left]
    return [
        *((name, states.get(unit)) for unit, name in names.items()),
        *((plain(unit.unit), unit) for unit in gone),
    ]


def list_gaps(facts: Facts) -> list[Finding]:
    """Tell why it is not known whose lists there are or how they stand; nothing when it is."""
    return [*directory_gap(facts), *_review_gaps(facts.review)]


def _review_gaps(review: ReviewFacts | None) -> list[Finding]:
    if review is None:
        return [Finding("kommunpost audit", COMMON["gap.not_asked"], Status.UNKNOWN, cause=True)]
    if review.seen.error:
        return [gap(review.seen.of, COMMON["gap.review"], review.seen.error)]
    read = review.taken_in
    if read is None:
        return [Finding(review.seen.of, COMMON["gap.review_never"], Status.UNKNOWN, cause=True)]
    if review.seen.at - read > _STALE:
        told = COMMON["gap.review_stale"].fill(day=day(read), time=clock(read))
        return [Finding(review.seen.of, told, Status.UNKNOWN, cause=True)]
    return []
