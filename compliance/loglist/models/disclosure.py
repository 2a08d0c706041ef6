"""Requests for a unit's log list: what was asked for, which rows, and what is masked in them."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from compliance.clock import SWEDEN, today
from compliance.workdays import working_days_after

_SECTION = {"max_length": 24, "blank": True, "default": ""}


class Disclosure(models.Model):
    """A request. The database says who registered and who ended it, and holds disposal meanwhile.

    asked_by: whoever asked may be anonymous, and is not asked why (TF 2 kap. 18 §). wanted: the
    filter that the rows were chosen by, as the log reads it. hold: the number of the hold.
    held_until: set by the database where something was kept back, so that there is time to appeal.
    """

    class Outcome(models.TextChoices):
        """How a request ended."""

        HANDED_OUT = "handed-out", _("Handed out")
        NOT_HANDED_OUT = "not-handed-out", _("Ended without an extract")

    unit = models.CharField(max_length=255)
    asked_for = models.TextField()
    asked_by = models.CharField(max_length=200, blank=True)
    received_on = models.DateField()
    registered_at = models.DateTimeField(auto_now_add=True)
    registered_by = models.CharField(max_length=200, default="")
    wanted = models.JSONField(null=True)
    hold = models.BigIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=200, default="")
    outcome = models.CharField(max_length=16, choices=Outcome.choices, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    held_until = models.DateTimeField(null=True)
    appealed_at = models.DateTimeField(null=True)
    appealed_by = models.CharField(max_length=200, default="")
    appeal_over_at = models.DateTimeField(null=True)
    appeal_over_by = models.CharField(max_length=200, default="")

    class Meta:
        """How it is stored."""

        ordering = ("-received_on", "-id")
        indexes = (models.Index(fields=["unit", "received_on"], name="disclosure_unit"),)

    def __str__(self) -> str:
        """Name the request."""
        return f"{self.unit} {self.pk}"

    @property
    def working_days(self) -> int:
        """Its clock: the working days from the day it came to its end, or so far."""
        until = self.ended_at.astimezone(SWEDEN).date() if self.ended_at else today()
        return working_days_after(self.received_on, until)

    @property
    def is_held(self) -> bool:
        """Say whether the time to appeal still runs."""
        return self.held_until is not None and self.held_until > timezone.now()


class DisclosureRow(models.Model):
    """A row of the log that was chosen, and the section each cell is masked under; '' is open."""

    disclosure = models.ForeignKey(Disclosure, models.PROTECT, related_name="rows")
    unit = models.CharField(max_length=255)
    accepted_at = models.DateTimeField()
    outbox_id = models.UUIDField()
    sequence = models.BigIntegerField()
    sender = models.CharField(**_SECTION)
    recipient = models.CharField(**_SECTION)
    subject = models.CharField(**_SECTION)

    class Meta:
        """How it is stored: as the log list is sorted."""

        ordering = ("-accepted_at", "-outbox_id", "-sequence")
        constraints = (
            models.UniqueConstraint(
                fields=["disclosure", "outbox_id", "sequence"], name="disclosure_row_once"
            ),
        )

    def __str__(self) -> str:
        """Name the row."""
        return f"{self.outbox_id} {self.sequence}"


class Handout(models.Model):
    """The very file that was handed out, a zip. unproven: rows whose day was not sealed yet."""

    disclosure = models.OneToOneField(Disclosure, models.PROTECT)
    unit = models.CharField(max_length=255)
    made_at = models.DateTimeField(auto_now_add=True)
    rows = models.IntegerField()
    unproven = models.IntegerField()
    sha256 = models.CharField(max_length=64)
    file = models.BinaryField()

    def __str__(self) -> str:
        """Name the file."""
        return f"{self.unit} {self.sha256}"
