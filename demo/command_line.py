"""What the commands of this room share: how they name a job, and how they end when it can't be run."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from labeling.data_folder import DataFolderError
from labeling.errors import JobConfigurationError
from rich.console import Console
from rich.markup import escape

from cli.terminal import PrintableConsole
from demo.job_workspace import ROOT, JobWorkspace, WorkspaceError
from ground_truth_server.commands.main import ERRORS
from ground_truth_server.commands.saying import say_in_a_line
from ground_truth_server.edge.loopback import proxies_never_reach_loopback

_EXPECTED = (JobConfigurationError, DataFolderError, WorkspaceError, *ERRORS)


def parser_of(target: str, description: str) -> argparse.ArgumentParser:
    """Make the parser of a make target, with the options that name its job."""
    parser = argparse.ArgumentParser(prog=f"make {target}", description=description)
    parser.add_argument("--job", type=Path, default=ROOT / "labeling_job" / "job.toml", help="the job configuration")
    parser.add_argument("--data", type=Path, default=ROOT / "labeling_job" / "sample", help="the folder of the items")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / target, help="where all of it is left")
    return parser


def run(what: str, given: argparse.Namespace, action: Callable[[Console, JobWorkspace], None]) -> int:
    """Do something with the job that the command line names.

    Args:
        what: What stops if it can't be done: ``The demonstration``.
        given: The command line.
        action: Does it.

    Returns:
        The exit status.
    """
    proxies_never_reach_loopback()
    console = PrintableConsole(width=None if sys.stdout.isatty() else 130, highlight=False)
    try:
        action(console, JobWorkspace(given.job, given.data, given.folder))
    except _EXPECTED as error:
        console.print(f"[bold red]{what} stopped.[/bold red]", escape(_what(error)), soft_wrap=True)
        return 1
    return 0


def _what(error: BaseException) -> str:
    """What the commands' own errors say may have lines; all else is said in one."""
    own = isinstance(error, JobConfigurationError | DataFolderError | WorkspaceError)
    return str(error) if own else say_in_a_line(error)
