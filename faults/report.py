"""The table for people, and as the last line for programs."""

import json

from faults.scenario import Result


def table(results: list[Result]) -> list[str]:
    lines = [f"{'':4} {'Störung':44} {'Läufe':>6} {'bestätigt':>9} {'verloren':>8}  Ergebnis"]
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
    print("", *remarks(results), "", *table(results), "", sep="\n")
    print(json.dumps(summary(results, seed=seed, short=short), ensure_ascii=False), flush=True)
