"""What functions and clients get, by where S3 is: in the workspace, at another server, in AWS."""

import json
import os
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ground_truth_server.aws_services import AwsServices, Ports, ServerSettings
from ground_truth_server.edge.key_pair import KeyPair

USER = KeyPair("AKIAUSER", "the user's secret")
ROLE = "arn:aws:iam::444455556666:role/GroundTruth"
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.13, CodeUri: code, Timeout: 30, MemorySize: 512}}
Resources:
  Surroundings: {Type: AWS::Serverless::Function, Properties: {Handler: app.surroundings}}
  Role: {Type: AWS::Serverless::Function, Properties: {Handler: app.role}}
"""
CODE = """
import os
import boto3

def surroundings(event, context):
    return {name: value for name, value in os.environ.items() if "PROXY" in name.upper() or name.startswith("AWS_")}

def role(event, context):
    return boto3.client("sts").assume_role(RoleArn=event["role"], RoleSessionName="one")["Credentials"]["AccessKeyId"]
"""


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two functions, and a user with credentials and a proxy."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "app.py").write_text(CODE)
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    for name in [name for name in os.environ if name.startswith("AWS_") or "PROXY" in name.upper()]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ACCESS_KEY_ID": USER.access_key,
        "AWS_SECRET_ACCESS_KEY": USER.secret_key,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HTTPS_PROXY": "http://proxy.example:3128",
        "NO_PROXY": "intranet.example",
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "template.yaml"


def services(template: Path, s3: str) -> AwsServices:
    return AwsServices(ServerSettings(template.parent / "w", template, s3=s3, ports=Ports(0, 0, 0, 0)))


def client(service: str, url: str | None, keys: KeyPair) -> Any:
    config = Config(proxies={}, retries={"total_max_attempts": 1})
    session: Any = keys.session("eu-west-1")
    return session.client(service, endpoint_url=url, config=config)


def invoke(url: str | None, keys: KeyPair, name: str = "Surroundings", event: object = None) -> Any:
    """What a function answers to a client with these keys."""
    answer = client("lambda", url, keys).invoke(FunctionName=name, Payload=json.dumps(event))
    return json.loads(answer["Payload"].read())


def test_all_that_is_embedded_takes_the_workspace_s_keys_only(template: Path) -> None:
    with services(template, "embedded") as here:
        found = invoke(here.functions_url, here.keys)
        assert found["AWS_ACCESS_KEY_ID"] == here.keys.access_key
        assert found["AWS_ENDPOINT_URL_STS"] == here.functions_url == here.sts_url
        assert "HTTPS_PROXY" not in found
        assert invoke(here.functions_url, here.keys, "Role", {"role": ROLE}) == here.keys.access_key
        with pytest.raises(ClientError, match="UnrecognizedClientException"):
            invoke(here.functions_url, USER)
        # STS's clients read XML: what refuses them must be that, too.
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            client("sts", here.sts_url, USER).assume_role(RoleArn=ROLE, RoleSessionName="one")


def test_with_s3_in_aws_all_is_the_user_s_own(template: Path) -> None:
    with services(template, "aws") as here:
        found = invoke(here.functions_url, USER)
    assert (here.required_keys, here.sts_url) == (None, None)
    assert found["AWS_ACCESS_KEY_ID"] == USER.access_key
    assert "AWS_ENDPOINT_URL_STS" not in found
    assert "AWS_ENDPOINT_URL_S3" not in found
    assert found["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert found["NO_PROXY"] == found["no_proxy"] == "intranet.example,127.0.0.1,localhost,::1"


def test_with_s3_of_another_server_functions_get_the_keys_it_knows(template: Path, s3_endpoint: str) -> None:
    with services(template, s3_endpoint) as here:
        found = invoke(here.functions_url, USER)
        assert found["AWS_ACCESS_KEY_ID"] == USER.access_key
        assert found["AWS_ENDPOINT_URL_S3"] == s3_endpoint
        assert found["AWS_ENDPOINT_URL_STS"] == here.functions_url
        assert found["HTTPS_PROXY"] == "http://proxy.example:3128"
        assert invoke(here.functions_url, USER, "Role", {"role": ROLE}) == USER.access_key
    assert (here.required_keys, here.sts_url) == (None, None)


def test_without_credentials_of_the_user_s_another_server_gets_the_workspace_s(
    template: Path, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("HOME", str(template.parent))
    assert boto3.Session().get_credentials() is None
    with services(template, s3_endpoint) as here:
        assert invoke(here.functions_url, USER)["AWS_ACCESS_KEY_ID"] == here.keys.access_key
        assert invoke(here.functions_url, USER, "Role", {"role": ROLE}) == here.keys.access_key
