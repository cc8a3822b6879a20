"""Two groups as they are shipped: who decides about comments, and who also writes. Changed in the admin."""

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext_lazy as _

MODERATORS = {
    "articles": ["view_article"],
    "comments": ["view_comment", "change_comment"]
    + [f"{what}_blockedword" for what in ("view", "add", "change", "delete")],
    "moderation": ["view_notice", "change_notice", "view_decision"],
}
EDITORS = {
    "articles": [f"{what}_{model}" for what in ("view", "add", "change") for model in ("article", "author", "section")]
    + ["delete_article", "view_page", "change_page"],
    "comments": MODERATORS["comments"],
    "moderation": MODERATORS["moderation"] + [f"{what}_onduty" for what in ("view", "add", "change", "delete")],
    "subscriptions": ["view_delivery", "change_delivery", "view_subscription"],
    "newsroom": ["view_suppression", "add_suppression", "change_suppression"],
}
GROUPS = {_("Moderation"): MODERATORS, _("Redaktion"): EDITORS}


def create_missing_groups(**_signal) -> None:
    """After every migrate; never touches a group that is there. A new site has none: then both are made, named in its
    language."""
    if Group._meta.db_table not in connection.introspection.table_names() or Group.objects.exists():
        return
    for name, wanted in GROUPS.items():
        which = Q(pk=None)
        for app, codenames in wanted.items():
            which |= Q(content_type__app_label=app, codename__in=codenames)
        with translation.override(settings.LANGUAGE_CODE):  # migrate speaks none
            group = Group.objects.create(name=str(name))
        group.permissions.set(Permission.objects.filter(which))
