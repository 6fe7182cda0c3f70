"""``labeling-job list``: the labeling jobs of the account."""

import argparse
import itertools
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from cli import options
from cli.account import AwsAccount
from cli.options import Commands
from cli.running_job import STYLES, total
from cli.terminal import Terminal

STATES: Final = ("Initializing", "InProgress", "Completed", "Failed", "Stopping", "Stopped")

DESCRIPTION = "Lists the labeling jobs of the account and region, the newest first."

EXAMPLES = """\
  labeling-job list
  labeling-job list --state InProgress
  labeling-job list --contains Weld --most 100"""


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = options.add_command(
        commands, "list", run, summary="list labeling jobs", description=DESCRIPTION, examples=EXAMPLES
    )
    parser.add_argument("--state", choices=STATES, metavar="STATE", help=f"only jobs that are so: {', '.join(STATES)}")
    parser.add_argument("--contains", metavar="TEXT", help="only jobs whose names hold this")
    parser.add_argument(
        "--most", type=options.from_1_to(10_000), default=20, metavar="N", help="how many (default: %(default)s)"
    )


def run(arguments: argparse.Namespace, account: AwsAccount, terminal: Terminal) -> int:
    """Shows the jobs."""
    wanted: dict[str, Any] = {"SortBy": "CreationTime", "SortOrder": "Descending"}
    if arguments.state:
        wanted["StatusEquals"] = arguments.state
    if arguments.contains:
        wanted["NameContains"] = arguments.contains
    pages = account.sagemaker.get_paginator("list_labeling_jobs").paginate(**wanted)
    jobs = (job for page in pages for job in page["LabelingJobSummaryList"])
    shown = list(itertools.islice(jobs, arguments.most))
    if not shown:
        terminal.say(f"There are no such labeling jobs in {account.region}.")
        return 0
    table = Table(header_style="bold")
    table.add_column("Labeling job", overflow="fold")
    table.add_column("State")
    table.add_column("Started")
    for heading in ("Labeled", "Failed", "Objects"):
        table.add_column(heading, justify="right")
    for job in shown:
        status, counters = job["LabelingJobStatus"], job["LabelCounters"]
        numbers = (counters.get("TotalLabeled", 0), counters.get("FailedNonRetryableError", 0), total(counters))
        table.add_row(
            Text(job["LabelingJobName"]),
            Text(status, style=STYLES.get(status, "")),
            f"{job['CreationTime'].astimezone():%Y-%m-%d %H:%M}",
            *(f"{number:,}" for number in numbers),
        )
    terminal.results.print(table)
    return 0
