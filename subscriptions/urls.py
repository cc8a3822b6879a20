from django.urls import path

from subscriptions import views

urlpatterns = [
    path("artikel/<slug:slug>/abonnieren/", views.subscribe_to_article, name="subscribe"),
    path("abo/ja/<str:token>/", views.confirm_subscription, name="confirm_subscription"),
    # Short, because the address stands in a mail header (B4).
    path("abo/nein/<str:token>/", views.end_subscription, name="end_subscription"),
]
