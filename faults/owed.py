"""Who is owed which mail, counted here, against what the mail server took: exactly these, and each once."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass

from faults.client import Device
from faults.oracle import Findings
from faults.scenario import Stage
from faults.site import PATIENCE
from faults.smtp import REFUSED, TAKES_ALL

TWO_DAYS = 2 * 24 * 3600  # seconds; longer than any mail waits
_OURS = (
    "comment_id IN (SELECT comment.id FROM comments_comment AS comment"
    " JOIN articles_article AS article ON article.id = article_id WHERE slug = %(article)s)"
)


def message_id(comment: int, email: str) -> str:
    """Of the mail about this comment, or of the digest that begins with it."""
    return f"<comment-{comment}.{hashlib.sha256(email.encode()).hexdigest()[:16]}@localhost>"


@dataclass(frozen=True)
class Posted:
    pk: int
    author: Device


class MailStage(Stage):
    """A stage whose article has subscribers. Whether the comments themselves are lost, others ask (E1 to E10)."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self.domain = f"{self.article}.example.org"
        self.readers: list[str] = []  # addresses that are told of every comment from now on
        self.owed: set[tuple[str, str]] = set()  # Message-ID and recipient, as the mail server logs them
        self.may_repeat = 0  # so many times may a mail come that came already

    def close(self) -> None:
        """What comes next begins with a mail server that is well."""
        self.mails.script = TAKES_ALL
        self.pause(0)
        super().close()

    # --- who wants mails, and what is written ------------------------------------------------------------------------

    def subscribe(self, count: int, rhythm: str = "at_once") -> list[str]:
        """In bulk, as if each had asked for it and pressed the button. One reader for all: it is addresses that are
        told. Returns them."""
        if not self.readers:
            self.post()  # nobody hears of it; and its author is a reader
        first = len(self.readers)
        emails = [f"leser{number}@{self.domain}" for number in range(first, first + count)]
        self.site.query(
            "INSERT INTO subscriptions_subscription (article_id, reader_id, kind, email, rhythm, wording, form_url,"
            " asked_at, opt_in_message_id, confirmed_at)"
            " SELECT article_id, reader_id, 'article', unnest(%s::text[]), %s, 'Ja.', 'http://localhost/', now(), '',"
            " now() FROM comments_comment AS comment JOIN articles_article AS article ON article.id = article_id"
            " WHERE slug = %s AND comment.number = 1",
            emails,
            rhythm,
            self.article,
        )
        self.readers += emails
        return emails

    def post(self) -> Posted:
        """One more comment, of which every subscriber is owed a mail."""
        device = self.site.device()
        form = device.fill_in(self.article)
        self.site.wait_until(lambda: self.send(device, form), "Der Kommentar wird nicht angenommen")
        ((pk,),) = self.site.query("SELECT id FROM comments_comment WHERE form_key = %s", form.key)
        self.owed |= {(message_id(pk, email), email) for email in self.readers}
        return Posted(pk, device)

    # --- time, and jobs ----------------------------------------------------------------------------------------------

    def pause(self, seconds: float) -> None:
        self.site.query("UPDATE newsroom_outbox SET paused_until = now() + make_interval(secs => %s)", seconds)

    def pass_time(self, seconds: float) -> None:
        """For mails that wait and are not just being sent, and for a pause."""
        interval = "make_interval(secs => %(seconds)s)"
        self.site.query(f"UPDATE newsroom_outbox SET paused_until = paused_until - {interval}", seconds=seconds)
        self.site.query(
            f"UPDATE subscriptions_delivery SET due_at = due_at - {interval} WHERE id IN (SELECT id"
            f" FROM subscriptions_delivery WHERE state = 'waiting' AND {_OURS} FOR UPDATE SKIP LOCKED)",
            seconds=seconds,
            article=self.article,
        )

    def look(self) -> None:
        """The workers' look for due mails, which else comes every fifteen seconds."""
        self.defer("look_for_due_mails", timestamp=0)

    def defer(self, task: str, **arguments: int) -> None:
        self.site.query(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('default', %s, %s)",
            f"subscriptions.tasks.{task}",
            json.dumps(arguments),
        )

    def in_state(self, state: str, besides: str = "") -> int:
        query = (
            f"SELECT count(*) FROM subscriptions_delivery WHERE state = %(state)s AND email <> %(email)s AND {_OURS}"
        )
        return self.site.query(query, state=state, email=besides, article=self.article)[0][0]

    def announcing(self, *statuses: str) -> int:
        """Comments that have not yet become a row for each who is owed a mail."""
        query = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'subscriptions.tasks.announce'"
        return self.site.query(f"{query} AND status::text = ANY(%s)", list(statuses or ("todo", "doing")))[0][0]

    def wait_until_announced(self) -> None:
        self.site.wait_until(lambda: not self.announcing(), "Ein Kommentar wird nicht angekündigt")

    def wait_until_sent(self, seconds: float = PATIENCE, besides: str = "") -> None:
        """No mail waits any more, whatever became of it; but for one reader's, perhaps."""

        def is_sent() -> bool:
            return not self.announcing() and not self.in_state("waiting", besides)

        self.site.wait_until(is_sent, "Nicht alle Mails gehen hinaus", seconds)

    def catch_up(self) -> None:
        """What waits for another try need not wait any longer."""
        self.wait_until_announced()
        self.pass_time(TWO_DAYS)
        self.look()
        self.wait_until_sent()

    # --- afterwards --------------------------------------------------------------------------------------------------

    def suppressed(self) -> list[str]:
        query = "SELECT email FROM newsroom_suppression WHERE split_part(email, '@', 2) = %s ORDER BY id"
        return [email for (email,) in self.site.query(query, self.domain)]

    def asked(self) -> list[str]:
        """Readers whose mails were refused, once more for each time."""
        return [to for _id, to in self.mails.logged(REFUSED) if to.endswith(f"@{self.domain}")]

    def repeated(self) -> list[dict]:
        """Entries of the mail server's log after which the same mail came once more."""
        entries = self._taken()
        latest = {(entry["id"], entry["to"]): entry for entry in entries}
        return [entry for entry in entries if latest[entry["id"], entry["to"]] is not entry]

    def compare(self) -> Findings:
        taken = Counter((entry["id"], entry["to"]) for entry in self._taken())
        findings = Findings(len(self.owed), missing=[f"{id} an {to}" for id, to in sorted(self.owed - taken.keys())])
        if unexpected := sorted(taken.keys() - self.owed):
            example = " an ".join(unexpected[0])
            findings.wrong.append(f"{len(unexpected)}× eine Mail, die niemand schuldet: {example}")
        repeated = self.repeated()
        if len(repeated) > self.may_repeat:
            findings.wrong.append(f"{len(repeated)}× dieselbe Mail noch einmal, erlaubt {self.may_repeat}×")
        last_over = {entry["via"]: entry for entry in self._taken()}
        if uncut := [entry for entry in repeated if last_over[entry["via"]] != entry]:
            findings.wrong.append(
                f"{len(uncut)}× noch einmal, obwohl die Verbindung danach weiterlief: {uncut[0]['id']}"
            )
        return findings

    def _taken(self) -> list[dict]:
        return [entry for entry in self.mails.entries() if entry["to"].endswith(f"@{self.domain}")]
