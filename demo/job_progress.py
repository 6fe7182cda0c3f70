"""How far a labeling job is, live in the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from demo.job_workspace import key_of
from ground_truth_server.engine.engine import Engine
from ground_truth_server.portal.worker_turn import answers_of

_BARS = ("Preparing items", "Answers", "Labels")


class JobProgress:
    """Bars for a labeling job's items, answers and labels, shown while it is entered.

    Args:
        console: Where.
        engine: The job engine.
        name: The labeling job.
    """

    def __init__(self, console: Console, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name
        columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console)
        self._bars: Mapping[str, TaskID] = {name: self._progress.add_task(name, total=None) for name in _BARS}

    def __enter__(self) -> "JobProgress":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self) -> dict[str, Any]:
        """Show how far the job is now, and give its description."""
        described = self._engine.describe(self._name)
        counts = self._engine.ledger.progress(self._name)
        items = sum(counts.values())
        if items:
            answers = answers_of(self._engine, self._name)
            on_their_way = counts.get("waiting", 0) + counts.get("preparing", 0)
            wanted = items - counts.get("not required", 0) - counts.get("failed", 0)
            states = (
                (items, items - on_their_way),
                (answers.needed, answers.given),
                (wanted, counts.get("labeled", 0)),
            )
            for name, (total, completed) in zip(_BARS, states, strict=True):
                self._progress.update(self._bars[name], total=total, completed=completed)
        return described


def problems_of(engine: Engine, name: str) -> dict[str, str]:
    """Tell why items of a labeling job have no label, by dataset file."""
    problems = {}
    for found in engine.ledger.data_objects(name, limit=sum(engine.ledger.progress(name).values())):
        problem = found.problem or (found.task_input or {}).get("error")
        if problem and found.data_object:
            problems[key_of(found.data_object)] = str(problem)
    return problems


def failure_of(engine: Engine, name: str) -> str:
    """Tell why a labeling job failed: what Ground Truth says, and what the function itself said."""
    reason = engine.describe(name).get("FailureReason", "The labeling job was stopped.")
    said = [event.message for event in engine.ledger.events(name, limit=1_000_000) if event.kind == "function failed"]
    return "\n".join([reason, *said])
