"""`manage.py mail_status`: what is waiting, sent, failed, suppressed; and the switches for when something is wrong."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from subscriptions import outbox
from subscriptions.status import mail_status


class Command(BaseCommand):
    help = _("Sagt, wie es um die Mails steht.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        switches = parser.add_mutually_exclusive_group()
        switches.add_argument("--resume", action="store_true", help=_("eine Pause beenden: gleich weiter senden"))
        switches.add_argument(
            "--send-set-aside", action="store_true", help=_("nach einem Ausfall: Zurückgestelltes jetzt senden")
        )
        switches.add_argument(
            "--drop-set-aside",
            action="store_true",
            help=_("nach dem Einspielen einer Sicherung: Zurückgestelltes verwerfen"),
        )

    def handle(self, *args: Any, resume: bool, send_set_aside: bool, drop_set_aside: bool, **options: Any) -> None:
        if resume:
            outbox.resume()
        if send_set_aside or drop_set_aside:
            count = outbox.release_set_aside(send=send_set_aside)
            said = _("%d Mails gehen jetzt hinaus.") if send_set_aside else _("%d Mails sind verworfen.")
            self.stdout.write(said % count)
        self.stdout.write("\n".join(lines()))


def lines() -> list[str]:
    status = mail_status()
    told = []
    if status.paused_until:
        told.append(_("Pause bis %s. Der Mailserver sagt: %s") % (_time(status.paused_until), status.paused_because))
    if status.set_aside:
        told.append(
            _(
                "%d Mails sind zurückgestellt: Lange lief kein Worker, und die Datenbank weiß nicht, ob sie schon"
                " hinausgingen. Nach einem Ausfall: --send-set-aside; nach eingespielter Sicherung: --drop-set-aside"
            )
            % status.set_aside
        )
    told += [
        _("fällig:           %d") % status.due
        + (_(", die älteste seit %s") % _time(status.oldest_due) if status.oldest_due else ""),
        _("später:           %d") % status.later,
        _("In den letzten sieben Tagen:"),
        _("  gesendet:       %d") % status.ended["sent"],
        _("  entfallen:      %d") % status.ended["dropped"],
        _("  unterdrückt:    %d") % status.ended["suppressed"],
        _("  gescheitert:    %d") % status.ended["failed"],
        _("gesperrte Adressen: %d") % status.suppressed_addresses,
        _("Worker zuletzt:   %s") % _time(status.workers_seen_at),
    ]
    if status.last_errors:
        told.append(_("Was Mailserver ablehnten:"))
        told += [f"  {count} × {error}" for error, count in status.last_errors]
    return told


def _time(moment: Any) -> str:
    return date_format(localtime(moment), "SHORT_DATETIME_FORMAT")
