"""The site's own pages as they are shipped: usable text with marked blanks, edited in the admin."""

from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from articles.models import Page

PAGES = {
    "impressum": _("Impressum"),
    "datenschutz": _("Datenschutz"),
    "regeln": _("Hausregeln"),
    "kontakt": _("Kontakt"),
}
FOLDER = Path(__file__).parent / "content" / "seiten"  # a folder for each of settings.LANGUAGES


def create_missing_pages(**_signal) -> None:
    """After every migrate, so that a new site is complete at once, in its language; never touches what is there."""
    if Page._meta.db_table not in connection.introspection.table_names():
        return  # migrated back to before there were pages
    existing = set(Page.objects.values_list("slug", flat=True))
    language = settings.LANGUAGE_CODE
    with translation.override(language):  # migrate speaks none
        missing = {slug: str(title) for slug, title in PAGES.items() if slug not in existing}
    for slug, title in missing.items():
        page = Page(slug=slug, title=title, source=(FOLDER / language / f"{slug}.md").read_text(encoding="utf-8"))
        page.render()
        page.save()
