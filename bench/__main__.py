import os
import signal
import sys
import time
from contextlib import closing

import django

from bench.client import Client
from bench.house import House
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
        # Not above: it reads the settings, which name the database that has just been started.
        from bench.steps import run

        with closing(Client()) as client:
            figures = run(house, client, sizes, quick=quick, say=say)
        say("Alles wird beendet ...")
    show(figures, others)


if __name__ == "__main__":
    try:
        with own_foreground():
            main()
    except KeyboardInterrupt:
        print("\nAbgebrochen; es läuft nichts mehr.", file=sys.stderr)
        sys.exit(130)
