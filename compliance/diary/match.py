"""Which letters stand in the diary. Pure.

Every letter is held against the records that its number, its party or its words point at; what
speaks for a pair is weighed (`evidence`), the heaviest pair is decided first, and a record is given
to one letter alone. Above a threshold a letter is matched without a human; below it the reviewer
sees suggestions. Decision 52 says how the weights were found and what was measured.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from compliance.diary.evidence import Pair, confidence, probability
from compliance.diary.index import Index
from compliance.diary.number_rules import NumberRules
from compliance.diary.record import DiaryRecord, Message
from compliance.diary.weigh import Letter, Weighing
from compliance.diary.words import is_forward, plain_subject

SHOWN = 3  # suggestions
_FORWARD_DAYS = 10  # a letter is forwarded within


@dataclass(frozen=True, slots=True)
class Policy:
    """certain: confidence above which no human is asked. base: the weight of "not in the diary"."""

    certain: float = 0.97
    base: float = 7.5


@dataclass(frozen=True, slots=True)
class Match:
    """A letter's pair with a record. confidence: how likely it is right, from 0 to 1."""

    pair: Pair
    confidence: float

    @property
    def record(self) -> DiaryRecord:
        """The record."""
        return self.pair.record


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of one letter: its records without a human, or suggestions, best first.

    Beside records the suggestions are other documents of the same case: which document of its case
    a letter is, is less certain than the case.
    """

    matched: tuple[Match, ...] = ()
    suggestions: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Decided:
    """A letter whose records are known, from an earlier run or from a reviewer, by their keys."""

    message: Message
    records: frozenset[str]


def match(
    messages: Sequence[Message],
    records: Sequence[DiaryRecord],
    rules: NumberRules | None = None,
    policy: Policy | None = None,
    decided: Sequence[Decided] = (),
) -> dict[str, Outcome]:
    """Match letters to records; the outcome of each of `messages` by the key of its message.

    A letter that reached several mailboxes is one letter: its copies share their outcome.
    decided: letters that keep the records they have, so that no other letter gets those; their
    copies and what forwards them is decided by them, and their case is suggested for what answers
    them. Of their keys only those count that are among `records`.
    """
    groups = _grouped(messages)
    heard = [*messages, *(item.message for item in decided)]
    weighing = Weighing(Index(records), rules or NumberRules(), _sent(heard))
    letters = [weighing.letter(copies[0]) for copies in groups]
    known, outcomes = _known(weighing, decided)
    found = {_identity(letter.message): outcomes[letter.message.key] for letter in known}
    new = [letter for letter in letters if _identity(letter.message) not in found]
    own = [letter for letter in new if not is_forward(letter.message.subject)]
    assignment = _Assignment(policy or Policy(), shared=weighing.index.has_one_row_per_case)
    assignment.keep(outcomes)
    assignment.run([(letter, weighing.pairs(letter)) for letter in own])
    outcomes = _with_threads(weighing, [*known, *own], assignment)
    outcomes |= _forwards(weighing, [*known, *new], outcomes, policy or Policy())
    for letter in letters:
        outcomes[letter.message.key] = found.get(
            _identity(letter.message), outcomes.get(letter.message.key, Outcome())
        )
    return {
        copy.key: outcomes[letter.message.key]
        for letter, copies in zip(letters, groups, strict=True)
        for copy in copies
    }


def _grouped(messages: Iterable[Message]) -> list[list[Message]]:
    """Put copies together; what came from outside, or went there, stands first."""
    groups: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        groups[_identity(message)].append(message)
    return [
        sorted(group, key=lambda copy: copy.direction == "internal") for group in groups.values()
    ]


def _sent(messages: Iterable[Message]) -> dict[str, list[date]]:
    """Give the subjects that went out, and their days."""
    sent: dict[str, list[date]] = defaultdict(list)
    for message in messages:
        if message.direction == "out":
            sent[plain_subject(message.subject)].append(message.day)
    return sent


def _identity(message: Message) -> str:
    """Give what copies of a letter have in common."""
    return message.message_id or f"key {message.key}"


def _known(
    weighing: Weighing, decided: Iterable[Decided]
) -> tuple[list[Letter], dict[str, Outcome]]:
    """Give the letters that have records already, once each, and their outcomes."""
    places = {record.key: record for record in weighing.index.records}
    letters: dict[str, Letter] = {}
    outcomes: dict[str, Outcome] = {}
    for item in decided:
        kept = sorted(item.records & places.keys())
        if kept:
            letter = letters.setdefault(_identity(item.message), weighing.letter(item.message))
            matches = {
                found.record.key: found
                for found in outcomes.get(letter.message.key, Outcome()).matched
            }
            matches |= {key: Match(weighing.pair(letter, places[key]), 1.0) for key in kept}
            outcomes[letter.message.key] = Outcome(tuple(matches.values()))
    return list(letters.values()), outcomes


_Rivals = dict[str, dict[str, float]]  # by record: the letters that want it, and how much


class _Assignment:
    """Gives records to letters, the heaviest pair first."""

    def __init__(self, policy: Policy, *, shared: bool) -> None:
        self._policy = policy
        self._shared = shared  # a record is a whole case, which many letters belong to
        self._taken: set[str] = set()
        self._decided: dict[str, list[Match]] = {}
        self.outcomes: dict[str, Outcome] = {}

    def keep(self, outcomes: Mapping[str, Outcome]) -> None:
        """Let letters have what they have already."""
        self.outcomes |= outcomes
        self._taken |= {
            found.record.key for outcome in outcomes.values() for found in outcome.matched
        }

    def run(self, wanted: Iterable[tuple[Letter, list[Pair]]]) -> None:
        """Decide letters that are not matched yet.

        What one pass has given away leaves less doubt about the rest, so passes go on until one
        gives nothing away.
        """
        slots = [slot for letter, pairs in wanted for slot in _slots(letter, pairs) if slot]
        undecided, before = slots, -1
        while len(undecided) != before:
            before = len(undecided)
            rivals = _rivals(undecided, self._policy.base)
            undecided = self._pass(undecided, rivals)
        self._note(slots, undecided, rivals)

    def _pass(self, slots: list[list[Pair]], rivals: _Rivals) -> list[list[Pair]]:
        """Decide what is certain; give the slots that are left."""
        heap = [(-slot[0].weight, number, 0) for number, slot in enumerate(slots)]
        heapq.heapify(heap)
        left: list[list[Pair]] = []
        while heap:
            _, number, at = heapq.heappop(heap)
            slot = slots[number]
            pair = slot[at]
            if not self._is_free(pair):
                if at + 1 < len(slot):
                    heapq.heappush(heap, (-slot[at + 1].weight, number, at + 1))
                continue
            best = self._weighed(pair, slot, rivals)
            # A conversation may have passed on to another matter.
            is_certain = best.confidence >= self._policy.certain
            if is_certain and not pair.evidence.is_by_thread:
                self._taken.add(pair.record.key)
                self._decided.setdefault(pair.message.key, []).append(best)
            else:
                left.append(slot)
        return left

    def _is_free(self, pair: Pair) -> bool:
        return self._shared or pair.record.key not in self._taken

    def _weighed(self, pair: Pair, slot: list[Pair], rivals: _Rivals) -> Match:
        """Give a pair its confidence, against the letter's other records and other letters.

        Other documents of the same case are no rivals: which of them it is, is less certain, but
        the letter has the case's diary number in any event.
        """
        case = pair.record.number.case
        others = [
            other.weight
            for other in slot
            if other.record.number.case != case and self._is_free(other)
        ]
        if not self._shared:
            others += [
                wants
                for key, wants in rivals[pair.record.key].items()
                if key != pair.message.key and key not in self._decided
            ]
        sure = confidence(pair.weight, others, self._policy.base)
        if pair.evidence.names_case or pair.evidence.direction is False:
            sure *= probability(pair.evidence.weight_within_case)
        return Match(pair, sure)

    def _note(self, slots: list[list[Pair]], undecided: list[list[Pair]], rivals: _Rivals) -> None:
        """Put the outcome of each letter on record; what others have is suggested last."""
        suggestions: dict[str, list[Match]] = defaultdict(list)
        slots_of: dict[str, list[Pair]] = defaultdict(list)
        for slot in undecided:
            suggestions[slot[0].message.key] += [
                self._weighed(pair, slot, rivals) for pair in slot if self._is_free(pair)
            ]
        for slot in slots:
            key = slot[0].message.key
            slots_of[key] += slot
            if key not in self._decided:
                suggestions[key] += [Match(pair, 0.0) for pair in slot if not self._is_free(pair)]
        for key in {slot[0].message.key for slot in slots}:
            decided = tuple(self._decided.get(key, ()))
            found = self._beside(decided, slots_of[key]) if decided else suggestions[key]
            best = _ranked(found)
            self.outcomes[key] = Outcome(decided, tuple(best[: max(0, SHOWN - len(decided))]))

    def _beside(self, decided: tuple[Match, ...], pairs: list[Pair]) -> list[Match]:
        """Give the other documents of the cases that a letter has, also those of other letters."""
        cases = {found.record.number.case for found in decided}
        taken = {found.record.key for found in decided}
        return [
            Match(pair, 0.0)
            for pair in pairs
            if pair.record.number.case in cases and pair.record.key not in taken
        ]


def _ranked(found: list[Match]) -> list[Match]:
    """Put suggestions in order, the likeliest first.

    The case of the letter that this one answers stands once before all that no number names.
    """
    best = sorted(found, key=lambda match: (-match.confidence, -match.pair.weight))
    thread = next((match for match in best if match.pair.evidence.same_thread), None)
    return sorted(
        best,
        key=lambda match: (
            0 if match.pair.evidence.number_names_case else 1 if match is thread else 2
        ),
    )


def _rivals(slots: Iterable[list[Pair]], base: float) -> _Rivals:
    """Give for each record the letters that want it, and how much.

    A letter that has another record of its own wants this one so much less.
    """
    rivals: dict[str, dict[str, float]] = defaultdict(dict)
    for slot in slots:
        for pair in slot:
            best_other = next((other.weight for other in slot if other is not pair), base)
            wants = pair.weight - max(0.0, best_other - base)
            rivals[pair.record.key][pair.message.key] = wants
    return rivals


def _slots(letter: Letter, pairs: list[Pair]) -> Iterator[list[Pair]]:
    """One decision for a letter, or one for each of the cases that it names."""
    named = {pair.record.number.case for pair in pairs if letter.names(pair.record)}
    if len(named) < 2:
        yield pairs
        return
    for case in sorted(named):
        yield [pair for pair in pairs if pair.record.number.case == case]


def _with_threads(
    weighing: Weighing, letters: list[Letter], assignment: _Assignment
) -> dict[str, Outcome]:
    """Weigh anew those that are not matched but answer a letter that is."""
    cases = {
        letter.message.message_id: outcome.matched[0].record.number.case
        for letter in letters
        if letter.message.message_id
        and (outcome := assignment.outcomes.get(letter.message.key))
        and outcome.matched
    }
    again = []
    for letter in letters:
        outcome = assignment.outcomes.get(letter.message.key)
        thread = [cases[name] for name in letter.message.references if name in cases]
        if thread and not (outcome and outcome.matched):
            again.append((letter, weighing.pairs(letter, thread[-1])))
    assignment.run(again)
    return {letter.message.key: Outcome() for letter in letters} | assignment.outcomes


def _forwards(
    weighing: Weighing, letters: list[Letter], outcomes: dict[str, Outcome], policy: Policy
) -> dict[str, Outcome]:
    """Decide forwarded letters: as what they forward, where that is known, else by themselves.

    They take no record from others, since it is the first letter that stands in the diary.
    """
    originals = {
        letter.message.message_id: letter for letter in letters if letter.message.message_id
    }
    by_subject: dict[str, list[Letter]] = defaultdict(list)
    for letter in letters:
        if letter.message.key in outcomes and not is_forward(letter.message.subject):
            by_subject[plain_subject(letter.message.subject)].append(letter)
    found: dict[str, Outcome] = {}
    alone = _Assignment(policy, shared=True)
    for letter in letters:
        if letter.message.key in outcomes:
            continue
        named = [originals[name] for name in letter.message.references if name in originals]
        alike = named[-1:] or [
            other
            for other in by_subject[plain_subject(letter.message.subject)]
            if 0 <= (letter.message.day - other.message.day).days <= _FORWARD_DAYS
        ]
        forwarded = outcomes.get(alike[0].message.key) if len(alike) == 1 else None
        if forwarded and (forwarded.matched or forwarded.suggestions):
            found[letter.message.key] = Outcome(
                tuple(_passed_on(weighing, letter, match) for match in forwarded.matched),
                tuple(_passed_on(weighing, letter, match) for match in forwarded.suggestions),
            )
        else:
            alone.run([(letter, weighing.pairs(letter))])
    return found | alone.outcomes


def _passed_on(weighing: Weighing, letter: Letter, match: Match) -> Match:
    return Match(weighing.pair(letter, match.record, forwarded=True), match.confidence)
