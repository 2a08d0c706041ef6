"""How long decided rows took: found by when they were decided."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Makes the index that the overview's lag is counted by."""

    dependencies: ClassVar = [("loglist", "0015_conversation")]
    operations: ClassVar = [
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(
                condition=models.Q(("outcome__in", ["", "doubt"]), _negated=True),
                fields=["unit", "decided_at"],
                include=("accepted_at",),
                name="review_item_decided",
            ),
        )
    ]
