"""What somebody does with a comment of their own: change it, delete it, and get these rights back on another device."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from articles.models import texts_of
from comments.forms import CommentForm, EditForm, OwnerForm
from comments.gone import gone
from comments.mails import owner_token_fits
from comments.models import Comment, fingerprint_of
from comments.screening import Circumstances, unproved
from comments.services import ChangedElsewhere, Refused, delete_comment, edit_comment, send_owner_link
from comments.threads import place_of
from comments.writing import write_address, write_page
from newsroom.markup import comment_html
from newsroom.pages.formkey import new_form_key, read_form_key
from newsroom.pages.sharedforms import shared_form, token_page
from newsroom.ratelimit import client_network, count_up, was_counted
from newsroom.tokens import token_pk
from readers.device import current_reader, remember
from readers.merging import one_at_a_time
from readers.models import Reader
from readers.services import continue_as
from subscriptions.services import wants_replies

PRESSED_TWICE = timedelta(minutes=1)
AuthorView = Callable[[HttpRequest, Comment, Reader], HttpResponse]


def for_author(view: AuthorView) -> Callable[[HttpRequest, int], HttpResponse]:
    """Hands the view the comment and its author; asks everyone else whether they wrote it on another device."""

    @wraps(view)
    def wrapped(request: HttpRequest, pk: int) -> HttpResponse:
        reader = current_reader(request)
        comment = _comment_or_404(pk, reader)
        if comment.is_by(reader):
            return view(request, comment, reader)
        context = {"comment": comment, "article": comment.article, "form": OwnerForm(), "sent": False}
        return render(request, "comments/own.html", context, status=403)

    return wrapped


@shared_form
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    gone_meanwhile = _own_and_gone(request, pk) if request.method == "POST" else None
    if gone_meanwhile is not None:  # what was typed is there to copy
        said = str(gone(gone_meanwhile)) or _("Diesen Kommentar gibt es nicht mehr")
        context = {"article": gone_meanwhile.article, "said": said, "form": EditForm(request.POST)}
        return render(request, "comments/edit.html", context, status=409)
    return _edit(request, pk)


@for_author
def _edit(request: HttpRequest, comment: Comment, reader: Reader) -> HttpResponse:
    preview, stored_html, refusal, status = None, None, "", 200
    stored = comment.words_for(reader)
    if request.method == "POST":
        form = EditForm(request.POST)
        if not form.is_valid():
            status = 422
        elif "preview" in request.POST and comment.may_be_edited_by(reader):
            preview = comment_html(form.cleaned_data["body"])
        else:
            key = read_form_key(form.cleaned_data["form_key"])
            how = Circumstances(key=key, network=client_network(request))
            body, seen = form.cleaned_data["body"], form.cleaned_data["seen"] or fingerprint_of(stored)
            try:
                changed = edit_comment(comment=comment, reader=reader, body=body, how=how, as_seen=seen)
            except Refused as refused:
                refusal, status = str(refused), refused.status
                if isinstance(refused, ChangedElsewhere):
                    comment = _comment_or_404(comment.pk, reader)
                    stored = comment.words_for(reader)
                    stored_html = comment_html(stored)
                    form.data = form.data.copy()
                    form.data["seen"] = fingerprint_of(stored)
            else:
                # Sent twice, it has been changed by the first one.
                has_changed = changed.state != comment.state or fingerprint_of(body) != seen
                return _changed(request, changed, has_changed=has_changed)
    else:
        key = new_form_key(confirmed=True)
        form = EditForm(initial={"body": stored, "form_key": key, "seen": fingerprint_of(stored)})
    context = {
        "comment": comment,
        "stored_html": stored_html,
        "article": comment.article,
        "form": form,
        "preview": preview,
        "refusal": refusal,
    }
    context |= {"is_editable": comment.may_be_edited_by(reader), "is_unproved": bool(unproved(comment, reader))}
    context |= {"stored": stored, "is_elsewhere": not comment.may_be_read_by(reader)}
    context["beside"] = [] if context["is_elsewhere"] else comment.waiting_beside
    return render(request, "comments/edit.html", context, status=status)


@shared_form
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks, POST deletes. Taken back in the first seconds, the words stand in the form again. Sent twice, or that
    page loaded again, it answers as the first time."""
    if request.method == "POST":
        gone_already = _own_and_gone(request, pk)
        if gone_already is not None and gone_already.state == Comment.State.DELETED:
            return _deleted(request, gone_already)
        if gone_already is not None and "undo" in request.POST and gone_already.state == Comment.State.TAKEN_BACK:
            if gone_already.html and gone_already.may_be_read_by(current_reader(request)):
                return _words_again(request, gone_already)
            has_place = gone_already.parent_id or gone_already.passage_id
            form = write_address(gone_already) if has_place else gone_already.article.get_absolute_url()
            return redirect(f"{form}#kommentar-schreiben")
    return _delete(request, pk)


