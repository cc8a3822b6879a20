from django.urls import path, re_path

from articles import feeds, views
from articles.shipped import PAGES

urlpatterns = [
    path("", views.home, name="home"),
    path("artikel/<slug:slug>/", views.article_page, name="article"),
    path("artikel/<slug:slug>/stand/", views.latest, name="latest"),
    path("artikel/<slug:slug>/blase/", views.close_bubble, name="close_bubble"),
    path("artikel/<slug:slug>/feed/", feeds.comments_feed, name="article_feed"),
    path("feed/", feeds.articles_feed, name="feed"),
    re_path(rf"^(?P<slug>{'|'.join(PAGES)})/$", views.site_page, name="site_page"),
]
