from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from articles.models import Article
from newsroom.ratelimit import client_network
from newsroom.sharedforms import shared_form, token_page
from newsroom.tokens import token_pk
from readers.device import acting_reader, current_reader
from readers.services import confirm_address
from subscriptions.forms import SubscriptionForm
from subscriptions.models import Subscription
from subscriptions.services import confirm, end, subscribe


@shared_form
@require_http_methods(["GET", "POST"])
def subscribe_to_article(request: HttpRequest, slug: str) -> HttpResponse:
    article = get_object_or_404(Article.objects.published(), slug=slug)
    form = SubscriptionForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        subscription = subscribe(
            article=article,
            reader=acting_reader(request),
            kind=form.cleaned_data["kind"],
            email=form.cleaned_data["email"],
            network=client_network(request),
        )
        answer = _answer(request, subscription)
        if request.htmx:
            context = {"article": article, "subscription_form": SubscriptionForm(), "subscription_answer": answer}
            return render(request, "subscriptions/subscribe_form.html", context)
        messages.success(request, answer, extra_tags="subscription")
        return redirect(f"{article.get_absolute_url()}#abonnieren")
    template = "subscriptions/subscribe_form.html" if request.htmx else "subscriptions/subscribe.html"
    context = {"article": article, "subscription_form": form}
    return render(request, template, context, status=422 if form.is_bound else 200)


@csrf_exempt  # the token in the address is the right to act; the mail it came with carries no cookie
@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_subscription(request: HttpRequest, token: str) -> HttpResponse:
    """The opt-in link. GET asks, POST acts: mail scanners open links, and some run scripts (B12)."""
    subscription = _by_token("confirm", token)
    if subscription is None:
        return render(request, "subscriptions/link_dead.html", status=404)
    if request.method == "POST":
        confirm(subscription)
        reader = current_reader(request)
        if reader is not None and reader.pk == subscription.reader_id and subscription.is_active:
            confirm_address(reader, subscription.email)
    context = {"subscription": subscription, "article": subscription.article}
    return render(request, "subscriptions/confirm.html", context)


@csrf_exempt  # RFC 8058: the mail provider posts without cookie, token or referer (B3)
@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def end_subscription(request: HttpRequest, token: str) -> HttpResponse:
    """The link that ends a subscription, for people (GET shows a button) and for their mail client's own button."""
    subscription = _by_token("end", token)
    if subscription is None:
        return render(request, "subscriptions/link_dead.html", status=404)
    if request.method == "POST":
        end(subscription)
        subscription.refresh_from_db()
    context = {"subscription": subscription, "article": subscription.article}
    return render(request, "subscriptions/end.html", context)


def _by_token(purpose: str, token: str) -> Subscription | None:
    subscription = Subscription.objects.select_related("article__counters").filter(pk=token_pk(token)).first()
    return subscription if subscription is not None and subscription.token_fits(purpose, token) else None


def _answer(request: HttpRequest, subscription: Subscription) -> str:
    """Only who proved the address in this browser learns whether it is subscribed (C7)."""
    reader = current_reader(request)
    if reader is not None and reader.owns(subscription.email):
        return _("Eingetragen. Wir schreiben Ihnen an %s.") % subscription.email
    return (
        _(
            "Bitte sehen Sie in Ihr Postfach (%s): Dort liegt eine E-Mail mit einem Knopf zum Bestätigen."
            " Erst danach schreiben wir Ihnen."
        )
        % subscription.email
    )
