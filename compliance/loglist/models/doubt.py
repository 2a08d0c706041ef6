"""What follows a question: the letters about it, and its answer.

The question itself is the decision that put its row in doubt (`ReviewDecision`).
"""

from typing import ClassVar

from django.db import models

from compliance.loglist.models.review import ReviewDecision
from compliance.review.doubt import Kind


class DoubtLetter(models.Model):
    """A letter about a question, noted once it was sent; never changed.

    step: a `Step` of compliance/review/doubt.py. day: in Sweden.
    """

    doubt = models.ForeignKey(ReviewDecision, on_delete=models.PROTECT, related_name="letters")
    unit = models.CharField(max_length=255)
    step = models.CharField(max_length=16)
    day = models.DateField()
    to = models.CharField(max_length=320)
    message_id = models.CharField(max_length=320)

    class Meta:
        """How it is stored."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["doubt", "step"], name="doubt_letter_step")
        ]

    def __str__(self) -> str:
        """Name the row."""
        return f"{self.doubt_id} {self.step}"


class DoubtAnswer(models.Model):
    """What the official answered, once; never changed. kind: a `Kind` of compliance/review."""

    doubt = models.OneToOneField(
        ReviewDecision, primary_key=True, on_delete=models.PROTECT, related_name="answer"
    )
    unit = models.CharField(max_length=255)
    by = models.CharField(max_length=64)
    by_name = models.CharField(max_length=200)
    at = models.DateTimeField()
    kind = models.CharField(max_length=16)
    matter = models.CharField(max_length=64)
    words = models.CharField(max_length=4000)

    @property
    def told(self) -> str:
        """The answer in a line of Swedish, without the official's own words."""
        kind = Kind(self.kind).text.sv
        return f"{kind}: {self.matter}" if self.matter else kind

    def __str__(self) -> str:
        """Name the row."""
        return f"{self.doubt_id} {self.kind}"
