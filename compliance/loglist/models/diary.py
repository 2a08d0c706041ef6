"""The diary as it was last handed over: `DiaryRecord` and `Protected` (decision 53)."""

from typing import ClassVar

from django.db import models


class DiaryRow(models.Model):
    """The public face of a row of a unit's diary. key: unique within that diary."""

    unit = models.CharField(max_length=255)
    key = models.CharField(max_length=128)
    authority = models.CharField(max_length=16, default="")
    year = models.IntegerField()
    serial = models.IntegerField()
    document = models.IntegerField(null=True)
    day = models.DateField(null=True)
    direction = models.CharField(max_length=8, default="")
    party = models.TextField(default="")
    subject = models.TextField(default="")

    class Meta:
        """How it is stored."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["unit", "key"], name="diary_row_key")
        ]
        indexes: ClassVar = [
            models.Index(fields=["unit", "year", "serial", "document"], name="diary_row_number")
        ]

    def __str__(self) -> str:
        """Name the row."""
        return f"{self.unit} {self.key}"


class DiaryProtected(models.Model):
    """What a row says under secrecy (OSL 5 kap. 2 §); the web's role may write it, not read it."""

    row = models.OneToOneField(
        DiaryRow, primary_key=True, on_delete=models.CASCADE, related_name="protected"
    )
    unit = models.CharField(max_length=255)
    party = models.TextField(default="")
    subject = models.TextField(default="")
    section = models.TextField(default="")

    def __str__(self) -> str:
        """Name the row."""
        return f"protected {self.row_id}"
