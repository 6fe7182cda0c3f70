"""``regions``: stretches of time, by what most workers marked at each moment."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import fmean, median
from typing import Any, Literal

from labeling.answers.marks import MarkingQuestion, Track, check_within, duration_of, time_of
from labeling.answers.question import BrokenAnswerError
from labeling.consolidation import ConsolidationConfiguration

Stretch = tuple[float, float]
"""Where a region begins and ends, in seconds on the item's clock."""

Regions = Mapping[Track, Sequence[Stretch]]
"""A worker's regions: on each track apart from each other, the first one first."""


class RegionsQuestion(MarkingQuestion, frozen=True, kw_only=True, tag="regions"):
    """Stretches of time, each of a category.

    Attributes:
        overlaps: What may lie over each other: ``other-categories``, regions of one category being apart; or
            ``none``.
    """

    overlaps: Literal["other-categories", "none"] = "other-categories"

    def contradictions(self) -> Sequence[tuple[str, str]]:
        """As `Answering.contradictions`."""
        return ()

    def read(self, value: object, channels: Collection[str]) -> Regions | None:
        """The regions on each track, in order."""
        marks = self._marks(value, "regions")
        if marks is None:
            return None
        duration = duration_of(value) if marks else 0.0
        regions: dict[Track, list[Stretch]] = defaultdict(list)
        for index, mark in enumerate(marks):
            place = f"regions[{index}]"
            members, track = self._track(mark, place, channels)
            begin, end = (time_of(members.get(edge), f"{place}.{edge}") for edge in ("begin", "end"))
            if begin >= end:
                raise BrokenAnswerError(f"{place}: found {begin:g} to {end:g} s; expected to end after it begins")
            check_within(end, duration, f"{place}.end")
            regions[track].append((begin, end))
        for stretches in regions.values():
            stretches.sort()
        self._check_overlaps(regions)
        return dict(regions)

    def _check_overlaps(self, regions: Regions) -> None:
        layers: dict[Track | str, list[tuple[Stretch, str]]] = defaultdict(list)
        for track, stretches in regions.items():
            layer = track.channel if self.overlaps == "none" else track
            layers[layer] += [(stretch, track.category) for stretch in stretches]
        for marked in layers.values():
            for (before, category), (after, other) in pairwise(sorted(marked)):
                if after[0] < before[1]:
                    raise BrokenAnswerError(
                        f"found {other!r} from {after[0]:g} s on over {category!r} until {before[1]:g} s; "
                        f"expected regions that don't overlap{' in one category' if category == other else ''}"
                    )

    def consolidate(
        self,
        answers: Mapping[str, Mapping[str, Regions]],
        settings: ConsolidationConfiguration,  # noqa: ARG002  (as `Answering.consolidate`)
    ) -> dict[str, dict[str, Any]]:
        """``{"regions": [{"category", "begin", "end", "workers", "confidence"}], "confidence", "answers"}``.

        A region is where more than half of the workers marked the same category, on the same channel if regions are of
        one; its edges are the medians of theirs, see `agreed`. The whole answer's confidence is the mean of the
        workers' temporal intersection over union with all of it, 1 for all who marked nothing where the label has none.
        """
        return {key: self._label([by[worker] for worker in sorted(by)]) for key, by in answers.items()}

    def _label(self, answers: Sequence[Regions]) -> dict[str, Any]:
        tracks = sorted({track for regions in answers for track in regions}, key=self._place)
        label = {track: agreed([regions.get(track, ()) for regions in answers]) for track in tracks}
        if self.overlaps == "none":
            label = apart(label)
        marks = [
            track.members() | {"begin": one[0], "end": one[1]} | _rated(one, [by.get(track, ()) for by in answers])
            for track, regions in label.items()
            for one in regions
        ]
        marks.sort(key=lambda mark: (mark["begin"], mark["end"]))
        confidence = fmean(_likeness(regions, label) for regions in answers) if answers else 0.0
        return {"regions": marks, "confidence": round(confidence, 4), "answers": len(answers)}

    def _place(self, track: Track) -> tuple[int, str]:
        return self.categories.index(track.category), track.channel

    def answer_schema(self) -> dict[str, Any]:
        """``{"regions": [{"category", "begin", "end"}], "duration"}``."""
        return self._schema("regions", ("begin", "end"))


