"""Where in an article's conversation a reader is: order, view and page, out of an address and into one."""

from dataclasses import dataclass, replace

from django.db import models
from django.utils.translation import gettext_lazy as _

# The cookie in which a device keeps its order and view. It says nothing about anyone: pages stay the same for all.
REMEMBERED = "ansicht"
# Beyond what anyone has written; a number that large in an address is not ours.
LAST_PAGE = 1_000_000


class Order(models.TextChoices):
    OLDEST = "aelteste", _("Älteste")
    NEWEST = "neueste", _("Neueste")
    MOST_VOTED = "meistbewertet", _("Meistbewertet")


class View(models.TextChoices):
    THREADS = "faeden", _("Mit Antworten")
    COLLAPSED = "eingeklappt", _("Eingeklappt")
    FLAT = "flach", _("Nacheinander")
    INLINE = "inline", _("Inline-Feedback")


@dataclass(frozen=True)
class Position:
    """Where in an article's conversation a reader is; made from the address's query, and turned into one."""

    order: Order = Order.OLDEST
    view: View = View.THREADS
    page: int = 1  # of the chronological orders
    after: tuple[int, ...] = ()  # key of the last thread seen: (score, thread number), or (thread number,) inline
    since: int = 0  # one after another: only comments with a larger number
    block: int = 0  # inline: only comments on this block of the article; 0 for all

    @classmethod
    def from_query(cls, query: dict[str, str], remembered: str = "") -> "Position":
        """Anything that is no position of ours means the beginning: an address is never an error (C6).

        `remembered` is the device's choice, "neueste.flach"; it applies only to an address that chooses nothing.
        """
        if not query.keys() & {"sortierung", "ansicht", "seite", "nach", "seit"}:
            order, _dot, view = remembered.partition(".")
            query = {"sortierung": order, "ansicht": view if view != View.INLINE else ""}
        order, view = query.get("sortierung", ""), query.get("ansicht", "")
        page = _small_int(query.get("seite", ""))
        after = tuple(_small_int(part) for part in query.get("nach", "").split(".")[:2]) if query.get("nach") else ()
        position = cls(
            order=Order(order) if order in Order.values else Order.OLDEST,
            view=View(view) if view in View.values else View.THREADS,
            page=min(max(page or 1, 1), LAST_PAGE),
            after=() if None in after else after,
            since=(_small_int(query.get("seit", "")) or 0) if view == View.FLAT else 0,
            block=(_small_int(query.get("absatz", "")) or 0) if view == View.INLINE else 0,
        )
        if position.view == View.FLAT and position.order == Order.MOST_VOTED:
            position = position.moved(view=View.THREADS)
        return position if len(position.after) == position._key_length else position.moved(after=())

    @property
    def _key_length(self) -> int:
        if self.order == Order.MOST_VOTED:
            return 2
        return 1 if self.view == View.INLINE else 0

    @property
    def inline(self) -> bool:
        return self.view == View.INLINE

    @property
    def is_numbered(self) -> bool:
        """Its pages have numbers; the others go on by key."""
        return self._key_length == 0

    def moved(self, **changes) -> "Position":
        """Another position; one that changes order or view begins at its beginning."""
        place = {"page": 1, "after": (), "since": 0} if changes.keys() & {"order", "view"} else {}
        # Votes order threads; what is one comment after another has an order already.
        if changes.get("view") == View.FLAT and self.order == Order.MOST_VOTED:
            place["order"] = Order.OLDEST
        if changes.get("order") == Order.MOST_VOTED and self.view == View.FLAT:
            place["view"] = View.THREADS
        if changes.get("view", self.view) != View.INLINE:
            place["block"] = 0
        return replace(self, **place | changes)

    @property
    def choice(self) -> str:
        """What a device can remember of it."""
        return f"{self.order.value}.{self.view.value}"

    def query(self, *, explicit: bool = False) -> str:
        """`?sortierung=neueste&seite=2`; empty for the first page of the default order, unless `explicit`: an address
        without a query means what the device remembers."""
        parts = {}
        if self.order != Order.OLDEST:
            parts["sortierung"] = self.order.value
        if self.view != View.THREADS:
            parts["ansicht"] = self.view.value
        if self.since:
            parts["seit"] = self.since
        if self.block:
            parts["absatz"] = self.block
        if self.page > 1:
            parts["seite"] = self.page
        if self.after:
            parts["nach"] = ".".join(map(str, self.after))
        if explicit and not parts:
            parts["sortierung"] = self.order.value
        # Nothing in it needs quoting, and a page has twenty of them.
        return "?" + "&".join([f"{name}={value}" for name, value in parts.items()]) if parts else ""


def _small_int(text: str) -> int | None:
    """A number of at most nine ASCII digits; int() alone takes "１２" and chokes on 10^5 digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None
