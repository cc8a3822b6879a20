"""Writing, answering, voting, and the addresses that find a comment. The article page itself is articles.views."""

import re
from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseLocation, reswap, retarget, trigger_client_event

from articles.models import Article, texts_of
from comments.choosing import is_paragraph, narrowed, wanted_passage
from comments.forms import CommentForm, guest_initial
from comments.gone import gone
from comments.hidden import hidden_names, keep_hidden
from comments.mails import comment_token_fits
from comments.models import Comment, Passage
from comments.own import own_marks, reply_html, vote_html
from comments.position import REMEMBERED, Position
from comments.posting import post_comment
from comments.screening import Circumstances, held_for_many
from comments.seen import forget_visits, note_reading, note_visit
from comments.services import Refused, confirm_comment, vote
from comments.showing import replies_label, threads_html
from comments.threads import place_of, stands, whole_thread
from comments.writing import write_page
from newsroom.markup import comment_html
from newsroom.pages.context import site
from newsroom.pages.formkey import new_form_key, read_form_key
from newsroom.pages.ondevice import is_wished_elsewhere, keep_on_device
from newsroom.pages.sharedforms import shared_form, token_page
from newsroom.pages.slots import Skeleton
from newsroom.ratelimit import check_limit, client_network
from newsroom.sql.prepared import Given, Prepared
from newsroom.tokens import token_pk
from readers.context import own_slots
from readers.device import acting_reader, ask_with_reader, current_reader, reads_only, remember
from readers.services import confirm_address

LINK_VALID = timedelta(hours=48)  # for confirming one's comment (B13)
ANSWER_LOST = timedelta(hours=1)  # after so long nobody waits for it any more
VOTES_PER_NETWORK, VOTES_WINDOW = 20, timedelta(hours=1)  # for one comment
# To answer or to vote for: of a comment of a hidden article there is no trace. The texts are long, and not needed.
_numbered = Prepared(
    lambda: (
        Comment.objects.on_published_articles(Given("now"))
        .filter(pk=Given("pk"), number__isnull=False)
        .select_related("article", "root")
        .defer("article__source", "article__html", "body", "html", "held_because", "root__body", "root__html")
    )
)
_open_article = Prepared(
    lambda: Article.objects.published(Given("now")).for_page().filter(slug=Given("slug")).defer("source", "html")
)


@shared_form
@require_http_methods(["GET", "POST"])
def write(request: HttpRequest, slug: str) -> HttpResponse:
    """A new thread, of the article or of a passage of it: `?absatz=3`, or chosen words of that paragraph,
    `?absatz=3&wortlaut=...&davor=...&danach=...`."""
    (article,) = ask_with_reader(request, _open_article.question(slug=slug, now=timezone.now()).first())
    if article is None:
        raise Http404
    return _write(request, article, passage=wanted_passage(request, article))


@shared_form
@require_http_methods(["GET", "POST"])
def reply(request: HttpRequest, pk: int) -> HttpResponse:
    parent = _numbered_comment(request, pk)
    # Removed while somebody wrote an answer: there is nothing to answer any more, but their text must not be lost.
    if parent is None:
        raise Http404
    if not parent.is_published and request.method != "POST":
        raise gone(parent)
    return _write(request, parent.article, parent=parent)


@require_GET
def permalink(request: HttpRequest, pk: int) -> HttpResponse:
    """Redirects to the page and anchor that show the comment now."""
    shown = Comment.objects.on_published_articles().select_related("article", "root").defer(*texts_of("article"))
    comment = get_object_or_404(shown, pk=pk)
    if comment.is_held and comment.is_by(current_reader(request)):
        return redirect(f"{comment.article.get_absolute_url()}#{comment.waiting_anchor}")
    if not (comment.is_published or stands(comment)):
        raise gone(comment)
    return redirect(place_of(comment, explicit=REMEMBERED in request.COOKIES))


