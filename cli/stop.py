"""``labeling-job stop``: stops a labeling job."""

import argparse

from cli import options
from cli.account import AwsAccount
from cli.options import Commands
from cli.running_job import ENDED, describe
from cli.terminal import Terminal

DESCRIPTION = """\
Stops a labeling job. Labels that are there stay and can be read; tasks that are out with workers are taken back.
A job that was stopped can't be started again: start another over the objects without a label."""

EXAMPLES = """\
  labeling-job stop WeldingLabelJob-1"""


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = options.add_command(
        commands, "stop", run, summary="stop a labeling job", description=DESCRIPTION, examples=EXAMPLES
    )
    parser.add_argument("name", metavar="NAME", help="the labeling job")


def run(arguments: argparse.Namespace, account: AwsAccount, terminal: Terminal) -> int:
    """Asks Ground Truth to stop the job."""
    status = describe(arguments.name, account)["LabelingJobStatus"]
    if status in ENDED or status == "Stopping":
        terminal.say(f"{arguments.name} is {status}: there is nothing to stop.")
        return 0
    account.sagemaker.stop_labeling_job(LabelingJobName=arguments.name)
    terminal.say(f"{arguments.name} is stopping; “labeling-job watch {arguments.name}” shows when it has.")
    return 0
