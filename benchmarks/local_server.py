"""A local Ground Truth in a process of its own, and a labeling job on it that costs next to nothing but the server."""

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from ground_truth_server.edge.key_pair import KeyPair

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

BUCKET = "objects"
LABEL = "class"
TEMPLATE = f"""
<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-classifier name="{LABEL}" categories="['even', 'odd']" header="Number {{{{ task.input.source }}}}">
    <classification-target>{{{{ task.input.source }}}}</classification-target>
  </crowd-classifier>
</crowd-form>
"""
_starting = threading.Lock()  # else another could find the same ports free before this one listens there
_PATIENCE = 60.0  # seconds for a server to start


@dataclass(frozen=True)
class LocalServer:
    """A server that runs.

    Attributes:
        process: Its process.
        url: The worker portal and the SageMaker API.
        s3_url: Its S3.
        keys: The key pair of its workspace.
        certificate: The certificate of its portal, where it speaks TLS.
    """

    process: subprocess.Popen[bytes]
    url: str
    s3_url: str
    keys: KeyPair
    certificate: Path | None = None

    def sagemaker(self) -> "SageMakerClient":
        """Make a client of its SageMaker API."""
        config = Config(retries={"total_max_attempts": 10})
        verify = None if self.certificate is None else str(self.certificate)
        session = self.keys.session("eu-west-1")
        return session.client("sagemaker", endpoint_url=self.url, config=config, verify=verify)

    def s3(self) -> "S3Client":
        """Make a client of its S3."""
        return self.keys.session("eu-west-1").client("s3", endpoint_url=self.s3_url)


def free_ports() -> tuple[int, ...]:
    """Find four ports of loopback that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    ports = tuple(found.getsockname()[1] for found in sockets)
    for found in sockets:
        found.close()
    return ports


def start(
    workspace: Path,
    ports: tuple[int, ...],
    *options: str,
    certificate: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> LocalServer:
    """Start a server and wait until it answers.

    Args:
        workspace: Its folder; it runs there, too.
        ports: Of the portal, worker pages, S3 and functions.
        *options: Of its command line.
        certificate: The one that it shows, where the options give it one.
        variables: Of its environment; AWS's own aren't taken from this one's.

    Raises:
        TimeoutError: If it doesn't answer in time, or ends.
    """
    workspace.mkdir(parents=True, exist_ok=True)
    names = ("--port", "--page-port", "--s3-port", "--lambda-port")
    places = [text for name, port in zip(names, ports, strict=True) for text in (name, str(port))]
    command = [sys.executable, "-m", "ground_truth_server", "--workspace", str(workspace), *places, *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= variables or {}
    with (workspace / "server.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=workspace, env=environment, stdout=log, stderr=log)
    url, s3_url = f"http{'s' if certificate else ''}://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[2]}"
    context = ssl.create_default_context(cafile=certificate) if certificate else None
    end = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=5, context=context).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.02)
        else:
            return LocalServer(process, url, s3_url, KeyPair.of_workspace(workspace), certificate)
    process.kill()
    raise TimeoutError(f"no server at {url}:\n{(workspace / 'server.log').read_text()}")


@contextmanager
def local_server(workspace: Path, *options: str) -> Iterator[LocalServer]:
    """Run a server until the block ends."""
    with _starting:
        server = start(workspace, free_ports(), *options)
    try:
        yield server
    finally:
        server.process.terminate()
        server.process.wait()


def create_job(  # noqa: PLR0913  (a job's sides)
    server: LocalServer,
    objects: int,
    workers: int,
    name: str,
    *,
    line: Mapping[str, Any] | None = None,
    page: str = TEMPLATE,
    **task: Any,
) -> None:
    """Create a labeling job whose objects are numbers; without functions, if none are named.

    Args:
        server: Where.
        objects: How many.
        workers: How many label each of them.
        name: The job's name.
        line: What each line of the manifest has besides the number.
        page: The worker page's template.
        **task: Further members of its HumanTaskConfig.
    """
    s3 = server.s3()
    if BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    manifest = "".join(json.dumps({"source": str(number), **(line or {})}) + "\n" for number in range(objects))
    s3.put_object(Bucket=BUCKET, Key="input.manifest", Body=manifest.encode())
    s3.put_object(Bucket=BUCKET, Key="page.liquid.html", Body=page.encode())
    human_task: Any = {
        "WorkteamArn": "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/everyone",
        "UiConfig": {"UiTemplateS3Uri": f"s3://{BUCKET}/page.liquid.html"},
        "TaskTitle": "Even or odd",
        "TaskDescription": "Tell whether the number is even",
        "NumberOfHumanWorkersPerDataObject": workers,
        "TaskTimeLimitInSeconds": 3600,
        **task,
    }
    server.sagemaker().create_labeling_job(
        LabelingJobName=name,
        LabelAttributeName="label",
        RoleArn="arn:aws:iam::111122223333:role/GroundTruth",
        InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": f"s3://{BUCKET}/input.manifest"}}},
        OutputConfig={"S3OutputPath": f"s3://{BUCKET}/output"},
        HumanTaskConfig=human_task,
    )
