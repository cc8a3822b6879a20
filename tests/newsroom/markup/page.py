"""HTML as a browser would take it, and what of it may be in a comment or an article."""

from html.parser import HTMLParser

COMMENT_TAGS = {"p", "br", "em", "strong", "code", "pre", "blockquote", "ul", "ol", "li", "a"}
ARTICLE_TAGS = COMMENT_TAGS | {"h2", "h3", "h4", "hr", "table", "thead", "tbody", "tr", "th", "td"}
ARTICLE_TAGS |= {"img", "figure", "figcaption"}


class Page(HTMLParser):
    """A piece of HTML as a browser would take it: its text, its tags, its attributes."""

    def __init__(self, html: str):
        super().__init__(convert_charrefs=True)
        self.text, self.tags, self.attributes, self.other = "", set(), set(), []
        self.feed(html)
        self.close()

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes.update((tag, *attribute) for attribute in attributes)

    def handle_comment(self, data):
        self.other.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def names(page: Page) -> set[tuple[str, str]]:
    return {(tag, name) for tag, name, _ in page.attributes}


def values(page: Page, name: str) -> list[str]:
    return sorted(value for _, attribute, value in page.attributes if attribute == name)


def link(href: str, shown: str | None = None) -> str:
    return f'<a href="{href}" rel="nofollow ugc noopener">{shown or href}</a>'
