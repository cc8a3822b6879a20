from django.urls import path

from comments import views

urlpatterns = [
    path("artikel/<slug:slug>/kommentieren/", views.write, name="write_comment"),
    path("artikel/<slug:slug>/gespraech/<int:number>/", views.thread, name="thread"),
    path("kommentar/<int:pk>/", views.permalink, name="comment"),
    path("kommentar/<int:pk>/antworten/", views.reply, name="reply"),
    path("kommentar/<int:pk>/respekt/", views.respect, name="vote"),
    path("kommentar/ja/<str:token>/", views.confirm, name="confirm_comment"),
]
