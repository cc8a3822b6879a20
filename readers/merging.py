"""Several readers become one: what they did becomes that one's, and their cookies lead there."""

from collections.abc import Collection

from django.db.models import Q

import comments.services
import ratings.services
import subscriptions.services
from articles.models import Counters
from newsroom.sql.prepared import execute
from readers.models import Reader

Changes = dict[int, dict[str, int]]  # what is to be counted, by article (CountersQuerySet.touch)

_MERGES = 0x6D65726765  # "merge": of all advisory locks here the only one


def one_at_a_time() -> None:
    """To begin a transaction with that makes readers one. In it, each locks many rows of several people; two of them
    would wait for each other."""
    execute("SELECT pg_advisory_xact_lock(%s)", [_MERGES])


def lock(*pks: int, email: str = "") -> dict[int, Reader]:
    """These readers and all guests who gave `email`, but none that became another one; in the order of their ids."""
    wanted = Q(pk__in=pks)
    if email:
        wanted |= Q(email=email, user=None)
    readers = Reader.objects.select_for_update(no_key=True).filter(wanted, merged_into=None).order_by("pk")
    return {reader.pk: reader for reader in readers}


def merge(source: Reader, target: Reader) -> None:
    """Everything `source` did becomes `target`'s. Call in a transaction.

    Both are locked first, as every action locks its reader: nothing is done for `source` meanwhile.
    """
    one_at_a_time()
    locked = lock(source.pk, target.pk)
    if len(locked) == 2:  # or somebody was faster
        merge_all([locked[source.pk]], locked[target.pk])


def merge_all(sources: Collection[Reader], target: Reader, *, counting: Changes | None = None) -> None:
    """As merge(), of readers that are locked. What else has changed is counted with it (`counting`): counters are
    locked last, and in the order of the articles, as by whatever else changes several."""
    if sources:
        comments.services.lock_given(sources, target)
    changes: Changes = {}
    _add(changes, counting or {})
    for source in sources:
        _add(changes, comments.services.give_to(source, target))
        _add(changes, ratings.services.give_to(source, target))
        subscriptions.services.give_to(source, target)
        _lead_to(target, source)
    for article_id, changed in sorted(changes.items()):
        Counters.objects.touch(article_id, **changed)
    for source in sources:
        source.notices.update(reader=target)  # after the counters, as for whoever removes a comment and answers notices


def _lead_to(target: Reader, source: Reader) -> None:
    """Also who led to `source` before, unless somebody acts with such a cookie now: they find the way in two steps."""
    before = Reader.objects.select_for_update(no_key=True, skip_locked=True).filter(merged_into=source)
    Reader.objects.filter(pk__in=[reader.pk for reader in before]).update(merged_into=target)
    source.merged_into = target
    source.name = source.email = source.website = ""
    source.email_confirmed_at = None
    source.save()


def _add(changes: Changes, more: Changes) -> None:
    for article_id, changed in more.items():
        counted = changes.setdefault(article_id, {})
        for name, change in changed.items():
            counted[name] = counted.get(name, 0) + change
