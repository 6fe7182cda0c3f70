"""The stack's functions in Lambda's own runtime, in containers, with the sample in an S3 on this machine.

``python -m demo.lambda_runtime events/pre-labeling.json`` invokes one function with one event; the function follows
from the file's name. It needs Docker and a build (``make build``).
"""

import argparse
import ipaddress
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from labeling.data_folder import DataFolder
from labeling.job import load_configured

from ground_truth_server.edge.key_pair import KeyPair
from ground_truth_server.s3.storage import EmbeddedS3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROOT: Final = Path(__file__).resolve().parents[1]
BUILT: Final = ROOT / ".aws-sam" / "build" / "template.yaml"
EVENTS: Final = ROOT / "events"
# The bucket that the events name.
BUCKET: Final = "mixed-source-labeling-sample"
REGION: Final = "eu-west-1"
ENDPOINT: Final = "AWS_ENDPOINT_URL_S3"
_DESKTOP_HOST: Final = "host.docker.internal"
IMAGE: Final = "public.ecr.aws/lambda/python:3.13-x86_64"


class SampleS3(NamedTuple):
    """An S3 with the sample, and with the objects of the events' broken cases.

    Attributes:
        client: A client on this machine.
        endpoint_url: Where containers reach it.
        variables: A file for SAM that tells the functions so.
        keys: The key pair that it takes.
    """

    client: "S3Client"
    endpoint_url: str
    variables: Path
    keys: KeyPair


@contextmanager
def sample_s3(folder: Path) -> Iterator[SampleS3]:
    """Serves the sample where containers reach it, with its objects in a folder."""
    linux = sys.platform == "linux"
    # Docker Desktop brings what containers ask of this name to the loopback interface.
    with EmbeddedS3(folder, host=_bridge() if linux else "127.0.0.1", aliases=[_DESKTOP_HOST]) as server:
        client = server.client(REGION)
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        for key, body, kind in DataFolder(ROOT / "labeling_job" / "sample", load_configured()).objects(BUCKET):
            client.put_object(Bucket=BUCKET, Key=key, Body=body, ContentType=kind)
        for path in filter(Path.is_file, (EVENTS / "objects").rglob("*")):
            key = path.relative_to(EVENTS / "objects").as_posix()
            client.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())
        address = server.endpoint_url if linux else server.endpoint_url.replace("127.0.0.1", _DESKTOP_HOST)
        with tempfile.TemporaryDirectory() as told:
            # Not by the stack's parameter, which takes https:// only: nothing in AWS may be asked in the clear.
            variables = Path(told) / "variables.json"
            variables.write_text(json.dumps({"Parameters": {ENDPOINT: address}}), encoding="utf-8")
            s3 = SampleS3(client, address, variables, server.keys)
            try:
                yield s3
            finally:
                end_containers(s3)


def invoke(
    event: Path, s3: SampleS3, *, bucket: str = BUCKET, seconds: float = 330
) -> subprocess.CompletedProcess[str]:
    """Invokes a function with an event by ``sam local invoke``.

    Returns:
        The ended process: the function's answer is its output, the log its error output.

    Raises:
        subprocess.TimeoutExpired: If it hasn't ended in so many seconds.
    """
    command = [*sam_local("invoke", s3, bucket), "--event", str(event), function_of(event)]
    return subprocess.run(  # noqa: S603
        command, cwd=ROOT, env=environment(s3), capture_output=True, text=True, check=False, timeout=seconds
    )


def containers(s3: SampleS3) -> list[str]:
    """The ids of the containers whose functions were told of this S3."""
    listed = subprocess.run(["docker", "ps", "--all", "--quiet"], capture_output=True, text=True, check=True)  # noqa: S607
    if not (ids := listed.stdout.split()):
        return []
    # Where one has gone meanwhile, Docker tells of the others and of an error.
    asked = subprocess.run(["docker", "inspect", *ids], capture_output=True, text=True, check=False)  # noqa: S603, S607
    told = f"{ENDPOINT}={s3.endpoint_url}"
    return [str(found["Id"]) for found in json.loads(asked.stdout) if told in (found["Config"]["Env"] or ())]


def end_containers(s3: SampleS3) -> None:
    """Ends the containers of this S3's functions, and no others."""
    for container in containers(s3):
        subprocess.run(["docker", "rm", "--force", container], capture_output=True, check=False)  # noqa: S603, S607


def function_of(event: Path) -> str:
    """The function that an event of ``events/`` is for, by its logical name."""
    for beginning, function in (("pre-labeling", "PreLabelingFunction"), ("post-labeling", "PostLabelingFunction")):
        if event.name.startswith(beginning):
            return function
    raise ValueError(f"{event}: no function is known by this name; expected pre-labeling….json or post-labeling….json")


def why_not() -> str | None:
    """Why functions can't run in containers here; nothing if they can."""
    try:
        done = subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, text=True, check=False)  # noqa: S603, S607
    except OSError:
        return "Docker isn't installed"
    return None if done.returncode == 0 else f"Docker doesn't run, or has no image {IMAGE}: {done.stderr.strip()}"


def sam_local(command: str, s3: SampleS3, bucket: str) -> list[str]:
    """The beginning of a command of ``sam local`` for the built functions, with a bucket of the sample's S3."""
    sam = str(Path(sys.executable).parent / "sam")
    given = ["--env-vars", str(s3.variables), "--parameter-overrides", f"ExistingBucket={bucket}"]
    return [sam, "local", command, "--template", str(BUILT), "--skip-pull-image", *given]


def environment(s3: SampleS3) -> dict[str, str]:
    """The variables that SAM is to have."""
    region = {"AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}
    return {**os.environ, **s3.keys.environment(), **region, "SAM_CLI_TELEMETRY": "0"}


def _bridge() -> str:
    """The address of this machine on Docker's default network: its first one, where Docker doesn't say."""
    query = ["docker", "network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}"]
    done = subprocess.run(query, capture_output=True, text=True, check=True)  # noqa: S603
    network = json.loads(done.stdout)[0]
    return str(network.get("Gateway") or ipaddress.ip_network(network["Subnet"])[1])


def main() -> int:
    """Invokes the function of the event that the command line names."""
    parser = argparse.ArgumentParser(description="Runs one event in Lambda's own runtime.")
    parser.add_argument("event", type=Path, help="such as events/pre-labeling.json")
    event: Path = parser.parse_args().event
    if reason := why_not():
        print(f"{reason}; without Docker, make demo runs the functions in processes", file=sys.stderr)
        return 1
    if not event.is_file():
        print(
            f"{event} is no file; events/ holds: {', '.join(sorted(e.name for e in EVENTS.glob('*.json')))}",
            file=sys.stderr,
        )
        return 1
    with tempfile.TemporaryDirectory() as folder, sample_s3(Path(folder)) as s3:
        done = invoke(event, s3)
    print(done.stderr, file=sys.stderr)
    print(done.stdout)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
