import pytest
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from newsroom.mailbox import Letter
from subscriptions.models import Delivery
from tests import factories
from tests.subscriptions.inbound.mails import Back, told_of


@pytest.fixture(autouse=True)
def reply_domain(settings) -> None:
    settings.REPLY_DOMAIN = "antwort.example"


@pytest.fixture
def told(article) -> Delivery:
    return told_of(factories.comment(article, "Stimmt das?", name="Anna"))


@pytest.fixture
def back(letters) -> Back:
    """What goes back to who wrote, by the jobs that are owed."""

    def sent() -> list[Letter]:
        for job in ProcrastinateJob.objects.filter(task_name__contains=".send_answer_").order_by("pk"):
            app.tasks[job.task_name](**job.args)
        return letters()

    return sent
