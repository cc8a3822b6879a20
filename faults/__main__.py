import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from faults import controls, crashes, deaths, mailing, posting, restoring
from faults.report import show
from faults.scenario import Result, play
from faults.site import Site
from faults.smtp import MailServer
from newsroom.trial.__main__ import PROJECT
from newsroom.trial.foreground import own_foreground

# From calm to rough.
PARTS = [posting, mailing, restoring, controls, deaths, crashes]
SCENARIOS = {scenario.name: scenario for part in PARTS for scenario in part.SCENARIOS}


def main() -> int:
    options = _options()
    # Told to end: the same way out as Ctrl-C, past everything that has to be stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.default_int_handler)
    begin = time.monotonic()

    def say(step: str) -> None:
        print(f"{time.monotonic() - begin:5.0f} s  {step}", flush=True)

    say(f"Zufall: --seed {options.seed}")
    results = run(options.only, short=options.short, seed=options.seed, say=say)
    show(results, seed=options.seed, short=options.short)
    return 0 if all(result.passed for result in results) else 1


def run(names: list[str], *, short: bool, seed: int, say: Callable[[str], None]) -> list[Result]:
    """Plays the named scenarios on one site, and returns them by their number."""
    with Site() as site, MailServer(site.folder / "mails.jsonl") as mails:
        say("Die Seite startet, in einem Ordner für sich ...")
        site.start(mails)
        results = [
            play(scenario, site, mails, short=short, seed=seed, say=say)
            for name, scenario in SCENARIOS.items()
            if name in names
        ]
        if not all(result.passed for result in results):
            say(f"Ledger und Protokolle liegen in {_keep(site.folder)}")
        say("Alles wird beendet ...")
    return sorted(results, key=lambda result: (result.name[0], int(result.name.strip("EKab")), result.name))


def _keep(folder: Path) -> Path:
    """What tells how it came about."""
    kept = Path(tempfile.mkdtemp(prefix="faults-failed-", dir=folder.parent))
    for file in [*folder.glob("*.jsonl"), *folder.glob("*.log"), *folder.glob("log/*"), *folder.glob("database/*.log")]:
        with suppress(OSError):
            shutil.copy(file, kept)
    return kept.relative_to(PROJECT)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m faults", description="Geht etwas verloren, wenn etwas kaputtgeht?")
    parser.add_argument("--short", action="store_true", help="wenige Läufe, zwei Minuten")
    parser.add_argument("--only", type=_names, default=list(SCENARIOS), metavar="E1,E7", help="nur diese")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="für den Zufall")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    """E20 is E20a and E20b."""
    names = text.replace(",", " ").split()
    if unknown := [name for name in names if not _meant(name)]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)} gibt es nicht, nur {', '.join(SCENARIOS)}")
    return [scenario for name in names for scenario in _meant(name)]


def _meant(name: str) -> list[str]:
    return [scenario for scenario in SCENARIOS if name in (scenario, scenario.rstrip("ab"))]


if __name__ == "__main__":
    try:
        with own_foreground():
            sys.exit(main())
    except KeyboardInterrupt:
        print("\nAbgebrochen; es läuft nichts mehr.", file=sys.stderr)
        sys.exit(130)
