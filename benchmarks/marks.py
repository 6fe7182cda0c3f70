"""Whether what most workers mark is better than the best of them: ``python -m benchmarks.marks``.

Simulated workers mark regions and instants of known truth in recordings of 60 s, one or two on average in each of two
categories. Each worker has a *jitter*, the standard deviation of an edge in seconds; *misses* some of the marks, and
*invents* others. Each recording is marked by three or five workers, and their answers are consolidated as the
post-labeling function does.

Regions are judged by their temporal intersection over union with the truth, instants by the share of marks, of the
answer's and the truth's together, that are within half a second of each other (both 1 where both have none); the mean
over all recordings is printed for the label, for the best worker by that measure, and for the mean of the workers.
docs/questions.md has the figures.
"""

import random
import sys
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, Final, NamedTuple

from labeling.answers import InstantsQuestion, RegionsQuestion
from labeling.answers.marks import Track
from labeling.answers.regions import Stretch
from labeling.consolidation import ConsolidationConfiguration

CATEGORIES: Final = ("Burn Through", "Porosity")
REGIONS: Final = RegionsQuestion(name="regions", title="Mark", categories=CATEGORIES)
INSTANTS: Final = InstantsQuestion(name="instants", title="Mark", categories=CATEGORIES, tolerance_seconds=1.0)
SECONDS: Final = 60.0
RECORDINGS: Final = 200
NEAR: Final = 0.5
SEED: Final = 1

Marks = dict[Track, list[Any]]


class Pool(NamedTuple):
    """How workers mark: each is drawn between the two.

    Attributes:
        jitter: The standard deviation of an edge, in seconds.
        misses: The share of marks that are overlooked.
        invents: How many are seen in a recording where none is, on average.
    """

    jitter: tuple[float, float]
    misses: tuple[float, float]
    invents: tuple[float, float]


POOLS: Final = {
    "careful": Pool((0.05, 0.2), (0.0, 0.1), (0.0, 0.1)),
    "mixed": Pool((0.05, 0.6), (0.0, 0.4), (0.0, 0.6)),
    "careless": Pool((0.3, 0.8), (0.2, 0.5), (0.3, 0.8)),
}


class Measured(NamedTuple):
    """Mean likeness with the truth, from 0 to 1.

    Attributes:
        label: Of the consolidated answers.
        best: Of the best worker.
        mean: Of all workers.
    """

    label: float
    best: float
    mean: float


class Worker(NamedTuple):
    """A simulated worker; as in `Pool`."""

    jitter: float
    misses: float
    invents: float


def main() -> int:
    """Measure and print, as a table of Markdown."""
    print("| marks | workers | answers | label | best worker | mean worker |")
    print("| --- | --- | --- | --- | --- | --- |")
    beaten = True
    for kind in ("regions", "instants"):
        for pool in POOLS:
            for workers in (3, 5):
                found = measure(kind, pool, workers)
                beaten &= found.label > found.best
                print(f"| {kind} | {pool} | {workers} | {found.label:.3f} | {found.best:.3f} | {found.mean:.3f} |")
    return 0 if beaten else 1


def measure(kind: str, pool: str, workers: int, seed: int = SEED) -> Measured:
    """Simulate recordings of one kind of marks, and judge."""
    chance = random.Random(seed)
    team = [Worker(*(chance.uniform(*between) for between in POOLS[pool])) for _ in range(workers)]
    of_label: list[float] = []
    of_workers: list[list[float]] = [[] for _ in team]
    for _ in range(RECORDINGS):
        truth = _truth(kind, chance)
        answers = [_marked(truth, worker, kind, chance) for worker in team]
        of_label.append(_likeness(kind, _label(kind, answers), truth))
        for likenesses, answer in zip(of_workers, answers, strict=True):
            likenesses.append(_likeness(kind, answer, truth))
    means = [fmean(likenesses) for likenesses in of_workers]
    return Measured(fmean(of_label), max(means), fmean(means))


def _label(kind: str, answers: Sequence[Marks]) -> Marks:
    """The consolidated label, as a worker's answer would be."""
    by_worker = {f"worker-{number}": answer for number, answer in enumerate(answers)}
    question = REGIONS if kind == "regions" else INSTANTS
    label = question.consolidate({"0": by_worker}, ConsolidationConfiguration())["0"]
    found: Marks = {}
    for mark in label[kind]:
        place = (mark["begin"], mark["end"]) if kind == "regions" else mark["time"]
        found.setdefault(Track(mark["category"]), []).append(place)
    return found


def _truth(kind: str, chance: random.Random) -> Marks:
    found: Marks = {}
    for category in CATEGORIES:
        marks: list[Any] = []
        for _ in range(chance.choice((0, 1, 2, 2, 3))):
            marks = _with(marks, _new(kind, chance), kind)
        if marks:
            found[Track(category)] = marks
    return found


def _new(kind: str, chance: random.Random) -> Any:
    begin = chance.uniform(0, SECONDS - 6)
    return (begin, begin + chance.uniform(1, 6)) if kind == "regions" else begin


def _with(marks: list[Any], mark: Any, kind: str) -> list[Any]:
    """Marks with one more, if it lies apart from them."""
    if kind == "instants":
        return sorted([*marks, mark])
    apart = all(mark[1] < begin or end < mark[0] for begin, end in marks)
    return sorted([*marks, mark]) if apart else marks


def _marked(truth: Marks, worker: Worker, kind: str, chance: random.Random) -> Marks:
    found: Marks = {}
    for category in CATEGORIES:
        marks: list[Any] = []
        for mark in truth.get(Track(category), []):
            if chance.random() >= worker.misses:
                marks = _with(marks, _jittered(mark, worker.jitter, chance), kind)
        if chance.random() < worker.invents / len(CATEGORIES):
            marks = _with(marks, _new(kind, chance), kind)
        if marks:
            found[Track(category)] = marks
    return found


def _jittered(mark: Any, jitter: float, chance: random.Random) -> Any:
    if not isinstance(mark, tuple):
        return max(0.0, chance.gauss(mark, jitter))
    begin, end = sorted(max(0.0, chance.gauss(edge, jitter)) for edge in mark)
    return begin, max(end, begin + 0.01)


def _likeness(kind: str, one: Mapping[Track, Any], truth: Mapping[Track, Any]) -> float:
    alike = _regions_alike if kind == "regions" else _instants_alike
    found = [alike(one.get(track, []), truth.get(track, [])) for track in {*one, *truth}]
    total = sum(both for _, both in found)
    return sum(common for common, _ in found) / total if total else 1.0


def _regions_alike(one: Sequence[Stretch], other: Sequence[Stretch]) -> tuple[float, float]:
    common = sum(max(0.0, min(a[1], b[1]) - max(a[0], b[0])) for a in one for b in other)
    return common, sum(end - begin for begin, end in (*one, *other)) - common


def _instants_alike(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    left = list(other)
    for time in one:
        near = [mark for mark in left if abs(mark - time) <= NEAR]
        if near:
            left.remove(min(near, key=lambda mark: abs(mark - time)))
    common = len(other) - len(left)
    return common, len(one) + len(other) - common


if __name__ == "__main__":
    sys.exit(main())
