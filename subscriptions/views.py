from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from articles.models import Article
from newsroom.pages.sharedforms import shared_form, token_page
from newsroom.ratelimit import client_network
from newsroom.tokens import token_pk
from readers.device import acting_reader, current_reader
from readers.services import confirm_address
from subscriptions.forms import AddressForm, RecipientForm, RhythmForm, SubscriptionForm
from subscriptions.models import Recipient, Subscription
from subscriptions.rhythm import Rhythm
from subscriptions.services import (
    choose_rhythm,
    confirm,
    consents_of,
    end,
    end_all,
    keep_recipient,
    resume,
    send_manage_mail,
    subscribe,
)


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
    form = RhythmForm(request.POST or None)
    if request.method == "POST":
        confirm(subscription, rhythm=form.cleaned_data["rhythm"] if form.is_valid() else Rhythm.AT_ONCE)
        reader = current_reader(request)
        if reader is not None and reader.pk == subscription.reader_id and subscription.is_active:
            confirm_address(reader, subscription.email)
    context = {"subscription": subscription, "article": subscription.article, "form": form}
    context["recipient"] = Recipient.of(subscription.email)
    return render(request, "subscriptions/confirm.html", context)


@csrf_exempt  # RFC 8058: the mail provider posts without cookie, token or referer (B3)
@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def end_subscription(request: HttpRequest, token: str) -> HttpResponse:
    """The link that ends a subscription, for people (GET shows a button) and for their mail client's own button.
    Who pressed it by mistake may take that back, there and then."""
    subscription = _by_token("end", token)
    if subscription is None:
        return render(request, "subscriptions/link_dead.html", status=404)
    ended_now, resumes = False, request.POST.get("again")
    one_click = request.POST.get("List-Unsubscribe") == "One-Click"
    if resumes is not None and not one_click:  # sent twice it ends nothing
        if subscription.token_fits("resume", resumes):
            resume(subscription)
    elif request.method == "POST":
        ended_now = end(
            subscription, how=_("Ein-Klick-Abmeldung des Mailprogramms") if one_click else _("Link in der Mail")
        )
        subscription.refresh_from_db()
    context = {
        "subscription": subscription,
        "article": subscription.article,
        "is_resumed": resumes is not None and subscription.is_active,
    }
    if ended_now and subscription.may_be_resumed:  # offered to nobody else: a mail that was passed on has the link too
        context["resume_token"] = subscription.token("resume")
    return render(request, "subscriptions/end.html", context)


@shared_form
@require_http_methods(["GET", "POST"])
def find_subscriptions(request: HttpRequest) -> HttpResponse:
    """Where a reader without an account asks for the link to all subscriptions; an account is led to them."""
    reader = current_reader(request)
    if reader is not None and reader.is_account and reader.email_confirmed_at is not None:
        return redirect("manage_subscriptions", Recipient.of(reader.email).token)
    form = AddressForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        send_manage_mail(email=form.cleaned_data["email"], network=client_network(request))
        return render(request, "subscriptions/find.html", {"email": form.cleaned_data["email"]})
    return render(request, "subscriptions/find.html", {"form": form}, status=422 if form.is_bound else 200)


@csrf_exempt  # the token in the address is the right to act
@token_page
@require_http_methods(["GET", "HEAD", "POST"])
def manage_subscriptions(request: HttpRequest, token: str) -> HttpResponse:
    """Everything that goes to one address: how often, when, and the end of it."""
    recipient = Recipient.by_token(token)
    if recipient is None:
        return render(request, "subscriptions/find.html", {"form": AddressForm(), "dead_link": True}, status=404)
    mine = Subscription.objects.active().filter(email=recipient.email).order_by("pk")
    rows = list(mine.select_related("article__counters"))
    form = RecipientForm(request.POST if "save" in request.POST else None, instance=recipient)
    if request.method == "POST":
        how, done = _("Seite aller Abonnements"), ""
        if "end_all" in request.POST:
            end_all(recipient.email, how=how)
            done = "?ended"
        elif row := next((row for row in rows if str(row.pk) == request.POST.get("end")), None):
            end(row, how=how)
            done = "?ended"
        elif "save" in request.POST and form.is_valid():
            keep_recipient(form.instance)
            done = "?kept"
            for row in rows:
                chosen = RhythmForm(request.POST, prefix=str(row.pk))
                # A page opened before this subscription was made says nothing of it.
                if f"{row.pk}-rhythm" in request.POST and chosen.is_valid():
                    choose_rhythm(row, chosen.cleaned_data["rhythm"])
        if not form.errors:
            return redirect(f"{request.path}{done}")
    for row in rows:
        row.form = RhythmForm(
            request.POST if form.is_bound else None, prefix=str(row.pk), initial={"rhythm": row.rhythm}
        )
    context = {
        "recipient": recipient,
        "subscriptions": rows,
        "form": form,
        "token": token,
        "is_done": {} if form.errors else request.GET,
    }
    return render(request, "subscriptions/manage.html", context, status=422 if form.errors else 200)


@token_page
@require_safe
def export_consents(request: HttpRequest, token: str) -> HttpResponse:
    """What its owner may always know: what was agreed to, when, and how it was withdrawn (A23, A25)."""
    recipient = Recipient.by_token(token)
    if recipient is None:
        return render(request, "subscriptions/find.html", {"form": AddressForm(), "dead_link": True}, status=404)
    answer = JsonResponse(
        {"email": recipient.email, "consents": consents_of(recipient.email)},
        json_dumps_params={"ensure_ascii": False, "indent": 2},
    )
    answer.headers["Content-Disposition"] = 'attachment; filename="einwilligungen.json"'
    return answer


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
