"""Addresses out of German headlines."""

from django.utils.text import slugify

# slugify() drops what NFKD cannot take apart: "Weißrussland" became "weirussland".
GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ẞ": "SS"})


def german_slug(text: str, length: int) -> str:
    """At most `length` characters, cut between words."""
    slug = slugify(text.translate(GERMAN))
    if len(slug) > length:
        slug = slug[:length].rsplit("-", 1)[0]
    return slug or "artikel"
