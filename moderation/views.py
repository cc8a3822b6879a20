from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from articles.models import Article
from comments.models import Comment
from moderation.forms import NoticeForm
from moderation.models import Notice
from moderation.services import give_notice
from newsroom.mail import site_url
from newsroom.ratelimit import client_network, count_up
from newsroom.sharedforms import shared_form
from readers.device import acting_reader

NOTICES_PER_NETWORK, PER_NETWORK = 30, timedelta(hours=1)


@shared_form
@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """A notice about a comment, open to anyone, signed in or not (A4, A5)."""
    comment = get_object_or_404(
        Comment.objects.published().filter(article__in=Article.objects.published()).with_article(), pk=pk
    )
    initial = {"url": site_url(comment.get_absolute_url())}
    form = NoticeForm(request.POST if request.method == "POST" else None, initial=initial)
    status = 422 if form.is_bound else 200
    if form.is_valid():
        if count_up("notice", f"network {client_network(request)}", window=PER_NETWORK) <= NOTICES_PER_NETWORK:
            notice = Notice(comment=comment, reader=acting_reader(request), **form.cleaned_data)
            give_notice(notice, network=client_network(request))
            messages.success(
                request, _("Danke, Ihre Meldung ist eingegangen. Wir sehen sie uns an."), extra_tags="comments"
            )
            return redirect(comment)
        status = 429
        form.add_error(
            None, _("Aus Ihrem Netz kamen sehr viele Meldungen. Bitte versuchen Sie es in einer Stunde wieder.")
        )
    return render(request, "moderation/report.html", {"comment": comment, "form": form}, status=status)
