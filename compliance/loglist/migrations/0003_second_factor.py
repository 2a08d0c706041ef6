"""The second step of logging in."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Makes its table."""

    dependencies: ClassVar = [("loglist", "0002_session")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="SecondFactor",
            fields=[
                (
                    "person",
                    models.CharField(max_length=254, primary_key=True, serialize=False),
                ),
                ("secret", models.BinaryField()),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("last_step", models.BigIntegerField(default=0)),
            ],
        ),
    ]