@require_GET
def by_number(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """As the permalink, for who knows the comment's number: out of an anchor that the article's page does not have. Of
    one that is not there, or no more, back to the article: that is what was asked for."""
    article = get_object_or_404(Article.objects.published().only("pk", "slug"), slug=slug)
    comment = article.comments_all.select_related("root").filter(number=number).first()
    if comment is None or not (comment.is_published or stands(comment)):
        return redirect(article)
    return permalink(request, comment.pk)


@require_GET
def thread(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """One conversation with all its replies; `?ab=120` begins with reply number 120, `?nach=120` after it."""
    root = get_object_or_404(
        Comment.objects.select_related("article__counters", "passage")
        .defer(*texts_of("article"))
        .filter(article__in=Article.objects.published(), parent=None),
        article__slug=slug,
        number=number,
    )
    if not (root.is_published or stands(root)):
        raise gone(root)
    begins = _number(request.GET.get("ab")) - 1 if "ab" in request.GET else _number(request.GET.get("nach"))
    shown, following = whole_thread(root, max(begins, 0))
    context = {
        **site(),
        "for_everyone": True,
        "article": root.article,
        "root": root,
        "zone": timezone.get_current_timezone_name(),
        "threads": threads_html(root.article, [shown], timezone.now()),
        "following": following,
        "begins": f"?nach={begins}" if begins > root.number else "",
    }
    skeleton = Skeleton.cut(render_to_string("comments/thread_page.html", context))
    own = {}
    if not reads_only(request):
        own = own_slots(request) | own_marks(request, root.article, skeleton)
    response = HttpResponse(skeleton.fill(own))
    note_reading(request, response, root.article)
    response.headers["Cache-Control"] = "public, no-cache" if reads_only(request) else "private, no-cache"
    patch_vary_headers(response, ["Cookie"])
    return response


@shared_form
@require_POST
def respect(request: HttpRequest, pk: int) -> HttpResponse:
    """Gives ("1") or takes back ("0") a vote; the form says which, so that asking twice changes nothing."""
    comment = _numbered_comment(request, pk)
    if comment is None:
        raise Http404
    if not comment.is_published:
        raise gone(comment)
    wanted = request.POST.get("wanted") != "0"
    if wanted and current_reader(request) is None:  # fresh devices cost nothing: one person could be a hundred
        who = f"comment {comment.pk} {client_network(request)}"
        check_limit("vote", who, most=VOTES_PER_NETWORK, window=VOTES_WINDOW)
    reader = acting_reader(request)
    comment = vote(comment=comment, reader=reader, wanted=wanted)
    if request.htmx:
        return HttpResponse(vote_html(comment, voted=wanted, is_own=comment.is_by(reader)))
    return redirect(_where_they_read(request, comment) or comment)


def _where_they_read(request: HttpRequest, comment: Comment) -> str:
    """The comment on the page of its article that the button stood on, in the order and view chosen there, as the form
    says; empty if it says nothing of the kind."""
    page = _page_they_read(request)
    return "" if page is None else f"{comment.article.get_absolute_url()}{page}#{comment.anchor}"


def _page_they_read(request: HttpRequest) -> str | None:
    """The rest of its address after the article's, as the form says; None if it says nothing of the kind."""
    page = request.POST.get("von", "\n")
    return page if _PAGE.fullmatch(page) else None


# The rest of an article's address: of its own page, in some order, or of one conversation.
_PAGE = re.compile(r"(gespraech/[0-9]{1,9}/)?(\?[a-z0-9=&.~-]{0,200})?")


@csrf_exempt  # a stranger's page changes nothing, and no token means no question in between
@cache_control(private=True, no_cache=True)
@require_http_methods(["GET", "POST"])
def hide(request: HttpRequest, pk: int) -> HttpResponse:
    """Hides on this device whoever wrote the comment ("1"), or shows them again ("0"). GET asks."""
    comment = _numbered_comment(request, pk)
    if comment is None:
        raise Http404
    if not comment.is_published:
        raise gone(comment)
    response = redirect(_where_they_read(request, comment) or comment)
    if comment.is_by(current_reader(request)) or is_wished_elsewhere(request):  # as with a vote, nothing happens
        return response
    names = hidden_names(request)
    if request.method != "POST":
        context = {"comment": comment, "article": comment.article, "is_hidden": comment.name in names}
        return render(request, "comments/hide.html", context)
    wanted = request.POST.get("wanted") != "0"
    keep_hidden(response, [name for name in names if name != comment.name] + [comment.name] * wanted)
    return response


@csrf_exempt  # a stranger's page changes nothing, and no token means no question in between
@require_POST
def remember_view(request: HttpRequest, slug: str) -> HttpResponse:
    """Keeps order and view on the device. The cookie names no one, so pages stay the same for all who only read."""
    article = get_object_or_404(Article.objects.published(), slug=slug)
    position = Position.from_query({}, remembered=request.POST.get("ansicht", ""))
    response = redirect(f"{article.get_absolute_url()}#ordnung")
    if not is_wished_elsewhere(request):
        keep_on_device(response, REMEMBERED, "" if position == Position() else position.choice)
    return response


@csrf_exempt  # a stranger's page changes nothing, and no token means no question in between
@require_POST
def remember_visits(request: HttpRequest, slug: str) -> HttpResponse:
    """Has the device keep what it has seen, or no longer, where no script does; back to the page it came from."""
    article = get_object_or_404(Article.objects.published().select_related("counters"), slug=slug)
    response = redirect(f"{article.get_absolute_url()}{_page_they_read(request) or ''}#ordnung")
    if is_wished_elsewhere(request):
        return response
    if request.POST.get("wanted") == "1":
        note_visit(request, response, article)
    else:
        forget_visits(response)
    return response


@csrf_exempt  # the token in the address is the right to act
@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The link in the mail that asks a guest to confirm the address; GET asks, POST publishes (B12)."""
    comment = Comment.objects.select_related("article", "reader").filter(pk=token_pk(token)).first()
    if comment is None or not comment_token_fits(comment, token):
        return render(request, "subscriptions/link_dead.html", status=404)
    if timezone.now() > comment.created_at + LINK_VALID and not comment.is_published:
        return render(request, "subscriptions/link_dead.html", status=404)
    has_changed = False
    if request.method == "POST":
        confirm_comment(comment, as_seen=request.POST.get("seen"))
        comment.refresh_from_db()
        has_changed = comment.is_unconfirmed and comment.article.takes_comments
        reader = current_reader(request)
        if comment.is_by(reader) and not has_changed:
            confirm_address(reader, comment.email)
    context = {"comment": comment, "article": comment.article, "has_changed": has_changed}
    return render(request, "comments/confirm.html", context)


def _numbered_comment(request: HttpRequest, pk: int) -> Comment | None:
    return ask_with_reader(request, _numbered.question(pk=pk, now=timezone.now()).first())[0]


def _write(
    request: HttpRequest, article: Article, *, parent: Comment | None = None, passage: Passage | None = None
) -> HttpResponse:
    """The form on a page of its own, or as a fragment beneath the comment it answers."""
    reader = current_reader(request)
    prefix = ""
    if parent is not None:
        prefix = f"antwort-{parent.pk}-"
    elif passage is not None and request.htmx:
        prefix = "stelle-"  # beneath the passage, on the page of the article, which has a form already
    options = {"article": article, "reader": reader, "id_prefix": prefix}
    # Also where the form asked, and the paragraph was changed since: what was typed must not vanish.
    asked = bool(request.POST.get("words"))
    options["asks_words"] = passage is not None and (asked or is_paragraph(article, passage))
    preview, refusal, status, about = None, "", 200, passage
    if request.method == "POST":
        form = CommentForm(request.POST, **options)
        if "preview" in request.POST:
            form.keep_errors_of("body")  # who they are can wait
        if form.is_valid() and form.cleaned_data.get("words"):
            about = narrowed(article, passage, form.cleaned_data["words"])
            if about is None:
                form.add_error("words", _("Diese Worte stehen so nicht im Artikel. Am sichersten kopieren Sie sie."))
        if not form.is_valid():
            status = 422
        elif "preview" in request.POST:
            preview = comment_html(form.cleaned_data["body"])
        else:
            try:
                comment = _post(request, article, parent, about, form)
            except Refused as refused:
                refusal, status = str(refused), refused.status
                key = new_form_key(instead_of=read_form_key(form.cleaned_data["form_key"]))
                form = CommentForm({**form.data.dict(), "form_key": key}, **options)
            else:
                return _posted(request, comment, notify=form.cleaned_data["notify"])
    else:
        form = CommentForm(initial=guest_initial(reader), **options)
    return write_page(
        request, article, form, parent=parent, passage=passage, preview=preview, refusal=refusal, status=status
    )


def _post(
    request: HttpRequest, article: Article, parent: Comment | None, passage: Passage | None, form: CommentForm
) -> Comment:
    how = Circumstances(
        key=read_form_key(form.cleaned_data["form_key"]),
        network=client_network(request),
        trap=form.cleaned_data["subject"],
    )
    is_first_act = current_reader(request) is None
    reader = acting_reader(request)
    comment = post_comment(article=article, parent=parent, reader=reader, draft=form.draft(), how=how, passage=passage)
    if is_first_act and not reader.is_account and comment.reader != reader:
        # The first answer got lost, and with it the cookie (E9). Only the device that opened the form has its key; but
        # another one may have taken the comment over through a mailed link, and its cookie is not to be fetched.
        is_lately = timezone.now() < comment.created_at + ANSWER_LOST
        if is_lately and not comment.other_devices.exists():
            remember(request, comment.reader)
            reader.delete()
    return comment


def _posted(request: HttpRequest, comment: Comment, *, notify: bool) -> HttpResponse:
    """To the comment in its place. With htmx a reply comes back alone, beneath what it answers; for a new thread the
    section is fetched again, at the page where it stands."""
    sentence = _("Ihr Kommentar ist veröffentlicht.") if comment.is_published else _waiting_sentence(comment)
    passing = comment.is_published  # nothing more is asked of the reader
    if notify and comment.reader.owns(comment.email):
        sentence += " " + _("Antworten melden wir Ihnen.")
    elif notify:
        sentence += " " + _("Antworten melden wir Ihnen, sobald Sie das in unserer Mail bestätigen.")
        passing = False
    if request.htmx and comment.parent_id:
        return _posted_reply(request, comment, sentence, passing=passing)
    messages.add_message(request, messages.SUCCESS if passing else messages.INFO, sentence, extra_tags="comments")
    if comment.is_published:
        address = place_of(comment, explicit=REMEMBERED in request.COOKIES, is_new=True)
    else:
        address = f"{comment.article.get_absolute_url()}#{comment.anchor}"
    if not request.htmx:
        return redirect(address)
    path, _hash, anchor = address.partition("#")
    response = HttpResponseLocation(path, target="#kommentare", select="#kommentare", swap="outerHTML")
    return trigger_client_event(_sent(response), "newsroom:show", anchor)


def _posted_reply(request: HttpRequest, comment: Comment, sentence: str, *, passing: bool) -> HttpResponse:
    """The reader stays where they are; in its own place the reply stands from the next visit on."""
    # A conversation's own page does not say how many comments the article has.
    conversations = f"{comment.article.get_absolute_url()}gespraech/"
    on_thread_page = (request.htmx.current_url_abs_path or "").startswith(conversations)
    response = HttpResponse(reply_html(comment, sentence, passing=passing, count=not on_thread_page))
    retarget(response, f"#{comment.parent.anchor}")
    reswap(response, "afterend")
    trigger_client_event(_sent(response), "newsroom:show", comment.anchor, after="settle")
    if comment.is_published:
        replies = replies_label(comment.root.reply_count + 1, get_language())  # as it was when this one was written
        trigger_client_event(response, "newsroom:answered", {"root": comment.root.anchor, "replies": replies})
    return response


def _sent(response: HttpResponse) -> HttpResponse:
    """Tells the scripts that the draft has arrived."""
    return trigger_client_event(response, "newsroom:sent")


def _waiting_sentence(comment: Comment) -> str:
    if held_for_many(comment.held_because):
        return _(
            "Danke, Ihr Kommentar ist gespeichert. Weil es sehr viele Kommentare in kurzer Zeit waren, sieht ihn sich"
            " jemand aus der Redaktion an, dann erscheint er. In zehn Minuten erscheinen neue wieder sofort."
        )
    if comment.held_because:
        return _("Danke, Ihr Kommentar ist gespeichert. Jemand aus der Redaktion sieht ihn sich an, dann erscheint er.")
    return _(
        "Danke, Ihr Kommentar ist gespeichert. Er erscheint, sobald Sie Ihre Adresse bestätigen:"
        " Wir haben Ihnen geschrieben."
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 9 else 0
