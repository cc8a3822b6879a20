import os
import signal
import sys
import time
from contextlib import closing

import django

from bench.client import Client
from bench.house import House, MemoryWatch
from bench.report import show
from newsroom.trial.foreground import own_foreground

SIZES = "0 100 10000 1000000"
QUICK_SIZES = "0 100 10000"


def main() -> None:
    quick = "--quick" in sys.argv or os.environ.get("QUICK", "") not in {"", "0"}
    sizes = sorted(map(int, os.environ.get("SIZES", QUICK_SIZES if quick else SIZES).split()))
    # Told to end: the same way out as Ctrl-C, past everything that has to be stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.default_int_handler)
    begin, others = time.monotonic(), os.getloadavg()[0]

    def say(step: str) -> None:
        print(f"{time.monotonic() - begin:5.0f} s  {step}", flush=True)

    with House() as house:
        say("Die Seite startet, in einem Ordner für sich ...")
        house.start_site()
        os.environ |= house.environment | {"TRUSTED_PROXIES": "1"}
        django.setup()
        with closing(Client()) as client:
            figures = run(house, client, sizes, quick=quick, say=say)
        say("Alles wird beendet ...")
    show(figures, others)


def run(house: House, client: Client, sizes: list[int], *, quick: bool, say):
    # Here and not above: these read the settings, which name the database that has just been started.
    from bench.build import Builder
    from bench.mailing import Mailing
    from bench.measure import Measuring

    builder = Builder(house.environment["DATABASE_URL"])
    say("Texte werden geschrieben ...")
    builder.prepare()
    built = []
    for size in sizes:
        say(f"Ein Artikel mit {size:,} Kommentaren entsteht ...".replace(",", "."))
        built.append(builder.article(size))
    builder.finish()
    measuring = Measuring(house, client, built, builder.somebody, quick=quick)
    small = next(one for one in built if one.size)
    mailing = Mailing(house, measuring, small, subscribers=1000 if quick else 10_000)
    say("Seiten ohne Cookie, im Wechsel mit einer konstanten Antwort ...")
    house.start_constant(measuring.first_pages())
    measuring.against_constant()
    measuring.flatness()
    house.stop_constant()
    # What the constant holds of the database's memory is not the site's: watched from here on.
    with MemoryWatch(house) as watch:
        steps = {
            "Das Gewicht der Seiten ...": measuring.weights,
            "Offene Seiten, die nach Neuem fragen ...": measuring.open_pages,
            "Seiten mit Cookie, in jeder Reihenfolge, vorn und tief ...": measuring.readers_pages,
            "Antworten in den größten Faden, eine nach der anderen ...": lambda: measuring.posts_one_by_one(writers),
            "Respekt ...": lambda: measuring.votes(writers),
            "Kommentare, 16 zugleich ...": lambda: measuring.posts_at_once(writers),
            "Abonnenten kommen dazu ...": lambda: mailing.subscribe(builder.writers),
            "Kommentare mit und ohne Abonnenten, im Wechsel ...": lambda: mailing.posts(writers),
            "Alle bekommen eine Mail ...": mailing.handing_over,
        }
        writers = iter(builder.writers)
        for step, measure in steps.items():
            say(step)
            measuring.core()
            measure()
    measuring.figures.memory_mb = watch.most
    return measuring.figures


if __name__ == "__main__":
    try:
        with own_foreground():
            main()
    except KeyboardInterrupt:
        print("\nAbgebrochen; es läuft nichts mehr.", file=sys.stderr)
        sys.exit(130)
