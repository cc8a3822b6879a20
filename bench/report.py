"""The figures for people, and as the last line for programs."""

import json

from bench.figures import ASK_EVERY, OPEN_PAGES, Figures

# must, aim; smaller is better but for the two marked "more"
WANTED = {
    "vs_constant": (0.6, 0.9, "more", "Seite ohne Cookie gegen eine konstante Antwort, Anfragen/s"),
    "flat": (1.15, 1.05, "less", "Seite der größten gegen die mit 100 Kommentaren, Zeit"),
    "reader_ms": (12, 5, "less", "Seite für Leser mit Cookie, Median in ms, schlechteste"),
    "post_ms": (10, 5, "less", "Antwort in den größten Faden, Median in ms"),
    "post_p99_ms": (40, 15, "less", "dasselbe, 99. Perzentil in ms"),
    "posts_per_s": (300, 600, "more", "16 zugleich in einem Artikel, Kommentare/s"),
    "page_kb": (20, 14, "less", "Seite mit 50 Fäden, brotli, kB, schwerste"),
    "memory_mb": (400, 250, "less", "ganze Seite im Betrieb, PSS, MB, höchster Stand"),
    "fanout_post_ratio": (1.1, 1.0, "less", "Kommentar bei 10.000 Abonnenten (kurz: 1.000) gegen keinen"),
    "handover_ratio": (0.5, 0.8, "more", "Mails/s des Workers gegen eine nackte SMTP-Schleife"),
}

BUSY = 0.5


def summary(figures: Figures) -> dict[str, float]:
    return {
        "vs_constant": round(min(figures.vs_constant.values()), 3),
        "flat": round(figures.flat, 3),
        "reader_ms": round(max(figures.reader_ms.values()), 2),
        "post_ms": round(figures.post_ms, 2),
        "post_p99_ms": round(figures.post_p99_ms, 2),
        "posts_per_s": round(figures.posts_per_s, 1),
        "page_kb": round(max(figures.page_kb.values()), 1),
        "fanout_post_ratio": round(figures.fanout_post_ratio, 3),
        "handover_ratio": round(figures.handover_ratio, 3),
        "memory_mb": round(sum(figures.memory_mb.values()), 1),
    }


def show(figures: Figures, others: float) -> None:
    """`others`: how many processes wanted a core before anything of ours did."""
    print("\nIm Einzelnen")
    if others > BUSY:
        print(f"  ACHTUNG: Vor Beginn warteten schon {others:.1f} Prozesse auf Kerne; alle Zeiten sind zu lang.")
    print(f"  Eine Schleife, die immer gleich ist: {min(figures.core_ms):.0f} bis {max(figures.core_ms):.0f} ms")
    for size in figures.vs_constant:
        page, constant = figures.pages_per_s[size], figures.constant_per_s[size]
        print(
            f"  {_many(size)} Kommentare: {page:6.0f} Seiten/s, konstant {constant:6.0f}/s,"
            f" Verhältnis {figures.vs_constant[size]:.2f}"
        )
    for size, time in figures.page_ms.items():
        print(f"  Seite ohne Cookie, {_many(size)} Kommentare: {time:.2f} ms (konstant {figures.constant_ms:.2f} ms)")
    for title, unit, found in (
        ("Seite mit Cookie", "ms", figures.reader_ms),
        ("dieselben noch einmal", "ms", figures.reader_again_ms),
        ("Gewicht der Seite", "kB", figures.page_kb),
        ("dieselbe mit gzip", "kB", figures.page_gzip_kb),
    ):
        for (size, order, place), value in found.items():
            print(f"  {title}, {_many(size)} Kommentare, {order:13} {place}: {value:6.2f} {unit}")
    print(f"  Gespeichert von den bestätigten Kommentaren: alle {figures.posts_stored}, Nummern ohne Lücke")
    print(
        f"  Kommentare, 16 zugleich, im Wechsel: {figures.compared_posts_per_s:.0f}/s; eine Ansicht, die nur speichert,"
        f" {figures.bare_posts_per_s:.0f}/s; Verhältnis {figures.posts_vs_bare:.2f}"
    )
    print(f"  Respekt geben: {figures.vote_ms:.2f} ms")
    core = figures.asks_cpu / 1000 * OPEN_PAGES / ASK_EVERY
    print(
        f"  „Gibt es Neues?“: {figures.asks_per_s:.0f} Anfragen/s, {figures.asks_cpu:.3f} CPU-Sekunden je 1.000;"
        f" {OPEN_PAGES} offene Seiten, alle {ASK_EVERY} s: {core:.0%} eines Kerns"
    )
    print(
        f"  Mails: {figures.mails_per_s:.0f}/s, nackte Schleife {figures.bare_mails_per_s:.0f}/s;"
        f" der Worker nahm dabei {figures.mail_memory_mb:.0f} MB mehr"
    )
    parts = ", ".join(f"{kind} {size:.0f}" for kind, size in sorted(figures.memory_mb.items()))
    print(f"  Speicher in MB: {parts}")
    print(f"\n{'':12} {'gemessen':>9} {'muss':>7} {'Ziel':>7}")
    for name, value in summary(figures).items():
        must, aim, better, meaning = WANTED[name]
        bounds = f"{_bound(better, must):>7} {_bound(better, aim):>7}"
        print(f"{name:12} {value:9g} {bounds}  {_mark(value, must, aim, better):13} {meaning}")
    print()
    print(json.dumps(summary(figures)), flush=True)


def _bound(better: str, value: float) -> str:
    return f"{'≥' if better == 'more' else '≤'} {value:g}"


def _mark(value: float, must: float, aim: float, better: str) -> str:
    sign = 1 if better == "more" else -1
    if sign * value >= sign * aim:
        return "Ziel erreicht"
    return "genügt" if sign * value >= sign * must else "VERFEHLT"


def _many(size: int) -> str:
    return f"{size:,}".replace(",", ".").rjust(9)
