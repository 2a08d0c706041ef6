"""Why a letter was paired with a record, in sentences that a registrar understands. Pure."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from compliance.diary.evidence import Evidence, NumberFit, Pair
from compliance.diary.words import shown_words
from compliance.texts import Text, load, plain

_ALIKE = 0.3  # of 1: from here on two subjects are told to be alike
_UNLIKE = 0.05


def explain(pair: Pair) -> list[Text]:
    """Give the reasons for and against a pair, the weightiest kind first.

    They hold nothing of the record but what is public, since a `DiaryRecord` has nothing else.
    """
    evidence, record = pair.evidence, pair.record
    number = plain(str(record.number))
    reasons = [*_of_number(evidence, pair)]
    if evidence.quotes:
        reasons.append(_texts()["quotes"])
    if evidence.forwarded:
        reasons.append(_texts()["forwarded"].fill(number=number))
    if evidence.same_thread:
        reasons.append(_texts()["thread"].fill(number=plain(str(record.number.case))))
    if evidence.party is not None:
        fit = "same" if evidence.party >= 0.8 else "like" if evidence.party >= 0.5 else "other"
        reasons.append(_texts()[f"party.{fit}"].fill(party=plain(record.party)))
    if not evidence.is_case_alone:  # what tells of another document says nothing of this letter
        reasons += _of_lag(evidence)
        if evidence.direction is False:
            reasons.append(_texts()["direction.other"])
    reasons += _of_words(pair)
    return reasons


def _of_number(evidence: Evidence, pair: Pair) -> Iterator[Text]:
    if evidence.number is NumberFit.OTHER:
        yield _texts()["number.other"]
    if evidence.reading is None:
        return
    fit = evidence.number.value
    if evidence.number is NumberFit.EXACT and evidence.reading.repairs:
        fit = "repaired"
    yield _texts()[f"number.{fit}"].fill(
        number=plain(str(pair.record.number)),
        written=plain(evidence.reading.written),
        authority=plain(pair.message.authority),
    )


def _of_lag(evidence: Evidence) -> Iterator[Text]:
    if evidence.lag is None:
        return
    fit = {0: "same", 1: "next"}.get(evidence.lag, "later" if evidence.lag > 0 else "earlier")
    yield _texts()[f"day.{fit}"].fill(days=evidence.lag)


def _of_words(pair: Pair) -> Iterator[Text]:
    if pair.evidence.subject is None:
        return
    words = shown_words(pair.message.subject, pair.record.subject)
    if words:
        yield _texts()["words.shared"].fill(words=plain(", ".join(words)))
    elif pair.evidence.subject >= _ALIKE:
        yield _texts()["words.alike"]
    elif pair.evidence.subject < _UNLIKE:
        yield _texts()["words.other"]


@cache
def _texts() -> dict[str, Text]:
    return load(Path(__file__).with_name("explanations.yml"))
