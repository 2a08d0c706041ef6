"""The files that were handed out."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

# As for the rows: of the request's unit, and unchanged when the request has ended.
KEPT = """
CREATE TRIGGER handout_changes
    BEFORE INSERT OR UPDATE OR DELETE ON loglist.loglist_handout
    FOR EACH ROW EXECUTE FUNCTION loglist.change_part_of_disclosure();
SELECT loglist.hold_to_units('loglist.loglist_handout');
"""


class Migration(migrations.Migration):
    """Makes their table, held like the rows of a request."""

    dependencies: ClassVar = [("loglist", "0007_periods")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="Handout",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("unit", models.CharField(max_length=255)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("rows", models.IntegerField()),
                ("unproven", models.IntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("file", models.BinaryField()),
                (
                    "disclosure",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, to="loglist.disclosure"
                    ),
                ),
            ],
        ),
        migrations.RunSQL(KEPT, migrations.RunSQL.noop),
    ]
