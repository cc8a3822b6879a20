from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class ReadersConfig(AppConfig):
    name = "readers"
    verbose_name = pgettext_lazy("plural", "Leser")
