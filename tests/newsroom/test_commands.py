"""What the commands of manage.py say about themselves."""

import pytest
from django.core.management import get_commands, load_command_class

# The beginning of each one's help, and what it says about an argument.
HELP = {
    "check_mail_dns": ("Prüft, ob die Mails einer Domain", "Nameserver, der gefragt wird"),
    "mail_status": ("Sagt, wie es um die Mails steht.", "Zurückgestelltes jetzt senden"),
    "publish": ("Veröffentlicht einen Artikel", "Markdown mit einem Kopf"),
    "receive_mail": ("Nimmt eine Mail von der Standardeingabe an.", "wie im Umschlag"),
    "sample_conversation": ("Füllt einen Artikel mit 200 Beispielkommentaren", "dieselbe Zahl"),
    "work": ("Der Worker: verschickt Mails", ""),
}
OURS = {
    name: app for name, app in get_commands().items() if app in ("articles", "comments", "newsroom", "subscriptions")
}


def test_every_command_of_ours_is_here():
    assert set(OURS) == set(HELP)


@pytest.mark.parametrize("name", HELP)
def test_help_is_german(name):
    told = load_command_class(OURS[name], name).create_parser("manage.py", name).format_help()
    assert [words for words in HELP[name] if words not in " ".join(told.split())] == []
