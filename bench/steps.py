"""What is built and measured, one step after the other."""

from collections.abc import Callable

from bench.build import Builder
from bench.client import Client
from bench.figures import Figures
from bench.house import House, MemoryWatch
from bench.mailing import Mailing
from bench.measure import Measuring


def run(house: House, client: Client, sizes: list[int], *, quick: bool, say: Callable[[str], None]) -> Figures:
    builder = Builder(house.environment["DATABASE_URL"])
    say("Texte werden geschrieben ...")
    builder.prepare()
    built = []
    for size in sizes:
        say(f"Ein Artikel mit {size:,} Kommentaren entsteht ...".replace(",", "."))
        built.append(builder.article(size))
    say(f"Der größte Faden hat {built[-1].in_largest:,} Antworten.".replace(",", "."))
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
            "Seiten ohne Cookie, alle, für den Speicher ...": measuring.pages_for_all,
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
    say("Kommentare, 16 zugleich, im Wechsel mit einer Ansicht, die nur speichert ...")
    house.start_constant({})
    measuring.posts_against_bare(writers)
    house.stop_constant()
    return measuring.figures
