"""The worker page of each item, following its template as it is edited; ``make preview`` calls it."""

import sys
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.panel import Panel

from demo.command_line import parser_of, run
from demo.job_workspace import WORKER_PAGE, JobWorkspace, shown
from ground_truth_server.aws_services import Ports
from ground_truth_server.server import PreviewServer
from ground_truth_server.shutdown import until_told

# Others than those of make label, so that both run at a time.
_PORT = 8095


def preview(console: Console, workspace: JobWorkspace, *, template: Path, port: int) -> None:
    """Show worker pages until the process is told to end.

    Args:
        console: Where the URL is shown.
        workspace: Whose items and functions make the task inputs.
        template: The worker page's template.
        port: Where; the worker pages, S3 and functions take free ports if it is 0, else those that follow.
    """
    settings = workspace.settings(Ports.beginning_at(port))
    with until_told() as told, PreviewServer(settings, workspace.preview(template)) as server:
        workspace.fill_bucket(server.services, console)
        lines = (
            f"[bold cyan]{server.url}/[/bold cyan]",
            "",
            f"follows {shown(template)} and {shown(workspace.configuration)} as you edit them. Ctrl-C ends it.",
        )
        console.print(Panel("\n".join(lines), title="Preview", title_align="left", expand=False, padding=(1, 2)))
        told.wait()


def main() -> int:
    """Read the command line and run the preview."""
    parser = parser_of("preview", "Shows the worker page of each item, following its template as it is edited.")
    parser.add_argument("--page", type=Path, default=WORKER_PAGE, help="the worker page's template")
    parser.add_argument("--port", type=int, default=_PORT, help="where, the other ports follow it; 0 takes free ones")
    given = parser.parse_args()
    return run("make preview", given, partial(preview, template=given.page.resolve(), port=given.port))


if __name__ == "__main__":
    sys.exit(main())
