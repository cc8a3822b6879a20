"""The groups a new site has: a colleague is made what they are to do with one tick."""

import re

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from comments.models import Comment
from moderation.shipped import GROUPS, create_missing_groups
from readers.models import User
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def groups() -> dict[str, Group]:
    Group.objects.all().delete()  # the tests' database has them, until a test emptied it
    create_missing_groups()
    return {group.name: group for group in Group.objects.all()}


def colleague(group: Group) -> Client:
    user = User.objects.create_user("lena", "lena@example.org", is_staff=True)
    user.groups.add(group)
    browser = Client()
    browser.force_login(user)
    return browser


def test_all_permissions_exist(groups):
    for name, wanted in GROUPS.items():
        assert groups[name].permissions.count() == sum(map(len, wanted.values()))


def test_moderators_decide_and_change_no_article(groups, article):
    comment = factories.comment(article, state="held", held_because=["Erster Kommentar"])
    desk = colleague(groups["Moderation"])
    assert "1 Kommentar wartet auf Ihre Entscheidung" in desk.get("/redaktion/").text
    seen = f"{comment.pk}:{comment.fingerprint}"
    desk.post(f"/redaktion/comments/comment/{comment.pk}/entscheiden/", {"approve": "1", "seen": seen})
    assert Comment.objects.get().is_published
    assert desk.get("/redaktion/articles/article/add/").status_code == 403


def test_editors_write_and_see_how_mails_stand(groups, article):
    desk = colleague(groups["Redaktion"])
    for page in (f"articles/article/{article.pk}/change/", "articles/article/add/", "subscriptions/delivery/stand/"):
        assert desk.get(f"/redaktion/{page}").status_code == 200
    assert desk.get("/redaktion/readers/user/").status_code == 403


def test_groups_that_were_changed_stay(groups):
    groups["Moderation"].permissions.clear()
    groups["Redaktion"].delete()
    create_missing_groups()
    assert [(group.name, group.permissions.count()) for group in Group.objects.all()] == [("Moderation", 0)]


def test_adding_a_colleague_is_german(groups):
    desk = Client()
    desk.force_login(factories.editor())
    page = desk.get("/redaktion/readers/user/add/").text
    assert "Alles Weitere, auch die Rechte, kommt im nächsten Schritt." in page
    assert "Anmeldung mit Passwort" in page
    lena = User.objects.create_user("lena", "lena@example.org", "Xk29-ab71-zz")
    page = desk.get(f"/redaktion/readers/user/{lena.pk}/change/").text
    assert re.findall(r'name="groups"[^>]*>\s*(\w+)', page) == list(GROUPS)
    assert "Raw passwords" not in page
