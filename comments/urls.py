from django.urls import path

from comments import author_views, views

urlpatterns = [
    path("artikel/<slug:slug>/kommentieren/", views.write, name="write_comment"),
    path("artikel/<slug:slug>/gespraech/<int:number>/", views.thread, name="thread"),
    path("artikel/<slug:slug>/kommentar/<int:number>/", views.by_number, name="comment_by_number"),
    path("artikel/<slug:slug>/ansicht/", views.remember_view, name="remember_view"),
    path("artikel/<slug:slug>/neues/", views.remember_visits, name="remember_visits"),
    path("kommentar/<int:pk>/", views.permalink, name="comment"),
    path("kommentar/<int:pk>/antworten/", views.reply, name="reply"),
    path("kommentar/<int:pk>/respekt/", views.respect, name="vote"),
    path("kommentar/<int:pk>/ausblenden/", views.hide, name="hide"),
    path("kommentar/<int:pk>/bearbeiten/", author_views.edit, name="edit_comment"),
    path("kommentar/<int:pk>/loeschen/", author_views.delete, name="delete_comment"),
    path("kommentar/<int:pk>/verlauf/", author_views.history, name="comment_history"),
    path("kommentar/<int:pk>/meiner/", author_views.own, name="own_comment"),
    path("kommentar/mein/<str:token>/", author_views.take_over, name="take_over_comment"),
    path("kommentar/ja/<str:token>/", views.confirm, name="confirm_comment"),
]
