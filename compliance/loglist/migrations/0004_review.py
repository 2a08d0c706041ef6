"""What needs review, what was decided of it, and the diary it is held against."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


def _key() -> models.BigAutoField:
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


RIGHTS = """
SELECT loglist.hold_to_units('loglist.loglist_reviewitem');
SELECT loglist.hold_to_units('loglist.loglist_reviewdecision');
SELECT loglist.hold_to_units('loglist.loglist_diaryrow');
SELECT loglist.hold_to_units('loglist.loglist_diaryprotected');

-- Rows are the worker's to add, and so is how far the log has been read.
CREATE POLICY worker_adds ON loglist.loglist_reviewitem AS RESTRICTIVE FOR INSERT
    WITH CHECK ((SELECT loglist.writes_all()));
ALTER TABLE loglist.loglist_bookmark ENABLE ROW LEVEL SECURITY;
CREATE POLICY worker ON loglist.loglist_bookmark USING ((SELECT loglist.writes_all()));

-- A decision is made in the name of whoever is logged in, once, upon the one that it follows. It
-- says how its row stands; that can't be said in any other way.
REVOKE UPDATE, DELETE ON loglist.loglist_reviewitem, loglist.loglist_reviewdecision
    FROM kommunpost_web;
CREATE FUNCTION loglist.decide() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.reviewer <> (log.session_of(loglist.token())).reader THEN
        RAISE EXCEPTION 'nobody decides in the name of %', NEW.reviewer
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE loglist.loglist_reviewitem AS i
    SET outcome = NEW.outcome, number = NEW.number, revision = NEW.revision, decided_at = NEW.at
    WHERE i.id = NEW.item_id AND i.unit = NEW.unit AND i.revision = NEW.revision - 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'decision % of row % follows none', NEW.revision, NEW.item_id
            USING ERRCODE = 'unique_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER decided AFTER INSERT ON loglist.loglist_reviewdecision
    FOR EACH ROW EXECUTE FUNCTION loglist.decide();

-- Protected texts are kept from the web: it writes them and takes them away.
REVOKE ALL ON loglist.loglist_diaryprotected FROM kommunpost_web;
GRANT INSERT, DELETE ON loglist.loglist_diaryprotected TO kommunpost_web;
GRANT SELECT (row_id, unit) ON loglist.loglist_diaryprotected TO kommunpost_web;
"""


class Migration(migrations.Migration):
    """Makes their tables, and says who may write what."""

    dependencies: ClassVar = [("loglist", "0003_second_factor")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="ReviewItem",
            fields=[
                ("id", _key()),
                ("unit", models.CharField(max_length=255)),
                ("outbox", models.UUIDField()),
                ("sequence", models.BigIntegerField()),
                ("accepted_at", models.DateTimeField()),
                ("direction", models.CharField(max_length=8)),
                ("outcome", models.CharField(default="", max_length=32)),
                ("number", models.CharField(default="", max_length=64)),
                ("revision", models.IntegerField(default=0)),
                ("decided_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["unit", "outbox", "sequence"], name="review_item_place"
                    )
                ],
                "indexes": [
                    models.Index(fields=["unit", "accepted_at", "id"], name="review_item_time"),
                    models.Index(
                        fields=["unit", "accepted_at", "id"],
                        name="review_item_left",
                        condition=models.Q(outcome__in=["", "doubt"]),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReviewDecision",
            fields=[
                ("id", _key()),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="loglist.reviewitem",
                    ),
                ),
                ("unit", models.CharField(max_length=255)),
                ("revision", models.IntegerField()),
                ("reviewer", models.CharField(max_length=64)),
                ("reviewer_name", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
                ("outcome", models.CharField(max_length=32)),
                ("number", models.CharField(default="", max_length=64)),
                ("secret", models.BooleanField(null=True)),
                ("reason", models.CharField(default="", max_length=2000)),
                ("reason_text", models.CharField(default="", max_length=500)),
                ("authority", models.CharField(default="", max_length=200)),
                ("asked", models.CharField(default="", max_length=64)),
                ("asked_name", models.CharField(default="", max_length=200)),
                ("question", models.CharField(default="", max_length=2000)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["item", "revision"], name="review_decision_revision"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Bookmark",
            fields=[
                ("outbox", models.UUIDField(primary_key=True, serialize=False)),
                ("sequence", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="DiaryRow",
            fields=[
                ("id", _key()),
                ("unit", models.CharField(max_length=255)),
                ("key", models.CharField(max_length=128)),
                ("authority", models.CharField(default="", max_length=16)),
                ("year", models.IntegerField()),
                ("serial", models.IntegerField()),
                ("document", models.IntegerField(null=True)),
                ("day", models.DateField(null=True)),
                ("direction", models.CharField(default="", max_length=8)),
                ("party", models.TextField(default="")),
                ("subject", models.TextField(default="")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["unit", "key"], name="diary_row_key")
                ],
                "indexes": [
                    models.Index(
                        fields=["unit", "year", "serial", "document"], name="diary_row_number"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DiaryProtected",
            fields=[
                (
                    "row",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="protected",
                        serialize=False,
                        to="loglist.diaryrow",
                    ),
                ),
                ("unit", models.CharField(max_length=255)),
                ("party", models.TextField(default="")),
                ("subject", models.TextField(default="")),
                ("section", models.TextField(default="")),
            ],
        ),
        migrations.RunSQL(RIGHTS, migrations.RunSQL.noop),
    ]