def agreed(answers: Sequence[Sequence[Stretch]]) -> list[Stretch]:
    """Find the regions that most workers marked on one track.

    A region is where more than half of them marked something. Its edges are the medians of those that the workers who
    marked some of it put there; an edge of theirs that belongs to the region before or behind isn't counted.

    Args:
        answers: Each worker's regions, apart from each other and in order; at least one worker.

    Returns:
        The regions, apart from each other and in order.
    """
    found: list[Stretch] = []
    cores = list(_majority(answers))
    for number, core in enumerate(cores):
        before = cores[number - 1][1] if number else float("-inf")
        after = cores[number + 1][0] if number + 1 < len(cores) else float("inf")
        # A worker who marked several stretches of it has one voice: the first one's beginning, the last one's end.
        touching = [[one for one in regions if one[0] < core[1] and core[0] < one[1]] for regions in answers]
        begins = [min(mine) for of in touching if (mine := [begin for begin, _ in of if begin >= before])]
        ends = [max(mine) for of in touching if (mine := [end for _, end in of if end <= after])]
        found.append((median(begins or [core[0]]), median(ends or [core[1]])))
    return _joined(found)


def _majority(answers: Sequence[Sequence[Stretch]]) -> Iterator[Stretch]:
    """Where more than half of the workers marked something."""
    # At one time what ends is counted before what begins: neighbours that only touch don't overlap.
    edges = sorted(edge for regions in answers for begin, end in regions for edge in ((begin, 1), (end, -1)))
    depth, opened = 0, 0.0
    for time, step in edges:
        was = 2 * depth > len(answers)
        depth += step
        if not was and 2 * depth > len(answers):
            opened = time
        elif was and 2 * depth <= len(answers):
            yield opened, time


def _joined(regions: Iterable[Stretch]) -> list[Stretch]:
    """Regions apart from each other: medians of edges can lead one into the next."""
    joined: list[Stretch] = []
    for begin, end in sorted(regions):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif begin < end:
            joined.append((begin, end))
    return joined


def _rated(region: Stretch, answers: Sequence[Sequence[Stretch]]) -> dict[str, Any]:
    """How many workers marked some of a region, and the mean of all workers' intersection over union with it."""
    overlapping = [[one for one in regions if overlap(one, region)] for regions in answers]
    ratios = []
    for regions in overlapping:
        common = sum(overlap(one, region) for one in regions)
        ratios.append(common / (region[1] - region[0] + sum(end - begin for begin, end in regions) - common))
    return {"workers": sum(map(bool, overlapping)), "confidence": round(fmean(ratios), 4)}


def overlap(one: Stretch, other: Stretch) -> float:
    """For how many seconds two regions lie over each other."""
    return max(0.0, min(one[1], other[1]) - max(one[0], other[0]))


def apart(found: Mapping[Track, Sequence[Stretch]]) -> dict[Track, list[Stretch]]:
    """Part regions of different categories that medians of edges led into each other: each ends halfway."""
    parted: dict[Track, list[Stretch]] = {track: [] for track in found}
    for channel in {track.channel for track in found}:
        layer = sorted((one, track) for track in found if track.channel == channel for one in found[track])
        for index, ((begin, end), track) in enumerate(layer):
            before = [(last + begin) / 2 for (_, last), _ in layer[:index] if last > begin]
            behind = [(end + first) / 2 for (first, _), _ in layer[index + 1 :] if first < end]
            begin, end = max([begin, *before]), min([end, *behind])  # noqa: PLW2901
            if begin < end:
                parted[track].append((begin, end))
    return parted


def _likeness(one: Regions, other: Regions) -> float:
    """The temporal intersection over union of all regions of two answers; 1 if neither has any."""
    common = sum(overlap(region, another) for track in one for region in one[track] for another in other.get(track, ()))
    total = sum(end - begin for regions in (*one.values(), *other.values()) for begin, end in regions)
    return common / (total - common) if total else 1.0
