"""The worker's matching: what is left of a unit's review is held against the unit's diary."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from compliance.clock import SWEDEN
from compliance.diary.explain import explain
from compliance.diary.match import Decided, Match, match
from compliance.diary.match import Outcome as Found
from compliance.diary.record import DiaryRecord, Direction, Message
from compliance.loglist.diary import alone, numbers_of, records_of
from compliance.loglist.models import DiaryImport, DiaryMatch, ReviewDecision, ReviewItem
from compliance.messagelog.reading import Place, Reader, Row, Session
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
    oldest = min((item.accepted_at for item in left), default=timezone.now())
    kept = list(
        items.filter(outcome=Outcome.REGISTERED.value, accepted_at__gt=oldest - _REMEMBERED)
    )
    messages = _messages(reader, unit, [*left, *kept], authority[0][0] if authority else "")
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


def _messages(
    reader: Reader, unit: str, items: Sequence[ReviewItem], authority: str
) -> dict[int, Message]:
    """Return what matching has to know of each item whose entry is still in the log."""
    by_place = {(item.outbox, item.sequence): item for item in items}
    found = {}
    for at in range(0, len(items), _PLACES):
        places = [
            Place(item.accepted_at, str(item.outbox), item.sequence)
            for item in items[at : at + _PLACES]
        ]
        for row in reader.rows_of(unit, places):
            item = by_place[row["outbox_id"], row["sequence"]]
            found[item.id] = _message(item, row, authority)
    return found


def _message(item: ReviewItem, row: Row, authority: str) -> Message:
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
            for rank, one in enumerate([one for one in likely if one.pair.weight >= _WORTH], 1)
        ]
        decided += is_certain
        suggested += bool(wanted) and not is_certain
        if [_content(one) for one in wanted] != [_content(one) for one in stored[item.id]]:
            DiaryMatch.objects.filter(item=item).delete()
            DiaryMatch.objects.bulk_create(wanted)
    return Matched(decided, suggested)


def _entry(unit: str, item: ReviewItem, rank: int, found: Match, *, is_certain: bool) -> DiaryMatch:
    return DiaryMatch(
        item=item,
        unit=unit,
        row_id=int(found.record.key),
        rank=rank,
        is_certain=is_certain,
        reasons=[{"sv": reason.sv, "en": reason.en} for reason in explain(found.pair)],
    )


def _content(one: DiaryMatch) -> tuple[object, ...]:
    return one.row_id, one.is_certain, one.reasons


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
