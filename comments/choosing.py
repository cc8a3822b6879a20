"""Which passage somebody writes about: as the address of the form says it, checked against the article.

The form's own address is sealed: the words in it stood in the article when the form was made. So a comment is about
the words its reader saw, also where an editor changes the article before it is sent; and nobody puts words of their own
into the article's mouth.
"""

from datetime import timedelta
from urllib.parse import urlencode

from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest
from django.urls import reverse

from articles.models import Article
from articles.passages import RAW_LIMIT, Places, Quote, address_of, block_texts, is_all_of, pick
from comments.models import Passage
from newsroom.text.characters import normalise_line

_signer = TimestampSigner(salt="comments.choosing")
# As long as a draft is kept. Words that an editor withdrew cannot be put back on the page for ever.
SEAL_VALID = timedelta(days=30)


def wanted_passage(request: HttpRequest, article: Article) -> Passage | None:
    """None for the article as a whole, and where there is no such passage."""
    asked = request.GET
    block = _number(asked.get("absatz"))
    exact, before, after = (asked.get(name, "") for name in ("wortlaut", "davor", "danach"))
    quote = pick(article.html, block=block, exact=exact, before=before, after=after) if block else None
    is_sealed = exact and _is_ours(asked.get("siegel", ""), _sealed(article, exact, before, after))
    if is_sealed and (quote is None or quote.exact != exact):  # changed since the form was made, or gone
        quote = Quote(block or None, exact, before, after)
        quote = quote._replace(block=Places(block_texts(article.html)).block(quote))
    return _passage(article, quote)


def is_missing(request: HttpRequest, passage: Passage | None) -> bool:
    """Whether what was asked for is not there: the article was changed since its page was opened."""
    words = normalise_line(request.GET.get("wortlaut", "")[:RAW_LIMIT])
    return "absatz" in request.GET and (passage is None or bool(words) and not words.startswith(passage.exact))


def narrowed(article: Article, passage: Passage, words: str) -> Passage | None:
    """What somebody typed of a paragraph, or of the article elsewhere; None if it does not say that anywhere."""
    return _passage(article, pick(article.html, block=passage.block or 0, exact=words, or_all=False))


def sealed_address(article: Article, quote: Quote) -> str:
    """Where a form about these words is sent. They are the article's, or were."""
    sealed = _sealed(article, quote.exact, quote.prefix, quote.suffix)
    seal = _signer.sign(sealed).removeprefix(f"{sealed}:")
    return f"{address_of(_write(article), quote)}&{urlencode({'siegel': seal})}"


def link_address(article: Article, passage: Passage) -> str:
    """Where the article links to that form: by this name its draft is kept."""
    if is_paragraph(article, passage):
        return f"{_write(article)}?absatz={passage.block}"
    return address_of(_write(article), passage.quote)


def is_paragraph(article: Article, passage: Passage) -> bool:
    """Whether it is all that the article's link at a paragraph names."""
    return is_all_of(article.html, passage.quote)


def _passage(article: Article, quote: Quote | None) -> Passage | None:
    if quote is None:
        return None
    passage = Passage(article=article, **quote._asdict())
    return Passage.objects.alike(passage).first() or passage


def _write(article: Article) -> str:
    return reverse("write_comment", args=[article.slug])


def _sealed(article: Article, exact: str, prefix: str, suffix: str) -> str:
    return "\n".join([str(article.pk), exact, prefix, suffix])


def _is_ours(seal: str, sealed: str) -> bool:
    try:
        _signer.unsign(f"{sealed}:{seal}", max_age=SEAL_VALID)
    except BadSignature:
        return False
    return True


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 9 else 0
