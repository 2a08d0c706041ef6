"""A diary made ready for look-ups by number, and by party and words around a day. Pure."""

import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from compliance.diary.number import DiaryNumber
from compliance.diary.party import Side, party_keys
from compliance.diary.record import DiaryRecord, Direction
from compliance.diary.words import features
from compliance.workdays import is_working_day

# Where a letter's record may stand: days before and after it came.
EARLIER, LATER = 2, 15
_COMMON = 400  # records in the span that share a word; such a word finds nobody
_DAY = timedelta(days=1)
_SAME_DAY = 80  # records of one diary and a day or two that are looked at
_KEPT = 25  # candidates by words and party for one letter

Vector = Mapping[str, float]
_Posting = list[tuple[int, int]]  # ordinal of the day, place of the record


@dataclass
class Index:
    """records, in the order of the diary, with their subjects as vectors of length 1."""

    records: Sequence[DiaryRecord]
    by_case: dict[DiaryNumber, list[int]] = field(default_factory=lambda: defaultdict(list))
    by_serial: dict[tuple[int, int], list[int]] = field(default_factory=lambda: defaultdict(list))
    vectors: list[Vector] = field(default_factory=list)
    _by_day: dict[tuple[str, int], list[int]] = field(default_factory=lambda: defaultdict(list))
    _rarity: dict[str, float] = field(default_factory=dict)
    _words: dict[str, _Posting] = field(default_factory=lambda: defaultdict(list))
    _parties: dict[str, _Posting] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        """Make every look-up ready."""
        raw = [features(record.subject) for record in self.records]
        counts = Counter(feature for found in raw for feature in found)
        self._rarity = {word: self._rare(count) for word, count in counts.items()}
        for at, record in enumerate(self.records):
            self.by_case[record.number.case].append(at)
            self.by_serial[record.number.year, record.number.serial].append(at)
            vector = self.vector(raw[at])
            self.vectors.append(vector)
            if record.day:
                place = (record.day.toordinal(), at)
                self._by_day[record.number.authority, place[0]].append(at)
                for word in vector:
                    self._words[word].append(place)
                for key in party_keys(record.party) if record.party else ():
                    self._parties[key].append(place)
        for postings in (self._words, self._parties):
            for posting in postings.values():
                posting.sort()
        self.has_one_row_per_case = all(
            len(rows) == 1 and self.records[rows[0]].number.document is None
            for rows in self.by_case.values()
        )

    def vector(self, found: Mapping[str, float]) -> Vector:
        """Weigh features by how rare they are in the diary; of length 1, or empty."""
        unseen = self._rare(0)
        weighed = {word: part * self._rarity.get(word, unseen) for word, part in found.items()}
        length = math.sqrt(sum(weight * weight for weight in weighed.values()))
        return {word: weight / length for word, weight in weighed.items()} if length else {}

    def near(self, vector: Vector, side: Side, day: date) -> list[int]:
        """Give the records around a day that share most with a letter's words or party."""
        found: dict[int, float] = defaultdict(float)
        for word, weight in vector.items():
            span = _span(self._words.get(word, []), day)
            if len(span) <= _COMMON:
                for _, at in span:
                    found[at] += weight * self.vectors[at][word]
        for key in side.keys:
            span = _span(self._parties.get(key, []), day)
            for _, at in span if len(span) <= _COMMON else ():
                found[at] += 0.5 / (1 + math.log1p(len(span)))
        return sorted(found, key=lambda at: (-found[at], at))[:_KEPT]

    def on_day(self, authority: str, day: date, direction: Direction | None) -> list[int]:
        """Give what a diary has from a day to the next working day; None: whatever its direction.

        For letters that say nothing themselves.
        """
        found: list[int] = []
        last = day + _DAY
        while not is_working_day(last):
            last += _DAY
        while day <= last:
            found += [
                at
                for at in self._by_day.get((authority, day.toordinal()), ())
                if not direction or self.records[at].direction in (None, direction)
            ]
            day += _DAY
        return found[:_SAME_DAY]

    def with_like_numbers(self, number: DiaryNumber) -> Iterator[int]:
        """Give the records whose number differs by one slip of the keyboard."""
        for serial in _slips(number.serial):
            yield from self.by_case.get(DiaryNumber(number.authority, number.year, serial), ())
        for year in (number.year - 1, number.year + 1):
            yield from self.by_case.get(DiaryNumber(number.authority, year, number.serial), ())

    def _rare(self, count: int) -> float:
        return math.log(1 + (len(self.records) + 1) / (count + 0.5))


def likeness(first: Vector, second: Vector) -> float:
    """Give the cosine of two vectors of length 1."""
    if len(second) < len(first):
        first, second = second, first
    return sum(weight * second[word] for word, weight in first.items() if word in second)


def _span(posting: _Posting, day: date) -> _Posting:
    ordinal = day.toordinal()
    first = bisect_left(posting, (ordinal - EARLIER, -1))
    return posting[first : bisect_right(posting, (ordinal + LATER + 1, -1), first)]


def _slips(serial: int) -> Iterable[int]:
    """Give the serials that one slip makes: another digit, one too many or few, two swapped."""
    digits = str(serial)
    found = set()
    for at in range(len(digits)):
        rest = digits[at + 1 :]
        found.add(digits[:at] + rest)
        found.update(digits[:at] + other + rest for other in "0123456789")
        found.update(digits[:at] + other + digits[at:] for other in "0123456789")
        if rest:
            found.add(digits[:at] + rest[0] + digits[at] + rest[1:])
    found.update(digits + other for other in "0123456789")
    return {int(slip) for slip in found if slip and slip[0] != "0"} - {serial}
