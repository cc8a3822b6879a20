"""What the site is compared with: a Django that answers with bytes it was given, after one indexed query.

No middleware, one address, the site's own settings for the database and its pool; started with the site's own command.
"""

import os
import pickle
from pathlib import Path

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
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


urlpatterns = [path("artikel/<slug:slug>/", answer)]
application = get_wsgi_application()
