"""What manage.py says about a variable of the environment that cannot be right: one sentence, no traceback."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

BAD = [
    ("SECRET_KEY", None, "fehlt; nötig sind 50 zufällige Zeichen, die geheim sind und es bleiben"),
    ("DATABASE_URL", "kaputt", "eine Adresse wie postgresql://name:passwort@rechner/newsroom"),
    (
        "EMAIL_URL",
        "foo",
        "eine Adresse wie smtp://rechner:25, smtp+tls://name:passwort@rechner:587 oder smtp+ssl://...",
    ),
    ("EMAIL_TIMEOUT", "0", "eine Zahl ab 1"),
    ("TRUSTED_PROXIES", "x", "eine Zahl ab 0"),
    ("ANYMAIL", "x", "Einstellungen als JSON"),
    ("ANYMAIL", "[1]", "Einstellungen als JSON"),
    ("TIME_ZONE", "Mars", "eine Zeitzone wie Europe/Berlin"),
    ("TIME_ZONE", "Europe", "eine Zeitzone wie Europe/Berlin"),
    ("COMMENT_DAYS", "-1", "eine Zahl ab 0"),
    ("WRITING_SECONDS", "nan", "eine Zahl ab -1"),
    ("REPLY_LEVELS", "11", "eine Zahl von 1 bis 10"),
    ("DEBUG", "maybe", "on oder off"),
]


def manage(command: str, **variables: str | None) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in (os.environ | variables).items() if value is not None}
    command = [sys.executable, "manage.py", command]
    return subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("name, value, must_be", BAD)
def test_a_bad_variable_is_one_sentence(name, value, must_be):
    refused = manage("check", **{name: value})
    assert (refused.stderr, refused.stdout, refused.returncode) == (f"{name}: {must_be}\n", "", 1)


def test_a_command_of_ours_says_it_too():
    assert manage("publish", DEBUG="maybe").stderr == "DEBUG: on oder off\n"


def test_good_variables_are_taken():
    good = {
        "DEBUG": "False",
        "TIME_ZONE": "UTC",
        "ANYMAIL": '{"X": "y"}',
        "COMMENT_DAYS": "0",
        "WRITING_SECONDS": "0.5",
    }
    assert manage("check", **good).returncode == 0
