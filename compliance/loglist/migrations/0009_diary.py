"""Which diaries were handed over, and which records the review's rows were matched to."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


def _key() -> models.BigAutoField:
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


RIGHTS = """
SELECT loglist.hold_to_units('loglist.loglist_diaryimport');
SELECT loglist.hold_to_units('loglist.loglist_diarymatch');

-- What a row may be in the diary is for the program to say.
CREATE POLICY worker_adds ON loglist.loglist_diarymatch AS RESTRICTIVE FOR INSERT
    WITH CHECK ((SELECT loglist.writes_all()));
REVOKE DELETE ON loglist.loglist_diaryimport FROM kommunpost_web;
"""


class Migration(migrations.Migration):
    """Makes their tables."""

    dependencies: ClassVar = [("loglist", "0008_handout")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="DiaryImport",
            fields=[
                ("id", _key()),
                ("unit", models.CharField(max_length=255)),
                ("at", models.DateTimeField()),
                ("by", models.CharField(max_length=64)),
                ("by_name", models.CharField(max_length=200)),
                ("file", models.CharField(max_length=200)),
                ("rows", models.IntegerField()),
                ("added", models.IntegerField()),
                ("changed", models.IntegerField()),
                ("removed", models.IntegerField()),
                ("first", models.DateField(null=True)),
                ("last", models.DateField(null=True)),
                ("matched_to", models.BigIntegerField(null=True)),
            ],
            options={"indexes": [models.Index(fields=["unit", "id"], name="diary_import_unit")]},
        ),
        migrations.CreateModel(
            name="DiaryMatch",
            fields=[
                ("id", _key()),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="matches",
                        to="loglist.reviewitem",
                    ),
                ),
                ("unit", models.CharField(max_length=255)),
                (
                    "row",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="matches",
                        to="loglist.diaryrow",
                    ),
                ),
                ("rank", models.SmallIntegerField()),
                ("is_certain", models.BooleanField()),
                ("reasons", models.JSONField(default=list)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["item", "rank"], name="diary_match_rank")
                ],
            },
        ),
        migrations.RunSQL(RIGHTS, migrations.RunSQL.noop),
    ]
