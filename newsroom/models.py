"""Tables of the leaf helpers."""

from django.db import models


class Limit(models.Model):
    """How often a key was seen in a window of time; see newsroom.ratelimit. Unlogged: a crash may forget it."""

    key = models.BinaryField(max_length=32, primary_key=True)
    count = models.PositiveIntegerField()
    until = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "Limit"

    def __str__(self) -> str:
        return f"{self.count} bis {self.until}"
