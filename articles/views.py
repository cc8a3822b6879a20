"""Reading: home, the article page, the site's own pages."""

import hashlib
from sys import getsizeof

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.html import escape
from django.utils.http import quote_etag
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from articles.models import Article, Page
from articles.passages import with_marks
from articles.versions import Version, article_version, latest_number, newest_version, page_etag
from comments.forms import CommentForm
from comments.models import Passage
from comments.own import form_slots, own_form, own_marks
from comments.position import REMEMBERED, Position
from comments.seen import note_visit, wants_news
from comments.showing import section_html
from comments.threads import thread_page
from newsroom.pages.context import site
from newsroom.pages.memory import Memory
from newsroom.pages.ondevice import is_wished_elsewhere, keep_on_device
from newsroom.pages.slots import Skeleton, slot
from ratings.forms import STARS
from ratings.own import own_stars
from readers.context import account_slot, answer_slots, own_slots
from readers.device import ask_with_reader, current_reader, has_acted, reads_only
from subscriptions.forms import SubscriptionForm

ARTICLES_PER_PAGE = 20
# What templates need to know to print slots instead of anybody's own things.
FOR_EVERYONE = {"for_everyone": True, "shared": True}
_homes: Memory[Skeleton] = Memory(settings.PAGE_MEMORY // 20)
_pages: Memory[tuple[Article, Skeleton]] = Memory(settings.PAGE_MEMORY)
_frames: Memory[tuple[Article, Skeleton, str]] = Memory(settings.PAGE_MEMORY // 4)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The articles, newest first; older ones by the key of the last one seen (`?vor=<id>`), never by OFFSET."""
    last_seen = request.GET.get("vor", "")
    before = int(last_seen) if last_seen.isascii() and last_seen.isdigit() and len(last_seen) <= 18 else None
    (version,) = ask_with_reader(request, newest_version(before, ARTICLES_PER_PAGE + 1))
    etag = page_etag(version, f"/{before}")
    page = _homes.get(before, etag)
    if page is None:
        page = _home_for_everyone(before)
        _homes.put(before, etag, page, size=page.size)
    response = HttpResponse(page.fill(account_slot(request) | answer_slots(request) if has_acted(request) else {}))
    return _for_everyone(request, response, etag=etag)


@require_safe
def article_page(request: HttpRequest, slug: str) -> HttpResponse:
    """The article, its threads, the rating and the forms.

    For a reader without a cookie of ours the page is the same bytes for everyone and may be cached anywhere; what
    belongs to one reader is put into its slots only for those who have acted.
    """
    version = getattr(request, "article_version", None) or ask_with_reader(request, article_version(slug))[0]
    if version is None:
        raise Http404
    position = Position.from_query(request.GET.dict(), request.COOKIES.get(REMEMBERED, ""))
    etag = version.page_etag(position.query(explicit=True))
    article, skeleton = _page_for_everyone(slug, version, position, etag)
    if reads_only(request):
        unchanged = get_conditional_response(request, etag=quote_etag(etag))
        return _for_everyone(request, unchanged or HttpResponse(skeleton.fill({})), etag=etag)
    response = HttpResponse(skeleton.fill(_own(request, article, skeleton)))
    if wants_news(request) and request.method == "GET":
        note_visit(request, response, article)
    response.headers["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Cookie"])
    return response


@require_safe
@cache_control(public=True, max_age=1)
def latest(request: HttpRequest, slug: str) -> JsonResponse:
    """What an open page asks every few seconds: is there anything new? The same for everyone, cookie or not."""
    numbers = latest_number(slug)
    if numbers is None:
        raise Http404
    return JsonResponse({"last": numbers[0], "comments": numbers[1]})


@csrf_exempt  # a stranger's page changes nothing, and no token means no question in between
@require_POST
def close_bubble(request: HttpRequest, slug: str) -> HttpResponse:
    """Keeps on the device that it is not invited any more, and leads back to where the invitation stood: the rating
    comes after it. The cookie names no one."""
    article = get_object_or_404(Article.objects.published().only("slug"), slug=slug)
    query = Position.from_query(request.GET.dict()).query(explicit=REMEMBERED in request.COOKIES)
    response = redirect(f"{article.get_absolute_url()}{query}#bewertung")
    if not is_wished_elsewhere(request):
        keep_on_device(response, settings.BUBBLE_COOKIE_NAME, "zu", httponly=True)
    return response


@require_safe
def site_page(request: HttpRequest, slug: str) -> HttpResponse:
    page = get_object_or_404(Page, slug=slug)
    response = render(request, "articles/site_page.html", {"page": page})
    return _for_everyone(request, response, etag=hashlib.sha256(response.content).hexdigest()[:20])


def _home_for_everyone(before: int | None) -> Skeleton:
    articles = Article.objects.published().newest_first().for_page().defer("html")
    if before is not None:
        articles = articles.older_than(before)
    shown = list(articles[: ARTICLES_PER_PAGE + 1])
    older = shown[ARTICLES_PER_PAGE - 1].pk if len(shown) > ARTICLES_PER_PAGE else None
    context = {**FOR_EVERYONE, **site(), "articles": shown[:ARTICLES_PER_PAGE], "older": older}
    return Skeleton.cut(render_to_string("articles/home.html", context))


def _page_for_everyone(slug: str, version: Version, position: Position, etag: str) -> tuple[Article, Skeleton]:
    """Rendered without the request: nothing of a reader can get into it."""
    key = (slug, position.query(explicit=True))
    kept = _pages.get(key, etag)
    if kept is None:
        article, frame, form = _frame_for_everyone(slug, version.changes)
        # The first comment may come between the version and the page.
        section = section_html(article, thread_page(article, position), form, version.counted_from or timezone.now())
        page = frame.with_parts({"adresse": escape(position.query()), "gespraech": section})
        kept = article, page
        _pages.put(key, etag, kept, size=page.size)
    return kept


def _frame_for_everyone(slug: str, changes: tuple) -> tuple[Article, Skeleton, str]:
    """What all pages of a conversation share, and the form, which stands within the rest: made once a version."""
    etag = page_etag(changes, "")
    kept = _frames.get(slug, etag)
    if kept is None:
        article = get_object_or_404(Article.objects.published().for_page(), slug=slug)
        write_url = reverse("write_comment", args=[article.slug])
        text = with_marks(
            article.html,
            address=article.get_absolute_url(),
            write=write_url if article.takes_comments else "",
            comments=Passage.objects.counted(article),
        )
        context = {
            **FOR_EVERYONE,
            **site(),
            "article": article,
            "text": text,
            "write_url": write_url,
            "action": write_url,
            "form": CommentForm(initial=form_slots(), article=article, reader=None),
            "stars": STARS,
            "subscription_form": SubscriptionForm(initial={"email": slot("wert-email")}),
        }
        frame = Skeleton.cut(render_to_string("articles/article.html", context))
        form = render_to_string(f"comments/{'form' if article.takes_comments else 'closed'}.html", context)
        del article.source, article.html  # long, and printed; Django would fetch them again
        kept = article, frame, form
        _frames.put(slug, etag, kept, size=frame.size + getsizeof(form))
    return kept


def _own(request: HttpRequest, article: Article, skeleton: Skeleton) -> dict[str, str]:
    """What stands in the page's slots for somebody who has acted."""
    reader = current_reader(request)
    whole_page = own_slots(request) | own_form(reader)
    also = [own_stars(article, reader)] if reader else []
    return whole_page | own_marks(request, article, skeleton, *also)


def _for_everyone(request: HttpRequest, response: HttpResponse, *, etag: str) -> HttpResponse:
    """Headers for a page that is the same for all who only read; private for the others."""
    patch_vary_headers(response, ["Cookie"])
    if not reads_only(request):
        response.headers["Cache-Control"] = "private, no-cache"
        return response
    response.headers["Cache-Control"] = "public, no-cache"
    response.headers["ETag"] = quote_etag(etag)
    return get_conditional_response(request, etag=quote_etag(etag), response=response) or response
