"""One labeling job on this machine, from manifest to labels, without a person.

The local Ground Truth runs it with the deployed functions; the job is created by SageMaker's API; three simulated
workers sign in to the portal and answer its tasks by HTTP, as a browser would.
"""

import json
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labeling.data_folder import MANIFEST_KEY
from rich.console import Console

from demo.job_progress import JobProgress, failure_of, problems_of
from demo.job_workspace import JobWorkspace, WorkspaceError, key_of
from demo.portal_client import PortalClient
from demo.report import show_result
from demo.workers import WORKERS, SimulatedWorker, Stretches
from ground_truth_server.aws_services import Ports
from ground_truth_server.server import GroundTruthServer

# A demonstration takes free ports, so that it runs beside anything.
_PORTS = Ports.beginning_at(0)
# Between two looks of an idle worker for something to do.
_PAUSE_SECONDS = 0.05


class Demonstration:
    """A labeling job with all that it needs on this machine.

    Args:
        console: Where progress and labels are shown.
        workspace: Where it runs; what an earlier demonstration left there is removed.
    """

    def __init__(self, console: Console, workspace: JobWorkspace) -> None:
        self.console = console
        self.workspace = workspace
        self.job = workspace.job
        self.truth = truth_of(workspace.data.path)
        self.stretches = stretches_of(workspace.data.path)

    def run(self) -> None:
        """Runs the job to its end and shows its labels.

        Raises:
            WorkspaceError: If the job failed.
        """
        began = time.monotonic()
        self.workspace.clear()
        with GroundTruthServer(self.workspace.settings(_PORTS)) as ground_truth:
            self.workspace.fill_bucket(ground_truth.services, self.console)
            if not self.truth and self.job.label.categories:
                self.console.print("[yellow]Note:[/yellow] there is no truth.json: the simulated workers guess.")
            name = self.workspace.start_run(ground_truth)
            self._label(ground_truth, name)
            problems = problems_of(ground_truth.engine, name)
        show_result(self.console, self.workspace, name, problems, truth=self.truth, seconds=time.monotonic() - began)

    def _label(self, ground_truth: GroundTruthServer, name: str) -> None:
        """Lets the simulated workers answer until the job has ended."""
        ended = threading.Event()
        channel = next(iter(self.job.channel_keys), "")
        workers = [one._replace(marks_on=channel) for one in WORKERS[: max(3, self.job.workers.per_object)]]
        threads = [
            threading.Thread(target=self._work, args=(ground_truth.url, worker, name, ended)) for worker in workers
        ]
        for thread in threads:
            thread.start()
        try:
            with JobProgress(self.console, ground_truth.engine, name) as progress:
                while (described := progress.update())["LabelingJobStatus"] not in ("Completed", "Failed", "Stopped"):
                    time.sleep(_PAUSE_SECONDS)
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        if described["LabelingJobStatus"] != "Completed":
            reason = failure_of(ground_truth.engine, name)
            raise WorkspaceError(f"{reason}\nThe functions' log says more: {self.workspace.functions_log}")

    def _work(self, url: str, worker: SimulatedWorker, name: str, ended: threading.Event) -> None:
        items = self._items()
        portal = PortalClient(url, worker.name)
        while not ended.wait(_PAUSE_SECONDS):
            while task := portal.next_task(name).task:
                portal.page(task["page"])  # nobody looks, but a page that can't be shown ends the demonstration
                item = items[int(task["object"])]
                answer: dict[str, Any] = worker.further(item, self.job.questions, self.stretches.get(item, ()))
                if self.job.label.categories:
                    choice = worker.answer(item, self.job.label.category_names, self.truth)
                    answer[self.job.label.name] = {"label": choice}
                portal.answer(task["id"], answer)
        portal.close()

    def _items(self) -> list[str]:
        """The items' dataset files in the order of the manifest, by which tasks name their data objects."""
        manifest = (self.workspace.bucket / MANIFEST_KEY).read_text(encoding="utf-8")
        return [key_of(json.loads(line)) for line in manifest.splitlines()]


def truth_of(folder: Path) -> Mapping[str, str]:
    """Reads the right category of each item of a folder, where it is known."""
    path = folder / "truth.json"
    truth: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return truth


def stretches_of(folder: Path) -> Mapping[str, Stretches]:
    """Reads where the defect shows in each item of a folder, where it is known."""
    path = folder / "stretches.json"
    stretches: dict[str, Stretches] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return stretches
