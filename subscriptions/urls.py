from django.urls import path

from subscriptions import views

urlpatterns = [
    path("artikel/<slug:slug>/abonnieren/", views.subscribe_to_article, name="subscribe"),
    path("abo/ja/<str:token>/", views.confirm_subscription, name="confirm_subscription"),
    # Short, because the address stands in a mail header (B4).
    path("abo/nein/<str:token>/", views.end_subscription, name="end_subscription"),
    path("abos/", views.find_subscriptions, name="find_subscriptions"),
    path("abos/<str:token>/", views.manage_subscriptions, name="manage_subscriptions"),
    path("abos/<str:token>/einwilligungen.json", views.export_consents, name="export_consents"),
]
