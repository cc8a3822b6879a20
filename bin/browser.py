"""Prints the path of a Chromium that runs, for the browser tests; gets one if there is none.

Everything said on the way goes to stderr: stdout is for the path alone.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

# Chromium without a window takes a third of the processor time of one that has all but the screen.
SHELL = "chromium-headless-shell"
NAMES = [SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
MACOS = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
]


def main() -> None:
    browser = find()
    may_install = shutil.which("apt-get") and os.geteuid() == 0 and not os.environ.get("NEWSROOM_CHROMIUM")
    if may_install and (browser is None or Path(browser).name != SHELL):
        install(SHELL)
        browser = find()
    if may_install and browser is None:  # an older Debian has only this one
        install("chromium")
        browser = find()
    if browser is None:
        say("Kein Chromium gefunden; Playwright holt seines ...")
        run([sys.executable, "-m", "playwright", "install", "chromium"])
        browser = find()
    if browser is None:
        sys.exit(
            "Für die Browser-Tests fehlt ein Chromium, und keins ließ sich holen: "
            "Bitte chromium oder google-chrome installieren."
        )
    say(f"Browser: {browser}")
    print(browser)


def install(package: str) -> None:
    say(f"Debians Paket {package} wird installiert ...")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # Where there is no network this must not take long: another browser may be there.
    quickly = ["-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10", "-o", "Acquire::https::Timeout=10"]
    run(["apt-get", "update", "-qq", *quickly], env=quiet)
    run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *quickly, package], env=quiet)


def find() -> str | None:
    return next((path for path in candidates() if runs(path)), None)


def candidates() -> Iterator[str]:
    if named := os.environ.get("NEWSROOM_CHROMIUM"):
        yield named
    yield from filter(None, map(shutil.which, NAMES))
    yield from MACOS
    with sync_playwright() as playwright:
        yield playwright.chromium.executable_path


def runs(path: str) -> bool:
    """Ubuntu's chromium-browser is a script that only recommends a snap, and a download can lack its libraries."""
    if not Path(path).exists():
        return False
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def run(command: list[str], **options: dict[str, str]) -> None:
    """Whether it worked shows in what `find` finds afterwards."""
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, **options)


def say(step: str) -> None:
    print(step, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
