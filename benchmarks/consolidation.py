"""Dawid–Skene beside crowd-kit's: ``python -m benchmarks.consolidation``.

Both begin with the same list of (object, worker, label), made by simulated workers of mixed skill over seven
categories; crowd-kit, which wants a table, makes one of it. In turns, the fastest of several runs each.
"""

import random
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import pandas as pd
from crowdkit.aggregation import DawidSkene
from labeling.consolidation import Choices, consolidate
from labeling.job import load_configured

from benchmarks.judge import Judge

OBJECTS: Final = 10_000
ANSWERS: Final = 5
WORKERS: Final = 50
ROUNDS: Final = 3

Triple = tuple[str, str, str]


def main() -> int:
    """Measure, print, and judge."""
    judge = Judge()
    triples = answers_of(OBJECTS, ANSWERS, WORKERS)
    times: dict[str, list[float]] = {"ours": [], "crowd-kit": []}
    ways: dict[str, Callable[[list[Triple]], object]] = {"ours": ours, "crowd-kit": crowd_kit}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            began = time.perf_counter()
            way(triples)
            times[name].append(time.perf_counter() - began)
    fastest = {name: min(measured) for name, measured in times.items()}
    for name, seconds in fastest.items():
        judge(f"{OBJECTS:,} objects × {ANSWERS}, {name}", 1000 * seconds, "ms")
    judge("ours beside crowd-kit's", fastest["ours"] / fastest["crowd-kit"], "×", most=1)
    return 1 if judge.failed else 0


def answers_of(objects: int, answers: int, workers: int, seed: int = 1) -> list[Triple]:
    """Simulate workers of mixed skill."""
    chance = random.Random(seed)
    names = load_configured({}).label.category_names
    skill = {f"worker-{number}": chance.uniform(0.4, 0.97) for number in range(workers)}
    found = []
    for number in range(objects):
        true = chance.choice(names)
        for worker in chance.sample(sorted(skill), answers):
            said = true if chance.random() < skill[worker] else chance.choice(names)
            found.append((str(number), worker, said))
    return found


def ours(triples: list[Triple]) -> object:
    """Our own, as the post-labeling function calls it."""
    answers: dict[str, dict[str, str]] = {}
    for object_id, worker, label in triples:
        answers.setdefault(object_id, {})[worker] = label
    configured = load_configured({}).label
    return consolidate(answers, Choices(configured.category_names, configured.not_sure), "dawid-skene")


def crowd_kit(triples: list[Triple]) -> Any:
    """crowd-kit's."""
    return DawidSkene().fit_predict(pd.DataFrame(triples, columns=["task", "worker", "label"]))


if __name__ == "__main__":
    sys.exit(main())
