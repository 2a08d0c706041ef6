"""The letters about questions to officials: who is written to now, each letter once.

A letter is noted when it has been sent. Killed between the two, the worker sends it once more, with
the same Message-ID, by which the recipient's program can tell; never not at all.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urljoin

from django.conf import settings
from django.db import connection
from django.urls import reverse

from compliance.clock import SWEDEN
from compliance.directory import ldap, officials
from compliance.directory.held import read_held
from compliance.directory.officials import Official
from compliance.directory.tree import Held
from compliance.errors import Problem, UserError
from compliance.loglist.doubts import open_doubts
from compliance.loglist.login import unit_names
from compliance.loglist.models import DoubtLetter, ReviewDecision
from compliance.post import Letter, send
from compliance.review.doubt import Doubt, Row, Step, due, letter
from compliance.watch.keepers import head_of
from compliance.watch.reminders import Recipient


class Due(NamedTuple):
    """A letter that is to be sent. step: which one it then counts as."""

    doubt: ReviewDecision
    step: Step
    to: str


def send_due(now: datetime) -> int:
    """Send the letters that are due, as the worker; return how many.

    One that is not taken is tried again with the next run, and stops no other: then UserError is
    raised at the end. Nothing is sent while another worker is at it.
    """
    sent, problems = 0, []
    if settings.KOMMUNPOST.sender is None:  # no page asks anything then
        return 0
    with _alone() as is_alone:
        waiting = open_doubts().filter(answer__isnull=True) if is_alone else []
        directory = Directory()
        for doubt in waiting:
            try:
                found = _due(doubt, directory, now)
                if found:
                    _send(found, now)
                    sent += 1
            except UserError as error:
                problems += error.problems
    if problems:
        raise UserError(problems)
    return sent


class Directory:
    """Look-ups; the whole directory is read only when a head is to be told."""

    def official(self, person: str) -> Official | None:
        """Return whoever is asked, if they are still here."""
        with ldap.connect(settings.DIRECTORY, "reader") as opened:
            return officials.by_id(opened, settings.DIRECTORY.base, person)

    def head(self, unit: str) -> Recipient | None:
        """Return who leads a unit, else the executive office."""
        return head_of(self._held.entries, settings.DIRECTORY.base, unit)

    @cached_property
    def _held(self) -> Held:
        with ldap.connect(settings.DIRECTORY, "reader") as opened:
            return read_held(opened, settings.DIRECTORY.base)


def _due(doubt: ReviewDecision, directory: Directory, now: datetime) -> Due | None:
    """Say what is due of a question. The head is told at once of one who has left."""
    sent = tuple((Step(letter.step), letter.day) for letter in doubt.letters.all())
    step = due(Doubt(str(doubt.item_id), doubt.asked, doubt.question, doubt.at, sent), now)
    if step is None:
        return None
    if step is not Step.HEAD:
        official = directory.official(doubt.asked)
        if official is not None:
            return Due(doubt, step, official.address)
    if Step.HEAD in dict(sent):
        return None
    head = directory.head(doubt.unit)
    if head is None:
        raise UserError(
            [
                Problem(
                    "there is nobody to tell of a question without an answer",
                    f"unit {doubt.unit}, question {doubt.id}",
                    "name an executive office in organisation.yml, or decide the row",
                )
            ]
        )
    return Due(doubt, Step.HEAD, head.address)


def _send(found: Due, now: datetime) -> None:
    doubt, item = found.doubt, found.doubt.item
    sender = settings.KOMMUNPOST.sender
    page = reverse("doubts", args=[doubt.unit])
    if found.step is not Step.HEAD:
        page = reverse("question", args=[doubt.id])
    subject, body = letter(
        found.step,
        Doubt(str(doubt.item_id), doubt.asked, doubt.question, doubt.at),
        Row(
            item.accepted_at,
            item.direction,
            item.sequence,
            urljoin(f"https://{settings.LOGLIST.hosts[0]}/", page),
        ),
        to=doubt.asked_name,
        reviewer=doubt.reviewer_name,
        unit=unit_names().get(doubt.unit, doubt.unit),
    )
    name = f"doubt-{doubt.id}-{found.step}-{doubt.at:%Y%m%d%H%M%S}"
    message_id = f"<{name}@{sender.address.partition('@')[2]}>"
    send(sender, Letter(found.to, subject, body, message_id))
    DoubtLetter.objects.create(
        doubt=doubt,
        unit=doubt.unit,
        step=found.step.value,
        day=now.astimezone(SWEDEN).date(),
        to=found.to,
        message_id=message_id,
    )


@contextmanager
def _alone() -> Iterator[bool]:
    """Say whether no other worker sends letters; none does until the block ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('loglist.doubt_letters'))")
        is_alone = bool(cursor.fetchone()[0])
        try:
            yield is_alone
        finally:
            if is_alone:
                cursor.execute("SELECT pg_advisory_unlock(hashtext('loglist.doubt_letters'))")
