from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import pgettext_lazy


class ArticlesConfig(AppConfig):
    name = "articles"
    verbose_name = pgettext_lazy("plural", "Artikel")

    def ready(self) -> None:
        # Not above: it imports models, which are not there before all apps are.
        from articles.shipped import create_missing_pages

        post_migrate.connect(create_missing_pages, sender=self, dispatch_uid="articles.create_missing_pages")
