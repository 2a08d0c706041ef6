"""The periods of the review that were closed, and their protocols."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

RIGHTS = """
SELECT loglist.hold_to_units('loglist.loglist_reviewprotocol');
SELECT loglist.hold_to_units('loglist.loglist_protocolrow');

-- A protocol is signed in the name of whoever is logged in, and stands.
REVOKE UPDATE, DELETE ON loglist.loglist_reviewprotocol, loglist.loglist_protocolrow
    FROM kommunpost_web;
CREATE FUNCTION loglist.sign() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.signer <> (log.session_of(loglist.token())).reader THEN
        RAISE EXCEPTION 'nobody signs in the name of %', NEW.signer
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER signed BEFORE INSERT ON loglist.loglist_reviewprotocol
    FOR EACH ROW EXECUTE FUNCTION loglist.sign();
"""


class Migration(migrations.Migration):
    """Makes their tables, and says who may write what."""

    dependencies: ClassVar = [("loglist", "0006_message")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="ReviewProtocol",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("unit", models.CharField(max_length=255)),
                ("first", models.DateField()),
                ("last", models.DateField()),
                ("signer", models.CharField(max_length=64)),
                ("signer_name", models.CharField(max_length=200)),
                ("signed_at", models.DateTimeField()),
                ("rows", models.IntegerField()),
                ("pdf", models.BinaryField()),
                ("sha256", models.CharField(max_length=64)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["unit", "first"], name="review_protocol_first")
                ],
            },
        ),
        migrations.CreateModel(
            name="ProtocolRow",
            fields=[
                (
                    "item",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="protocol_row",
                        serialize=False,
                        to="loglist.reviewitem",
                    ),
                ),
                ("unit", models.CharField(max_length=255)),
                (
                    "protocol",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="loglist.reviewprotocol",
                    ),
                ),
                (
                    "decision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="loglist.reviewdecision",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(RIGHTS, migrations.RunSQL.noop),
    ]
