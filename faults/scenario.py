"""What a scenario is given, and what it returns."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from faults.client import Answer, Device, Form
from faults.ledger import Ledger
from faults.oracle import Findings, compare
from faults.site import Site, Stuck
from faults.smtp import MailServer

LONGEST = 20 * 60  # seconds for one scenario
SAY_EVERY = 10  # seconds


@dataclass
class Result:
    name: str
    fault: str
    loops: int = 0
    acknowledged: int = 0
    missing: int = 0
    wrong: list[str] = field(default_factory=list)  # sentences; none: passed
    note: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return not self.wrong


class Stage:
    """The running site with one article and one ledger, for one scenario."""

    def __init__(self, name: str, site: Site, mails: MailServer, *, seed: int, say: Callable[[str], None]) -> None:
        self.site, self.mails, self._say = site, mails, say
        self.name = name
        self.chance = random.Random(f"{seed} {name}")
        self.article = site.new_article(f"stoerung-{name.lower()}")
        self.ledger = Ledger(site.folder / f"ledger-{name}.jsonl")
        self.done = 0
        self.note = ""
        self.wrong: list[str] = []
        self._until = time.monotonic() + LONGEST
        self._said = time.monotonic()

    def loops(self, count: int) -> Iterator[int]:
        """Counts, and says once in a while how far it is."""
        for number in range(1, count + 1):
            if time.monotonic() > self._until:
                raise Stuck(f"Nach {LONGEST // 60} Minuten erst {self.done} von {count} Läufen")
            if time.monotonic() - self._said > SAY_EVERY:
                self._said = time.monotonic()
                self._say(f"  {self.name}: {self.done} von {count}, {self.ledger.count} bestätigt")
            yield number
            self.done = number

    def acknowledge(self, form: Form, answer: Answer) -> bool:
        """Notes what the answer promises. False if it promises nothing."""
        if answer.acknowledges:
            self.ledger.write(key=form.key.hex, body=form.body, status=answer.status, place=answer.place)
        return answer.acknowledges

    def send(self, device: Device, form: Form) -> bool:
        """True if it was acknowledged; it stands in the ledger then."""
        answer = device.try_to_send(form)
        return answer is not None and self.acknowledge(form, answer)

    def check(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.wrong.append(otherwise)

    def close(self) -> None:
        self.ledger.close()

    def compare(self) -> Findings:
        return compare(self.ledger.entries(), self.site, self.article)


@dataclass(frozen=True)
class Scenario:
    """`run` gets the stage and its size, which is a number of loops unless it says otherwise."""

    name: str
    fault: str
    run: Callable[[Stage, int], None]
    long: int
    short: int
    loses: bool = False  # the control: what is acknowledged must be found missing
    stage: type[Stage] = Stage


def play(
    scenario: Scenario, site: Site, mails: MailServer, *, short: bool, seed: int, say: Callable[[str], None]
) -> Result:
    begin = time.monotonic()
    result = Result(scenario.name, scenario.fault)
    say(f"{scenario.name}: {scenario.fault} ...")
    try:
        with closing(scenario.stage(scenario.name, site, mails, seed=seed, say=say)) as stage:
            try:
                scenario.run(stage, scenario.short if short else scenario.long)
            except Stuck as stuck:
                stage.wrong.append(str(stuck))
            findings = stage.compare()
    except Exception as error:
        result.wrong.append(f"{type(error).__name__}: {error}")
    else:
        result.loops, result.note = stage.done, stage.note
        result.acknowledged, result.missing = findings.acknowledged, len(findings.missing)
        result.wrong = stage.wrong + findings.wrong
        if scenario.loses and not findings.missing:
            result.wrong.append("Die Prüfung ist blind: Sie hat den Verlust nicht bemerkt")
        elif findings.missing and not scenario.loses:
            result.wrong.append(f"Bestätigt und verloren: {', '.join(findings.missing[:5])}")
        if not findings.acknowledged:
            result.wrong.append("Kein einziger Kommentar wurde angenommen")
    result.seconds = time.monotonic() - begin
    return result
