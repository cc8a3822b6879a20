from django.urls import path

from ratings import views

urlpatterns = [path("artikel/<slug:slug>/bewerten/", views.rate, name="rate")]
