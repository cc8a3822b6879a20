from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from articles.models import Article
from newsroom.pages.sharedforms import shared_form
from ratings.forms import STARS, RatingForm
from ratings.services import rate_article
from readers.device import acting_reader


@shared_form
@require_http_methods(["GET", "POST"])
def rate(request: HttpRequest, slug: str) -> HttpResponse:
    article = get_object_or_404(Article.objects.published().for_page(), slug=slug)
    form = RatingForm(request.POST if request.method == "POST" else None)
    context = {"article": article, "stars": STARS, "rating_form": form}
    if form.is_valid():
        stars = form.cleaned_data["stars"]
        rate_article(article=article, reader=acting_reader(request), stars=int(stars))
        answer = _("Danke, Ihre Bewertung ist gespeichert.")
        if not request.htmx:
            messages.success(request, answer, extra_tags="rating")
            return redirect(f"{article.get_absolute_url()}#bewertung")
        article.counters.refresh_from_db()
        return render(request, "ratings/rating.html", {**context, "own_stars": stars, "rating_answer": answer})
    template = "ratings/rating.html" if request.htmx else "ratings/rate.html"
    return render(request, template, context, status=422 if form.is_bound else 200)
