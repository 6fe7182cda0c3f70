"""A labeling job for people on this machine; ``make label`` calls it.

What is answered stays in the workspace: ended and started again, the job goes on where it was.
"""

import sys
from functools import partial
from threading import Event

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from demo.command_line import parser_of, run
from demo.job_progress import JobProgress, failure_of, problems_of
from demo.job_workspace import JobWorkspace, shown
from demo.report import show_result
from ground_truth_server.aws_services import Ports
from ground_truth_server.server import GroundTruthServer
from ground_truth_server.shutdown import leave, until_told

_LOOK_SECONDS = 0.25
_ENDED = ("Completed", "Failed", "Stopped")


def label(console: Console, workspace: JobWorkspace, *, new: bool, port: int | None) -> None:
    """Run the workspace's newest labeling job, or a new one, until the process is told to end.

    Args:
        console: Where the URL and the progress are shown.
        workspace: Where it runs.
        new: Start another run, with the items, the worker page and the configuration as they are now.
        port: The portal's; the others follow it. ``None`` for the usual ones, 0 for free ones.
    """
    ports = Ports() if port is None else Ports.beginning_at(port)
    with until_told() as told, GroundTruthServer(workspace.settings(ports)) as ground_truth:
        runs = workspace.runs(ground_truth)
        is_new = new or not runs
        if is_new:
            workspace.fill_bucket(ground_truth.services, console)
        name = workspace.start_run(ground_truth) if is_new else runs[-1]
        console.print(_invitation(workspace, ground_truth, name, "begins" if is_new else "goes on"))
        _follow(console, workspace, ground_truth, name, told)
        told.wait()
        console.print("\nAll is kept. To go on: [bold]make label[/bold]")


def _follow(console: Console, workspace: JobWorkspace, ground_truth: GroundTruthServer, name: str, told: Event) -> None:
    """Show the job's progress until it has ended, and then its labels, or why there are none."""
    with JobProgress(console, ground_truth.engine, name) as progress:
        described = progress.update()
        while described["LabelingJobStatus"] not in _ENDED and not told.wait(_LOOK_SECONDS):
            described = progress.update()
    status = described["LabelingJobStatus"]
    if status not in _ENDED:
        return
    if status == "Failed":
        console.print(
            f"[bold red]{name} failed.[/bold red]", escape(failure_of(ground_truth.engine, name)), soft_wrap=True
        )
        console.print(f"The functions' log says more: {escape(shown(workspace.functions_log))}", soft_wrap=True)
    else:
        show_result(console, workspace, name, problems_of(ground_truth.engine, name))
    console.print("Another run: Ctrl-C, then [bold]make label NEW=1[/bold]")


def _invitation(workspace: JobWorkspace, ground_truth: GroundTruthServer, name: str, state: str) -> Panel:
    variables = ground_truth.endpoints.environment()
    workers = workspace.job.workers.per_object
    people = "one person" if workers == 1 else f"{workers} people, or as many browser profiles or private windows"
    lines = (
        f"[bold]{name}[/bold] {state}: {len(_items(workspace))} items, each for {people}.",
        "",
        f"Label     [bold cyan]{ground_truth.url}/[/bold cyan]",
        f"Console   [cyan]{ground_truth.url}/console/[/cyan]",
        f"Bucket    {shown(workspace.bucket)}",
        "",
        "AWS's clients find it with",
        *(f"export {variable}={value}" for variable, value in variables.items()),
        "",
        "Ctrl-C ends it and keeps all; [bold]make label[/bold] goes on.",
    )
    return Panel("\n".join(lines), title="Local Ground Truth", title_align="left", expand=False, padding=(1, 2))


def _items(workspace: JobWorkspace) -> list[str]:
    manifest = workspace.bucket / "manifests" / "input.manifest"
    return manifest.read_text(encoding="utf-8").splitlines()


def main() -> int:
    """Read the command line and run the job."""
    parser = parser_of("label", "Runs a labeling job on this machine, for people in browsers.")
    parser.add_argument("--new", action="store_true", help="start another run under the next number")
    parser.add_argument("--port", type=int, help="the portal's port, the others follow it; 0 takes free ones")
    given = parser.parse_args()
    return run("make label", given, partial(label, new=given.new, port=given.port))


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    leave(status)
