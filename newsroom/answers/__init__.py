"""What a person wrote in a reply mail: without what they quoted, their signature and what their mail program adds
(B17, B18).

Anyone may send us anything, so every step takes time in proportion to the mail, within the limits of the modules that
take it. Four parsers that others wrote do not: parts, pagetext and attributions say how long they took.

When in doubt words are kept. What was quoted is never in doubt: our mails hold links that only their reader may have.

    parts.py         the mail taken apart
    plaintext.py     what stands in it as text; pagetext.py for its HTML
    senders.py       who sent it
    quotes.py        what was quoted; attributions.py finds "On Monday Anna wrote:"
    signatures.py    what stands beside the words
"""

import hashlib
from dataclasses import dataclass

from django.utils.translation import gettext as _

from newsroom.answers.parts import HEAD_BYTES, Part, decoded_words, take_apart
from newsroom.answers.plaintext import LOOKED_AT, Encrypted, plain_text
from newsroom.answers.quotes import DELIMITER, own_stretches
from newsroom.answers.senders import is_automatic, one_sender
from newsroom.answers.signatures import mark_signature, undecorated, without_signature
from newsroom.text.characters import normalise, normalise_line, shows_something

__all__ = ["DELIMITER", "HEAD_BYTES", "MAX_BYTES", "Answer", "Unreadable", "read_answer"]

MAX_BYTES = 200_000  # of a raw mail


class Unreadable(Exception):
    """No answer can be read from this mail. Holds one or two sentences that say so to its sender."""


@dataclass(frozen=True)
class Answer:
    message_id: str  # where the mail has none, one made from its bytes: the same mail again has the same
    sender: str  # the one address of From, canonical; "" only where is_automatic
    sender_name: str
    subject: str
    text: str  # without NUL and surrogates; otherwise as written; "" only where is_automatic
    is_automatic: bool  # a machine wrote it; answering would make two machines talk to each other

    @property
    def key(self) -> str:
        """The same for the same mail, however often it comes; another for other words under the same Message-ID."""
        return f"{self.message_id} {hashlib.sha256(self.text.encode(errors='replace')).hexdigest()[:32]}"


def read_answer(raw: bytes) -> Answer:
    """Raises Unreadable and nothing else, and never for a mail that a machine wrote: nobody would read the reason."""
    if too_large := len(raw) > MAX_BYTES:
        raw = raw[:HEAD_BYTES]
    mail = take_apart(raw)
    sender_name, sender = one_sender(mail)
    subject = normalise_line(decoded_words(mail.field("subject")))
    by_machine = is_automatic(mail, sender, subject)
    text = ""
    try:
        if too_large:
            raise Unreadable(_("Ihre Mail ist zu groß. Bitte antworten Sie ohne Bilder und Anhänge."))
        if not sender:
            raise Unreadable(_("Wir erkennen nicht, von welcher Adresse Ihre Mail kommt."))
        text = _written(mail)
    except Unreadable:
        if not by_machine:
            raise
    message_id = normalise_line(mail.field("message-id"))
    if not 3 <= len(message_id) <= 255:
        message_id = f"<{hashlib.sha256(raw).hexdigest()[:32]}@without-message-id.invalid>"
    return Answer(message_id, sender, sender_name, subject, text, by_machine)


def _written(mail: Part) -> str:
    """What is left of a mail's text without quote and signature; raises Unreadable if nothing is."""
    try:
        text = plain_text(mail)
    except Encrypted:
        raise Unreadable(_("Ihre Mail ist verschlüsselt. Bitte antworten Sie unverschlüsselt.")) from None
    text = normalise(mark_signature(text))[:LOOKED_AT]
    if not shows_something(text):
        raise Unreadable(_("Ihre Mail enthält keinen Text."))
    stretches = own_stretches(text)
    for gently in (False, True):
        found = "\n\n".join("\n".join(without_signature(stretch, gently=gently)).strip("\n") for stretch in stretches)
        found = undecorated(found)
        if shows_something(found):
            return found
    raise Unreadable(_("In Ihrer Mail steht nichts Neues. Bitte schreiben Sie Ihre Antwort über das Zitat."))
