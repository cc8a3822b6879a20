"""What the scripts say, in the site's language: Django's catalogue of their words (gettext's domain "djangojs").

It comes with the first script, which all others need as well, at an address that names its content: browsers load it
once, no page carries words that only scripts say, and nobody waits for one more file.
"""

from functools import cache
from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language, override
from django.views.i18n import JavaScriptCatalog

_catalogue = JavaScriptCatalog.as_view(packages=["newsroom"])


def first_script_address() -> str:
    return reverse("first_script", args=[first_script_version(get_language())])


@cache
def first_script(language: str) -> bytes:
    """The words in `language`, and forms.js."""
    request = HttpRequest()
    request.method = "GET"
    with override(language):
        words = _catalogue(request).content
    return words + (settings.BASE_DIR / "static" / "forms.js").read_bytes()


@cache
def first_script_version(language: str) -> str:
    return sha256(first_script(language)).hexdigest()[:12]
