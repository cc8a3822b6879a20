"""Reading: home, the article page, the site's own pages."""

import hashlib

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from articles.models import Article, Page
from comments.forms import CommentForm, guest_initial
from comments.threads import Order, Position, thread_page
from ratings.forms import STARS
from ratings.models import Rating
from readers.device import current_reader, reads_only
from subscriptions.forms import SubscriptionForm

ARTICLES_PER_PAGE = 20


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The articles, newest first; older ones by the key of the last one seen (`?vor=<id>`), never by OFFSET."""
    articles = Article.objects.published().newest_first().for_page()
    last_seen = request.GET.get("vor", "")
    if last_seen.isascii() and last_seen.isdigit() and len(last_seen) <= 18:
        articles = articles.older_than(int(last_seen))
    shown = list(articles[: ARTICLES_PER_PAGE + 1])
    older = shown[ARTICLES_PER_PAGE - 1].pk if len(shown) > ARTICLES_PER_PAGE else None
    response = render(request, "articles/home.html", {"articles": shown[:ARTICLES_PER_PAGE], "older": older})
    return _for_everyone(request, response, etag=hashlib.sha256(response.content).hexdigest()[:20])


@require_safe
def article_page(request: HttpRequest, slug: str) -> HttpResponse:
    """The article, its threads, the rating and the forms.

    For a reader without a cookie of ours the page is the same bytes for everyone and may be cached anywhere; what
    belongs to one reader is added only for those who have acted.
    """
    article = get_object_or_404(Article.objects.published().for_page(), slug=slug)
    position = Position.from_query(request.GET.dict())
    if reads_only(request):
        etag = _article_etag(article, position)
        unchanged = get_conditional_response(request, etag=quote_etag(etag))
        if unchanged is not None:
            return _for_everyone(request, unchanged, etag=etag)
        return _for_everyone(request, _render_article(request, article, position), etag=etag)
    response = _render_article(request, article, position)
    response.headers["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Cookie"])
    return response


@require_safe
def site_page(request: HttpRequest, slug: str) -> HttpResponse:
    page = get_object_or_404(Page, slug=slug)
    response = render(request, "articles/site_page.html", {"page": page})
    return _for_everyone(request, response, etag=hashlib.sha256(response.content).hexdigest()[:20])


def _render_article(request: HttpRequest, article: Article, position: Position) -> HttpResponse:
    reader = current_reader(request)
    rating = Rating.objects.filter(article=article, reader=reader).first() if reader else None
    context = {
        "article": article,
        "page": thread_page(article, position, reader),
        "position": position,
        "orders": [(order, position.moved(order=order, page=1, after=()).query()) for order in Order],
        "inline_query": position.moved(inline=True, page=1, after=()).query(),
        "all_query": position.moved(inline=False, page=1, after=()).query(),
        "first_query": position.moved(page=1, after=()).query(),
        "write_url": reverse("write_comment", args=[article.slug]),
        "form": CommentForm(
            initial={} if reads_only(request) else guest_initial(reader), article=article, reader=reader
        ),
        "stars": STARS,
        "own_stars": str(rating.stars) if rating else None,
        "subscription_form": SubscriptionForm(initial={"email": reader.email} if reader else None),
        "reader": reader,
    }
    if not reads_only(request):
        # Each answer stands where the reader acted: beside the stars, above the comments, at the subscription.
        context |= {f"{message.extra_tags}_answer": str(message) for message in get_messages(request)}
    return render(request, "articles/article.html", context)


def _article_etag(article: Article, position: Position) -> str:
    """Changes with every visible change of the article, its conversation, the site's files or settings."""
    parts = [
        article.pk,
        article.counters.activity,
        article.modified_at.isoformat(),
        article.author,
        article.section,
        position.query(),
        settings.LANGUAGE_CODE,
        settings.SITE_NAME,
        settings.RELEASE,
    ]
    return hashlib.sha256("\x00".join(map(str, parts)).encode()).hexdigest()[:20]


def _for_everyone(request: HttpRequest, response: HttpResponse, *, etag: str) -> HttpResponse:
    """Headers for a page that is the same for all who only read; private for the others."""
    patch_vary_headers(response, ["Cookie"])
    if not reads_only(request):
        response.headers["Cache-Control"] = "private, no-cache"
        return response
    response.headers["Cache-Control"] = "public, no-cache"
    response.headers["ETag"] = quote_etag(etag)
    return get_conditional_response(request, etag=quote_etag(etag), response=response) or response
