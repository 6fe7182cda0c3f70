"""Starts a labeling job at a server that runs elsewhere, as from a container: ``python -m demo.start``."""

import sys

from rich.console import Console

from cli.account import AwsAccount
from demo import job_start
from demo.command_line import parser_of, run
from demo.job_workspace import WORKER_PAGE, JobWorkspace, WorkspaceError


def start(console: Console, workspace: JobWorkspace) -> None:
    """Put the items into the bucket and start a run of the job, where the variables of AWS's clients say.

    Args:
        console: Where progress is shown.
        workspace: Names the job and its items; its folder is left alone.

    Raises:
        WorkspaceError: If they say AWS itself.
    """
    account = AwsAccount()
    if not account.is_local:
        raise WorkspaceError(
            "AWS_ENDPOINT_URL_SAGEMAKER leads to AWS, expected the URL of a Ground Truth of your own. In AWS jobs are "
            "started by: labeling-job start"
        )
    page = WORKER_PAGE.read_text(encoding="utf-8")
    job_start.fill_bucket(account.s3, workspace.job, workspace.data, page, console)
    name = job_start.start_run(account.sagemaker, workspace.job)
    console.print(f"Started [bold]{name}[/bold]. To follow it: labeling-job watch {name}", soft_wrap=True)


def main() -> int:
    """Read the command line and start the job."""
    given = parser_of("start", "Starts a labeling job at a server that runs elsewhere.").parse_args()
    return run("Starting the job", given, start)


if __name__ == "__main__":
    sys.exit(main())
