"""Requests for the log list, and the rows chosen for them."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

# A request holds what its unit's mail is disposed of by, from its first moment to its end, and is
# not changed afterwards. The database does it, so that no page can forget.
KEPT = """
CREATE FUNCTION loglist.begin_disclosure() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who log.session := log.session_of(loglist.token());
BEGIN
    NEW.registered_at := now();
    NEW.registered_by := who.name;
    NEW.ended_at := NULL;
    INSERT INTO log.hold (kind, who, why, unit)
        VALUES ('request', who.reader, format('request for the log list, number %s', NEW.id),
                NEW.unit)
        RETURNING number INTO NEW.hold;
    RETURN NEW;
END
$$;
CREATE TRIGGER disclosure_begins BEFORE INSERT ON loglist.loglist_disclosure
    FOR EACH ROW EXECUTE FUNCTION loglist.begin_disclosure();

CREATE FUNCTION loglist.change_disclosure() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL
       OR (NEW.id, NEW.unit, NEW.asked_for, NEW.asked_by, NEW.received_on, NEW.registered_at,
           NEW.registered_by, NEW.hold)
          IS DISTINCT FROM (OLD.id, OLD.unit, OLD.asked_for, OLD.asked_by, OLD.received_on,
                            OLD.registered_at, OLD.registered_by, OLD.hold) THEN
        RAISE EXCEPTION 'request % has ended, or this of it is not changed', OLD.id
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.ended_at IS NOT NULL THEN
        NEW.ended_at := now();
        NEW.ended_by := (log.session_of(loglist.token())).name;
        UPDATE log.hold SET until = now() WHERE number = OLD.hold;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER disclosure_changes BEFORE UPDATE ON loglist.loglist_disclosure
    FOR EACH ROW EXECUTE FUNCTION loglist.change_disclosure();
REVOKE DELETE ON loglist.loglist_disclosure FROM kommunpost_web;

-- What belongs to a request is of its unit, and stands still when it has ended.
CREATE FUNCTION loglist.change_part_of_disclosure() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed record;
    request loglist.loglist_disclosure;
BEGIN
    IF TG_OP = 'INSERT' THEN changed := NEW; ELSE changed := OLD; END IF;
    -- The lock waits for whoever ends it just now.
    SELECT d.* INTO request FROM loglist.loglist_disclosure AS d
        WHERE d.id = changed.disclosure_id FOR SHARE;
    IF (request.ended_at IS NULL AND request.unit = changed.unit) IS NOT TRUE
       OR (TG_OP = 'UPDATE' AND (NEW.disclosure_id, NEW.unit) <> (OLD.disclosure_id, OLD.unit)) THEN
        RAISE EXCEPTION 'request % has ended or is another unit''s', changed.disclosure_id
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER disclosure_row_changes
    BEFORE INSERT OR UPDATE OR DELETE ON loglist.loglist_disclosurerow
    FOR EACH ROW EXECUTE FUNCTION loglist.change_part_of_disclosure();

SELECT loglist.hold_to_units('loglist.loglist_disclosure');
SELECT loglist.hold_to_units('loglist.loglist_disclosurerow');
"""


class Migration(migrations.Migration):
    """Makes their tables, held to the units of whoever reads, and to what has been ended."""

    dependencies: ClassVar = [
        ("loglist", "0004_review"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Disclosure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("unit", models.CharField(max_length=255)),
                ("asked_for", models.TextField()),
                ("asked_by", models.CharField(blank=True, max_length=200)),
                ("received_on", models.DateField()),
                ("registered_at", models.DateTimeField(auto_now_add=True)),
                ("registered_by", models.CharField(default="", max_length=200)),
                ("wanted", models.JSONField(null=True)),
                ("hold", models.BigIntegerField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.CharField(default="", max_length=200)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("handed-out", "Handed out"),
                            ("not-handed-out", "Ended without an extract"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("reason", models.TextField(blank=True, default="")),
            ],
            options={
                "ordering": ("-received_on", "-id"),
            },
        ),
        migrations.CreateModel(
            name="DisclosureRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("unit", models.CharField(max_length=255)),
                ("accepted_at", models.DateTimeField()),
                ("outbox_id", models.UUIDField()),
                ("sequence", models.BigIntegerField()),
                ("sender", models.CharField(blank=True, default="", max_length=24)),
                ("recipient", models.CharField(blank=True, default="", max_length=24)),
                ("subject", models.CharField(blank=True, default="", max_length=24)),
                (
                    "disclosure",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rows",
                        to="loglist.disclosure",
                    ),
                ),
            ],
            options={
                "ordering": ("-accepted_at", "-outbox_id", "-sequence"),
            },
        ),
        migrations.AddIndex(
            model_name="disclosure",
            index=models.Index(fields=["unit", "received_on"], name="disclosure_unit"),
        ),
        migrations.AddConstraint(
            model_name="disclosurerow",
            constraint=models.UniqueConstraint(
                fields=("disclosure", "outbox_id", "sequence"), name="disclosure_row_once"
            ),
        ),
        migrations.RunSQL(KEPT, migrations.RunSQL.noop),
    ]
