import re
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from articles.frontmatter import FIELDS, ArticleFile, BadFile, called, parse
from articles.models import Article, Author, Section
from articles.passages import unread_questions
from articles.services import save_article
from newsroom.text.slugs import german_slug

_UNREADABLE = {
    FileNotFoundError: gettext_lazy("diese Datei gibt es nicht"),
    IsADirectoryError: gettext_lazy("ein Ordner, keine Datei"),
    PermissionError: gettext_lazy("darf von Ihnen nicht gelesen werden"),
}


class Command(BaseCommand):
    help = _("Veröffentlicht einen Artikel aus einer Markdown-Datei, oder bringt den vorhandenen auf deren Stand.")

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, help=_("Markdown mit einem Kopf; das README zeigt einen"))

    def handle(self, *args, file: Path, **options):
        try:
            written = parse(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise CommandError(f"{file}: {_UNREADABLE.get(type(error), error.strerror)}") from error
        except UnicodeDecodeError as error:
            raise CommandError(f"{file}: " + _("keine UTF-8-Datei (Stelle %d)") % error.start) from error
        except BadFile as bad:
            raise CommandError("\n".join(f"{file}: {problem}" for problem in bad.problems)) from bad
        try:
            article, is_new = _store(written)
        except ValidationError as error:
            names = {field: name for name, (model, field) in FIELDS.items() if model is Article}
            lines = [
                f"{file}: {called(names.get(field, field))}: {' '.join(texts)}"
                for field, texts in error.message_dict.items()
            ]
            raise CommandError("\n".join(lines)) from error
        for words in unread_questions(article.html):
            sentence = _("„%s“ steht so im Text: keine Frage. Wie eine aussieht, zeigt die README.")
            self.stderr.write(f"{file}: {sentence % words}")
        done = _("neu") if is_new else _("auf den neuen Stand gebracht")
        self.stdout.write(f"{article.get_absolute_url()}  {article.headline}  ({done}, {_shown(article)})")


def _shown(article: Article) -> str:
    if article.state == Article.State.DRAFT:
        return _("Entwurf")
    if article.published_at > timezone.now():
        moment = timezone.localtime(article.published_at)
        day, hour = date_format(moment, "SHORT_DATE_FORMAT"), date_format(moment, "TIME_FORMAT")
        return _("erscheint am %(day)s um %(hour)s") % {"day": day, "hour": hour}
    return _("veröffentlicht")


def _is_another(article: Article, written: ArticleFile) -> bool:
    """Two articles may be called the same ("Polizeibericht"), and no headline in Cyrillic makes an address of its own.
    A later version begins like the one before, or has most of its paragraphs."""
    before, now = _paragraphs(article.source), _paragraphs(written.text)
    is_later = before[0] == now[0] or len(set(before) & set(now)) > len(before) / 2
    return article.headline != written.headline or not is_later


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"\r?\n\s*\n", text.strip())]


@transaction.atomic
def _store(written: ArticleFile) -> tuple[Article, bool]:
    """The article, and whether it is a new one."""
    slug = written.slug or german_slug(written.headline, Article._meta.get_field("slug").max_length)
    stored = Article.objects.select_for_update(no_key=True).filter(slug=slug).first()
    article = stored or Article(slug=slug, state=Article.State.PUBLISHED)
    if article.pk and not written.slug and _is_another(article, written):
        sentence = _(
            "Unter /artikel/%(slug)s/ steht schon ein anderer Artikel. Ist dieser hier neu, geben Sie ihm im Kopf eine"
            " eigene Adresse (%(name)s: ...); soll er den anderen ersetzen, schreiben Sie dort: %(name)s: %(slug)s"
        )
        raise ValidationError({"slug": sentence % {"slug": slug, "name": called("adresse")}})
    article.headline, article.source, article.summary = written.headline, written.text, written.summary
    article.author, _created = Author.objects.get_or_create(name=written.author)
    article.section = Section.objects.get_or_create(name=written.section)[0] if written.section else None
    article.state = written.state or article.state
    article.published_at = written.published_at or article.published_at
    # Editors decide about comments in the admin: a file that says nothing of it changes nothing of it.
    article.question = written.question or article.question
    article.comment_mode = written.comment_mode or article.comment_mode
    article.closes_at = written.closes_at or article.closes_at
    article.slow_mode = article.slow_mode if written.slow_mode is None else written.slow_mode
    article.closing_note = written.closing_note or article.closing_note
    article.clean_fields(exclude=["html"])  # its images were looked at with the file
    is_new = article.pk is None
    return save_article(article), is_new
