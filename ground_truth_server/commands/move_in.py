"""``ground-truth move-in``: let a labeling job of Ground Truth go on in a server of one's own."""

import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from ground_truth_server.arns import REGION
from ground_truth_server.aws_services import AWS
from ground_truth_server.commands.saying import print_line
from ground_truth_server.edge.key_pair import KeyPair
from ground_truth_server.edge.loopback import HOST, proxies_never_reach_loopback
from ground_truth_server.moving.former_job import CantMoveIn, Changes, FormerJob
from ground_truth_server.moving.moving import Moved, Places, move_in

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

_DESCRIPTION = """\
Let a labeling job of SageMaker Ground Truth go on here, with the items that have no label yet. The labels that it
has are kept as they are: they stand in the new job's output manifest, each in its place, beside the new ones. Items
that failed are tried again. The former job's files are only read. The server must be running (ground-truth serve).
Run twice, it changes nothing.
"""
_EXAMPLES = """\
examples:
  aws sagemaker describe-labeling-job --labeling-job-name welds > welds.json     # at AWS, the job Stopped or Failed
  ground-truth move-in welds.json --s3 aws --workteam everyone
      the bucket stays in AWS; the server was started with --s3 aws
  ground-truth move-in welds.json --copy --workteam everyone
      what the job needs is copied from AWS into the server's own S3
  ground-truth move-in welds.json --manifest input.manifest --output welds-output/ --workteam inspectors
      manifest and output were copied to this machine; the items lie in the server's S3 already
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Say what it takes."""
    parser.description, parser.epilog = _DESCRIPTION, _EXAMPLES
    parser.add_argument(
        "job",
        type=Path,
        metavar="FILE",
        help="what “aws sagemaker describe-labeling-job” printed, or the file of its CreateLabelingJob request",
    )
    _add_former(parser)
    _add_server(parser)
    new = parser.add_argument_group("what is different in the new job")
    new.add_argument("--name", help="its name (default: the former one's with -moved)")
    new.add_argument("--workteam", metavar="TEAM", help="name or ARN of the work team (default: the ARN as it is)")
    function = "name or ARN of the {} function (default: the ARN as it is)"
    new.add_argument("--pre-function", metavar="FUNCTION", help=function.format("pre-annotation"))
    new.add_argument("--post-function", metavar="FUNCTION", help=function.format("post-annotation"))
    new.add_argument("--template", metavar="S3URI", help="the worker page's template")
    new.add_argument("--role", metavar="ARN", help="the execution role (default: the ARN as it is)")
    new.add_argument("--output-path", metavar="S3URI", help="the folder below which the job gets its own")
    new.add_argument("--workers", type=_workers, metavar="N", help="workers for each object, 1 to 9")


def _add_former(parser: ArgumentParser) -> None:
    former = parser.add_argument_group("the former job's files (default: where its description says, in --from-s3)")
    former.add_argument("--manifest", type=Path, metavar="FILE", help="a copy of its input manifest")
    former.add_argument("--output", type=Path, metavar="FOLDER", help="a copy of its output")
    former.add_argument(
        "--from-s3",
        metavar="aws|URL",
        help="the S3 that it worked with, with your own keys (default: with --copy AWS's, else the server's)",
    )
    former.add_argument("--profile", help="profile of your AWS configuration for --from-s3 and --s3 aws")
    former.add_argument(
        "--copy", action="store_true", help="copy worker page, items and output from there into the server's S3"
    )


