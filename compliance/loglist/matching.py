"""The worker's matching: what is left of a unit's review is held against the unit's diary."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from compliance.clock import SWEDEN
from compliance.diary.explain import explain
from compliance.diary.match import Decided, Match, match
from compliance.diary.match import Outcome as Found
from compliance.diary.record import DiaryRecord, Direction, Message
from compliance.loglist.diary import alone, numbers_of, records_of
from compliance.loglist.models import DiaryImport, DiaryMatch, ReviewDecision, ReviewItem
from compliance.messagelog.answers import Answered, Row, Session
from compliance.messagelog.reading import Place, Reader
from compliance.review.decision import Outcome

# So long before the oldest letter that is left, letters still have records that it can't have.
_REMEMBERED = timedelta(days=60)
_PLACES = 5_000  # entries that are read at a time
_WORTH = 1.0  # weight of evidence below which a suggestion says nothing
_ADDRESS = re.compile(r"<[^<>]*>?")


@dataclass(frozen=True)
class Matched:
    """How many rows the program decided, and for how many it has suggestions."""

    decided: int = 0
    suggested: int = 0


def match_units(reader: Reader) -> Matched:
    """Hold what is left of each unit against its diary, where one of the two has something new."""
    found = [_match_unit(reader, unit) for unit in _units_with_news()]
    return Matched(sum(one.decided for one in found), sum(one.suggested for one in found))


def _units_with_news() -> list[str]:
    newest = dict(ReviewItem.objects.values_list("unit").annotate(Max("id")))
    latest = DiaryImport.objects.order_by("unit", "-id").distinct("unit")
    return [one.unit for one in latest if newest.get(one.unit) not in (None, one.matched_to)]


def _match_unit(reader: Reader, unit: str) -> Matched:
    """Match a unit's rows; what a person has decided is only looked at."""
    current = DiaryImport.objects.filter(unit=unit).latest("id")
    newest = ReviewItem.objects.filter(unit=unit).aggregate(Max("id"))["id__max"]
    records = records_of(unit)
    authority = Counter(record.number.authority for record in records.values()).most_common(1)
    items = ReviewItem.objects.filter(unit=unit).order_by("id")
    left = list(items.filter(outcome="", revision=0))
    answered = _answered(reader, unit, left)
    kept = _kept(items.filter(outcome=Outcome.REGISTERED.value), left, answered)
    own = authority[0][0] if authority else ""
    messages = _messages(reader, unit, [*left, *kept], own, answered)
    found = match(
        [messages[item.id] for item in left if item.id in messages],
        list(records.values()),
        numbers_of(),
        decided=_decided(kept, messages, records),
    )
    with transaction.atomic():
        alone(unit)
        # An import in the meantime comes with another run.
        if DiaryImport.objects.filter(unit=unit).latest("id").id != current.id:
            return Matched()
        result = _store(unit, left, found, reader.session())
        DiaryImport.objects.filter(id=current.id).update(matched_to=newest)
    return result


_Answers = dict[tuple[UUID, int], list[Answered]]


def _answered(reader: Reader, unit: str, items: Sequence[ReviewItem]) -> _Answers:
    """Return what items answer among the unit's own mail, by their place in the log."""
    found: _Answers = defaultdict(list)
    for places in _places(items):
        for one in reader.answered(unit, places):
            found[one.outbox, one.sequence].append(one)
    return found


def _kept(
    registered: QuerySet[ReviewItem], left: Iterable[ReviewItem], answers: _Answers
) -> list[ReviewItem]:
    """Return the registered items that matter: the late ones, and whatever is answered."""
    oldest = min((item.accepted_at for item in left), default=timezone.now())
    answered = {
        (one.answered_outbox, one.answered_sequence) for found in answers.values() for one in found
    }
    old = registered.filter(
        accepted_at__lte=oldest - _REMEMBERED,
        outbox__in={outbox for outbox, _ in answered},
        sequence__in={sequence for _, sequence in answered},
    )
    return [
        *registered.filter(accepted_at__gt=oldest - _REMEMBERED),
        *(item for item in old if (item.outbox, item.sequence) in answered),
    ]


def _places(items: Sequence[ReviewItem]) -> Iterator[list[Place]]:
    """Give the places of items, as many as are read at a time."""
    for at in range(0, len(items), _PLACES):
        yield [
            Place(item.accepted_at, str(item.outbox), item.sequence)
            for item in items[at : at + _PLACES]
        ]


