"""How often each consolidation strategy is right, and whether its confidence means it: ``-m benchmarks.strategies``.

Simulated workers label batches of the sample job's seven categories, three or five of them an object. *Careful* ones
are right in 85 to 97 of 100 cases, *mixed* ones in 50 to 95, *careless* ones in 35 to 75. Whoever is wrong chooses any
other category (*any*), or mostly the one that each category is easily taken for (*the same*). The expected calibration
error is the mean distance between confidence and the share that is right, in tenths of confidence (Naeini, Cooper and
Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015). docs/consolidation.md has the
figures.
"""

import random
import sys
from collections import defaultdict
from typing import Final

from labeling.consolidation import STRATEGIES, Choices
from labeling.job import load_configured

LABEL: Final = load_configured({}).label
NAMES: Final = LABEL.category_names
CHOICES: Final = Choices(NAMES, LABEL.not_sure)
POOLS: Final = {"careful": (0.85, 0.97), "mixed": (0.5, 0.95), "careless": (0.35, 0.75)}
# Objects, answers to each, workers, and how many such batches.
BATCHES: Final = ((20, 3, 6, 60), (50, 3, 8, 30), (200, 3, 10, 10), (1000, 5, 20, 2))
SEED: Final = 1


def main() -> int:
    """Measure and print, as a table of Markdown."""
    print(f"| workers | mistakes | batch | {' | '.join(STRATEGIES)} |")
    print("| --- " * (3 + len(STRATEGIES)) + "|")
    for pool in POOLS:
        for mistakes in ("any", "the same"):
            for objects, each, workers, batches in BATCHES:
                cells = [measure(name, pool, mistakes, (objects, each, workers, batches)) for name in STRATEGIES]
                said = " | ".join(f"{right:.3f} ({error:.3f})" for right, error in cells)
                print(f"| {pool} | {mistakes} | {objects} × {each} | {said} |", flush=True)
    return 0


def measure(strategy: str, pool: str, mistakes: str, batch: tuple[int, int, int, int]) -> tuple[float, float]:
    """Give the share that a strategy labels right, and its expected calibration error."""
    objects, each, workers, batches = batch
    chance = random.Random(SEED)
    told: list[tuple[float, bool]] = []
    for _ in range(batches):
        skills = {f"worker-{number}": chance.uniform(*POOLS[pool]) for number in range(workers)}
        truth = {str(number): chance.choice(NAMES) for number in range(objects)}
        answers = {key: _votes(true, skills, each, mistakes, chance) for key, true in truth.items()}
        verdicts = STRATEGIES[strategy](answers, CHOICES)
        told += [(verdicts[key].confidence, verdicts[key].category == true) for key, true in truth.items()]
    return sum(right for _, right in told) / len(told), calibration_error(told)


def _votes(true: str, skills: dict[str, float], each: int, mistakes: str, chance: random.Random) -> dict[str, str]:
    chosen = chance.sample(sorted(skills), each)
    return {worker: _said(true, skills[worker], mistakes, chance) for worker in chosen}


def _said(true: str, skill: float, mistakes: str, chance: random.Random) -> str:
    if chance.random() < skill:
        return true
    if mistakes == "any":
        return chance.choice([name for name in NAMES if name != true])
    return NAMES[(NAMES.index(true) + (1 if chance.random() < 0.7 else 2)) % len(NAMES)]


def calibration_error(told: list[tuple[float, bool]]) -> float:
    """The expected calibration error of confidences, each with whether it was right."""
    tenths: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for confidence, right in told:
        tenths[min(9, int(confidence * 10))].append((confidence, right))
    sums = [(sum(confidence for confidence, _ in some), sum(right for _, right in some)) for some in tenths.values()]
    return sum(abs(confident - right) for confident, right in sums) / len(told)


if __name__ == "__main__":
    sys.exit(main())
