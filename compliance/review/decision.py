"""What a reviewer decides of one row of the log list. Pure.

A decision is never changed: another one follows it, and both are kept (JO 4639-2007).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path

from compliance.diary.number import DiaryNumber
from compliance.texts import Text, load


class Outcome(StrEnum):
    """How a row is dealt with."""

    REGISTERED = "registered"
    KEPT_IN_ORDER = "kept-in-order"
    NEGLIGIBLE = "negligible"
    PRIVATE = "private"
    TRADE_UNION = "trade-union"
    OTHER_AUTHORITY = "other-authority"
    DOUBT = "doubt"

    @property
    def text(self) -> Text:
        """Its name for a reader."""
        return review_texts()[f"outcome.{self.value}"]


@dataclass(frozen=True, slots=True)
class NegligibleReason:
    """A kind of mail that the municipality has decided is of little account.

    decision: the municipality's own decision that says so (on disposal, arkivlagen 10 §).
    """

    id: str
    text: str
    decision: str


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision. by: id of whoever decided. at: with a zone.

    Of the rest an outcome needs: REGISTERED number; KEPT_IN_ORDER secret=False; NEGLIGIBLE reason,
    the id of one on the list; OTHER_AUTHORITY authority; DOUBT asked (id) and question. secret:
    whether anything in the document is under secrecy, None if nobody has said.
    """

    row: str
    outcome: Outcome
    by: str
    at: datetime
    number: DiaryNumber | None = None
    secret: bool | None = None
    reason: str = ""
    authority: str = ""
    asked: str = ""
    question: str = ""


def faults(decision: Decision, reasons: Collection[NegligibleReason]) -> list[Text]:
    """Say what a decision lacks, as its maker reads it; empty if it may stand.

    reasons: the municipality's list for what is negligible.
    """
    texts = review_texts()
    match decision.outcome:
        case Outcome.REGISTERED if decision.number is None:
            return [texts["fault.number"]]
        case Outcome.KEPT_IN_ORDER if decision.secret is None:
            return [texts["fault.secrecy-unknown"]]
        case Outcome.KEPT_IN_ORDER if decision.secret:
            return [texts["fault.secret"]]
        case Outcome.NEGLIGIBLE if decision.reason not in {reason.id for reason in reasons}:
            return [texts["fault.reason-listed"]]
        case Outcome.OTHER_AUTHORITY if not decision.authority.strip():
            return [texts["fault.authority"]]
        case Outcome.DOUBT:
            missing = [("question", decision.question), ("asked", decision.asked)]
            return [texts[f"fault.{name}"] for name, value in missing if not value.strip()]
    return []


def current(decisions: Iterable[Decision]) -> Mapping[str, Decision]:
    """Give the decision that holds for each row: the last one made."""
    return {
        decision.row: decision for decision in sorted(decisions, key=lambda decision: decision.at)
    }


@cache
def review_texts() -> Mapping[str, Text]:
    """Give the texts of the review by dotted key."""
    return load(Path(__file__).with_name("texts.yml"))
