"""Granian, with the site loaded before its workers are forked: they share its memory, and come back at once.

    python -m newsroom.serve newsroom.wsgi:application --interface wsgi --workers 2 ...

The first argument is what it serves, the others are granian's. New code needs a restart: a worker that is replaced,
also by HUP, is a copy of the site as it was loaded.
"""

import gc
import multiprocessing
import sys
from importlib import import_module

from granian.cli import entrypoint

# After so many new objects that are still there. A cold page makes thousands, which nearly all go by themselves; with
# Python's 700 a twenty-fifth of its time is spent looking through them.
LOOK_FOR_GARBAGE = 5_000


def main() -> None:
    served = sys.argv[1] if len(sys.argv) > 1 else ""
    if ":" not in served:
        sys.exit("Usage: python -m newsroom.serve newsroom.wsgi:application [options of granian]")
    gc.disable()  # nothing of it is garbage yet
    import_module(served.partition(":")[0])
    gc.enable()
    gc.freeze()  # who looks for garbage writes into every object, and no page would be shared for long
    gc.set_threshold(LOOK_FOR_GARBAGE)
    if sys.platform == "linux":
        multiprocessing.set_start_method("fork")  # since Python 3.14 no longer by itself
    entrypoint()


if __name__ == "__main__":
    main()
