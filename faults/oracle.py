"""What was acknowledged against what is stored; and what must hold of the stored, whatever happened."""

from dataclasses import dataclass, field

from faults.client import number_in
from faults.site import Site


@dataclass
class Findings:
    acknowledged: int
    missing: list[str] = field(default_factory=list)  # keys of forms
    wrong: list[str] = field(default_factory=list)


# Each must find nothing of an article whose comments were all published, and none taken away.
_WRONG = {
    "doppelt gespeichert": "SELECT min(id) FROM comments_comment WHERE article_id = %(article)s"
    " GROUP BY body HAVING count(*) > 1",
    "Nummern oder Zähler des Artikels falsch": "SELECT article_id FROM articles_counters JOIN (SELECT"
    " count(*) AS shown, coalesce(max(number), 0) AS last, coalesce(max(thread_number), 0) AS threads"
    " FROM comments_comment WHERE article_id = %(article)s AND state = 'published') AS there ON true"
    " WHERE article_id = %(article)s AND (shown, last, last, threads) <> (last, comments, last_number, last_thread)",
    "ohne Auftrag, den Abonnenten davon zu schreiben": "SELECT id FROM comments_comment AS comment"
    " WHERE article_id = %(article)s AND state = 'published' AND EXISTS (SELECT FROM subscriptions_subscription AS s"
    " WHERE s.article_id = comment.article_id AND confirmed_at < comment.published_at AND ended_at IS NULL)"
    " AND NOT EXISTS (SELECT FROM procrastinate_jobs WHERE (args->>'comment_id')::bigint = comment.id)"
    " AND NOT EXISTS (SELECT FROM subscriptions_delivery WHERE comment_id = comment.id)",
    "Auftrag ohne Kommentar": "SELECT job.id FROM procrastinate_jobs AS job LEFT JOIN comments_comment AS comment"
    " ON comment.id = (args->>'comment_id')::bigint WHERE args ? 'comment_id' AND comment.id IS NULL",
}


def compare(entries: list[dict], site: Site, article: str) -> Findings:
    """The ledger against the article's comments, and these against themselves, their counters and their jobs."""
    findings = Findings(acknowledged=len(entries))
    (article_id,) = site.query("SELECT id FROM articles_article WHERE slug = %s", article)[0]
    rows = site.query("SELECT form_key, body, number, state FROM comments_comment WHERE article_id = %s", article_id)
    stored = {key.hex: row for key, *row in rows}
    for entry in entries:
        if entry["key"] not in stored:
            findings.missing.append(entry["key"])
        elif stored[entry["key"]] != [entry["body"], number_in(entry["place"]), "published"]:
            findings.wrong.append(f"Anders gespeichert als bestätigt: {entry['key']}")
    for what, query in _WRONG.items():
        if found := site.query(query, article=article_id):
            findings.wrong.append(f"{len(found)}× {what}, z. B. {found[0][0]}")
    return findings
