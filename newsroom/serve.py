"""Granian, with the site loaded before its workers are forked: they share its memory, and come back at once.

    python -m newsroom.serve newsroom.wsgi:application --interface wsgi --workers 2 ...

The arguments are granian's; the first one is what it serves.
"""

import gc
import sys
from importlib import import_module

from granian.cli import entrypoint


def main() -> None:
    gc.disable()  # nothing of it is garbage yet
    import_module(sys.argv[1].partition(":")[0])
    gc.enable()
    gc.freeze()  # who looks for garbage writes into every object, and no page would be shared for long
    entrypoint()


if __name__ == "__main__":
    main()
