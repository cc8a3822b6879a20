"""`manage.py work`: the worker. Mails go out, and what is to be done later is done."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from subscriptions.listener import Listener
from subscriptions.outbox import keep_alive
from subscriptions.tasks import wake

STOP_TIMEOUT = 5  # seconds that jobs have to come to an end


class Command(BaseCommand):
    help = _(
        "Der Worker: verschickt Mails und sieht im Haus nach dem Rechten, bis er beendet wird."
        " Einer genügt; mehrere teilen sich die Arbeit."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        keep_alive()  # before any job: what was owed before a long standstill may have gone out already
        wake()  # for what a killed worker left; the next look for due mails is up to 15 seconds away
        connection.close()  # jobs run in threads with connections of their own
        listener = Listener(settings.INBOUND_LISTEN) if settings.INBOUND_LISTEN else None
        if listener is not None:
            listener.start()
        with app.replace_connector(app.connector.get_worker_connector()) as worker_app:
            worker_app.run_worker(shutdown_graceful_timeout=STOP_TIMEOUT)
        if listener is not None:
            listener.stop()
