"""The groups a new site has: a colleague is made what they are to do with one tick."""

import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
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


def test_a_new_english_site_has_english_groups(db, settings):
    Group.objects.all().delete()
    settings.LANGUAGE_CODE = "en"
    create_missing_groups()
    assert {group.name for group in Group.objects.all()} == {"Moderation", "Editorial desk"}


def test_rights_are_named_in_the_sites_language(groups, desk):
    page = desk.get(f"/redaktion/auth/group/{groups['Moderation'].pk}/change/").text
    chosen = set(re.findall(r'<option value="\d+" selected>([^<]+)', page))
    assert {"Artikel: ansehen", "Kommentare: ansehen", "Kommentare: ändern"} <= chosen
    assert len(chosen) == groups["Moderation"].permissions.count()
    assert "Can " not in page


def test_groups_are_the_superusers_to_change(groups):
    user, browser = delegate("view_group", "change_group", "add_group", "delete_group")
    address = f"/redaktion/auth/group/{groups['Moderation'].pk}/"
    everything = {"name": "Moderation", "permissions": [right.pk for right in Permission.objects.all()]}
    assert browser.post(f"{address}change/", everything).status_code == 403
    assert browser.post(f"{address}delete/", {"post": "yes"}).status_code == 403
    assert browser.post("/redaktion/auth/group/add/", everything).status_code == 403
    assert groups["Moderation"].permissions.count() == sum(map(len, GROUPS["Moderation"].values()))


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


def delegate(*names: str) -> tuple[User, Client]:
    """Somebody of the house with nothing but these rights."""
    user = User.objects.create_user("olaf", "olaf@example.org", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    browser = Client()
    browser.force_login(user)
    return user, browser


def test_who_may_change_accounts_may_not_make_themselves_superuser():
    user, browser = delegate("view_user", "change_user")
    address = f"/redaktion/readers/user/{user.pk}/change/"
    form = {"username": "olaf", "is_superuser": "on", "is_staff": "on", "is_active": "on", "first_name": "Olaf"}
    form |= {"email": user.email, "last_login_0": "", "last_login_1": "", "date_joined_0": "27.11.2026"}
    assert browser.post(address, form | {"date_joined_1": "12:00:00"}).status_code == 302
    user.refresh_from_db()
    assert (user.first_name, user.is_superuser) == ("Olaf", False)


@pytest.mark.parametrize("is_superuser", [True, False])
def test_nor_change_a_colleague(is_superuser):
    """Whoever sets a colleague's password could do what they may do."""
    boss = factories.editor("boss")
    User.objects.filter(pk=boss.pk).update(is_superuser=is_superuser)
    _user, browser = delegate("view_user", "change_user", "delete_user")
    assert browser.post(f"/redaktion/readers/user/{boss.pk}/change/", {"username": "x"}).status_code == 403
    assert browser.post(f"/redaktion/readers/user/{boss.pk}/delete/", {"post": "yes"}).status_code == 403
    assert browser.get(f"/redaktion/readers/user/{boss.pk}/change/").status_code == 200
    assert browser.post(f"/redaktion/readers/user/{boss.pk}/password/", {"password1": "x"}).status_code == 403


def test_address_of_a_draft_is_told_only_to_who_may_see_it(desk):
    draft = factories.article(state="draft", slug="minister-tritt-zurueck")
    kind = ContentType.objects.get_for_model(draft)
    _user, browser = delegate("view_comment")
    assert browser.get(f"/redaktion/r/{kind.pk}/{draft.pk}/").status_code == 404
    assert desk.get(f"/redaktion/r/{kind.pk}/{draft.pk}/").url == draft.get_absolute_url()
    for nothing in (f"{kind.pk}/999999", "999999/1", f"{kind.pk}/x"):
        assert desk.get(f"/redaktion/r/{nothing}/").status_code == 404


def test_who_knows_the_password_is_never_kept_out(client, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # 22 of the real ones take 8 s
    User.objects.create_superuser("lena", "lena@example.org", "richtig")
    for _ in range(12):
        assert client.post("/redaktion/login/", {"username": "lena", "password": "richtig"}).status_code == 302
        client.logout()
    for _ in range(10):
        assert client.post("/redaktion/login/", {"username": "lena", "password": "falsch"}).status_code == 200
    assert "Zu viele Versuche" in client.post("/redaktion/login/", {"username": "lena", "password": "richtig"}).text
