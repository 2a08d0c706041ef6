"""What speaks for a letter being a certain record, and how much. Pure.

Weights are log odds, added as in Fellegi and Sunter, A Theory for Record Linkage (1969), section
2: how much more often something is seen when the two belong together than when they do not.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from compliance.diary.number import Certainty, Reading
from compliance.diary.record import DiaryRecord, Message


class NumberFit(StrEnum):
    """How a number in the letter is the record's."""

    EXACT = "exact"
    UNIT = "unit"  # without prefix; the mailbox's unit keeps that diary
    BARE = "bare"  # without prefix
    NEAR = "near"  # one digit is another, or two have changed places
    OTHER = "other"  # the letter names another case of this diary
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one letter and one record.

    lag: working days from letter to record, below 0 if the record is older; None if the record has
    no day or the diary has one row for a whole case. direction: whether they have the same; None if
    it does not count. received: the record is of something received, so its day is not before the
    letter's. party, subject: likeness from 0 to 1, None if one of the two has none. other_party:
    both say who it is, and it is not the same. own_diary: the record stands in the diary that the
    mailbox's unit keeps; None if that is not known.
    same_thread: the letter answers one that has a record of the same case. forwarded: the letter
    that was forwarded is this record. quotes: the letter answers one of ours
    and has its subject word for word, so that the number in it is ours, not the writer's.
    """

    number: NumberFit
    reading: Reading | None
    same_thread: bool
    forwarded: bool
    quotes: bool
    lag: int | None
    direction: bool | None
    received: bool
    party: float | None
    other_party: bool
    subject: float | None
    own_diary: bool | None

    @property
    def names_case(self) -> bool:
        """The letter says by itself or by its conversation which case it belongs to."""
        return self.same_thread or self.number_names_case

    @property
    def number_names_case(self) -> bool:
        """The letter says by a number of its own which case it belongs to."""
        return self.number in (NumberFit.EXACT, NumberFit.UNIT)

    @property
    def is_by_thread(self) -> bool:
        """The conversation says which case it is, and no number does, not even nearly."""
        return self.same_thread and self.number in (NumberFit.NONE, NumberFit.OTHER)

    @property
    def is_case_alone(self) -> bool:
        """The conversation says which case it is, and the record is another document of it."""
        return self.is_by_thread and self.weight_within_case < 0.0

    @property
    def weight(self) -> float:
        """The sum of the log odds."""
        return (
            self._of_number()
            + (8.0 if self.same_thread else 0.0)
            + (12.0 if self.forwarded else 0.0)
            + self._of_lag()
            + (0.0 if self.own_diary is None else 1.0 if self.own_diary else -2.0)
            + (0.0 if self.direction is None else 0.5 if self.direction else -14.0)
            + _of_party(self.party)
            + (0.0 if self.subject is None else 9.0 * self.subject - 1.5)
        )

    @property
    def weight_within_case(self) -> float:
        """The log odds that the letter is this document of its case, and not left unregistered.

        Party and words say little here: they fit every letter of the case.
        """
        if self.direction is False:
            return -9.0
        if self.lag is None or self.forwarded:
            return 9.0
        if self.lag < 0 and self.received:
            return -9.0
        if self.quotes:  # as thanks do, which nobody registers; a person sees which it is
            return 0.0
        party = 0.5 if self.party and self.party >= 0.8 else -1.0 if self.other_party else 0.0
        steps = _WITHIN_CASE if self.received else _SENT_WITHIN_CASE
        return _step(self.lag, steps, -5.0) + party

    def _of_number(self) -> float:
        sure = self.reading.certainty if self.reading else Certainty.POSSIBLE
        match self.number:
            case NumberFit.EXACT:
                return {Certainty.CERTAIN: 15.0, Certainty.LIKELY: 14.0, Certainty.POSSIBLE: 9.0}[
                    sure
                ]
            case NumberFit.UNIT:
                return 13.0 if sure >= Certainty.LIKELY else 10.0
            case NumberFit.BARE:
                return 5.0 if sure >= Certainty.LIKELY else 4.0
            case NumberFit.NEAR:
                return 4.0
            case NumberFit.OTHER:
                return -4.0
        return 0.0

    def _of_lag(self) -> float:
        if self.lag is None:
            return 0.0
        if self.lag < 0 and self.received:
            return -12.0
        return _step(self.lag, _LAGS, -10.0)


# Working days up to which a weight holds. A letter is registered the same day or soon; what goes
# out may be dated when it was drawn up.
_LAGS = (
    *((-4, -14.0), (-3, -6.0), (-2, -3.0), (-1, -1.0)),
    *((0, 2.5), (1, 1.2), (2, 0.3), (3, -0.5), (5, -1.5), (9, -3.0)),
)
_SENT_WITHIN_CASE = (
    *((-4, -6.0), (-3, 2.0), (-2, 4.7), (-1, 5.5)),
    *((0, 8.0), (1, 6.0), (2, 5.0), (3, 4.0), (5, 3.0), (9, 2.0)),
)
_WITHIN_CASE = (
    *((-4, -6.0), (-2, 1.0), (-1, 3.0)),
    *((0, 7.0), (1, 5.0), (3, 4.6), (9, 3.6)),
)


def _step(lag: int, steps: tuple[tuple[int, float], ...], beyond: float) -> float:
    return next((weight for limit, weight in steps if lag <= limit), beyond)


def _of_party(likeness: float | None) -> float:
    if likeness is None:
        return 0.0
    for limit, weight in ((0.9, 5.0), (0.8, 4.0), (0.6, 2.5), (0.5, 1.5)):
        if likeness >= limit:
            return weight
    return -2.5


@dataclass(frozen=True, slots=True)
class Pair:
    """A letter, a record and what speaks for the two."""

    message: Message
    record: DiaryRecord
    evidence: Evidence
    weight: float


def confidence(weight: float, rivals: list[float], base: float) -> float:
    """Give the probability that a pair is right, from 0 to 1.

    base: the weight at which a record is as likely to be the letter's as that none is. rivals:
    the weights of the other records that the letter could be.
    """
    odds = [math.exp(min(rival - weight, 50.0)) for rival in (*rivals, base)]
    return 1.0 / (1.0 + sum(odds))


def probability(log_odds: float) -> float:
    """Give the probability of log odds."""
    return 1.0 / (1.0 + math.exp(-log_odds))
