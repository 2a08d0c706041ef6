"""What logging in leaves behind."""

from django.db import models


class LoginFailure(models.Model):
    """A log-in that failed. login: what was typed as address, lower case."""

    login = models.CharField(max_length=254)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """How it is stored."""

        indexes = (models.Index(fields=["login", "at"], name="login_failure_login_at"),)

    def __str__(self) -> str:
        """Name the row."""
        return f"{self.login} {self.at:%Y-%m-%d %H:%M}"
