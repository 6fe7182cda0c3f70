"""What a labeling job came to, as a table in the terminal."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from labeling.answers.in_words import in_words
from labeling.job import JobConfiguration
from labeling.job_request import OUTPUT_FOLDER
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from demo.job_workspace import JobWorkspace, shown


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


def show_result(  # noqa: PLR0913  (two of them only where simulated workers answered)
    console: Console,
    workspace: JobWorkspace,
    name: str,
    problems: Mapping[str, str],
    *,
    truth: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> None:
    """Prints what a labeling job came to, and where it lies.

    Args:
        console: Where.
        workspace: Where the job ran.
        name: The labeling job.
        problems: Why items have no label, by dataset file.
        truth: The right category of items, where it is known.
        seconds: How long it took, if that is of interest.
    """
    bucket = workspace.bucket
    manifest = bucket / OUTPUT_FOLDER / name / "manifests" / "output" / "output.manifest"
    items = read_output(manifest, workspace.job, problems)
    show(console, items, workspace.job, truth or {})
    plots = sorted((bucket / "plots").rglob("*.png"))
    time = "" if seconds is None else f" in {seconds:.1f} s"
    console.print(f"{len(items)} items, {len(plots)} plots{time}. What to look at:")
    paths = {
        "Photographs": [bucket / source.folder for source in workspace.job.images.values()],
        "Plots": plots,
        "Output manifest": [manifest],
        "Labels to train on": sorted((bucket / "labels").rglob("*.jsonl")),
        "Functions' log": [workspace.functions_log],
    }
    for title, found in paths.items():
        for number, path in enumerate(found):
            console.print(f"  {title if number == 0 else '':<20}{escape(shown(path))}", soft_wrap=True)


def show(console: Console, items: list[LabeledItem], job: JobConfiguration, truth: Mapping[str, str]) -> None:
    """Prints items, votes, labels and confidences; beside them the truth, where it is known."""
    table = Table(title=f"{job.label_attribute}: {len(items)} items", title_justify="left", header_style="bold")
    categories = ("Votes", job.label.name) if job.label.categories else ()
    for heading in ("Item", *categories):
        table.add_column(heading, overflow="fold")
    if job.label.categories:
        table.add_column("Confidence", justify="right")
    for question in job.questions:
        table.add_column(question.name, overflow="fold")
    if truth:
        table.add_column("Truth")
    for item in items:
        table.add_row(*_row(item, job), *([_compared(item, job, truth)] if truth else []))
    console.print(table)


def _row(item: LabeledItem, job: JobConfiguration) -> tuple[str, ...]:
    answers = [_answer(item, question.name) for question in job.questions]
    if item.label is None:
        name = escape(item.item)
        missing = f"[red]no label[/red]: {escape(item.problem)}"
        return (name, "", missing, "", *answers) if job.label.categories else (f"{name}\n{missing}", *answers)
    if not job.label.categories:
        return escape(item.item), *answers
    votes = ", ".join(f"{count} {category}" for category, count in item.label.get("votes", {}).items())
    confidence = item.label.get("confidence")  # a label from before this job may have none
    label = f"[bold]{escape(str(item.label.get(job.label.name)))}[/bold]"
    return escape(item.item), escape(votes), label, "" if confidence is None else f"{confidence:.2f}", *answers


def _answer(item: LabeledItem, question: str) -> str:
    answer = (item.label or {}).get(question)
    return escape(in_words(answer)) if isinstance(answer, dict) else ""


def _compared(item: LabeledItem, job: JobConfiguration, truth: Mapping[str, str]) -> str:
    right = truth.get(item.item, "")
    found = item.label and item.label.get(job.label.name)
    return f"[green]{escape(right)} ✓[/green]" if right == found else f"[yellow]{escape(right)}[/yellow]"


def read_output(manifest: Path, job: JobConfiguration, problems: Mapping[str, str]) -> list[LabeledItem]:
    """Reads an output manifest.

    Args:
        manifest: The file.
        job: Names the label attribute.
        problems: Why items have no label, by dataset file.
    """
    lines = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    return [_labeled_item(line, job, problems) for line in lines]


def _labeled_item(line: Mapping[str, Any], job: JobConfiguration, problems: Mapping[str, str]) -> LabeledItem:
    item = str(line.get("source-ref") or line.get("source") or line).split("/", 3)[-1]
    return LabeledItem(
        item=item,
        label=line.get(job.label_attribute),
        problem=problems.get(item) or line.get(f"{job.label_attribute}-metadata", {}).get("failure-reason", ""),
    )
