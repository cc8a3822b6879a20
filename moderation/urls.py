from django.urls import path

from moderation import views

urlpatterns = [path("kommentar/<int:pk>/melden/", views.report, name="report")]