@for_author
def _delete(request: HttpRequest, comment: Comment, reader: Reader) -> HttpResponse:
    may_read = comment.may_be_read_by(reader)
    takes_back = "undo" in request.POST and may_read
    deletes = request.method == "POST" and ("undo" not in request.POST or may_read)
    if takes_back and comment.is_told_of:
        sentence = _(
            "Zurückziehen geht nur in den ersten %(seconds)d Sekunden; wem wir neue Kommentare melden, der hat Ihren"
            " vielleicht schon bekommen. Löschen können Sie ihn weiterhin."
        )
        said = sentence % {"seconds": settings.UNDO_SECONDS}
        context = {"comment": comment, "article": comment.article, "said": said, "may_read": may_read}
        return render(request, "comments/delete.html", context, status=409)
    if deletes:
        delete_comment(comment=comment, reader=reader, as_if_never=takes_back)
        return _words_again(request, comment) if takes_back else _deleted(request, _comments().get(pk=comment.pk))
    context = {"comment": comment, "article": comment.article, "may_read": may_read}
    return render(request, "comments/delete.html", context)


def _words_again(request: HttpRequest, comment: Comment) -> HttpResponse:
    """The form, with what was taken back."""
    reader = current_reader(request)
    words = {name: getattr(comment, name) for name in ("body", "name", "email", "website")}
    words["notify"] = wants_replies(reader, comment)
    # Its words were written before: however fast they come again.
    words["form_key"] = new_form_key(confirmed=True)
    form = CommentForm(initial=words, article=comment.article, reader=reader)
    form.fields["body"].widget.attrs["autofocus"] = True
    sentence = _("Ihr Kommentar ist zurückgezogen. Sie können ihn ändern und neu absenden oder es lassen.")
    place = {"parent": comment.parent, "passage": comment.passage, "action": write_address(comment)}
    return write_page(request, comment.article, form, said=sentence, **place)


def _deleted(request: HttpRequest, comment: Comment) -> HttpResponse:
    messages.success(request, _("Ihr Kommentar ist gelöscht."), extra_tags="comments")
    return redirect(_where_it_stood(comment))


@require_safe
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """What a changed comment said before: public, because others answered to it; also while its words are held."""
    comment = get_object_or_404(_comments(), pk=pk)
    if not (comment.is_published or (comment.is_held and comment.number is not None)):
        raise gone(comment)
    if comment.edited_at is None:
        raise Http404
    context = {"comment": comment, "article": comment.article, "revisions": comment.revisions.order_by("pk")}
    return render(request, "comments/history.html", context)


@shared_form
@require_http_methods(["GET", "POST"])
def own(request: HttpRequest, pk: int) -> HttpResponse:
    """Mails a link to the address given with the comment. The answer never tells whether the address is right."""
    comment = _comment_or_404(pk, current_reader(request))
    form = OwnerForm(request.POST if request.method == "POST" else None)
    sent = form.is_valid()
    if sent:
        send_owner_link(comment=comment, email=form.cleaned_data["email"], network=client_network(request))
    context = {"comment": comment, "article": comment.article, "form": form, "sent": sent}
    return render(request, "comments/own.html", context, status=422 if form.errors else 200)


