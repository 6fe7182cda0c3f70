"""``labeling-job schema``: what a worker's answer holds."""

import argparse
import json
import sys
from typing import Final

from labeling.answers.answer_schema import answer_schema

from cli import options
from cli.account import AwsAccount
from cli.options import Commands
from cli.terminal import Terminal

DESCRIPTION: Final = """\
Prints the JSON Schema of a worker's answer to the job's questions, for pages and programs of your own."""

EXAMPLES: Final = """\
  labeling-job schema
  labeling-job schema --job pumps.toml > answer.schema.json"""


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = options.add_command(
        commands,
        "schema",
        run,
        summary="print the JSON Schema of a worker's answer",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    options.add_job(parser)


def run(arguments: argparse.Namespace, account: AwsAccount, terminal: Terminal) -> int:  # noqa: ARG001  (as all commands)
    """Prints the schema."""
    schema = answer_schema(options.configured_job(arguments).asked)
    sys.stdout.write(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
    return 0
