from django.urls import path

from moderation import views

urlpatterns = [
    path("kommentar/<int:pk>/melden/", views.report, name="report"),
    path("dienst/<str:token>/", views.decide_by_mail, name="decide_by_mail"),
]
