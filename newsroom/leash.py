"""A leash: what we started ends with us, even if we are killed with SIGKILL and can clean up nothing."""

import signal
import subprocess

GRACE = "1 2 3 4 5"  # the seconds in which a program may end in order before it is killed


class Leash:
    """Watches over one started process: when our own process is gone, however it went, `sig` is sent to the other.

    A small shell waits at the end of a pipe that only we hold open. The kernel closes our end with us, so this needs
    neither a polling loop nor Linux' PR_SET_PDEATHSIG, which is missing on macOS and is cleared by a change of user.
    With `group`, the whole process group is told, and killed if it does not listen.
    """

    def __init__(self, pid: int, *, sig: signal.Signals = signal.SIGTERM, group: bool = False) -> None:
        script = 'read -r _; kill -s "$0" -- "$1"'
        if group:
            script += f'; for _ in {GRACE}; do sleep 1; kill -s 0 -- "$1" || exit; done; kill -s KILL -- "$1"'
        self._shell = subprocess.Popen(
            ["sh", "-c", script, sig.name.removeprefix("SIG"), f"-{pid}" if group else f"{pid}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # the terminal's Ctrl-C and a killed process group must not reach it
            cwd="/",
        )

    def release(self) -> None:
        """Let go without a signal. Called once the process has ended, before its number can belong to another."""
        self._shell.kill()
        self._shell.communicate()