def _add_server(parser: ArgumentParser) -> None:
    server = parser.add_argument_group("the server")
    server.add_argument(
        "--server",
        default=os.environ.get("AWS_ENDPOINT_URL_SAGEMAKER") or f"http://{HOST}:8085",
        metavar="URL",
        help="its SageMaker endpoint (default: %(default)s)",
    )
    server.add_argument(
        "--s3",
        default=os.environ.get("AWS_ENDPOINT_URL_S3") or f"http://{HOST}:8087",
        metavar="aws|URL",
        help="the S3 that it works with (default: %(default)s)",
    )
    server.add_argument(
        "--workspace",
        type=Path,
        default=Path("build/local-ground-truth"),
        metavar="FOLDER",
        help="where its key pair is (default: %(default)s); where there is none, AWS's clients' own keys sign",
    )
    server.add_argument("--region", help="the region of the job here (default: AWS_REGION, else the former job's)")


def run(given: Namespace) -> int:
    """Move a job in."""
    proxies_never_reach_loopback()
    job = FormerJob.read(given.job)
    changes = Changes(
        given.name,
        given.workteam,
        given.pre_function,
        given.post_function,
        given.template,
        given.role,
        given.output_path,
        given.workers,
    )
    if given.copy and given.s3 == AWS and (given.from_s3 or AWS) == AWS:
        raise CantMoveIn("--copy with --s3 aws: both are AWS's S3, where all is there already. Leave --copy out.")
    moved = move_in(job, changes, _places(given, job), copy=given.copy, tell=print_line)
    for line in _told(moved, job):
        print_line(line)
    return 0


def _workers(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 9:
        raise ArgumentTypeError(f"{text!r} is no whole number from 1 to 9")
    return int(text)


def _places(given: Namespace, job: FormerJob) -> Places:
    region = given.region or _region(job)
    own = boto3.Session(profile_name=given.profile, region_name=region)
    keys = given.workspace / ".ground-truth" / "credentials"
    of_server = own if given.s3 == AWS or not keys.is_file() else KeyPair.of_workspace(given.workspace).session(region)
    sagemaker: SageMakerClient = of_server.client("sagemaker", endpoint_url=given.server)
    s3 = _s3(of_server, given.s3)
    former = _s3(own, given.from_s3 or AWS) if given.from_s3 or given.copy else s3
    return Places(sagemaker, s3, former, given.manifest, given.output)


def _s3(session: boto3.Session, place: str) -> "S3Client":
    config = Config(ignore_configured_endpoint_urls=place == AWS)  # type: ignore[call-arg]  # the stubs are behind
    return session.client("s3", endpoint_url=None if place == AWS else place, config=config)


def _region(job: FormerJob) -> str:
    arn = str(job.described.get("LabelingJobArn", "")).split(":")
    former = arn[3] if len(arn) > 3 else ""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or former or REGION


def _told(moved: Moved, job: FormerJob) -> list[str]:
    if moved.tally is None:
        return [
            f"{job.name} was moved in before, as {moved.name}, which is {moved.status}; nothing was changed.",
            f"Its labels, with the former ones: {moved.output_manifest}",
        ]
    tally = moved.tally
    lines = [
        f"{job.name} goes on as {moved.name}: {moved.arn}",
        f"  {tally.lines} lines in the manifest",
        f"  {tally.kept + tally.consolidated} keep the label that they have"
        + (f", {tally.consolidated} of them from consolidation responses" if tally.consolidated else ""),
        f"  {tally.to_label} are to be labeled"
        + (f", {len(tally.failed_before)} of them had failed" if tally.failed_before else ""),
    ]
    if tally.bad:
        number, problem = tally.bad[0]
        lines.append(f"  {len(tally.bad)} can't be labeled: line {number}: {problem}")
    if tally.answers:
        lines.append(
            f"  {tally.answers} answers to {len(tally.answered)} objects had not become labels; they stay in the "
            "former output, and these objects are answered anew"
        )
    if moved.copying is not None:
        lines.append(f"  {moved.copying.copied} objects copied, {moved.copying.there} were there")
        lines += [f"  not copied: {one}" for one in moved.copying.missing]
    lines += [f"  not used: {one}" for one in moved.remarks]
    return [
        *lines,
        f"All of it: {moved.report}",
        f"The labels, with the former ones, will be in {moved.output_manifest}",
    ]
