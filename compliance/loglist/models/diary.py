"""The diary as it was last handed over: `DiaryRecord` and `Protected` (decision 53)."""

from typing import ClassVar

from django.db import models

from compliance.diary.number import DiaryNumber
from compliance.loglist.models.review import ReviewItem


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


class DiaryImport(models.Model):
    """A diary that was handed over. by: id of whoever did, with their name of that day.

    rows: how many it had; added, changed, removed: what that made of the diary of before. first
    and last: the days that it covers. matched_to: the newest `ReviewItem` that has been held
    against the diary since; None if none has.
    """

    unit = models.CharField(max_length=255)
    at = models.DateTimeField()
    by = models.CharField(max_length=64)
    by_name = models.CharField(max_length=200)
    file = models.CharField(max_length=200)
    rows = models.IntegerField()
    added = models.IntegerField()
    changed = models.IntegerField()
    removed = models.IntegerField()
    first = models.DateField(null=True)
    last = models.DateField(null=True)
    matched_to = models.BigIntegerField(null=True)

    class Meta:
        """How it is stored."""

        indexes: ClassVar = [models.Index(fields=["unit", "id"], name="diary_import_unit")]

    def __str__(self) -> str:
        """Name the row."""
        return f"{self.unit} {self.at:%Y-%m-%d %H:%M}"


class DiaryMatch(models.Model):
    """A record that a row of the review was matched to, or may be. rank: 1 is the likeliest.

    is_certain: the program has decided so by itself; else it is a suggestion. is_case: it answers
    a letter of the case, and the record is another document of it. reasons: sentences in Swedish
    and English, with public texts alone; empty once the record says something else.
    """

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="matches")
    unit = models.CharField(max_length=255)
    row = models.ForeignKey(DiaryRow, on_delete=models.CASCADE, related_name="matches")
    rank = models.SmallIntegerField()
    is_certain = models.BooleanField()
    is_case = models.BooleanField(default=False)
    reasons = models.JSONField(default=list)

    class Meta:
        """How it is stored."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "rank"], name="diary_match_rank")
        ]

    @property
    def number(self) -> DiaryNumber:
        """The number under which the item belongs, with the document where that is known."""
        row = self.row
        return DiaryNumber(
            row.authority, row.year, row.serial, None if self.is_case else row.document
        )

    def __str__(self) -> str:
        """Name the row."""
        return f"{self.item_id} {self.rank} {self.row_id}"
