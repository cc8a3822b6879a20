import random, threading, time, collections
import pytest
from django.db import connection, connections, OperationalError
from django.utils import timezone
from comments.models import Comment, Vote
from comments.services import delete_comment, edit_comment, vote, Refused, confirm_comment
from comments.screening import Circumstances
from moderation.services import remove, approve, restore
from readers.models import Reader
from readers.services import continue_as, confirm_address
from articles.models import Counters
from tests import factories

@pytest.mark.parametrize("seed", [1, 2, 3])
def test_stress(transactional_db, seed):
    article = factories.article()
    emails = ["a@example.org", "b@example.org"]
    readers = [factories.reader("R", emails[i % 2], email_confirmed_at=timezone.now() if i % 3 == 0 else None) for i in range(10)]
    cs = []
    chance = random.Random(seed)
    for i in range(14):
        r = chance.choice(readers)
        cs.append(factories.comment(article, parent=chance.choice([None, *cs[:6]]) if cs else None, reader=r, email=r.email))
    errors = collections.Counter(); ends = time.time() + 22; done = collections.Counter()
    def run(n):
        chance = random.Random(seed * 100 + n)
        while time.time() < ends:
            c = Comment.objects.select_related("reader", "article").get(pk=chance.choice(cs).pk)
            r = Reader.objects.get(pk=chance.choice(readers).pk)
            what = chance.choice(["take", "confirm", "vote", "unvote", "edit", "approve", "remove", "restore", "newreader", "reply"] + ["delete"] * (chance.random() < .05))
            try:
                if what == "take":
                    if c.email and c.reader.user_id is None: continue_as(c.reader, email=c.email, device=Reader.objects.lock(r) if False else (r if r.merged_into_id is None else None))
                elif what == "confirm": confirm_address(r, r.email)
                elif what == "vote": vote(comment=c, reader=r, wanted=True)
                elif what == "unvote": vote(comment=c, reader=r, wanted=False)
                elif what == "edit":
                    who = chance.choice([c.reader, *c.also_by.all()])
                    edit_comment(comment=c, reader=who, body=f"Neu {chance.random()}", how=Circumstances(key=None, network=f"n{n}{chance.random()}"))
                elif what == "approve": approve(c, moderator=None)
                elif what == "remove": remove(c, moderator=None, reason="x")
                elif what == "restore": restore(c, moderator=None)
                elif what == "delete":
                    delete_comment(comment=c, reader=c.reader, as_if_never=chance.random() < .5)
                elif what == "newreader":
                    e = chance.choice(emails)
                    readers.append(factories.reader("N", e, email_confirmed_at=chance.choice([None, timezone.now()])))
                elif what == "reply":
                    if c.is_published and len(cs) < 60:
                        cs.append(factories.comment(article, parent=Comment.objects.select_related("root").get(pk=c.pk), reader=None, email="a@example.org"))
                done[what] += 1
            except Refused: errors["refused"] += 1
            except Exception as e:
                errors[f"{what} {type(e).__name__} {str(e)[:150]}"] += 1
        connections.close_all()
    ts = [threading.Thread(target=run, args=(n,)) for n in range(6)]
    [t.start() for t in ts]; [t.join() for t in ts]
    print("DONE", dict(done)); print("ERR", dict(errors))
    bad = Comment.objects.filter(also_by=__import__("django.db.models").db.models.F("reader")).count()
    own = Vote.objects.filter(comment__reader=__import__("django.db.models").db.models.F("reader")).count()
    own2 = sum(1 for v in Vote.objects.all() if v.comment.also_by.filter(pk=v.reader_id).exists())
    score = sum(1 for c in Comment.objects.all() if c.score != c.votes.count())
    merged = sum(1 for c in Comment.objects.all() if c.reader.merged_into_id or c.also_by.exclude(merged_into=None).exists())
    pub = Comment.objects.published().count()
    rc = sum(1 for c in Comment.objects.filter(root=None) if c.reply_count != c.thread.published().count())
    print("INV also=reader", bad, "own votes", own, own2, "score", score, "merged", merged, "count", pub, Counters.objects.get(article=article).comments, "reply_count", rc, "alsoby", Comment.also_by.through.objects.count())
