"""``instants``: moments, by clusters within a tolerance."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from statistics import fmean, median
from typing import Annotated, Any, NamedTuple

import msgspec

from labeling.answers.marks import MarkingQuestion, Track, check_within, duration_of, time_of
from labeling.consolidation import ConsolidationConfiguration

Instants = Mapping[Track, Sequence[float]]
"""A worker's instants on each track, in seconds on the item's clock, the first one first."""


class Cluster(NamedTuple):
    """An instant that most workers marked.

    Attributes:
        time: The median of theirs, in seconds.
        workers: How many marked it.
    """

    time: float
    workers: int


class InstantsQuestion(MarkingQuestion, frozen=True, kw_only=True, tag="instants"):
    """Moments, each of a category.

    Attributes:
        tolerance_seconds: Marks within as much of each other are of one moment.
    """

    tolerance_seconds: Annotated[float, msgspec.Meta(gt=0)]

    def contradictions(self) -> Sequence[tuple[str, str]]:
        """As `Answering.contradictions`."""
        if math.isfinite(self.tolerance_seconds):
            return ()
        return (("tolerance_seconds", f"found {self.tolerance_seconds!r}; allowed: any number above 0"),)

    def read(self, value: object, channels: Collection[str]) -> Instants | None:
        """The instants on each track, in order; each once."""
        marks = self._marks(value, "instants")
        if marks is None:
            return None
        duration = duration_of(value) if marks else 0.0
        instants: dict[Track, set[float]] = defaultdict(set)
        for index, mark in enumerate(marks):
            place = f"instants[{index}]"
            members, track = self._track(mark, place, channels)
            time = time_of(members.get("time"), f"{place}.time")
            check_within(time, duration, f"{place}.time")
            instants[track].add(time)
        return {track: sorted(times) for track, times in instants.items()}

    def consolidate(
        self,
        answers: Mapping[str, Mapping[str, Instants]],
        settings: ConsolidationConfiguration,  # noqa: ARG002  (as `Answering.consolidate`)
    ) -> dict[str, dict[str, Any]]:
        """``{"instants": [{"category", "time", "workers", "confidence"}], "confidence", "answers"}``.

        An instant is where more than half of the workers marked the same category within the tolerance, see `clusters`;
        its confidence is their share. The whole answer's is the mean share of marks, of a worker's and the label's
        together, that are in both; 1 for all who marked nothing where the label has nothing.
        """
        return {key: self._label([by[worker] for worker in sorted(by)]) for key, by in answers.items()}

    def _label(self, answers: Sequence[Instants]) -> dict[str, Any]:
        tracks = {track for instants in answers for track in instants}
        found = {
            track: clusters([instants.get(track, ()) for instants in answers], self.tolerance_seconds)
            for track in sorted(tracks, key=lambda track: (self.categories.index(track.category), track.channel))
        }
        marks = [
            track.members()
            | {"time": one.time, "workers": one.workers, "confidence": round(one.workers / len(answers), 4)}
            for track, ones in found.items()
            for one in ones
        ]
        marks.sort(key=lambda mark: mark["time"])
        label = {track: [one.time for one in ones] for track, ones in found.items()}
        likeness = (self._likeness(instants, label) for instants in answers)
        confidence = round(fmean(likeness), 4) if answers else 0.0
        return {"instants": marks, "confidence": confidence, "answers": len(answers)}

    def _likeness(self, one: Instants, label: Instants) -> float:
        """The share of marks that two answers have in common, of all of both; 1 if neither has any."""
        total = sum(map(len, one.values())) + sum(map(len, label.values()))
        common = 0
        for track, times in label.items():
            mine = list(one.get(track, ()))
            for time in times:
                near = [mark for mark in mine if abs(mark - time) <= self.tolerance_seconds]
                if near:
                    mine.remove(min(near, key=lambda mark: abs(mark - time)))
                    common += 1
        return common / (total - common) if total else 1.0

    def answer_schema(self) -> dict[str, Any]:
        """``{"instants": [{"category", "time"}], "duration"}``."""
        return self._schema("instants", ("time",))


def clusters(answers: Sequence[Sequence[float]], tolerance: float) -> list[Cluster]:
    """Find the instants that most workers marked on one track.

    Again and again the stretch as long as the tolerance in which the most workers marked something is taken, the
    shortest of such and the first of those; of each worker in it, the mark next to its middle; until no stretch has
    marks of more than half of the workers.

    Args:
        answers: Each worker's instants, in order; at least one worker.
        tolerance: In seconds.

    Returns:
        The instants, in order.
    """
    marks: dict[float, set[int]] = defaultdict(set)
    for worker, times in enumerate(answers):
        for time in times:
            marks[time].add(worker)
    found = []
    while stretch := _fullest(marks, tolerance):
        middle = (stretch[0] + stretch[-1]) / 2
        nearest: dict[int, float] = {}
        for time in sorted(stretch, key=lambda time: (abs(time - middle), time)):
            for worker in marks[time]:
                nearest.setdefault(worker, time)
        if 2 * len(nearest) <= len(answers):
            break
        found.append(Cluster(median(nearest.values()), len(nearest)))
        for worker, time in nearest.items():
            marks[time].discard(worker)
    return sorted(found)


def _fullest(marks: Mapping[float, Collection[int]], tolerance: float) -> Sequence[float]:
    """The times, within the tolerance of each other, at which the most workers marked something; none if nobody did."""
    times = sorted(time for time in marks if marks[time])
    counts: Counter[int] = Counter()
    best: Sequence[float] = ()
    most = begin = 0
    for end, time in enumerate(times):
        counts.update(marks[time])
        # The earliest time is let go while it is too far away, or all who marked it marked a later one, too.
        while time - times[begin] > tolerance or all(counts[worker] > 1 for worker in marks[times[begin]]):
            counts.subtract(marks[times[begin]])
            begin += 1
        workers = sum(number > 0 for number in counts.values())
        shorter = workers == most and time - times[begin] < best[-1] - best[0]
        if workers > most or shorter:
            most, best = workers, times[begin : end + 1]
    return best
