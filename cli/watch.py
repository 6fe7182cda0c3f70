"""``labeling-job watch``: follows a labeling job to its end."""

import argparse
import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from plotting.numerals import count
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from cli import function_log, options
from cli.account import AwsAccount
from cli.options import Commands
from cli.running_job import ENDED, STYLES, describe, total
from cli.terminal import Terminal

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import DescribeLabelingJobResponseTypeDef

LOG_LINES: Final = 20

DESCRIPTION = """\
Shows how far a labeling job is until it has ended; stop watching with Ctrl+C, the job goes on. Of a job that
failed it shows the reason, with the last lines that the function at fault has logged."""

EXAMPLES = """\
  labeling-job watch WeldingLabelJob-1
  labeling-job watch WeldingLabelJob-1 && labeling-job results WeldingLabelJob-1 --output labels.csv

exit status: 0 the job completed, 1 it failed or was stopped."""


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = options.add_command(
        commands,
        "watch",
        run,
        summary="follow a labeling job to its end",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument("name", metavar="NAME", help="the labeling job")
    parser.add_argument(
        "--interval", type=_seconds, default=10.0, metavar="SECONDS", help="between two looks (default: %(default)g)"
    )
    parser.add_argument(
        "--log-lines",
        type=options.from_1_to(1_000),
        default=LOG_LINES,
        metavar="N",
        help="lines of a failed function's log (default: %(default)s)",
    )


def run(arguments: argparse.Namespace, account: AwsAccount, terminal: Terminal) -> int:
    """Follows the job; gives 1 if it didn't complete."""
    job = describe(arguments.name, account)
    if job["LabelingJobStatus"] not in ENDED:
        job = _follow(job, arguments, account, terminal)
    status = job["LabelingJobStatus"]
    terminal.say(f"{job['LabelingJobName']}: {status}. {_counted(job)}", style=STYLES.get(status, ""))
    if reason := job.get("FailureReason"):
        terminal.say(reason, style="red")
        _show_logs(reason, job, arguments, account, terminal)
    return 0 if status == "Completed" else 1


def _follow(
    job: "DescribeLabelingJobResponseTypeDef", arguments: argparse.Namespace, account: AwsAccount, terminal: Terminal
) -> "DescribeLabelingJobResponseTypeDef":
    looks = _looks(job, arguments.interval, account)
    if terminal.remarks.is_terminal:
        columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=terminal.remarks) as progress:
            bars = progress.add_task("", total=None), progress.add_task("No label", total=None, visible=False)
            for look in looks:
                _update(progress, *bars, look)
        return look
    shown = ""
    for look in looks:
        state = f"{look['LabelingJobStatus']}. {_counted(look)}"
        if look["LabelingJobStatus"] not in ENDED and state != shown:
            terminal.say(state)
            shown = state
    return look


def _looks(
    job: "DescribeLabelingJobResponseTypeDef", interval: float, account: AwsAccount
) -> Iterator["DescribeLabelingJobResponseTypeDef"]:
    """The job now, and again after each interval until it has ended."""
    yield job
    while job["LabelingJobStatus"] not in ENDED:
        time.sleep(interval)
        job = describe(job["LabelingJobName"], account)
        yield job


def _update(progress: Progress, labeled: TaskID, failed: TaskID, job: "DescribeLabelingJobResponseTypeDef") -> None:
    counters = job["LabelCounters"]
    objects = total(counters) or None
    broken = counters.get("FailedNonRetryableError", 0)
    progress.update(
        labeled, description=job["LabelingJobStatus"], total=objects, completed=counters.get("TotalLabeled", 0)
    )
    progress.update(failed, total=objects, completed=broken, visible=bool(broken))


def _counted(job: "DescribeLabelingJobResponseTypeDef") -> str:
    counters: Any = job["LabelCounters"]
    objects = total(counters)
    if not objects:
        return "No data objects yet."
    machine = counters.get("MachineLabeled", 0)
    failed = counters.get("FailedNonRetryableError", 0)
    parts = [f"{counters.get('TotalLabeled', 0):,} of {count(objects, 'data object')} labeled"]
    parts += [f"{machine:,} of them by machine"] if machine else []
    parts += [f"{failed:,} failed"] if failed else []
    return ", ".join(parts) + "."


def _show_logs(
    reason: str,
    job: "DescribeLabelingJobResponseTypeDef",
    arguments: argparse.Namespace,
    account: AwsAccount,
    terminal: Terminal,
) -> None:
    functions = function_log.functions_in(reason) or (
        _functions(job) if re.search("lambda", reason, re.IGNORECASE) else []
    )
    if functions and not account.has_logs:
        terminal.say(f"The functions' log is in the console, {account.sagemaker.meta.endpoint_url}/console/.")
        return
    for arn in functions:
        terminal.say(f"\nThe last lines of {arn}:", style="bold")
        lines = function_log.last_lines(arn, account, job["LastModifiedTime"], arguments.log_lines)
        for line in lines:
            terminal.say(f"{line.moment:%Y-%m-%d %H:%M:%S} {line.text}")
        if not lines:
            terminal.say("It has logged nothing.")


def _functions(job: "DescribeLabelingJobResponseTypeDef") -> list[str]:
    task: Any = job["HumanTaskConfig"]
    consolidation = task.get("AnnotationConsolidationConfig", {}).get("AnnotationConsolidationLambdaArn")
    return [arn for arn in (task.get("PreHumanTaskLambdaArn"), consolidation) if arn]


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0.1 to 3600")
    return seconds
