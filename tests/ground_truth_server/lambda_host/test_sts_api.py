"""AWS STS as far as functions of labeling jobs call it, by boto3."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError

from ground_truth_server.edge.loopback import serving
from ground_truth_server.lambda_host.sts_api import sts_app

ROLE = "arn:aws:iam::444455556666:role/service-role/GroundTruth"


@pytest.fixture
def sts() -> Iterator[Any]:
    with serving(sts_app(lambda: ReadOnlyCredentials("GTSLKEY", "secret", None), "777788889999")) as url:
        yield boto3.client("sts", endpoint_url=url, region_name="eu-west-1")


def test_the_caller_is_in_the_account(sts: Any) -> None:
    assert sts.get_caller_identity()["Account"] == "777788889999"


def test_a_role_is_given_the_workspace_s_key_pair(sts: Any) -> None:
    found = sts.assume_role(RoleArn=ROLE, RoleSessionName="assumed", DurationSeconds=900)
    keys = found["Credentials"]
    assert (keys["AccessKeyId"], keys["SecretAccessKey"]) == ("GTSLKEY", "secret")
    assert timedelta(minutes=14) < keys["Expiration"] - datetime.now(UTC) <= timedelta(minutes=15)
    assert found["AssumedRoleUser"]["Arn"] == "arn:aws:sts::444455556666:assumed-role/GroundTruth/assumed"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"RoleArn": "arn:aws:iam::1:role/x" + "<" * 20}, "ValidationError"),
        ({"RoleSessionName": "a <b>"}, "ValidationError"),
    ],
)
def test_what_is_wrong_is_said(sts: Any, changed: dict[str, str], code: str) -> None:
    with pytest.raises(ClientError) as error:
        sts.assume_role(**{"RoleArn": ROLE, "RoleSessionName": "assumed", **changed})
    assert error.value.response["Error"]["Code"] == code
    with pytest.raises(ClientError, match="GetCallerIdentity and AssumeRole are"):
        sts.get_session_token()
