"""What a person's second factor rests on."""

from django.db import models


class SecondFactor(models.Model):
    """A secret that a person's telephone shares with us.

    person: id of the person, as the directory gives it. secret: encrypted by the web's own key, so
    that a copy of the database opens nothing. confirmed_at: when a first code was right; until then
    nothing is asked of them. last_step: of the last code that was taken, in steps of 30 s since
    1970 (RFC 6238): none is taken twice.
    """

    person = models.CharField(max_length=254, primary_key=True)
    secret = models.BinaryField()
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        """Name the row."""
        return str(self.person)
