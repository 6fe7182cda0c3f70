"""What the whole job's evidence is worth: ``-m benchmarks.whole_job``.

Simulated workers, as in benchmarks.strategies, label a thousand objects in batches of 20 with three answers each. Each
batch is decided by itself; with all batches before it, as the post-labeling function does; and all are decided at once
at the end, as ``labeling-job results --reconsolidate`` does. Printed is the share that is labeled right and the
expected calibration error in brackets, then the same of the last eight tenths of the batches. ``careful``, ``mixed`` or
``careless`` measures those only.
"""

import random
import sys
from collections.abc import Callable
from itertools import islice
from typing import Final, NamedTuple

from labeling.consolidation import Verdict, decide

from benchmarks.strategies import CHOICES, POOLS, SEED, calibration_error, simulated

BATCH: Final = 20
EACH: Final = 3
JOBS: Final = 1
Answers = dict[str, dict[str, str]]


class Job(NamedTuple):
    """A simulated labeling job.

    Attributes:
        truth: What each object is.
        answers: What workers say that it is.
    """

    truth: dict[str, str]
    answers: Answers


class Measured(NamedTuple):
    """How often a way to decide is right, and whether it means its confidence.

    Attributes:
        right: The share that is labeled right.
        error: The expected calibration error.
    """

    right: float
    error: float

    def __str__(self) -> str:
        return f"{self.right:.3f} ({self.error:.3f})"


def main() -> int:
    """Measure and print, as a table of Markdown."""
    print("| workers | mistakes | each batch by itself | with all before | all at once | from the 11th batch on |")
    print("| --- " * 6 + "|")
    for pool in [name for name in POOLS if name in sys.argv] or POOLS:
        for mistakes in ("any", "the same"):
            jobs = list(simulated_jobs(pool, mistakes, jobs=JOBS))
            ways = [decided(jobs, way) for way in (by_itself, with_all_before, all_at_once)]
            told = [str(measure(jobs, verdicts)) for verdicts in ways]
            told += [", ".join(str(measure(jobs, verdicts, first=200)) for verdicts in ways)]
            print(f"| {pool} | {mistakes} | {' | '.join(told)} |", flush=True)
    return 0


def simulated_jobs(pool: str, mistakes: str, *, jobs: int, objects: int = 1_000, workers: int = 12) -> list[Job]:
    """Give labeling jobs with a pool of workers each."""
    chance = random.Random(SEED)
    return [Job(*simulated(pool, mistakes, (objects, EACH, workers), chance)) for _ in range(jobs)]


def decided(jobs: list[Job], way: Callable[[Answers, str], dict[str, Verdict]]) -> list[dict[str, Verdict]]:
    """Decide each job's objects in some way."""
    return [way(job.answers, "bayesian") for job in jobs]


def measure(jobs: list[Job], verdicts: list[dict[str, Verdict]], first: int = 0) -> Measured:
    """Measure verdicts on all objects of each job from one on."""
    told = [
        (of[key].confidence, of[key].category == true)
        for job, of in zip(jobs, verdicts, strict=True)
        for key, true in islice(job.truth.items(), first, None)
    ]
    return Measured(sum(right for _, right in told) / len(told), calibration_error(told))


def by_itself(answers: Answers, strategy: str) -> dict[str, Verdict]:
    """Decide each batch by itself."""
    verdicts: dict[str, Verdict] = {}
    for batch, _ in _batches(answers):
        verdicts |= decide(batch, CHOICES, strategy).verdicts
    return verdicts


def with_all_before(answers: Answers, strategy: str) -> dict[str, Verdict]:
    """Decide each batch with all before it."""
    verdicts: dict[str, Verdict] = {}
    for batch, earlier in _batches(answers):
        verdicts |= decide(batch, CHOICES, strategy, earlier).verdicts
    return verdicts


def all_at_once(answers: Answers, strategy: str) -> dict[str, Verdict]:
    """Decide all objects at the end."""
    return decide(answers, CHOICES, strategy).verdicts


def _batches(answers: Answers) -> list[tuple[Answers, Answers]]:
    """Each batch, and what came before it."""
    rows = list(answers.items())
    return [(dict(rows[at : at + BATCH]), dict(rows[:at])) for at in range(0, len(rows), BATCH)]


if __name__ == "__main__":
    sys.exit(main())
