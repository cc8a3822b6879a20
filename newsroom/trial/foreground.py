"""The terminal's Ctrl-C for us alone, not for the `make` that started us, which would report an interrupt."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def own_foreground() -> Iterator[None]:
    """A process group of our own in the foreground of the terminal; without a terminal, or as a leader, nothing."""
    group = os.getpgrp()
    if group == os.getpid() or not sys.stdin.isatty() or os.tcgetpgrp(sys.stdin.fileno()) != group:
        yield
        return
    os.setpgid(0, 0)
    _put_in_foreground(os.getpgrp())
    # Ctrl-Z would stop us but not make, and no shell would notice.
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    try:
        yield
    finally:
        _put_in_foreground(group)


def _put_in_foreground(group: int) -> None:
    """From the background the kernel answers such a wish with SIGTTOU, which would stop us."""
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        os.tcsetpgrp(sys.stdin.fileno(), group)
    except OSError:
        pass  # the terminal is gone
    finally:
        signal.signal(signal.SIGTTOU, before)
