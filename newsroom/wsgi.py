import os
from importlib import import_module

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http.request import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")


class Utf8Request(WSGIRequest):
    """Reads query and form as UTF-8 whatever the Content-Type claims. Browsers send nothing else, and Django takes
    any codec's name for a charset: "charset=base64" was a 500 before any middleware could answer (C6)."""

    def _set_content_type_params(self, meta: dict) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


class Handler(WSGIHandler):
    request_class = Utf8Request


django.setup(set_prefix=False)
application = Handler()
import_module(settings.ROOT_URLCONF)  # all views now, not for the first reader; and once for all workers (serve.py)
