"""Items with what was marked on them, as pictures: a label's regions and instants over the item's plots."""

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from labeling.answers import MarkingQuestion
from labeling.answers.in_words import in_words
from labeling.errors import LabelingError
from labeling.job import JobConfiguration
from labeling.panels import PlotArea
from labeling.storage import S3Uri, Storage

from cli.labels import LabeledObject
from cli.local_pre_labeling import LocalPreLabeling

MAX_BYTES: Final = 50_000_000


@dataclass
class Drawn:
    """What came of drawing.

    Attributes:
        items: How many were drawn.
        problems: Why others weren't, by item.
    """

    items: int = 0
    problems: dict[str, str] = field(default_factory=dict)


def draw(labels: Iterable[LabeledObject], job: JobConfiguration, storage: Storage, folder: Path) -> Drawn:
    """Draws each item with marks into a folder, as ``<line>-<name of its dataset file>.png``.

    Args:
        labels: The labels of a job.
        job: Its configuration.
        storage: Where its items lie, and their plots; those that have gone are drawn again.
        folder: Where the pictures go; it is made if it isn't there.

    Raises:
        LabelingError: If S3 refuses or fails; what is wrong with one item is among the problems.
    """
    from plotting import marked_plots  # noqa: PLC0415 - matplotlib takes its time, and few ask for it

    folder.mkdir(parents=True, exist_ok=True)
    drawn = Drawn()
    with ThreadPoolExecutor(16) as pool:
        pre_labeling = LocalPreLabeling(job, storage, pool)
        for label in labels:
            marks = [marked_plots.Mark(**one) for one in _marks(label, job)]
            if not marks:
                continue
            try:
                panels = pre_labeling.task_input({"source-ref": label.item})["panels"]
                plots = [
                    marked_plots.MarkedPlot(
                        panel["key"],
                        storage.read(S3Uri.parse(panel["file"]), MAX_BYTES),
                        msgspec.convert(panel["area"], PlotArea) if "area" in panel else None,
                    )
                    for panel in panels
                    if panel["kind"] == "plot"
                ]
                picture = marked_plots.draw(plots, marks, _title(label))
            except (LabelingError, OSError) as error:
                drawn.problems[label.item] = str(error)
                continue
            (folder / _name(label)).write_bytes(picture)
            drawn.items += 1
    return drawn


def _marks(label: LabeledObject, job: JobConfiguration) -> Iterator[dict[str, Any]]:
    """The marks of all questions; colours go on from one question to the next, as on the worker page."""
    taken = 0
    for question in job.questions:
        if not isinstance(question, MarkingQuestion):
            continue
        for mark in label.answers.get(question.name, {}).get(question.kind, ()):
            begin = mark.get("begin", mark.get("time"))
            known = mark["category"] in question.categories
            yield {
                "begin": begin,
                "end": mark.get("end", begin),
                "text": f"{mark['category']} ({mark['confidence']:.0%})",
                "color": taken + (question.categories.index(mark["category"]) if known else 0),
                "channel": mark.get("channel", ""),
            }
        taken += len(question.categories)


def _title(label: LabeledObject) -> str:
    name = label.item.rpartition("/")[2]
    said = label.label if label.votes else "; ".join(map(in_words, label.answers.values()))
    return f"{name}: {said}"


def _name(label: LabeledObject) -> str:
    stem = re.sub(r"[^\w.-]", "_", label.item.rpartition("/")[2].removesuffix(".json"))[:100]
    return f"{label.line}-{stem}.png"