def _messages(
    reader: Reader, unit: str, items: Sequence[ReviewItem], authority: str, answers: _Answers
) -> dict[int, Message]:
    """Return what matching has to know of each item whose entry is still in the log."""
    by_place = {(item.outbox, item.sequence): item for item in items}
    found = {}
    for places in _places(items):
        for row in reader.rows_of(unit, places):
            key = row["outbox_id"], row["sequence"]
            item = by_place[key]
            references = tuple(one.message_id for one in answers.get(key, ()))
            found[item.id] = _message(item, row, authority, references)
    return found


def _message(item: ReviewItem, row: Row, authority: str, references: tuple[str, ...]) -> Message:
    direction: Direction = row["direction"]
    if direction == "out" or (direction == "internal" and row["sender_unit"] == item.unit):
        others, name = [row["recipient"]], ""
    else:
        others = (row["from_address"] or row["envelope_sender"]).split(", ")
        name = _name(row["from_text"])
    return Message(
        str(item.id),
        item.accepted_at.astimezone(SWEDEN).date(),
        direction,
        tuple(filter(None, others)),
        (name,) if name else (),
        row["subject"],
        authority,
        row["message_id"],
        references,
    )


def _name(from_text: str) -> str:
    """Return the name before the address in a From header; empty if there is none."""
    name = _ADDRESS.sub("", from_text.partition(" | ")[0]).strip(' "')
    return "" if "@" in name else name


def _decided(
    kept: Iterable[ReviewItem],
    messages: Mapping[int, Message],
    records: Mapping[str, DiaryRecord],
) -> list[Decided]:
    """Give the letters that have records: those that they were matched to, else by their number."""
    by_number: dict[str, set[str]] = defaultdict(set)
    for key, record in records.items():
        by_number[str(record.number)].add(key)
    matched: dict[int, set[str]] = defaultdict(set)
    for found in DiaryMatch.objects.filter(item__in=kept, is_certain=True):
        matched[found.item_id].add(str(found.row_id))
    decided = []
    for item in kept:
        own = {
            key
            for key in matched[item.id]
            if key in records and str(records[key].number.case) == item.number
        }
        keys = frozenset(own or by_number[item.number])
        if keys and item.id in messages:
            decided.append(Decided(messages[item.id], keys))
    return decided


def _store(
    unit: str, left: Iterable[ReviewItem], found: Mapping[str, Found], who: Session
) -> Matched:
    """Decide what is certain, suggest what is not. What stands already stays as it is."""
    stored: dict[int, list[DiaryMatch]] = defaultdict(list)
    for one in DiaryMatch.objects.filter(item__in=left).order_by("rank"):
        stored[one.item_id].append(one)
    decided = suggested = 0
    for item in left:
        told = found.get(str(item.id), Found())
        is_certain = bool(told.matched) and _decide(item, told.matched[0], who)
        likely = told.matched if told.matched else told.suggestions
        wanted = [
            _entry(unit, item, rank, one, is_certain=is_certain)
            for rank, one in enumerate(_worth_saying(likely), 1)
        ]
        decided += is_certain
        suggested += bool(wanted) and not is_certain
        if [_content(one) for one in wanted] != [_content(one) for one in stored[item.id]]:
            DiaryMatch.objects.filter(item=item).delete()
            DiaryMatch.objects.bulk_create(wanted)
    return Matched(decided, suggested)


def _worth_saying(likely: Iterable[Match]) -> list[Match]:
    """Leave out what has too little evidence, but never the case of a letter that is answered."""
    found: list[Match] = []
    for one in likely:
        told = any(other.pair.evidence.same_thread for other in found)
        if one.pair.weight >= _WORTH or (one.pair.evidence.same_thread and not told):
            found.append(one)
    return found


def _entry(unit: str, item: ReviewItem, rank: int, found: Match, *, is_certain: bool) -> DiaryMatch:
    return DiaryMatch(
        item=item,
        unit=unit,
        row_id=int(found.record.key),
        rank=rank,
        is_certain=is_certain,
        is_case=found.pair.evidence.is_case_alone,
        reasons=[{"sv": reason.sv, "en": reason.en} for reason in explain(found.pair)],
    )


def _content(one: DiaryMatch) -> tuple[object, ...]:
    return one.row_id, one.is_certain, one.is_case, one.reasons


def _decide(item: ReviewItem, found: Match, who: Session) -> bool:
    """Register a row under its case; say whether that was done. A person who was first stands."""
    try:
        with transaction.atomic():
            ReviewDecision.objects.create(
                item=item,
                unit=item.unit,
                revision=1,
                reviewer=who.reader,
                reviewer_name=who.name,
                at=timezone.now(),
                outcome=Outcome.REGISTERED.value,
                number=str(found.record.number.case),
            )
    except IntegrityError:
        return False
    return True
