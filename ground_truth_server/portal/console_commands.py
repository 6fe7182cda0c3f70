"""Commands for the owner of a labeling job to copy: how to start one, start it again, repeat a failed call."""

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ground_truth_server.arns import REGION


@dataclass(frozen=True)
class Endpoints:
    """Where clients find the services.

    Attributes:
        sagemaker: The SageMaker API, for ``AWS_ENDPOINT_URL_SAGEMAKER``.
        s3: S3, for ``AWS_ENDPOINT_URL_S3``; ``None`` for AWS's own.
        functions: Lambda, for ``AWS_ENDPOINT_URL_LAMBDA``; ``None`` for AWS's own.
        sts: STS, for ``AWS_ENDPOINT_URL_STS``; ``None`` for AWS's own.
        region: The region of the jobs.
        credentials: The file with the key pair that clients sign with; ``None`` for the user's own of AWS.
        issued: Whether clients sign with keys that the server issues, each of their own.
    """

    sagemaker: str
    s3: str | None = None
    functions: str | None = None
    sts: str | None = None
    region: str = REGION
    credentials: Path | None = None
    issued: bool = False

    def environment(self) -> dict[str, str]:
        """Give the variables with which AWS's clients find the services."""
        places = {"SAGEMAKER": self.sagemaker, "S3": self.s3, "LAMBDA": self.functions, "STS": self.sts}
        variables = {f"AWS_ENDPOINT_URL_{name}": url for name, url in places.items() if url is not None}
        variables["AWS_DEFAULT_REGION"] = self.region
        variables["AWS_REGION"] = self.region
        if self.credentials is not None:
            variables["AWS_SHARED_CREDENTIALS_FILE"] = str(self.credentials)
        if any(os.environ.get(name) for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy")):
            variables["NO_PROXY"] = "127.0.0.1,localhost"
        return variables

    def commands(self) -> list[str]:
        """Give the shell commands with which AWS's clients find the services, and nothing in a shell contradicts."""
        own = "unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"
        exports = [f"export {name}={shlex.quote(value)}" for name, value in self.environment().items()]
        if self.issued:
            return ["# sign with a key of yours, which the server's admins make: ground-truth keys add", *exports]
        return [*([own] if self.credentials is not None else []), *exports]


def start_commands(endpoints: Endpoints) -> str:
    """Shell commands that start a labeling job from a request in a file."""
    commands = [
        *endpoints.commands(),
        "",
        "aws sagemaker create-labeling-job --generate-cli-skeleton > request.json   # fill it in",
        "aws sagemaker create-labeling-job --cli-input-json file://request.json",
    ]
    return "\n".join(commands)


def start_again_commands(endpoints: Endpoints, request_url: str, name: str) -> str:
    """Shell commands that start a job with the request of another, under another name."""
    commands = [
        *endpoints.commands(),
        "",
        f"curl -s {shlex.quote(request_url)} > request.json",
        "aws sagemaker create-labeling-job --cli-input-json file://request.json \\",
        f"    --labeling-job-name {_next_name(name)}",
    ]
    return "\n".join(commands)


def invoke_command(detail: Mapping[str, Any]) -> str:
    """A shell command that repeats the call of a function that failed.

    Args:
        detail: The detail of the event ``function failed``.
    """
    event = shlex.quote(json.dumps(detail["event"], ensure_ascii=False))
    return (
        f"aws lambda invoke --function-name {shlex.quote(detail['functionArn'])} \\\n"
        f"    --cli-binary-format raw-in-base64-out --payload {event} \\\n"
        "    answer.json"
    )


def _next_name(name: str) -> str:
    """Count a job's name up: names are used once."""
    start, _, number = name.rpartition("-")
    return f"{start}-{int(number) + 1}" if start and number.isdecimal() else f"{name[:60]}-2"
