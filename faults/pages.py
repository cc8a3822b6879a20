"""What a page must be when something beneath it is broken."""

import html
import re

from faults.client import Answer

LONGEST_ANSWER = 15  # seconds; who waits longer has pressed the button again
_TRACE = re.compile(
    r"Traceback|site-packages|\.py\b|psycopg|OperationalError|PoolTimeout|DatabaseError|connection to server|\.s\.PGSQL"
)
_KEY = re.compile(r'name="form_key"[^>]*\bvalue="([^"]*)"')


def trace_in(answer: Answer) -> str:
    """The first sign of the machine's inside that a reader is shown; empty if there is none."""
    found = _TRACE.search(answer.text)
    return found[0] if found else ""


def form_key_in(answer: Answer) -> str:
    """The key of the form in the answer, so that it can be sent again; empty if there is none."""
    found = _KEY.search(answer.text)
    return html.unescape(found[1]) if found else ""


def wrong_without_database(answer: Answer, *, body: str = "", form_key: str = "") -> list[str]:
    """What is wrong with the answer while the database is away; `body` and `form_key` are what a reader had sent."""
    wrong = []
    if answer.status != 503:
        wrong.append(f"Status {answer.status} statt 503")
    if answer.seconds > LONGEST_ANSWER:
        wrong.append(f"Antwort erst nach {answer.seconds:.0f} s")
    if not answer.header("Content-Type").startswith("text/html") or "<h1" not in answer.text:
        wrong.append("keine Seite mit Überschrift")
    if trace := trace_in(answer):
        wrong.append(f"verrät Inneres: {trace}")
    if body and body not in html.unescape(answer.text):
        wrong.append("der Text des Lesers fehlt in der Antwort")
    if body and "<" in body and body in answer.text:
        wrong.append("der Text des Lesers steht unmaskiert in der Antwort")
    # It may have been stored before the answer was lost: under another key it would be stored twice.
    if body and form_key_in(answer) != form_key:
        wrong.append("kein Formular mit demselben Schlüssel zum erneuten Absenden")
    return wrong
