"""How often each consolidation strategy is right, and whether its confidence means it: ``-m benchmarks.strategies``.

Simulated workers label batches of the sample job's seven categories, three or five of them an object. *Careful* ones
are right in 85 to 97 of 100 cases, *mixed* ones in 50 to 95, *careless* ones in 35 to 75. Whoever is wrong chooses any
other category (*any*), mostly the one that each category is easily taken for (*the same*), or mostly the one that this
worker takes it for (*their own*). Or a third of the objects are *hard*: there workers know half as much, and make any
mistakes. The expected calibration error is the mean distance between confidence and the share that is right, in tenths
of confidence (Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning",
AAAI 2015). docs/consolidation.md has the figures.

With ``careful``, ``mixed`` or ``careless`` it measures those only; with ``--others`` also crowd-kit's GLAD and MACE,
which are left out, on fewer batches: they take their time.
"""

import random
import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Final

from labeling.consolidation import STRATEGIES, Choices, Strategy, Verdict
from labeling.consolidation.strategy import Answers
from labeling.job import load_configured

LABEL: Final = load_configured({}).label
NAMES: Final = LABEL.category_names
CHOICES: Final = Choices(NAMES, LABEL.not_sure)
POOLS: Final = {"careful": (0.85, 0.97), "mixed": (0.5, 0.95), "careless": (0.35, 0.75)}
# Objects, answers to each, workers, and how many such batches.
BATCHES: Final = ((20, 3, 6, 80), (50, 3, 8, 24), (200, 3, 10, 6), (1000, 5, 20, 2))
# Of what small batches can't tell, the large ones only.
FEWEST_OBJECTS: Final = {"any": 20, "the same": 20, "their own": 200, "hard": 200}
BATCHES_OF_OTHERS: Final = ((20, 3, 6, 20), (200, 3, 10, 4))
HARD: Final = 1 / 3
SEED: Final = 1


def main() -> int:
    """Measure and print, as a table of Markdown."""
    others = "--others" in sys.argv
    pools = [name for name in POOLS if name in sys.argv] or list(POOLS)
    measured: Mapping[str, Strategy] = others_of_crowd_kit() if others else STRATEGIES
    names = [*STRATEGIES, *measured] if others else list(measured)
    print(f"| workers | mistakes | batch | {' | '.join(names)} |")
    print("| --- " * (3 + len(names)) + "|")
    for pool in pools:
        for mistakes, fewest in FEWEST_OBJECTS.items():
            for batch in BATCHES_OF_OTHERS if others else BATCHES:
                if batch[0] < fewest:
                    continue
                cells = [measure(name, pool, mistakes, batch, measured.get(name)) for name in names]
                said = " | ".join(f"{right:.3f} ({error:.3f})" for right, error in cells)
                print(f"| {pool} | {mistakes} | {batch[0]} × {batch[1]} | {said} |", flush=True)
    return 0


def measure(
    name: str, pool: str, mistakes: str, batch: tuple[int, int, int, int], strategy: Strategy | None = None
) -> tuple[float, float]:
    """Give the share that a strategy labels right, and its expected calibration error."""
    objects, each, workers, batches = batch
    chance = random.Random(SEED)
    told: list[tuple[float, bool]] = []
    for _ in range(batches):
        truth, answers = simulated(pool, mistakes, (objects, each, workers), chance)
        verdicts = (strategy or STRATEGIES[name])(answers, CHOICES)
        told += [(verdicts[key].confidence, verdicts[key].category == true) for key, true in truth.items()]
    return sum(right for _, right in told) / len(told), calibration_error(told)


def simulated(
    pool: str, mistakes: str, size: tuple[int, int, int], chance: random.Random
) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Give what objects are, and what workers say they are.

    Args:
        pool: How good workers are.
        mistakes: What they take for what.
        size: How many objects, answers to each, and workers.
        chance: What happens.
    """
    objects, each, workers = size
    skills = {f"worker-{number}": chance.uniform(*POOLS[pool]) for number in range(workers)}
    truth = {str(number): chance.choice(NAMES) for number in range(objects)}
    answers = {}
    for key, true in truth.items():
        hard = mistakes == "hard" and chance.random() < HARD
        known = {worker: skill / 2 + 0.5 / len(NAMES) for worker, skill in skills.items()} if hard else skills
        answers[key] = votes(true, known, each, mistakes, chance)
    return truth, answers


def others_of_crowd_kit() -> dict[str, Strategy]:
    """GLAD and MACE, as crowd-kit has them."""
    from crowdkit.aggregation import GLAD, MACE  # noqa: PLC0415 (a second and more)

    return {
        "GLAD": _of_crowd_kit(lambda: GLAD(silent=True)),
        "MACE": _of_crowd_kit(lambda: MACE(n_restarts=1, random_state=SEED)),
    }


def _of_crowd_kit(model: Callable[[], Any]) -> Strategy:
    import pandas as pd  # noqa: PLC0415 (a second and more)

    def decide(answers: Answers, choices: Choices) -> dict[str, Verdict]:  # noqa: ARG001 (as every strategy)
        rows = [(key, worker, label) for key, votes in answers.items() for worker, label in votes.items()]
        fitted = model()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it asks pandas for what that will take away one day
            fitted.fit(pd.DataFrame(rows, columns=["task", "worker", "label"]))
        found = fitted.probas_.to_dict("index").items()
        return {str(key): Verdict(max(row, key=row.get), max(row.values())) for key, row in found}

    return decide


def votes(true: str, skills: Mapping[str, float], each: int, mistakes: str, chance: random.Random) -> dict[str, str]:
    """What some of the workers say of one object, by worker."""
    chosen = chance.sample(sorted(skills), each)
    return {worker: _said(true, worker, skills[worker], mistakes, chance) for worker in chosen}


def _said(true: str, worker: str, skill: float, mistakes: str, chance: random.Random) -> str:
    if chance.random() < skill:
        return true
    if mistakes in ("any", "hard"):
        return chance.choice([name for name in NAMES if name != true])
    taken_for = 1 if mistakes == "the same" else 1 + int(worker.rpartition("-")[2]) % (len(NAMES) - 1)
    return NAMES[(NAMES.index(true) + taken_for + (0 if chance.random() < 0.7 else 1)) % len(NAMES)]


def calibration_error(told: list[tuple[float, bool]]) -> float:
    """The expected calibration error of confidences, each with whether it was right."""
    tenths: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for confidence, right in told:
        tenths[min(9, int(confidence * 10))].append((confidence, right))
    sums = [(sum(confidence for confidence, _ in some), sum(right for _, right in some)) for some in tenths.values()]
    return sum(abs(confident - right) for confident, right in sums) / len(told)


if __name__ == "__main__":
    sys.exit(main())
