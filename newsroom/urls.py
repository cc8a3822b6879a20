"""The site map. Names and addresses are public: people bookmark them and mails link to them."""

from django.conf import settings
from django.contrib import admin
from django.contrib.sitemaps.views import sitemap
from django.urls import include, path

from articles.feeds import ArticleSitemap, PageSitemap, StartSitemap
from newsroom import mailbox_views, samples, views

SITEMAPS = {"start": StartSitemap, "artikel": ArticleSitemap, "seiten": PageSitemap}

urlpatterns = [
    path("", include("articles.urls")),
    path("", include("comments.urls")),
    path("", include("ratings.urls")),
    path("", include("subscriptions.urls")),
    path("", include("moderation.urls")),
    path("konto/", include("readers.urls")),
    path("redaktion/", admin.site.urls),
    path("formular/", views.form_token, name="form_token"),
    path("forms.<slug:version>.js", views.first_script_file, name="first_script"),
    path("healthz", views.healthz, name="healthz"),
    path("robots.txt", views.robots, name="robots"),
    path("sitemap.xml", sitemap, {"sitemaps": SITEMAPS}, name="sitemap"),
]

if settings.ANYMAIL.get("WEBHOOK_SECRET"):  # without it anybody could tell us anything
    # Only here: it listens to anymail's signals, and changes how anymail reads mails.
    import subscriptions.webhooks  # noqa: F401

    urlpatterns.append(path(settings.WEBHOOKS[1:], include("anymail.urls")))

if settings.MAILBOX:
    urlpatterns += [
        path("postfach/", mailbox_views.letters, name="mailbox"),
        path("postfach/muster/", samples.gallery, name="samples"),
        path("postfach/muster/<str:name>/", samples.sample_html, name="sample_html"),
        path("postfach/<str:key>/", mailbox_views.letter, name="letter"),
        path("postfach/<str:key>/antworten/", mailbox_views.answer, name="answer_letter"),
        path("postfach/<str:key>/html/", mailbox_views.letter_html, name="letter_html"),
    ]

handler400 = "newsroom.views.bad_request"
handler403 = "newsroom.views.forbidden"
handler404 = "newsroom.views.not_found"
handler500 = "newsroom.views.server_error"
