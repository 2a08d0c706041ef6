"""Opening a message of somebody's own mailbox in their absence: who asks, and who agrees."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from django.db import models

# How long a request waits for a second person, and how long what they agreed to may be opened.
# The database holds both (migration 0013).
WAITS = timedelta(days=7)
OPEN = timedelta(hours=24)


class Standing(StrEnum):
    """How a request stands."""

    WAITING = "waiting"
    OPEN = "open"
    OVER = "over"


class AbsenceRequest(models.Model):
    """A request to open the message of an entry; the database alone adds and changes it.

    outbox, sequence and accepted_at: the entry's place in the log. holder: lasting id of whose
    mailbox it is. agreed_by: empty until a second person has agreed.
    """

    unit = models.CharField(max_length=255)
    outbox = models.UUIDField()
    sequence = models.BigIntegerField()
    accepted_at = models.DateTimeField()
    holder = models.CharField(max_length=64)
    reason = models.CharField(max_length=2000)
    asked_by = models.CharField(max_length=64)
    asked_by_name = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    agreed_by = models.CharField(max_length=64, default="")
    agreed_by_name = models.CharField(max_length=200, default="")
    agreed_at = models.DateTimeField(null=True)

    class Meta:
        """How it is stored."""

        indexes: ClassVar = [models.Index(fields=["unit", "asked_at"], name="absence_unit")]

    def standing(self, now: datetime) -> Standing:
        """Say how it stands at a time."""
        if self.agreed_at:
            return Standing.OPEN if now < self.agreed_at + OPEN else Standing.OVER
        return Standing.WAITING if now < self.asked_at + WAITS else Standing.OVER

    def __str__(self) -> str:
        """Name the request."""
        return f"{self.unit} {self.outbox} {self.sequence}"
