"""The form for a comment, on a page of its own or as a fragment where it was asked for."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from articles.models import Article
from articles.passages import is_cut
from comments.choosing import is_missing, link_address, sealed_address
from comments.forms import CommentForm
from comments.models import Comment, Passage
from readers.device import current_reader


def write_page(
    request: HttpRequest,
    article: Article,
    form: CommentForm,
    *,
    parent: Comment | None = None,
    passage: Passage | None = None,
    preview: str | None = None,
    refusal: str = "",
    said: str = "",
    action: str = "",
    status: int = 200,
) -> HttpResponse:
    """`action` is where the form goes; empty for the address asked for, or that of the passage. A parent that is gone
    cannot be answered any more: then the form is for a comment of its own."""
    gone = parent is not None and not parent.is_published
    if request.method == "GET" and not request.htmx:  # there the script says what is focused
        form.fields["body"].widget.attrs["autofocus"] = True
    if passage is not None and not action:
        action = sealed_address(article, passage.quote)
    context = {
        "article": article,
        "parent": None if gone else parent,
        "passage": passage,
        "passage_is_cut": passage is not None and is_cut(request.GET.get("wortlaut", "")),
        "passage_is_missing": request.method == "GET" and is_missing(request, passage),
        "goes_on": "weiter" in request.GET,
        "draft": link_address(article, passage) if passage is not None else "",
        "form": form,
        "reader": current_reader(request),
        "preview": preview,
        "refusal": refusal,
        "said": said,
        "action": reverse("write_comment", args=[article.slug]) if gone else action or request.get_full_path(),
    }
    template = "comments/form.html" if request.htmx else "comments/write.html"
    if request.htmx and request.method == "GET" and passage is not None:
        template = "comments/write_here.html"
    return render(request, template, context, status=status)


def write_address(comment: Comment) -> str:
    """Where a form goes that is to write what `comment` was once more."""
    if comment.parent_id:
        return reverse("reply", args=[comment.parent_id])
    write = reverse("write_comment", args=[comment.article.slug])
    return sealed_address(comment.article, comment.passage.quote) if comment.passage else write
