"""The mail about a new comment as it arrives over SMTP: its headers and its two versions (B1, B4, B6-B8, B10)."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from comments.models import Comment
from newsroom.mailbox import Letter
from subscriptions.models import Delivery, Recipient, Subscription
from subscriptions.outbox import send_due
from subscriptions.tasks import announce
from tests import factories

SITE = "https://www.beispielzeitung.de"


@pytest.fixture
def send(db, settings, letters) -> Callable[[Comment], list[Letter]]:
    """Announces a comment; the letters about it."""
    settings.SITE_URL = SITE
    settings.DEFAULT_FROM_EMAIL = "Beispielzeitung <post@beispielzeitung.de>"

    def send(comment: Comment) -> list[Letter]:
        before = len(letters())
        announce(comment_id=comment.pk)
        send_due()
        return letters()[before:]

    return send


def header(letter: Letter, name: str) -> str:
    """The one header of that name."""
    (value,) = [value for known, value in letter.headers if known.lower() == name.lower()]
    return value.strip()


def test_headers(article, send):
    row = factories.subscription(article)
    (letter,) = send(factories.comment(article))
    end = f"{SITE}/abo/nein/{row.token('end')}/"
    assert header(letter, "List-Unsubscribe") == f"<{end}>"
    assert header(letter, "List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    assert header(letter, "List-Id") == f"<artikel-{article.pk}.beispielzeitung.de>"
    assert header(letter, "List-Archive") == f"<{SITE}/artikel/{article.slug}/>"
    assert header(letter, "Auto-Submitted") == "auto-generated"
    assert header(letter, "X-Auto-Response-Suppress") == "All"
    assert header(letter, "Subject") == "Kommentare zu „Brücke gesperrt“"
    assert letter.recipient == "berta@example.org"


def test_address_to_end_it_survives_folding(article, send, tmp_path: Path):
    """Under 70 characters, and so on one line of the mail as it went over the wire (B4)."""
    first = factories.subscription(article)
    row = factories.subscription(article, "carla@example.org", pk=36**4 - 1, reader=first.reader)  # the 1.6 millionth
    first.delete()
    send(factories.comment(article))
    end = f"{SITE}/abo/nein/{row.token('end')}/"
    assert len(end) < 70
    (file,) = (tmp_path / "mailbox" / "new").iterdir()
    head = file.read_bytes().partition(b"\n\n")[0]
    assert [line for line in head.decode().splitlines() if line.endswith(f" <{end}>")] != []


def test_all_mails_of_an_article_form_one_tree(article, send):
    factories.subscription(article)
    factories.subscription(article, "carla@example.org")
    root = factories.comment(article)
    reply = factories.comment(article, parent=root)
    answer = factories.comment(article, parent=reply)
    mails = [send(comment) for comment in (root, reply, answer)]
    ids = [[header(letter, "Message-ID") for letter in letters] for letters in mails]
    assert len({known for pair in ids for known in pair}) == 6
    start = header(mails[0][0], "In-Reply-To")
    for reader in (0, 1):
        one, two, three = (letters[reader] for letters in mails)
        assert header(one, "References").split() == [start]
        assert header(two, "In-Reply-To") == ids[0][reader]
        assert header(two, "References").split() == [start, ids[0][reader]]
        assert header(three, "In-Reply-To") == ids[1][reader]
        assert header(three, "References").split()[0] == start
        assert len({header(letter, "Subject") for letter in (one, two, three)}) == 1
        assert len({header(letter, "List-Id") for letter in (one, two, three)}) == 1


def test_the_same_mail_has_the_same_id_again(article, send, letters):
    factories.subscription(article)
    comment = factories.comment(article)
    (first,) = send(comment)
    Delivery.objects.update(state=Delivery.State.WAITING)  # as after a crash between sending and noting it
    send_due()
    assert header(letters()[-1], "Message-ID") == header(first, "Message-ID")


def test_text_comes_first_and_both_versions_have_the_same_links(article, send, tmp_path):
    row = factories.subscription(article)
    parent = factories.comment(article, "Was *meinen* Sie?", name="Berta")
    reply = factories.comment(article, "Das ist <falsch> & **gut**.", name="Anna & Co", parent=parent)
    (letter,) = send(reply)
    raw = next((tmp_path / "mailbox" / "new").iterdir()).read_text()
    assert header(letter, "Content-Type").startswith("multipart/alternative")
    assert raw.index("Content-Type: text/plain") < raw.index("Content-Type: text/html")
    links = sorted(set(re.findall(r"https?://[^\s\"<>]+", letter.text)))
    assert links[:2] == [f"{SITE}/abo/nein/{row.token('end')}/", links[1]]
    assert Recipient.by_token(links[1].removeprefix(f"{SITE}/abos/").rstrip("/")).email == row.email
    assert links[2:] == [f"{SITE}/kommentar/{reply.pk}/"]
    assert sorted(set(re.findall(r'href="([^"]+)"', letter.html))) == links
    assert "> Was *meinen* Sie?" in letter.text
    assert "Das ist <falsch> & **gut**." in letter.text
    assert "Anna & Co" in letter.text
    assert "<p>Was <em>meinen</em> Sie?</p>" in letter.html
    assert "Das ist &lt;falsch&gt; &amp; <strong>gut</strong>." in letter.html
    assert "Anna &amp; Co" in letter.html


def test_html_is_small_and_loads_nothing(article, send):
    row = factories.subscription(article, kind="replies", reader=factories.reader(email="berta@example.org"))
    parent = factories.comment(article, "&" * 5000, reader=row.reader)
    (letter,) = send(factories.comment(article, "<" * 5000, parent=parent))
    assert len(letter.html.encode()) < 100_000
    assert re.findall(r"<(?:img|script|iframe|link|object)|src=|url\(|@import", letter.html) == []


def test_headline_cannot_add_a_header(send):
    article = factories.article("Brücke\r\nBcc: eve@example.org\r\n\r\nHallo")
    factories.subscription(article)
    (letter,) = send(factories.comment(article))
    assert header(letter, "Subject") == "Kommentare zu „Brücke Bcc: eve@example.org Hallo“"
    assert "Bcc" not in dict(letter.headers)


def test_nobody_sees_anybody_elses_address(article, send):
    factories.subscription(article)
    factories.subscription(article, "carla@example.org")
    author = factories.reader("Anna", "anna@example.org")
    one, two = send(factories.comment(article, reader=author, website="https://anna.example"))
    for letter, others in ((one, ["carla@", "anna@"]), (two, ["berta@", "anna@"])):
        everything = letter.text + letter.html + repr(letter.headers)
        assert [other for other in others if other in everything] == []


def test_mail_of_an_answer_says_so(article, send):
    mine = factories.comment(article, "Meine Frage?", name="Berta")
    row = factories.subscription(article, kind=Subscription.Kind.REPLIES, reader=mine.reader)
    (letter,) = send(factories.comment(article, "Meine Antwort.", name="Anna", parent=mine))
    assert letter.recipient == row.email
    assert letter.text.startswith("Anna hat auf Ihren Kommentar zu „Brücke gesperrt“ geantwortet.")
    assert "Sie hatten geschrieben:" in letter.text
