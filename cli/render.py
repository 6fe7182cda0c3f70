"""``labeling-job render``: one worker page as a file, without a job."""

import argparse
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from labeling import manifest
from labeling.data_folder import MANIFEST_KEY
from labeling.storage import Storage

from cli import options, stack, worker_page_file
from cli.account import AwsAccount
from cli.errors import CommandError
from cli.local_pre_labeling import LocalPreLabeling
from cli.manifest_file import opened
from cli.options import Commands
from cli.stack import DeployedStack
from cli.terminal import Terminal

DESCRIPTION = """\
Renders the worker page of one item as workers would see it, by SageMaker's RenderUiTemplate, and shows the
errors of the template. The item is a line of the manifest, whose plots are drawn into the bucket if they aren't
there yet, or a task input in a JSON file, with which nothing is read or drawn. Links to pictures in the page
end after some minutes."""

EXAMPLES = """\
  labeling-job render --stack welds
  labeling-job render --stack welds --line 12 --output weld-12.html
  labeling-job render --stack welds --page my-page.liquid.html --task-input task-input.json

exit status: 0 the page was rendered, 1 the template has errors."""


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = options.add_command(
        commands,
        "render",
        run,
        summary="render the worker page of one item to a file",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    options.add_job(parser)
    options.add_stack(parser)
    parser.add_argument("--page", type=Path, metavar="FILE", help="template (default: the job's own)")
    item = parser.add_mutually_exclusive_group()
    item.add_argument(
        "--line",
        type=options.from_1_to(1_000_000_000),
        default=1,
        metavar="N",
        help="line of the manifest (default: %(default)s)",
    )
    item.add_argument("--task-input", type=Path, metavar="FILE", help="task input as JSON, in place of an item")
    parser.add_argument("--manifest", metavar="PLACE", help="path or S3 URI (default: the stack's)")
    parser.add_argument("--role", metavar="ARN", help="role that may read the pictures (default: the stack's)")
    parser.add_argument(
        "--output", type=Path, default=Path("worker-page.html"), metavar="FILE", help="(default: %(default)s)"
    )


def run(arguments: argparse.Namespace, account: AwsAccount, terminal: Terminal) -> int:
    """Renders the page; gives 1 if the template has errors."""
    job = options.configured_job(arguments)
    there = DeployedStack(arguments.stack, account) if arguments.stack else None
    role = arguments.role or (there and there.output(stack.ROLE))
    if not role:
        raise CommandError("Which role may read the pictures? Name the stack with --stack, or the role with --role.")
    page = worker_page_file.page(job, arguments.page, options.job_file(arguments))
    task_input = _given(arguments.task_input) if arguments.task_input else _prepared(arguments, account, there)
    answer = account.sagemaker.render_ui_template(
        UiTemplate={"Content": page}, Task={"Input": json.dumps(task_input, ensure_ascii=False)}, RoleArn=role
    )
    arguments.output.write_text(answer["RenderedContent"], encoding="utf-8")
    for error in answer["Errors"]:
        terminal.say(f"{error['Code']}: {error['Message']}", style="red")
    terminal.say(f"Rendered to {arguments.output}", style="" if answer["Errors"] else "green")
    return 1 if answer["Errors"] else 0


def _given(path: Path) -> dict[str, Any]:
    """A task input from a file; a whole answer of a pre-labeling function is taken as well."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CommandError(f"{path} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise CommandError(f"{path}: found {json.dumps(found)[:80]}; expected a task input, a JSON object.")
    task_input: dict[str, Any] = found.get("taskInput", found)
    return task_input


def _prepared(arguments: argparse.Namespace, account: AwsAccount, there: DeployedStack | None) -> dict[str, Any]:
    """The task input of an item, as the pre-labeling function gives it."""
    bucket = there.output(stack.BUCKET) if there else ""
    place = arguments.manifest or (there and there.outputs.get(stack.MANIFEST, f"s3://{bucket}/{MANIFEST_KEY}"))
    if not place:
        raise CommandError("Which item? Name the stack with --stack, a manifest with --manifest, or give --task-input.")
    with opened(place, Storage(account.s3)) as file:
        data_object = manifest.data_object(file.line(arguments.line))
    with ThreadPoolExecutor(16) as pool:
        pre_labeling = LocalPreLabeling(options.configured_job(arguments), Storage(account.s3), pool, bucket)
        return pre_labeling.task_input(data_object)
