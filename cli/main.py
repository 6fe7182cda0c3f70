"""The command line: ``labeling-job COMMAND``."""

import argparse
import os
import sys
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError
from labeling.errors import LabelingError

from cli import check, job_list, reference, render, results, schema, start, stop, watch
from cli.account import proxies_never_reach_loopback
from cli.errors import CommandError, explained
from cli.options import account
from cli.terminal import Terminal

CANT_GO_ON = 2
INTERRUPTED = 130

DESCRIPTION = """\
Labeling jobs of SageMaker Ground Truth whose items are several files seen together.

Check a manifest before anyone is paid, start a job, watch it, and read its labels."""

EPILOG = """\
the way of a job:
  labeling-job check s3://my-bucket/manifests/input.manifest --stack welds
  labeling-job start --stack welds --workteam inspectors
  labeling-job watch WeldingLabelJob-1
  labeling-job results WeldingLabelJob-1 --plot labels.png

The same commands work on the local Ground Truth: set AWS_ENDPOINT_URL_SAGEMAKER and AWS_ENDPOINT_URL_S3
to the addresses that it prints. “labeling-job COMMAND --help” says more about a command.

exit status: 0 all is well, 1 the answer is bad news (broken items, a failed job), 2 the command can't go on."""


def main(given: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        given: The arguments; those of the process if not given.

    Returns:
        The exit status.
    """
    arguments = parser().parse_args(given)
    terminal = Terminal()
    proxies_never_reach_loopback()
    try:
        return int(arguments.run(arguments, account(arguments), terminal))
    except (CommandError, LabelingError) as error:
        terminal.say(str(error), style="bold red")
    except (BotoCoreError, ClientError) as error:
        terminal.say(explained(error), style="bold red")
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # the reader of the results has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        terminal.say(f"{error.filename or 'A file'}: {error.strerror or error}", style="bold red")
    except KeyboardInterrupt:
        terminal.say("Interrupted.")
        return INTERRUPTED
    return CANT_GO_ON


def parser() -> argparse.ArgumentParser:
    """The command line of all commands."""
    whole = argparse.ArgumentParser(
        prog="labeling-job",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (check, reference, start, watch, results, stop, render, schema, job_list):
        module.add_to(commands)
    return whole


if __name__ == "__main__":
    sys.exit(main())
