from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ModerationConfig(AppConfig):
    name = "moderation"
    verbose_name = _("Moderation")

    def ready(self) -> None:
        # Not above: it imports models, which are not there before all apps are.
        from moderation.shipped import create_missing_groups

        # Auth's own turn comes after all of ours: by then every permission is there.
        auth = apps.get_app_config("auth")
        post_migrate.connect(create_missing_groups, sender=auth, dispatch_uid="moderation.create_missing_groups")
