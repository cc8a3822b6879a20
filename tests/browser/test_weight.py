"""What the first visit to an article with 100 comments costs: 60 kB and 8 requests at most."""

import random
import re

from playwright.sync_api import Page

from tests import factories

MOST_BYTES, MOST_REQUESTS = 60_000, 8


def test_article_with_100_comments_is_light(new_page: Page, german_article):
    page = new_page
    words = re.findall(r"[\wäöüß]+", german_article.source)
    dice = random.Random(1)

    def text() -> str:
        sentences = (" ".join(dice.choices(words, k=dice.randint(5, 20))) + "." for _ in range(dice.randint(1, 5)))
        return " ".join(sentences)

    parents = []
    for _comment in range(100):
        parent = dice.choice(parents) if parents and dice.random() < 0.6 else None
        parents.append(factories.comment(german_article, text(), parent=parent, name=dice.choice(words).title()))

    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    addresses, sizes = {}, {}
    network.on("Network.requestWillBeSent", lambda seen: addresses.update({seen["requestId"]: seen["request"]["url"]}))
    network.on("Network.loadingFinished", lambda done: sizes.update({done["requestId"]: done["encodedDataLength"]}))
    page.goto(german_article.get_absolute_url(), wait_until="networkidle")
    assert page.locator(".comment").count() >= 60  # of a long thread the page shows the beginning

    weights = {address.rpartition("/static/")[2]: sizes.get(request) for request, address in addresses.items()}
    print("\n".join(f"{size:>8.0f} {address}" for address, size in weights.items()))
    assert None not in weights.values()
    assert len(weights) <= MOST_REQUESTS
    assert sum(weights.values()) <= MOST_BYTES
