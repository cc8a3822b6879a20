"""The site's own pages as they are shipped: usable text with marked blanks, edited in the admin."""

from pathlib import Path

from django.db import connection

from articles.models import Page

PAGES = {
    "impressum": "Impressum",
    "datenschutz": "Datenschutz",
    "regeln": "Hausregeln",
    "kontakt": "Kontakt",
}
FOLDER = Path(__file__).parent / "content" / "seiten"


def create_missing_pages(**_signal) -> None:
    """After every migrate, so that a new site is complete at once; never touches a page that is there."""
    if Page._meta.db_table not in connection.introspection.table_names():
        return  # migrated back to before there were pages
    existing = set(Page.objects.values_list("slug", flat=True))
    for slug, title in PAGES.items():
        if slug not in existing:
            page = Page(slug=slug, title=title, source=(FOLDER / f"{slug}.md").read_text(encoding="utf-8"))
            page.render()
            page.save()
