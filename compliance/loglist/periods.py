"""The periods of a unit's review: which are open, and closing one with its protocol."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Max, Q
from django.db.models.functions import TruncDate

from compliance.clock import SWEDEN, midnight
from compliance.diary.number import DiaryNumber
from compliance.directory import ldap, log_readers
from compliance.loglist.models import ProtocolRow, ReviewDecision, ReviewItem, ReviewProtocol
from compliance.loglist.reviews import LEFT, reasons
from compliance.messagelog.answers import Session
from compliance.review.decision import Decision, NegligibleReason, Outcome
from compliance.review.document import Place, to_pdf
from compliance.review.lag import Lag, lag
from compliance.review.period import (
    DEFAULT_REGULARITY,
    Period,
    Regularity,
    Reviewers,
    periods_between,
)
from compliance.review.protocol import Protocol, Reviewed, Settled, close

_DAY = timedelta(days=1)


class NotThisPeriodError(Exception):
    """The period is not the oldest open one: it is closed already, or others come before it."""


@dataclass(frozen=True)
class Open:
    """A period that is not closed. rows, left: of the unit, also those that came late for another.

    is_next: the oldest one, which is closed before any other.
    """

    period: Period
    rows: int
    left: int
    is_over: bool
    is_overdue: bool
    is_next: bool

    @property
    def may_close(self) -> bool:
        """Say whether all is done that closing needs."""
        return self.is_next and self.is_over and not self.left


def regularity() -> Regularity:
    """Return how often lists are reviewed."""
    said = settings.LOGLIST.regularity
    return Regularity(said) if said else DEFAULT_REGULARITY


def open_periods(unit: str, today: date) -> list[Open]:
    """Return a unit's periods from the first that is not closed to the present one.

    Without a gap: the first begins on the day after the last closed one ended, also when the
    regularity was changed in between.
    """
    counted = list(
        _not_in_a_protocol(unit)
        .values_list(TruncDate("accepted_at", tzinfo=SWEDEN))
        .annotate(rows=Count("id"), left=Count("id", filter=Q(outcome__in=LEFT)))
    )
    ended = ReviewProtocol.objects.filter(unit=unit).aggregate(last=Max("last"))["last"]
    begin = ended + _DAY if ended else min([today, *(day for day, *_ in counted)])
    found = periods_between(begin, today, regularity())
    if ended:
        found[0] = Period(begin, found[0].last)
    behind = [date.min, *(period.last for period in found)]
    return [
        Open(
            period,
            sum(rows for day, rows, _ in counted if after < day <= period.last),
            sum(left for day, _, left in counted if after < day <= period.last),
            is_over=period.last < today,
            is_overdue=period.due() < today,
            is_next=period is found[0],
        )
        for after, period in zip(behind, found, strict=False)
    ]


def close_period(
    unit: str, unit_name: str, period: Period, who: Session, *, is_deputy: bool, now: datetime
) -> None:
    """Close the oldest open period and keep its protocol, signed by whoever reads.

    Raises NotThisPeriodError, and UserError if it is not over or rows are left.
    """
    if open_periods(unit, now.astimezone(SWEDEN).date())[0].period != period:
        raise NotThisPeriodError
    end = midnight(period.last + _DAY)
    items = list(_not_in_a_protocol(unit).filter(accepted_at__lt=end).order_by("accepted_at", "id"))
    stored = {
        made.item_id: made
        for made in ReviewDecision.objects.filter(item__in=items, revision=F("item__revision"))
    }
    protocol = close(
        _reviewed(unit_name, period, items, stored, now.astimezone(SWEDEN).date()),
        Reviewers("", who.reader) if is_deputy else Reviewers(who.reader),
        who.reader,
        who.name,
        now,
    )
    pdf = to_pdf(protocol, _places(items, stored), settings.KOMMUNPOST.municipality.name, "sv")
    try:
        _keep(unit, protocol, items, stored, pdf)
    except IntegrityError as error:
        raise NotThisPeriodError from error


def deputies(unit: str) -> frozenset[str]:
    """Return the ids of a unit's deputies. Raises UserError if the directory is away."""
    with ldap.connect(settings.DIRECTORY, "reader") as connection:
        return log_readers.deputies(connection, settings.DIRECTORY.base, unit)


Stored = dict[int, ReviewDecision]


def _not_in_a_protocol(unit: str) -> Any:
    return ReviewItem.objects.filter(unit=unit, protocol_row__isnull=True)


def _reviewed(
    unit_name: str, period: Period, items: Sequence[ReviewItem], stored: Stored, today: date
) -> Reviewed:
    listed = reasons()
    gone = {
        made.reason: NegligibleReason(made.reason, made.reason_text, "")
        for made in stored.values()
        if made.outcome == Outcome.NEGLIGIBLE.value
        and made.reason not in {reason.id for reason in listed}
    }
    return Reviewed(
        unit=unit_name,
        period=period,
        regularity=regularity(),
        is_default_regularity=settings.LOGLIST.regularity is None,
        rows=[str(item.id) for item in items],
        decisions={str(number): _decision(made) for number, made in stored.items()},
        settled=_settled(items, stored),
        lags=[_lag(item, today) for item in items],
        reasons=[*listed, *gone.values()],
    )


def _settled(items: Sequence[ReviewItem], stored: Stored) -> list[Settled]:
    """Return the questions that were asked about rows, without the words of question and answer:
    those may tell what is secret, and a protocol is for anybody to read.
    """
    rows = {item.id: item for item in items}
    asked = ReviewDecision.objects.filter(item__in=items, outcome=Outcome.DOUBT.value)
    return [
        Settled(
            f"{rows[doubt.item_id].accepted_at.astimezone(SWEDEN):%Y-%m-%d %H:%M}, "
            f"nr {rows[doubt.item_id].sequence}",
            doubt.answer.told if hasattr(doubt, "answer") else "",
            _decision(stored[doubt.item_id]),
        )
        for doubt in asked.select_related("answer").order_by("id")
    ]


def _decision(made: ReviewDecision) -> Decision:
    return Decision(
        row=str(made.item_id),
        outcome=Outcome(made.outcome),
        by=made.reviewer,
        at=made.at,
        number=DiaryNumber.read(made.number),
        secret=made.secret,
        reason=made.reason,
        authority=made.authority,
    )


def _lag(item: ReviewItem, today: date) -> Lag:
    is_registered = item.outcome == Outcome.REGISTERED.value
    day = item.decided_at.astimezone(SWEDEN).date() if is_registered else None
    return lag(str(item.id), item.accepted_at, day, today)


def _places(items: Sequence[ReviewItem], stored: Stored) -> dict[str, Place]:
    return {
        str(item.id): Place(
            item.accepted_at, item.direction, item.sequence, stored[item.id].reviewer_name
        )
        for item in items
    }


def _keep(
    unit: str, protocol: Protocol, items: Sequence[ReviewItem], stored: Stored, pdf: bytes
) -> None:
    with transaction.atomic():
        kept = ReviewProtocol.objects.create(
            unit=unit,
            first=protocol.period.first,
            last=protocol.period.last,
            signer=protocol.signature.person,
            signer_name=protocol.signature.name,
            signed_at=protocol.signature.at,
            rows=len(items),
            pdf=pdf,
            sha256=hashlib.sha256(pdf).hexdigest(),
        )
        ProtocolRow.objects.bulk_create(
            ProtocolRow(item=item, unit=unit, protocol=kept, decision=stored[item.id])
            for item in items
        )
