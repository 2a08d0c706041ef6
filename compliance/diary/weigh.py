"""Finds the records that a letter may be, and what speaks for each. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from compliance.diary.evidence import Evidence, NumberFit, Pair
from compliance.diary.index import Index, Vector, likeness
from compliance.diary.number import Certainty, DiaryNumber, Owner, Reading, find_numbers
from compliance.diary.number_rules import NumberRules
from compliance.diary.party import Side, side_of
from compliance.diary.party import likeness as party_likeness
from compliance.diary.record import DiaryRecord, Message
from compliance.diary.words import features, is_forward, plain_subject, without_marks
from compliance.workdays import is_working_day, working_days_between

_ANSWERED = 10  # days within which a letter of ours is answered
_KEPT = 12  # pairs of one letter that are worth remembering


@dataclass(frozen=True)
class Letter:
    """A message made ready: the numbers in its subject that may be ours, its words, its side."""

    message: Message
    readings: tuple[Reading, ...]
    vector: Vector
    side: Side
    passed_on: bool  # whoever passes a letter on is not its sender
    quotes: bool  # it answers a letter of ours, whose subject it has word for word

    def names(self, record: DiaryRecord) -> bool:
        """Say whether a number in the letter is the record's case."""
        return any(
            reading.number.case == record.number.case
            or (not reading.number.authority and self._means(reading, record))
            for reading in self.readings
        )

    def _means(self, reading: Reading, record: DiaryRecord) -> bool:
        return (
            (reading.number.year, reading.number.serial)
            == (record.number.year, record.number.serial)
            and bool(self.message.authority)
            and self.message.authority == record.number.authority
        )


@dataclass(frozen=True)
class Weighing:
    """A diary against which letters are held."""

    index: Index
    rules: NumberRules
    sent: Mapping[str, Sequence[date]]  # our own subjects, plain, and the days they went out

    def letter(self, message: Message) -> Letter:
        """Make a message ready."""
        subject = without_marks(message.subject)
        readings = find_numbers(subject, self.rules, message.day)
        theirs: Owner | None = Owner.WRITERS if message.direction == "in" else Owner.READERS
        if subject != message.subject:  # a reply quotes the words of whoever wrote first
            theirs = None
        words = "".join(
            subject[start:end]
            for start, end in zip(
                [0, *(reading.end for reading in readings)],
                [*(reading.start for reading in readings), len(subject)],
                strict=True,
            )
        )
        return Letter(
            message,
            tuple(reading for reading in readings if reading.owner is not theirs),
            self.index.vector(features(words)),
            side_of(message.others, message.names),
            message.direction == "internal" or is_forward(message.subject),
            subject != message.subject and message.direction == "in" and self._is_ours(message),
        )

    def _is_ours(self, message: Message) -> bool:
        """Say whether a letter's subject is that of one that we sent shortly before."""
        days = self.sent.get(plain_subject(message.subject), ())
        return any(0 <= (message.day - day).days <= _ANSWERED for day in days)

    def pairs(self, letter: Letter, thread: DiaryNumber | None = None) -> list[Pair]:
        """Give the records that a letter may be, the heaviest first. thread: its case, if known."""
        by_number = dict(self._by_number(letter))
        places = dict.fromkeys(by_number)
        places |= dict.fromkeys(self.index.by_case.get(thread, ()) if thread else ())
        message = letter.message
        places |= dict.fromkeys(self.index.near(letter.vector, letter.side, message.day))
        if message.authority:
            same = None if letter.passed_on else message.direction
            places |= dict.fromkeys(self.index.on_day(message.authority, message.day, same))
        names_ours = any(fit in (NumberFit.EXACT, NumberFit.UNIT) for fit, _ in by_number.values())
        unnamed = NumberFit.OTHER if names_ours else NumberFit.NONE
        pairs = []
        for at in places:
            fit, reading = by_number.get(at, (unnamed, None))
            pairs.append(self._pair(letter, at, fit, reading, thread))
        pairs.sort(key=lambda pair: (-pair.weight, pair.record.key))
        kept = pairs[:_KEPT]
        answered = next((pair for pair in pairs if pair.evidence.same_thread), None)
        return [*kept, answered] if answered and answered not in kept else kept

    def pair(self, letter: Letter, record: DiaryRecord, *, forwarded: bool = False) -> Pair:
        """Give the pair of a letter and a record that it is; forwarded: or that it forwards."""
        at = next(
            at for at in self.index.by_case[record.number.case] if self.index.records[at] is record
        )
        fit, reading = dict(self._by_number(letter)).get(at, (NumberFit.NONE, None))
        return self._pair(letter, at, fit, reading, None, forwarded=forwarded)

    def _by_number(self, letter: Letter) -> Iterator[tuple[int, tuple[NumberFit, Reading]]]:
        """Give the records that numbers point at; a better fit comes later and so stands."""
        for reading in letter.readings:
            number = reading.number
            if number.authority or letter.message.authority:
                full = DiaryNumber(
                    number.authority or letter.message.authority, number.year, number.serial
                )
                if reading.certainty >= Certainty.LIKELY:
                    for at in self.index.with_like_numbers(full):
                        yield at, (NumberFit.NEAR, reading)
        for reading in letter.readings:
            number = reading.number
            if number.authority:
                for at in self.index.by_case.get(number.case, ()):
                    yield at, (NumberFit.EXACT, reading)
                continue
            for at in self.index.by_serial.get((number.year, number.serial), ()):
                own = self.index.records[at].number.authority
                fit = NumberFit.UNIT if own == letter.message.authority else NumberFit.BARE
                yield at, (fit, reading)

    def _pair(
        self,
        letter: Letter,
        at: int,
        fit: NumberFit,
        reading: Reading | None,
        thread: DiaryNumber | None,
        *,
        forwarded: bool = False,
    ) -> Pair:
        message, record = letter.message, self.index.records[at]
        passed_on, whole_case = letter.passed_on, self.index.has_one_row_per_case
        party = (
            party_likeness(letter.side, record.party)
            if record.party and not passed_on and letter.side.keys
            else None
        )
        vector = self.index.vectors[at]
        evidence = Evidence(
            number=fit,
            reading=reading,
            same_thread=thread is not None and record.number.case == thread,
            forwarded=forwarded,
            quotes=letter.quotes,
            lag=_lag(message.day, record.day) if record.day and not whole_case else None,
            direction=None
            if passed_on or record.direction is None or whole_case
            else record.direction == message.direction,
            received=record.direction == "in" and not passed_on,
            party=party,
            other_party=party is not None and party < 0.5 and letter.side.says_who,
            subject=likeness(letter.vector, vector) if letter.vector and vector else None,
            own_diary=message.authority == record.number.authority if message.authority else None,
        )
        return Pair(message, record, evidence, evidence.weight)


@cache
def _lag(letter: date, record: date) -> int:
    """Count the working days from a letter to its record.

    What came on a day off has 0 until the end of the next working day.
    """
    if record < letter:
        return -(working_days_between(record, letter) + 1)
    if record == letter:
        return 0
    return working_days_between(letter, record) + int(is_working_day(letter))
