import pytest

from tests.subscriptions.scripted import MailServer, mail_server


@pytest.fixture
def server(settings) -> MailServer:
    return mail_server(settings)
