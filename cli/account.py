"""The AWS account that the command works in: one client a service, made when it is needed.

The local Ground Truth is such an account as well: the variables ``AWS_ENDPOINT_URL_SAGEMAKER`` and
``AWS_ENDPOINT_URL_S3`` lead to it, and nothing else differs. Servers of one's own in AWS know keys of their own, while
bucket and stack know those of the account: the variable ``GROUND_TRUTH_PROFILE`` names a profile for the former.
"""

import os
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import NoCredentialsError
from labeling.storage import CLIENT_CONFIG

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

# A job is watched for days: a throttled call or a lost connection must not end that.
PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 6}, connect_timeout=10, read_timeout=60)


LOOPBACK = ("127.0.0.1", "localhost", "::1")


def proxies_never_reach_loopback() -> None:
    """Let no client of this process ask a proxy for what is on this machine, as the local Ground Truth is."""
    for name in ("NO_PROXY", "no_proxy"):
        known = [one for one in os.environ.get(name, "").split(",") if one.strip()]
        os.environ[name] = ",".join([*known, *(one for one in LOOPBACK if one not in known)])


SAGEMAKER_PROFILE = "GROUND_TRUTH_PROFILE"


class AwsAccount:
    """An AWS account in one region.

    Args:
        profile: The profile of the AWS configuration; nothing for what the environment says.
        region: The region; nothing for ``AWS_REGION``'s, ``AWS_DEFAULT_REGION``'s or the profile's, in this order.

    Raises:
        botocore.exceptions.BotoCoreError: If there is no such profile.
    """

    def __init__(self, profile: str | None = None, region: str | None = None) -> None:
        # boto3 reads AWS_DEFAULT_REGION alone; AWS CLI version 2 reads AWS_REGION before it, and the two must agree.
        named = region or os.environ.get("AWS_REGION") or None
        self.session = boto3.Session(profile_name=profile, region_name=named)
        own = os.environ.get(SAGEMAKER_PROFILE)
        self._labeling = boto3.Session(profile_name=own, region_name=named) if own else self.session

    @property
    def region(self) -> str:
        """The region, for messages."""
        return self.session.region_name or "no region"

    @cached_property
    def sagemaker(self) -> "SageMakerClient":
        """Labeling jobs, work teams and worker pages."""
        return self._labeling.client("sagemaker", config=PATIENT)

    @cached_property
    def s3(self) -> "S3Client":
        """Manifests, items and labels."""
        return self.session.client("s3", config=CLIENT_CONFIG)

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """Stacks and their outputs."""
        return self.session.client("cloudformation", config=PATIENT)

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        """The functions' logs."""
        return self.session.client("logs", config=PATIENT)

    @cached_property
    def functions(self) -> "LambdaClient":
        """Where the functions log to."""
        return self.session.client("lambda", config=PATIENT)

    @property
    def is_local(self) -> bool:
        """Whether labeling jobs run on another server than AWS's, such as the local Ground Truth."""
        return not _is_aws(self.sagemaker.meta.endpoint_url)

    @property
    def has_logs(self) -> bool:
        """Whether the functions' logs can be asked for: a job elsewhere has some at AWS if it calls AWS's functions."""
        calls_aws = self._labeling is not self.session
        return not self.is_local or calls_aws or not _is_aws(self.logs.meta.endpoint_url)

    def require_credentials(self) -> None:
        """Makes sure that there is something to sign in with, before work begins that needs it all along.

        Raises:
            botocore.exceptions.NoCredentialsError: If there is nothing.
        """
        if self.session.get_credentials() is None:
            raise NoCredentialsError


def _is_aws(url: str) -> bool:
    return (urlsplit(url).hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))
