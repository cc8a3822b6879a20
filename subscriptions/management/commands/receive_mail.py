"""`manage.py receive_mail`: takes in one mail from standard input, for Postfix's pipe(8) and its like.

newsroom unix - n n - 4 pipe flags=Rq user=newsroom argv=.../manage.py receive_mail --sender=${sender} ${recipient}
"""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from newsroom.answers import MAX_BYTES
from subscriptions.inbound import UnknownAddressError, take_in


class Command(BaseCommand):
    help = _(
        "Nimmt eine Mail von der Standardeingabe an."
        " Der Mailserver, der das aufruft, erfährt das Ergebnis als Rückgabewert nach sysexits.h."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("recipient")
        parser.add_argument("--sender", default="", help=_("wie im Umschlag; leer bei einer zurückgekommenen Mail"))

    def handle(self, *args: Any, **options: Any) -> None:
        raw = sys.stdin.buffer.read(MAX_BYTES + 1)  # one more: then it is seen to be too large
        try:
            take_in(raw, recipient=options["recipient"], sender=options["sender"])
        except UnknownAddressError:
            raise CommandError("No such address, or not any more.", returncode=os.EX_NOUSER) from None
        except Exception as error:
            raise CommandError(f"Not for the moment: {error}", returncode=os.EX_TEMPFAIL) from error
