"""Codes like (C7) in the code are explained in the repository."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
APPS = ["newsroom", "articles", "readers", "comments", "ratings", "subscriptions", "moderation", "templates", "static"]
CITED = re.compile(r"\(((?:[A-E]\d+(?:, |-)?)+)\)")


def test_every_code_that_is_cited_is_explained():
    cited = set()
    for app in APPS:
        for path in (ROOT / app).rglob("*.*"):
            if path.suffix in {".py", ".html", ".jinja", ".txt", ".js", ".css"}:
                for codes in CITED.findall(path.read_text()):
                    cited |= set(re.findall(r"[A-E]\d+", codes))
    explained = (ROOT / "docs/requirements.md").read_text() + (ROOT / "docs/faults.md").read_text()
    assert {"A25", "B13", "C7", "E20"} < cited
    assert {code for code in cited if not re.search(rf"\b{code}[ab]?\b", explained)} == set()
