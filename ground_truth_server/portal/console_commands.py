"""Commands for the owner of a labeling job to copy: how to start one, start it again, repeat a failed call."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Endpoints:
    """Where clients find the services.

    Attributes:
        sagemaker: The SageMaker API, for ``AWS_ENDPOINT_URL_SAGEMAKER``.
        s3: S3, for ``AWS_ENDPOINT_URL_S3``; ``None`` for AWS's own.
        functions: Lambda, for ``AWS_ENDPOINT_URL_LAMBDA``; ``None`` for AWS's own.
        region: The region of the jobs.
    """

    sagemaker: str
    s3: str | None = None
    functions: str | None = None
    region: str = "eu-west-1"

    def environment(self) -> dict[str, str]:
        """Give the variables with which AWS's clients find the services."""
        places = {"SAGEMAKER": self.sagemaker, "S3": self.s3, "LAMBDA": self.functions}
        variables = {f"AWS_ENDPOINT_URL_{name}": url for name, url in places.items() if url is not None}
        variables["AWS_DEFAULT_REGION"] = self.region
        if self.s3 is not None:  # on this machine any will do
            variables |= {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}
        return variables


def start_commands(endpoints: Endpoints) -> str:
    """Shell commands that start a labeling job from a request in a file."""
    commands = [
        *_environment(endpoints),
        "",
        "aws sagemaker create-labeling-job --generate-cli-skeleton > request.json   # fill it in",
        "aws sagemaker create-labeling-job --cli-input-json file://request.json",
    ]
    return "\n".join(commands)


def start_again_commands(endpoints: Endpoints, request_url: str, name: str) -> str:
    """Shell commands that start a job with the request of another, under another name."""
    commands = [
        *_environment(endpoints),
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


def _environment(endpoints: Endpoints) -> list[str]:
    return [f"export {name}={shlex.quote(value)}" for name, value in endpoints.environment().items()]


def _next_name(name: str) -> str:
    """Count a job's name up: names are used once."""
    start, _, number = name.rpartition("-")
    return f"{start}-{int(number) + 1}" if start and number.isdecimal() else f"{name[:60]}-2"
