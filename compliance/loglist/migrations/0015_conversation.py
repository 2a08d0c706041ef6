"""A suggestion may name the case alone: the one of the letter that a row answers."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds to a suggestion whether it is of the case and not of the document."""

    dependencies: ClassVar = [("loglist", "0014_hand_over")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="diarymatch",
            name="is_case",
            field=models.BooleanField(default=False),
        )
    ]
