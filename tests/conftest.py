"""What tests of every room share: an S3 server on loopback, a bucket, and the repository's job."""

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import hypothesis
import pytest
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROOT = Path(__file__).parents[1]
ARN = "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/weldinglabeljob1"

# Modules that make a client when they are imported need an account and a region, whoever runs the tests.
for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
    os.environ[name] = "test"
os.environ.update(AWS_DEFAULT_REGION="eu-west-1", AWS_REGION="eu-west-1", POWERTOOLS_METRICS_DISABLED="false")
# What the user of the shell has set must not matter, nor the narrow terminal that pytest-xdist claims.
for name in ("COLUMNS", "AWS_PROFILE", "AWS_SESSION_TOKEN", "LABELING_JOB_CONFIG", "LABELING_BUCKET", "INPUT_BUCKETS"):
    os.environ.pop(name, None)

# A busy machine is no failure.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

bucket_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of an S3 server that lives as long as the tests."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def s3(s3_endpoint: str) -> "S3Client":
    return boto3.client("s3", endpoint_url=s3_endpoint)


class Bucket:
    """A bucket of one test's own."""

    def __init__(self, s3: "S3Client") -> None:
        self.s3 = s3
        self.name = f"welds-{next(bucket_numbers)}"
        s3.create_bucket(Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    def put(self, key: str, body: object) -> str:
        """Stores bytes as they are, text as UTF-8, anything else as JSON; gives the S3 URI."""
        if isinstance(body, str):
            body = body.encode()
        elif not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.s3.put_object(Bucket=self.name, Key=key, Body=body)
        return f"s3://{self.name}/{key}"

    def get(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()

    def json(self, key: str) -> Any:
        return json.loads(self.get(key))

    def keys(self, prefix: str = "") -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


@pytest.fixture
def bucket(s3: "S3Client") -> Bucket:
    return Bucket(s3)
