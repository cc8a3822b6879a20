"""Atom feeds of the articles and of one article's comments, and the sitemap."""

from datetime import UTC, datetime

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.contrib.syndication.views import Feed
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.feedgenerator import Atom1Feed
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.http import condition

from articles.models import Article, Page
from articles.versions import article_version, newest_version, page_etag
from comments.models import Comment
from newsroom.mail import site_url
from newsroom.sql.prepared import ask
from newsroom.text.characters import normalise_line

ENTRIES = 50


class SteadyAtom(Atom1Feed):
    """One without entries says when what it is about changed and not "now": the same bytes at every asking."""

    def latest_post_date(self) -> datetime:
        return super().latest_post_date() if self.items else self.feed["since"]


class SiteFeed(Feed):
    """Addresses come from SITE_URL, not from the request's Host: a feed behind a cache is everyone's.

    What editors wrote is normalised here: a control character pasted into one headline would break the whole feed.
    """

    feed_type = SteadyAtom

    def get_feed(self, obj, request: HttpRequest):
        request.META["HTTP_HOST"] = settings.SITE_URL.partition("://")[2]
        return super().get_feed(obj, request)


class ArticlesFeed(SiteFeed):
    def title(self) -> str:
        return settings.SITE_NAME

    def link(self) -> str:
        return site_url("/")

    def feed_url(self) -> str:
        return site_url("/feed/")

    def feed_extra_kwargs(self, obj: None) -> dict:
        return {"since": datetime.fromtimestamp(0, UTC)}  # nothing has appeared yet

    def items(self):
        return Article.objects.published().newest_first().for_page().defer("html")[:ENTRIES]

    def item_title(self, item: Article) -> str:
        return normalise_line(item.headline)

    def item_description(self, item: Article) -> str:
        return normalise_line(item.teaser)

    def item_link(self, item: Article) -> str:
        return site_url(item.get_absolute_url())

    def item_author_name(self, item: Article) -> str:
        return normalise_line(item.author.name)

    def item_pubdate(self, item: Article):
        return item.published_at

    def item_updateddate(self, item: Article):
        return _changed_at(item)


class ArticleCommentsFeed(SiteFeed):
    """Published comments only: a removed one is gone here too (2026-32620)."""

    def get_object(self, request: HttpRequest, slug: str) -> Article:
        return get_object_or_404(Article.objects.published(), slug=slug)

    def title(self, article: Article) -> str:
        return _("Kommentare zu „%s“") % normalise_line(article.headline)

    def link(self, article: Article) -> str:
        return site_url(article.get_absolute_url())

    def feed_url(self, article: Article) -> str:
        return site_url(f"{article.get_absolute_url()}feed/")

    def feed_extra_kwargs(self, article: Article) -> dict:
        return {"since": _changed_at(article)}

    def items(self, article: Article):
        return Comment.objects.published().filter(article=article).order_by("-number")[:ENTRIES]

    def item_title(self, item: Comment) -> str:
        return _("Kommentar %(number)d von %(name)s") % {"number": item.number, "name": item.name}

    def item_description(self, item: Comment) -> str:
        return item.html

    def item_link(self, item: Comment) -> str:
        return site_url(item.get_absolute_url())

    def item_author_name(self, item: Comment) -> str:
        return item.name

    def item_pubdate(self, item: Comment):
        return item.published_at

    def item_updateddate(self, item: Comment):
        return item.published_at


def _changed_at(article: Article) -> datetime:
    return max(article.published_at, article.modified_at)


def _articles_etag(request: HttpRequest) -> str:
    """Feed readers ask every few minutes whether there is anything new: that is one query."""
    (version,) = ask(newest_version(None, ENTRIES))
    return quote_etag(page_etag(version, "feed"))


def _comments_etag(request: HttpRequest, slug: str) -> str | None:
    (version,) = ask(article_version(slug))
    return version and quote_etag(page_etag(version.changes, "feed"))


articles_feed = condition(_articles_etag)(ArticlesFeed())
comments_feed = condition(_comments_etag)(ArticleCommentsFeed())


class ArticleSitemap(Sitemap):
    limit = 10_000

    def items(self):
        return Article.objects.published().newest_first().only("slug", "modified_at")  # ten thousand a page

    def lastmod(self, item: Article):
        return item.modified_at

    def get_domain(self, site=None) -> str:
        return settings.SITE_URL.partition("://")[2]

    def get_protocol(self, protocol=None) -> str:
        return settings.SITE_URL.partition("://")[0]


class StartSitemap(ArticleSitemap):
    """The front page, as new as what is newest on it."""

    def items(self):
        return super().items()[:1]

    def location(self, item: Article) -> str:
        return "/"


class PageSitemap(ArticleSitemap):
    def items(self):
        return Page.objects.all()
