"""The headers of every kind of answer, and what production settings make of cookies (C1)."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import connection
from django.test import Client

from newsroom.settings import address_of
from tests import factories

ROOT = Path(settings.BASE_DIR)
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def policy(answer) -> dict[str, str]:
    parts = answer.headers["Content-Security-Policy"].split(";")
    return dict(part.strip().split(" ", 1) for part in parts if part.strip())


@pytest.fixture
def answers(article, letters) -> dict:
    """One of each kind."""
    comment = factories.comment(article)
    row = factories.subscription(article)
    here = f"/artikel/{article.slug}/"
    desk = Client()
    desk.force_login(factories.editor())
    browser = Client()
    return {
        "page": browser.get(here),
        "not modified": browser.get(here, headers={"If-None-Match": browser.get(here).headers["ETag"]}),
        "kept page": Client().get(here),
        "anything new": browser.get(f"{here}stand/"),
        "anything new, kept": browser.get(f"{here}stand/"),
        "redirect": browser.get(f"/kommentar/{comment.pk}/"),
        "bad request": browser.get("/?x=%00"),
        "not found": browser.get("/gibt-es-nicht/"),
        "method": browser.put("/"),
        "confirm": Client(enforce_csrf_checks=True).post(f"{here}bewerten/", {"stars": "3"}),
        "expired": Client(enforce_csrf_checks=True).post("/redaktion/login/", {"username": "x"}),
        "invalid": browser.post(f"{here}bewerten/", {"stars": "9"}),
        "fragment": browser.post(f"{here}bewerten/", {"stars": "3"}, headers={"HX-Request": "true"}),
        "token page": browser.get(f"/abo/nein/{row.token('end')}/"),
        "feed": browser.get("/feed/"),
        "sitemap": browser.get("/sitemap.xml"),
        "robots": browser.get("/robots.txt"),
        "json": browser.get("/formular/"),
        "health": browser.get("/healthz"),
        "sign-in": browser.get("/konto/login/"),
        "admin": desk.get("/redaktion/comments/comment/"),
    }


def test_every_answer_has_the_headers(answers):
    for kind, answer in answers.items():
        for name, value in EVERYWHERE.items():
            assert answer.headers[name] == value, (kind, name)
        referrer = "no-referrer" if kind == "token page" else "same-origin"
        assert answer.headers["Referrer-Policy"] == referrer, kind
        assert "camera=()" in answer.headers["Permissions-Policy"], kind
        assert policy(answer) == POLICY, kind


def test_no_page_has_inline_script_or_style(answers):
    inline = r"<script(?![^>]* (?:src=|type=\"application/json\"))|<style| style=\"| on\w+=\""
    for kind, answer in answers.items():
        assert re.findall(inline, answer.text) == [], kind


@pytest.mark.parametrize("name", ["newsroom.css", "places.js", "icon.svg", "admin/css/base.css"])
def test_static_files(db, client, name):
    answer = client.get(staticfiles_storage.url(name))
    assert answer.status_code == 200
    for header, value in EVERYWHERE.items():
        assert answer.headers[header] == value
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.cookies == {}


def test_missing_static_file_is_not_found(db, client):
    answer = client.get("/static/gibt-es-nicht.css")
    assert answer.status_code == 404
    assert policy(answer) == POLICY


def test_cookies_of_a_trial_without_tls(article):
    browser = Client()
    browser.post(f"/artikel/{article.slug}/bewerten/", {"stars": "3"})
    browser.get("/formular/")
    assert set(browser.cookies) == {"leser", "hinweis", "formular"}
    for cookie in browser.cookies.values():
        assert (cookie["httponly"], cookie["samesite"], cookie["secure"], cookie["path"]) == (True, "Lax", "", "/")


# --- production ------------------------------------------------------------------------------------------------------

PRODUCTION = {
    "SITE_URL": "https://www.beispielzeitung.de",
    "SITE_NAME": "Beispielzeitung",
    "ALLOWED_HOSTS": "www.beispielzeitung.de",
    "SECRET_KEY": "F8w-3kq_Zr7Lx2Vb9Nn5Tt1Yh6Ug4Jd0Ks8Pm3Qa7Xe2Cr5Wz9",
    "EMAIL_URL": "smtp+tls://user:secret@mail.beispielzeitung.de:587",
    "DEFAULT_FROM_EMAIL": "Beispielzeitung <post@beispielzeitung.de>",
}

# What a reader's first vote leaves in the browser, asked over TLS.
VOTE = """
import json
import django
django.setup()
from articles.models import Article
from django.test import Client
browser = Client(headers={"Host": "www.beispielzeitung.de"})
plain = browser.get("/")
page = browser.get("/", secure=True)
browser.post(Article.objects.get().get_absolute_url() + "bewerten/", {"stars": "3"}, secure=True)
browser.get("/formular/", secure=True)
cookies = {each.key: [each["secure"], each["httponly"], each["samesite"], each["path"], each["domain"]]
           for each in browser.cookies.values()}
print(json.dumps([plain.headers["Location"], page.headers["Strict-Transport-Security"], cookies]))
"""


def in_production(*command: str, **changes: None) -> subprocess.CompletedProcess:
    """Python with production's environment, on the tests' database; what is None in `changes` is not set."""
    database = os.environ["DATABASE_URL"].rpartition("/")[0] + "/" + connection.settings_dict["NAME"]
    environment = os.environ | PRODUCTION | {"DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "newsroom.settings"}
    environment = {name: value for name, value in (environment | changes).items() if value is not None}
    return subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_deployment_check_passes(db):
    command = ["manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    check = in_production(*command, DJANGO_ALLOW_ASYNC_UNSAFE=None)  # which is of the tests, see tests/plugin.py
    assert (check.stderr, check.returncode) == ("", 0)


def test_deployment_check_passes_without_the_address_said_twice(db):
    command = ["manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    check = in_production(*command, SITE_URL=None, DJANGO_ALLOW_ASYNC_UNSAFE=None)
    assert (check.stderr, check.returncode) == ("", 0)


@pytest.mark.parametrize("host", ["localhost", "zeitung.localhost", "127.0.0.1", "127.1.2.3", "[::1]", "*", "web", ""])
def test_a_host_that_only_this_machine_knows_is_no_public_address(host):
    assert address_of(host) == "http://localhost:8000"


@pytest.mark.parametrize("host", ["zeitung.example", "www.localhost.example", "192.0.2.1", "[2001:db8::1]"])
def test_a_public_host_is_reached_over_tls(host):
    assert address_of(host) == f"https://{host}"


def test_missing_secret_is_refused(db):
    check = in_production("manage.py", "check", SECRET_KEY=None)
    assert check.returncode != 0
    assert "SECRET_KEY" in check.stderr


def test_cookies_of_production_belong_to_this_host_and_to_tls(transactional_db, article):
    vote = in_production("-c", VOTE)
    assert vote.returncode == 0, vote.stderr
    location, transport, cookies = json.loads(vote.stdout)
    assert location == "https://www.beispielzeitung.de/"
    assert transport == "max-age=31536000; includeSubDomains; preload"
    assert cookies == {
        name: [True, True, "Lax", "/", ""] for name in ("__Host-leser", "__Host-hinweis", "__Host-formular")
    }
