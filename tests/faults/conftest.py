"""One whole site for all faults: its first start takes longer than most of them."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faults.scenario import Result, Scenario, play
from faults.site import Site
from faults.smtp import MailServer


@pytest.fixture(scope="package")
def running() -> Iterator[tuple[Site, MailServer]]:
    with Site() as site, MailServer(site.folder / "mails.jsonl") as mails:
        site.start(mails)
        yield site, mails
    assert not site.folder.exists()
    assert commands_with(site.folder.name) == []


@pytest.fixture
def played(running: tuple[Site, MailServer]) -> Callable[[Scenario], Result]:
    return lambda scenario: play(scenario, *running, short=True, seed=1, say=lambda step: None)


def commands_with(words: str) -> list[str]:
    """Of all processes; what was just told to end gets a moment."""
    until = time.monotonic() + 5
    while True:
        found = [file.read_text(errors="replace") for file in Path("/proc").glob("[0-9]*/cmdline") if readable(file)]
        found = [command for command in found if words in command]
        if not found or time.monotonic() > until:
            return found
        time.sleep(0.05)


def readable(file: Path) -> bool:
    try:
        file.read_bytes()
    except OSError:
        return False
    return True
