"""The protocol of a reviewed period: what was decided, by whom, and what took too long. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from compliance.clock import SWEDEN
from compliance.errors import UserError
from compliance.review.decision import Decision, NegligibleReason, Outcome
from compliance.review.lag import LIMIT, Lag
from compliance.review.period import Period, Regularity, Reviewers, open_rows


@dataclass(frozen=True, slots=True)
class Settled:
    """A doubt that was settled in the period: the question, the answer if any, and the decision."""

    question: str
    answer: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class Signature:
    """Who closed the period, under which name, and when; as_deputy if not the reviewer."""

    person: str
    name: str
    at: datetime
    as_deputy: bool


@dataclass(frozen=True)
class Protocol:
    """What the PDF shows.

    counts: rows for every outcome, also those with none. rows: the decision of every row, in the
    list's order. late: registered, but later than the limit. negligible: rows for each reason.
    """

    unit: str
    period: Period
    regularity: Regularity
    is_default_regularity: bool
    counts: Mapping[Outcome, int]
    negligible: Mapping[NegligibleReason, int]
    rows: Sequence[Decision]
    settled: Sequence[Settled]
    late: Sequence[Lag]
    limit: int
    signature: Signature


@dataclass(frozen=True)
class Reviewed:
    """A period as it was reviewed: rows of the list in their order, and what was decided.

    decisions: the one that holds for each row. reasons: the municipality's list.
    """

    unit: str
    period: Period
    regularity: Regularity
    is_default_regularity: bool
    rows: Sequence[str]
    decisions: Mapping[str, Decision]
    settled: Sequence[Settled]
    lags: Sequence[Lag]
    reasons: Sequence[NegligibleReason]


def close(
    reviewed: Reviewed, reviewers: Reviewers, person: str, name: str, at: datetime
) -> Protocol:
    """Close a period and give its protocol. person, name: id and name of whoever signs.

    Raises UserError if a row has no outcome, the period is not over, or the person may not sign.
    """
    if not reviewers.may_close(person):
        raise UserError.of(
            "only the unit's reviewer and deputy may close a period",
            reviewed.unit,
            "let one of them sign, or name another reviewer in organisation.yml",
        )
    if at.astimezone(SWEDEN).date() <= reviewed.period.last:
        raise UserError.of(
            f"the period lasts until {reviewed.period.last}",
            reviewed.unit,
            "close it when its last day is over",
        )
    left = open_rows(reviewed.rows, reviewed.decisions)
    if left:
        raise UserError.of(
            f"{len(left)} rows have no outcome",
            reviewed.unit,
            "decide each of them; a doubt ends in a reasoned outcome",
        )
    decided = [reviewed.decisions[row] for row in reviewed.rows]
    found = Counter(decision.outcome for decision in decided)
    reasons = Counter(d.reason for d in decided if d.outcome is Outcome.NEGLIGIBLE)
    return Protocol(
        reviewed.unit,
        reviewed.period,
        reviewed.regularity,
        reviewed.is_default_regularity,
        {outcome: found[outcome] for outcome in Outcome if outcome is not Outcome.DOUBT},
        {reason: reasons[reason.id] for reason in reviewed.reasons if reasons[reason.id]},
        decided,
        tuple(reviewed.settled),
        [item for item in reviewed.lags if item.registered and item.is_late(LIMIT)],
        LIMIT,
        Signature(person, name, at, as_deputy=person != reviewers.reviewer),
    )
