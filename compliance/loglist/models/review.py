"""What needs review, what was decided of it, and how far the log has been read."""

from typing import ClassVar

from django.db import models

# Outcomes of compliance/review/decision.py; empty: nobody has decided yet.
_OUTCOME = 32


class ReviewItem(models.Model):
    """An entry of the log that a unit has to review, and how it stands now.

    outbox, sequence and accepted_at: its place in the log. outcome, number, revision, decided_at:
    of the decision that holds; the database sets them with each decision, and nobody else does.
    """

    unit = models.CharField(max_length=255)
    outbox = models.UUIDField()
    sequence = models.BigIntegerField()
    accepted_at = models.DateTimeField()
    direction = models.CharField(max_length=8)
    outcome = models.CharField(max_length=_OUTCOME, default="")
    number = models.CharField(max_length=64, default="")
    revision = models.IntegerField(default=0)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        """How it is stored."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["unit", "outbox", "sequence"], name="review_item_place")
        ]
        indexes: ClassVar = [
            models.Index(fields=["unit", "accepted_at", "id"], name="review_item_time"),
            models.Index(
                fields=["unit", "outcome", "accepted_at", "outbox", "sequence"],
                name="review_item_standing",
            ),
            models.Index(
                fields=["unit", "accepted_at", "id"],
                name="review_item_left",
                condition=models.Q(outcome__in=["", "doubt"]),
            ),
            models.Index(
                fields=["unit", "decided_at"],
                include=["accepted_at"],
                name="review_item_decided",
                condition=~models.Q(outcome__in=["", "doubt"]),
            ),
        ]

    def __str__(self) -> str:
        """Name the row."""
        return f"{self.unit} {self.outbox} {self.sequence}"


class ReviewDecision(models.Model):
    """A decision as it was made; never changed. See `Decision` in compliance/review/decision.py.

    revision: 1 for the first of a row; no two can follow the same one. reason: id on the
    municipality's list, or a reason in words; reason_text: what the list said of it that day.
    """

    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="decisions")
    unit = models.CharField(max_length=255)
    revision = models.IntegerField()
    reviewer = models.CharField(max_length=64)
    reviewer_name = models.CharField(max_length=200)
    at = models.DateTimeField()
    outcome = models.CharField(max_length=_OUTCOME)
    number = models.CharField(max_length=64, default="")
    secret = models.BooleanField(null=True)
    reason = models.CharField(max_length=2000, default="")
    reason_text = models.CharField(max_length=500, default="")
    authority = models.CharField(max_length=200, default="")
    asked = models.CharField(max_length=64, default="")
    asked_name = models.CharField(max_length=200, default="")
    question = models.CharField(max_length=2000, default="")

    class Meta:
        """How it is stored."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "revision"], name="review_decision_revision")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["asked"], name="review_decision_asked", condition=~models.Q(asked="")
            )
        ]

    def __str__(self) -> str:
        """Name the row."""
        return f"{self.item_id} {self.revision} {self.outcome}"


class Bookmark(models.Model):
    """The last entry of an outbox that the worker has taken in."""

    outbox = models.UUIDField(primary_key=True)
    sequence = models.BigIntegerField()

    def __str__(self) -> str:
        """Name the row."""
        return f"{self.outbox} {self.sequence}"


class ReviewProtocol(models.Model):
    """A closed period of a unit, and its protocol as it was signed; never changed.

    first, last: its days, both included. signer: who closed it. sha256: of the PDF, in hex.
    """

    unit = models.CharField(max_length=255)
    first = models.DateField()
    last = models.DateField()
    signer = models.CharField(max_length=64)
    signer_name = models.CharField(max_length=200)
    signed_at = models.DateTimeField()
    rows = models.IntegerField()
    pdf = models.BinaryField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        """How it is stored."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["unit", "first"], name="review_protocol_first")
        ]

    def __str__(self) -> str:
        """Name the row."""
        return f"{self.unit} {self.first} {self.last}"


class ProtocolRow(models.Model):
    """That an item stands in a protocol, and by which decision; in one protocol only."""

    item = models.OneToOneField(
        ReviewItem, primary_key=True, on_delete=models.PROTECT, related_name="protocol_row"
    )
    unit = models.CharField(max_length=255)
    protocol = models.ForeignKey(ReviewProtocol, on_delete=models.PROTECT, related_name="items")
    decision = models.ForeignKey(ReviewDecision, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        """Name the row."""
        return f"{self.protocol_id} {self.item_id}"
