"""``labeling-job start``: starts a labeling job."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError
from labeling.job_request import JobResources, create_labeling_job, tags
from labeling.storage import S3Uri, Storage

from cli import options, reference, stack, worker_page_file
from cli.account import AwsAccount
from cli.errors import CommandError, code_of
from cli.options import Commands
from cli.rehearsal import rehearse
from cli.running_job import next_name
from cli.stack import DeployedStack
from cli.terminal import Terminal
from cli.workteam import workteam_arn

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import CreateLabelingJobRequestTypeDef

# Given without a file, --page means the job's own template.
OWN_PAGE = Path()

DESCRIPTION = """\
Starts a labeling job as the job configuration says, with the functions and the bucket of a stack. Its name is
the configuration's with the next free number. The worker page is put into the bucket if it isn't there; one
that is there must be this job's, or you say which is meant."""

EXAMPLES = """\
  labeling-job start --stack welds --workteam inspectors
  labeling-job start --stack welds --workteam inspectors --workers 5 --name welds-of-may
  labeling-job start --stack welds --dry-run > request.json
  labeling-job start --workteam everyone --bucket bucket \\
      --role arn:aws:iam::111122223333:role/GroundTruthRole \\
      --pre arn:aws:lambda:eu-west-1:111122223333:function:PreLabelingFunction \\
      --post arn:aws:lambda:eu-west-1:111122223333:function:PostLabelingFunction"""


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = options.add_command(
        commands,
        "start",
        run,
        summary="start a labeling job",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    options.add_job(parser)
    options.add_stack(parser)
    parser.add_argument("--workteam", metavar="TEAM", help="name or ARN of the work team (default: the only one)")
    parser.add_argument("--name", help="the job's name, never used before (default: the next free number)")
    parser.add_argument("--workers", type=options.from_1_to(9), metavar="N", help="workers for each object, 1 to 9")
    parser.add_argument("--dry-run", action="store_true", help="print the CreateLabelingJob request; start nothing")
    page = parser.add_mutually_exclusive_group()
    page.add_argument(
        "--page",
        type=Path,
        nargs="?",
        const=OWN_PAGE,
        metavar="FILE",
        help="put this template into the bucket as worker page (without FILE: the job's own), whatever is there",
    )
    page.add_argument("--keep-page", action="store_true", help="use the worker page that is in the bucket")
    parser.add_argument(
        "--no-rehearsal", action="store_true", help="don't let SageMaker render the page of one item first"
    )
    by_hand = parser.add_argument_group("in place of the stack's outputs")
    by_hand.add_argument("--bucket", metavar="NAME", help="bucket of the items and the output")
    by_hand.add_argument("--role", metavar="ARN", help="role that the job runs under")
    by_hand.add_argument("--pre", metavar="ARN", help="pre-labeling function")
    by_hand.add_argument("--post", metavar="ARN", help="post-labeling function")
    by_hand.add_argument("--manifest", metavar="S3URI", help="input manifest")
    by_hand.add_argument("--output", metavar="S3URI", help="where the job writes")


def run(arguments: argparse.Namespace, account: AwsAccount, terminal: Terminal) -> int:
    """Starts the job, or prints its request."""
    request = _request(arguments, account)
    if arguments.dry_run:
        terminal.results.print(json.dumps(request, indent=2, ensure_ascii=False), soft_wrap=True)
        return 0
    storage = Storage(account.s3)
    manifest = options.s3_uri(request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"])
    template = options.s3_uri(request["HumanTaskConfig"]["UiConfig"]["UiTemplateS3Uri"])
    storage.open(manifest).close()
    page, is_there = _page(arguments, template, storage)
    reference.remind(options.configured_job(arguments), template.bucket, storage, terminal)
    if not arguments.no_rehearsal:
        job, bucket, role = options.configured_job(arguments), template.bucket, request["RoleArn"]
        place = str(manifest)
        terminal.say(rehearse(account, job=job, page=page, manifest_place=place, bucket=bucket, role=role))
    if not is_there:
        worker_page_file.put(template, page, storage)
        terminal.say(f"Put the worker page at {template}.")
    arn = _create(request, account)
    name = request["LabelingJobName"]
    terminal.say(f"Started {name}: {arn}", style="green")
    terminal.say(f"“labeling-job watch {name}” follows it, “labeling-job results {name}” reads its labels.")
    return 0


def _request(arguments: argparse.Namespace, account: AwsAccount) -> dict[str, Any]:
    job = options.configured_job(arguments)
    there = DeployedStack(arguments.stack, account) if arguments.stack else None
    place = JobResources(
        bucket=_value(arguments.bucket, "--bucket", there, stack.BUCKET),
        role_arn=_value(arguments.role, "--role", there, stack.ROLE),
        workteam_arn=workteam_arn(arguments.workteam, account),
        pre_labeling_arn=_value(arguments.pre, "--pre", there, stack.PRE_LABELING),
        post_labeling_arn=_value(arguments.post, "--post", there, stack.POST_LABELING),
        kms_key_arn=there.outputs.get(stack.OUTPUT_KEY, "") if there else "",
        tags=tags(there.outputs.get(stack.JOB_TAGS, "")) if there else {},
    )
    request = create_labeling_job(job, arguments.name or next_name(job.name, account), place)
    manifest = arguments.manifest or (there and not arguments.bucket and there.outputs.get(stack.MANIFEST))
    output = arguments.output or (there and not arguments.bucket and there.outputs.get(stack.OUTPUT))
    if manifest:
        request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"] = manifest
    if output:
        request["OutputConfig"]["S3OutputPath"] = output
    if arguments.workers:
        request["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = arguments.workers
    return request


def _value(given: str | None, option: str, there: DeployedStack | None, output: str) -> str:
    if given:
        return given
    if there is None:
        raise CommandError(f"Name the stack with --stack, or give {option} (and --bucket, --role, --pre and --post).")
    return there.output(output)


def _page(arguments: argparse.Namespace, uri: S3Uri, storage: Storage) -> tuple[str, bool]:
    """The worker page that is meant, and whether it is in the bucket: another job's would ask for other categories."""
    there = worker_page_file.stored(uri, storage)
    if arguments.keep_page:
        if there is None:
            raise CommandError(f"There is no worker page at {uri} to keep. Leave --keep-page out: it is put there.")
        return there, True
    template = arguments.page if arguments.page != OWN_PAGE else None
    page = worker_page_file.page(options.configured_job(arguments), template, options.job_file(arguments))
    if there not in (None, page) and arguments.page is None:
        raise CommandError(
            f"{uri} is another worker page than this job's: its template or the job configuration has changed since "
            "it was put there. --page replaces it, --keep-page uses it as it is. If the configuration has changed, "
            "deploy the stack anew as well: the functions have their own copy."
        )
    return page, there == page


def _create(request: dict[str, Any], account: AwsAccount) -> str:
    name = request["LabelingJobName"]
    try:
        answer = account.sagemaker.create_labeling_job(**cast("CreateLabelingJobRequestTypeDef", request))
    except ClientError as error:
        if code_of(error) != "ResourceInUse":
            raise
        raise CommandError(
            f"A labeling job named {name!r} is there already, and Ground Truth never accepts a name twice, not even "
            "of a job that failed. Leave --name out for the next free number, or give another."
        ) from None
    return answer["LabelingJobArn"]
