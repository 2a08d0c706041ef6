"""The questions that were put to whoever reads, and their answers.

Whoever is asked reviews nothing; the database shows them their own questions (migration 0011).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from psycopg.rows import class_row, dict_row

from compliance.messagelog import archive_door
from compliance.messagelog.answers import Row
from compliance.messagelog.archive_door import Answer
from compliance.messagelog.reading import NotYoursError
from compliance.review.doubt import Kind


@dataclass(frozen=True)
class Question:
    """A question. is_open: its row is still in doubt by it. kind: empty without an answer."""

    number: int
    unit: str
    asker: str
    asked_at: datetime
    question: str
    accepted_at: datetime
    direction: str
    is_open: bool
    answered_at: datetime | None
    kind: str | None
    matter: str | None
    words: str | None

    @property
    def may_answer(self) -> bool:
        """Say whether an answer is waited for."""
        return self.is_open and not self.kind


def own() -> list[Question]:
    """Return the questions to whoever reads, the newest first."""
    with connection.connection.cursor(row_factory=class_row(Question)) as cursor:
        cursor.execute("SELECT * FROM loglist.questions()")
        return list(cursor)


def one(number: int) -> Question:
    """Return a question to whoever reads. Raises NotYoursError if it is another's or none."""
    found = next((question for question in own() if question.number == number), None)
    if found is None:
        raise NotYoursError
    return found


def row_of(question: Question) -> Row | None:
    """Return the log's row of an open question, which is noted; None if it was disposed of.

    Raises NotYoursError if the question is not open, or another's.
    """
    with connection.connection.cursor(row_factory=dict_row) as cursor:
        reading = _run(cursor, "SELECT loglist.ask_question(%s) AS number", [question.number])
        row: Row | None = _run(
            cursor, "SELECT * FROM loglist.question_entry(%s)", [reading["number"]]
        )
        return row


def answer(question: Question, kind: Kind, matter: str, words: str) -> None:
    """Answer a question in the name of whoever reads; a first answer stands.

    Raises NotYoursError if the question is not open any more, or another's.
    """
    with connection.connection.cursor(row_factory=dict_row) as cursor:
        _run(
            cursor,
            "SELECT loglist.answer_question(%s, %s, %s, %s)",
            [question.number, kind.value, matter, words],
        )


def may_hand_over(question: Question, row: Row | None) -> bool:
    """Say whether the message can be handed over: it came in to the unit, and waits for an answer.

    Whether it lies in the mailbox of whoever reads is found out when they hand it over.
    """
    return bool(
        settings.LOGLIST.archive_socket
        and question.may_answer
        and row
        and row["recipient_unit"] == question.unit
    )


def hand_over(question: Question) -> Answer:
    """Have the message copied out of the mailbox of whoever reads into the archive.

    Returns how it went; if it did, the question is answered by it. Raises NotYoursError if it is
    another's, or not open.
    """
    with connection.connection.cursor(row_factory=dict_row) as cursor:
        asked = _run(cursor, "SELECT loglist.hand_over(%s) AS number", [question.number])
    said = archive_door.hand_over(settings.LOGLIST.archive_socket, asked["number"])
    if said.state == "found":
        answer(question, Kind.HANDED_OVER, "", "")
    return said


def _run(cursor: psycopg.Cursor[Any], statement: str, values: list[Any]) -> Any:
    try:
        return cursor.execute(statement, values).fetchone()
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotYoursError(error.diag.message_primary) from error
