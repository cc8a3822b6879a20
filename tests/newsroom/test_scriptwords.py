"""What the scripts say comes with the first of them, once, in the site's language."""

import re

import pytest
from django.conf import settings as site
from django.test import Client

from newsroom.pages import scriptwords


def first_script(page) -> str:
    """The address of the first one of ours."""
    return next(address for address in re.findall(r'<script src="([^"]+)"', page.text) if "htmx" not in address)


@pytest.mark.parametrize("language, said", [("de", None), ("en", '"Entwurf verwerfen": "Discard draft"')])
def test_browsers_load_them_once(article, settings, language, said):
    settings.LANGUAGE_CODE = language
    device = Client()
    address = first_script(device.get(article.get_absolute_url()))
    script = device.get(address)
    assert script.status_code == 200
    assert script.headers["Content-Type"] == 'text/javascript; charset="utf-8"'
    assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert not device.cookies
    assert ("Discard draft" in script.text) is bool(said)
    assert said is None or said in script.text
    assert script.text.endswith((site.BASE_DIR / "static" / "forms.js").read_text(encoding="utf-8"))


@pytest.mark.parametrize("cookie", ["formular", "sitzung"])
def test_what_gives_a_cookie_is_nobody_elses(article, cookie):
    """One that is not ours is replaced, or taken away: no cache keeps either for others."""
    device = Client()
    addresses = [first_script(device.get(article.get_absolute_url())), article.get_absolute_url(), "/robots.txt"]
    for address in addresses:
        device.cookies.clear()
        device.cookies[cookie] = "x"
        answer = device.get(address)
        assert bool(answer.cookies) is ("private" in answer.headers["Cache-Control"]), address
        assert bool(answer.cookies) is ("public" not in answer.headers["Cache-Control"]), address
    assert answer.cookies


def test_other_languages_and_other_scripts_have_other_addresses(settings, monkeypatch, tmp_path):
    version = scriptwords.first_script_version.__wrapped__
    monkeypatch.setattr(scriptwords, "first_script", scriptwords.first_script.__wrapped__)
    german, english = version("de"), version("en")
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "forms.js").write_text("// changed")
    settings.BASE_DIR = tmp_path
    assert len({german, english, version("de")}) == 3


def test_a_page_that_was_open_while_the_site_was_updated_gets_todays(client, db):
    script = client.get("/forms.0123456789ab.js")
    assert script.status_code == 200
    assert script.headers["Cache-Control"] == "no-cache"
    assert "ngettext" in script.text
