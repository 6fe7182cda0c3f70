"""Options that several commands share, and what they mean."""

import argparse
import math
import os
from pathlib import Path
from typing import Any

from labeling.job import CONFIG_VARIABLE, JobConfiguration, load, load_configured
from labeling.storage import S3Uri

from cli.account import AwsAccount

Commands = Any  # argparse has no public name for what add_subparsers gives


def add_command(  # noqa: PLR0913 - what makes a command
    commands: Commands,
    name: str,
    run: object,
    *,
    summary: str,
    description: str,
    examples: str,
) -> argparse.ArgumentParser:
    """A command's parser with the options that all have.

    Args:
        commands: What ``add_subparsers`` gave.
        name: The command.
        run: Takes the arguments, the account and the terminal, and gives the exit status.
        summary: What it does, in the list of commands.
        description: What it does, in its own help.
        examples: Lines to copy.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    group = parser.add_argument_group("AWS")
    group.add_argument("--profile", help="profile of your AWS configuration")
    group.add_argument("--region", help="AWS region, such as eu-west-1")
    return parser


def add_job(parser: argparse.ArgumentParser) -> None:
    """The option that names the job configuration."""
    parser.add_argument(
        "--job",
        type=Path,
        metavar="FILE",
        help=f"job configuration (default: ${CONFIG_VARIABLE}, or the repository's labeling_job/job.toml)",
    )


def add_stack(parser: argparse.ArgumentParser) -> None:
    """The option that names the stack."""
    parser.add_argument("--stack", metavar="NAME", help="CloudFormation stack that the functions were deployed as")


def configured_job(arguments: argparse.Namespace) -> JobConfiguration:
    """The job configuration that is meant.

    Raises:
        labeling.errors.JobConfigurationError: If it can't be used.
    """
    return load(arguments.job) if arguments.job else load_configured()


def job_file(arguments: argparse.Namespace) -> Path | None:
    """Where the job configuration lies, if a file was named."""
    named = arguments.job or os.environ.get(CONFIG_VARIABLE)
    return Path(named) if named else None


def account(arguments: argparse.Namespace) -> AwsAccount:
    """The account that is meant."""
    return AwsAccount(arguments.profile, arguments.region)


def s3_uri(text: str) -> S3Uri:
    """An option's S3 URI; raises `labeling.errors.BucketError` if it is none."""
    return S3Uri.parse(text)


def from_1_to(greatest: int) -> Any:
    """The type of an option that takes whole numbers."""

    def number(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= greatest:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to {greatest:,}")
        return int(text)

    return number


def share(text: str) -> float:
    """The type of an option that takes a share between 0 and 1."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 < found < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share between 0 and 1, such as 0.8")
    return found
