"""The failed log-ins."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Makes their table."""

    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            name="LoginFailure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("login", models.CharField(max_length=254)),
                ("at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [models.Index(fields=["login", "at"], name="login_failure_login_at")],
            },
        ),
    )
