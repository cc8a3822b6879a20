"""The stars readers give an article."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from articles.models import Article
from readers.models import Reader


class Rating(models.Model):
    """One reader's stars for one article, 1 to 5; changeable. The sums stand in articles.Counters."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="rating_set", verbose_name=_("Artikel"))
    reader = models.ForeignKey(Reader, on_delete=models.CASCADE, related_name="ratings", verbose_name=_("Leser"))
    stars = models.PositiveSmallIntegerField(_("Sterne"))
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("Bewertung")
        verbose_name_plural = _("Bewertungen")
        constraints = [
            models.UniqueConstraint(name="rating_once", fields=["reader", "article"]),
            models.CheckConstraint(name="rating_one_to_five", condition=Q(stars__gte=1, stars__lte=5)),
        ]

    def __str__(self) -> str:
        return f"{self.reader_id} → {self.article_id}: {self.stars}"
