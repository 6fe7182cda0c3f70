"""What a labeling job came to, as a table in the terminal."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from labeling.job import LabelingJob
from rich.console import Console
from rich.table import Table


class LabeledItem(NamedTuple):
    """One line of the output manifest, with what belongs to it.

    Attributes:
        item: The dataset file's key.
        label: What stands under the label attribute; nothing if the item has no label.
        problem: Why it has none.
    """

    item: str
    label: Mapping[str, Any] | None
    problem: str


def show(console: Console, items: list[LabeledItem], job: LabelingJob, truth: Mapping[str, str]) -> None:
    """Prints items, votes, labels and confidences; beside them the truth, where it is known."""
    table = Table(title=f"{job.label_attribute}: {len(items)} items", title_justify="left", header_style="bold")
    for heading in ("Item", "Votes", job.label.name):
        table.add_column(heading, overflow="fold")
    table.add_column("Confidence", justify="right")
    if truth:
        table.add_column("Truth")
    for item in items:
        table.add_row(*_row(item, job), *([_compared(item, job, truth)] if truth else []))
    console.print(table)


def _row(item: LabeledItem, job: LabelingJob) -> tuple[str, str, str, str]:
    if item.label is None:
        return item.item, "", f"[red]no label[/red]: {item.problem}", ""
    votes = ", ".join(f"{count} {category}" for category, count in item.label["votes"].items())
    return item.item, votes, f"[bold]{item.label[job.label.name]}[/bold]", f"{item.label['confidence']:.2f}"


def _compared(item: LabeledItem, job: LabelingJob, truth: Mapping[str, str]) -> str:
    right = truth.get(item.item, "")
    found = item.label and item.label[job.label.name]
    return f"[green]{right} ✓[/green]" if right == found else f"[yellow]{right}[/yellow]"


def read_output(manifest: Path, job: LabelingJob, problems: Mapping[str, str]) -> list[LabeledItem]:
    """Reads an output manifest.

    Args:
        manifest: The file.
        job: Names the label attribute.
        problems: Why items have no label, by dataset file.
    """
    lines = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    return [_labeled_item(line, job, problems) for line in lines]


def _labeled_item(line: Mapping[str, Any], job: LabelingJob, problems: Mapping[str, str]) -> LabeledItem:
    item = str(line.get("source-ref") or line.get("source") or line).split("/", 3)[-1]
    return LabeledItem(
        item=item,
        label=line.get(job.label_attribute),
        problem=problems.get(item) or line.get(f"{job.label_attribute}-metadata", {}).get("failure-reason", ""),
    )