@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def take_over(request: HttpRequest, token: str) -> HttpResponse:
    """The link in that mail. GET asks, POST gives this device what was written with the address (B12).

    With a CSRF token, unlike other pages of mailed links: a stranger's page must not make its visitors somebody else.
    """
    comment = _comments().filter(pk=token_pk(token)).first()
    if comment is not None and request.method == "POST":
        reader = _taken_over(request, comment.pk, token)
        if reader is not None:
            if not reader.is_account:  # a session says who that is
                remember(request, reader)
            return redirect(_shown(comment))
    elif comment is not None and _still_gives(comment, token):
        response = render(request, "comments/take_over.html", {"comment": comment, "article": comment.article})
        # After "no-referrer" browsers send "Origin: null" with the form, and no token helps against that. The address,
        # and with it the token in it, is in no Referer header either way.
        response.headers["Referrer-Policy"] = "strict-origin"
        return response
    device = current_reader(request)
    if comment is not None and comment.is_by(device) and not unproved(comment, device):  # opened once more
        return redirect(_shown(comment))
    is_public = comment is not None and comment.is_published and not comment.reader.is_account
    template = "comments/link_used.html" if is_public else "subscriptions/link_dead.html"
    return render(request, template, {"comment": comment}, status=404)


def _still_gives(comment: Comment, token: str) -> bool:
    return owner_token_fits(comment, token) and not comment.reader.is_account


def _taken_over(request: HttpRequest, pk: int, token: str) -> Reader | None:
    """Whose the comment is now; None if the link gives nothing. Pressed twice, the second press counts as the first:
    whose answer, with the cookie, never arrived. It is the same browser's if it sends the same CSRF cookie."""
    with transaction.atomic():
        one_at_a_time()
        comment = _comments().get(pk=pk)
        browser = request.COOKIES.get(settings.CSRF_COOKIE_NAME, "")
        if _still_gives(comment, token):
            reader = continue_as(comment.reader, email=comment.email, device=current_reader(request))
            count_up("take over", f"{browser} {token} {reader.pk}", window=PRESSED_TWICE)
            return reader
        is_again = browser and was_counted("take over", f"{browser} {token} {comment.reader_id}")
        return comment.reader if is_again and not comment.reader.is_account else None


def _changed(request: HttpRequest, comment: Comment, *, has_changed: bool) -> HttpResponse:
    if not has_changed:
        messages.info(request, _("Sie haben nichts geändert."), extra_tags="comments")
    elif comment.is_published:
        messages.success(request, _("Ihre Änderung ist veröffentlicht."), extra_tags="comments")
    else:
        messages.info(request, _waiting_sentence(comment), extra_tags="comments")
    return redirect(comment)


def _waiting_sentence(comment: Comment) -> str:
    if comment.is_unconfirmed:
        return _("Ihre Änderung ist gespeichert. Der Kommentar erscheint, sobald Sie Ihre Adresse bestätigen.")
    if comment.waiting_beside:
        return _("Ihre Änderung ist gespeichert. Jemand aus der Redaktion sieht sich beide Fassungen an.")
    return _("Ihre Änderung ist gespeichert. Jemand aus der Redaktion sieht sie sich an, dann erscheint sie.")


def _shown(comment: Comment) -> str:
    return place_of(comment) if comment.number else comment.article.get_absolute_url()


def _where_it_stood(comment: Comment) -> str:
    """Its tombstone; of one that nobody has seen there is none."""
    return f"{comment.article.get_absolute_url()}#kommentare" if comment.number is None else place_of(comment)


def _own_and_gone(request: HttpRequest, pk: int) -> Comment | None:
    """What was this reader's, and is removed, deleted or taken back."""
    comment = _comments().filter(pk=pk).exclude(state__in=[Comment.State.PUBLISHED, Comment.State.HELD]).first()
    return comment if comment is not None and comment.is_by(current_reader(request)) else None


def _comments():
    return (
        Comment.objects.on_published_articles().select_related("article", "reader", "root").defer(*texts_of("article"))
    )


def _comment_or_404(pk: int, reader: Reader | None) -> Comment:
    """A published comment, or a held one that readers have seen, or this reader's: of one that nobody has seen nobody
    else can tell that it is there. Of a removed or deleted one there is nothing to change or to see."""
    comment = get_object_or_404(_comments(), pk=pk)
    is_known = comment.is_held and (comment.number is not None or comment.is_by(reader))
    if not (comment.is_published or is_known):
        raise gone(comment)
    return comment
