"""The life of a doubt: a letter to the official, reminders, and a reasoned outcome. Pure."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from compliance.clock import SWEDEN
from compliance.letters import render
from compliance.review.decision import Decision, Outcome, review_texts
from compliance.texts import Text, plain
from compliance.workdays import is_working_day, working_days_between

# Working days without an answer before the official is reminded, and before the head is told.
# Defaults of ours: guidelines of municipalities speak of an answer within two days.
REMIND_AFTER, ESCALATE_AFTER = 2, 5


class Step(StrEnum):
    """What is sent next."""

    QUESTION = "question"
    REMINDER = "reminder"
    HEAD = "head"


class Kind(StrEnum):
    """What the official answers."""

    MATTER = "matter"
    KEPT_IN_ORDER = "kept-in-order"
    NEGLIGIBLE = "negligible"
    PRIVATE = "private"
    WORDS = "words"
    HANDED_OVER = "handed-over"

    @property
    def text(self) -> Text:
        """Its name for a reader."""
        return review_texts()[f"answer.{self.value}"]


def answer_faults(kind: Kind, number: str, words: str) -> list[Text]:
    """Say what an answer lacks; empty if it may be given."""
    if kind is Kind.MATTER and not number.strip() and not words.strip():
        return [review_texts()["fault.matter"]]
    if kind is Kind.WORDS and not words.strip():
        return [review_texts()["fault.words"]]
    return []


@dataclass(frozen=True, slots=True)
class Doubt:
    """A question about one row. sent: the day of each letter. answer: empty until there is one."""

    row: str
    asked: str
    question: str
    opened: datetime
    sent: tuple[tuple[Step, date], ...] = ()
    answer: str = ""
    answered: datetime | None = None

    @property
    def is_answered(self) -> bool:
        """The official has written something."""
        return bool(self.answer.strip())

    def with_answer(self, answer: str, at: datetime) -> "Doubt":
        """Give the doubt with the official's answer; empty words are no answer."""
        return replace(self, answer=answer, answered=at) if answer.strip() else self

    def with_letter(self, step: Step, day: date) -> "Doubt":
        """Give the doubt with a letter noted as sent."""
        return replace(self, sent=(*self.sent, (step, day)))


def due(doubt: Doubt, now: datetime) -> Step | None:
    """Give the letter that is due, if any: the question at once, then at most one a working day."""
    today = now.astimezone(SWEDEN).date()
    steps = dict(doubt.sent)
    if doubt.is_answered or today in steps.values():
        return None
    if Step.QUESTION not in steps:
        return Step.QUESTION
    if not is_working_day(today):
        return None
    waited = working_days_between(steps[Step.QUESTION], today)
    if Step.REMINDER not in steps:
        return Step.REMINDER if waited >= REMIND_AFTER else None
    if Step.HEAD not in steps:
        return Step.HEAD if waited >= ESCALATE_AFTER else None
    return None


def settling_faults(decision: Decision) -> list[Text]:
    """Say what a decision lacks to end a doubt: another outcome, and a reason in words.

    It may end without an answer: the reviewer decides, and the reason says so.
    """
    found = []
    if decision.outcome is Outcome.DOUBT:
        found.append(review_texts()["fault.still-doubt"])
    if not decision.reason.strip():
        found.append(review_texts()["fault.reason"])
    return found


@dataclass(frozen=True, slots=True)
class Row:
    """What a letter tells of the row in doubt: by what the official finds it, and no more.

    Neither party nor subject nor the question, which may be secret or name somebody (P1): they
    stand on the page. direction: `in`, `out` or `internal`. number: in the log. link: to the page
    where the official answers, or where the head sees what waits.
    """

    received: datetime
    direction: str
    number: int
    link: str


def letter(
    step: Step, doubt: Doubt, row: Row, *, to: str, reviewer: str, unit: str
) -> tuple[str, str]:
    """Write a letter about a doubt in Swedish; return its subject and body.

    to, reviewer: names to be shown. unit: name of the unit whose list is reviewed, as signature.
    """
    return render(
        f"doubt-{step}.txt.j2",
        to=to,
        reviewer=reviewer,
        unit=unit,
        opened=plain("{day}").fill(day=doubt.opened.astimezone(SWEDEN).date()).sv,
        received=plain("{day}").fill(day=row.received.astimezone(SWEDEN).date()).sv,
        clock=f"{row.received.astimezone(SWEDEN):%H.%M}",
        direction=review_texts()[f"direction.{row.direction}"].sv,
        number=row.number,
        link=row.link,
    )
