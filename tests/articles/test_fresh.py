"""Nothing stale, whichever of several web processes answers, though each keeps pages in its memory.

Asked for: one's own action at once, another's comment within a second, votes within five. The version asked of the
database at every reading makes it: everything, for everyone, at once.
"""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from articles.models import Counters
from comments.models import Comment
from comments.services import vote
from moderation.services import remove
from ratings.services import rate_article
from tests import factories

PROCESSES = 3
ASKED = 12  # times, each on a connection of its own: all processes have their turn


class Site:
    """The article's site, served by several processes on the tests' database."""

    def __init__(self, port: int) -> None:
        self.port = port

    def get(self, address: str, **headers: str) -> str:
        connection = HTTPConnection("localhost", self.port, timeout=20)
        try:
            connection.request("GET", address, headers={"Connection": "close", **headers})
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def everywhere(self, address: str, **headers: str) -> set[str]:
        """What all processes answer."""
        return {self.get(address, **headers) for _ in range(ASKED)}


@pytest.fixture(scope="module")
def site(django_db_setup) -> Iterator[Site]:
    database = os.environ["DATABASE_URL"].rpartition("/")[0] + "/" + connection.settings_dict["NAME"]
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "newsroom.serve", "newsroom.wsgi:application", "--interface", "wsgi", "--no-ws"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", str(PROCESSES), "--blocking-threads", "1"]
    process = subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                Site(port).get("/robots.txt")
                break
            except OSError:
                time.sleep(0.1)
        yield Site(port)
    finally:
        process.terminate()
        process.wait(20)


def test_every_process_shows_what_just_happened(site, transactional_db, article):
    page = article.get_absolute_url()
    first = factories.comment(article, "Erster.")
    reader, moderator = factories.reader(), factories.editor()
    assert all("1 Kommentar<" in seen for seen in site.everywhere(page))

    second = factories.comment(article, "Zweiter.")
    [seen] = site.everywhere(page)  # the same bytes from all of them
    assert re.findall(r'id="kommentar-(\d+)"', seen) == ["1", "2"]
    assert site.get(f"{page}stand/") == '{"last": 2, "comments": 2}'

    vote(comment=first, reader=reader, wanted=True)
    [seen] = site.everywhere(page)
    assert "Respekt <span>1</span>" in seen

    rate_article(article=article, reader=reader, stars=4)
    [seen] = site.everywhere(page)
    assert "4,0 von 5 (1 Stimme)" in seen

    remove(second, moderator=moderator, reason="Regel 1")
    [seen] = site.everywhere(page)
    assert re.findall(r'id="kommentar-(\d+)"', seen) == ["1"]


def test_own_action_is_there_at_once_on_every_process(site, transactional_db, article):
    comment = factories.comment(article)
    device = Client()
    device.post(f"/kommentar/{comment.pk}/respekt/", {"wanted": "1"})
    cookie = f"leser={device.cookies['leser'].value}"
    for _ in range(ASKED):
        seen = site.get(article.get_absolute_url(), Cookie=cookie)
        assert 'value="0" aria-pressed="true" title="Zurücknehmen">Respekt <span>1</span>' in seen
    assert all('aria-pressed="true"' not in seen for seen in site.everywhere(article.get_absolute_url()))


def test_what_is_new_is_known_within_a_second(site, transactional_db, article):
    """The address that open pages ask may be half a second behind, on each process."""
    stand = f"{article.get_absolute_url()}stand/"
    assert site.everywhere(stand) == {'{"last": 0, "comments": 0}'}
    factories.comment(article)
    time.sleep(0.6)
    assert site.everywhere(stand) == {'{"last": 1, "comments": 1}'}


def test_yesterdays_copy_of_the_database_is_not_taken_for_what_it_counted_since(transactional_db, client):
    """The same count comes once more then, of something else."""
    article = factories.article()
    counted = Counters.objects.get().activity
    factories.comment(article, "Verloren.")
    lost = client.get(article.get_absolute_url())
    Comment.objects.all().delete()
    Counters.objects.update(activity=counted, comments=0, last_number=0, last_thread=0)
    factories.comment(article, "Neu geschrieben.")
    again = client.get(article.get_absolute_url(), headers={"If-None-Match": lost["ETag"]})
    assert again.status_code == 200
    assert "Neu geschrieben." in again.text
    assert "Verloren." not in again.text
