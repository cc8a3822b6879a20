"""What the site is compared with: a Django that answers with bytes it was given, after one indexed query; and that
stores a reply without looking at it, its number and its job in one statement.

No middleware, two addresses, the site's settings for the database and its pool; started with the site's command.
"""

import os
import pickle
import uuid
from pathlib import Path

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path

from newsroom.settings import DATABASES

settings.configure(
    ALLOWED_HOSTS=["localhost"],
    DATABASES=DATABASES,
    MIDDLEWARE=[],
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ["SECRET_KEY"],
    USE_TZ=True,
)
django.setup()
# By slug: a page's headers and body, as the site sent them.
ANSWERS: dict[str, tuple[dict[str, str], bytes]] = pickle.loads(Path(os.environ["BENCH_ANSWERS"]).read_bytes())


def answer(request: HttpRequest, slug: str) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, modified_at FROM articles_article WHERE slug = %s", [slug])
        cursor.fetchone()
    headers, body = ANSWERS[slug]
    return HttpResponse(body, headers=headers)


# All that the database must do for a reply, in one trip and one transaction. What the reader wrote, and the rest of the
# row is that of the comment answered.
STORE = """
    WITH counted AS (
        UPDATE articles_counters SET last_number = last_number + 1, comments = comments + 1
        WHERE article_id = (SELECT article_id FROM comments_comment WHERE id = %(parent)s) RETURNING last_number
    ), stored AS (
        INSERT INTO comments_comment (body, html, form_key, number, created_at, published_at, parent_id, root_id, depth,
            article_id, reader_id, name, email, website, state, held_because, score, reply_count, badge)
        SELECT %(body)s, %(body)s, %(key)s, last_number, now(), now(), id, coalesce(root_id, id), greatest(depth, 1),
            article_id, reader_id, name, email, website, state, held_because, 0, 0, badge
        FROM comments_comment, counted WHERE id = %(parent)s RETURNING id
    ), queued AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, args, scheduled_at)
        SELECT 'default', 'none', jsonb_build_object('comment', id), now() + interval '1 day' FROM stored
    )
    SELECT id FROM stored
"""


def store(request: HttpRequest, parent: int) -> HttpResponse:
    connection.ensure_connection()
    values = {"parent": parent, "body": request.POST["body"], "key": uuid.uuid4()}
    with connection.connection.cursor() as cursor:
        cursor.execute(STORE, values, prepare=True)
        (stored,) = cursor.fetchone()
    return HttpResponseRedirect(f"/kommentar/{stored}/")


urlpatterns = [path("artikel/<slug:slug>/", answer), path("kommentar/<int:parent>/antworten/", store)]
application = get_wsgi_application()
