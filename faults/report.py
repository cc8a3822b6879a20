"""The table for people, and as the last line for programs."""

import json

from faults.scenario import Result

# What needs no site that breaks.
IN_THE_TESTS = [
    f"E18  {'Webhook zehnmal, ungeordnet, gefälscht':44} in der Testsuite: tests/subscriptions/test_webhooks.py",
    f"E20  {'Zeitumstellung':44} in der Testsuite: tests/subscriptions/test_rhythm.py",
]


def table(results: list[Result]) -> list[str]:
    """What was promised are comments that were acknowledged, or mails that are owed because of them."""
    lines = [f"{'':4} {'Störung':44} {'Läufe':>6} {'zugesagt':>9} {'verloren':>8}  Ergebnis"]
    for result in results:
        verdict = "bestanden" if result.passed else "DURCHGEFALLEN"
        lines.append(
            f"{result.name:4} {result.fault:44} {result.loops:6} {result.acknowledged:9} {result.missing:8}  {verdict}"
        )
    return lines


def remarks(results: list[Result]) -> list[str]:
    """What a row has no room for: first the notes, then everything that is wrong."""
    notes = [f"{result.name}: {result.seconds:.0f} s. {result.note}".rstrip() for result in results]
    return notes + [f"{result.name} FALSCH: {sentence}" for result in results for sentence in result.wrong]


def summary(results: list[Result], *, seed: int, short: bool) -> dict:
    return {
        "passed": all(result.passed for result in results),
        "seed": seed,
        "short": short,
        "scenarios": {result.name: vars(result) | {"passed": result.passed} for result in results},
    }


def show(results: list[Result], *, seed: int, short: bool) -> None:
    print("", *remarks(results), "", *table(results), *IN_THE_TESTS, "", sep="\n")
    print(json.dumps(summary(results, seed=seed, short=short), ensure_ascii=False), flush=True)
