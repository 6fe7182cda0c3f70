"""The stack, deployed to moto in place of AWS: packaged, expanded by AWS's own SAM translator, and created.

moto's CloudFormation lacks some resources, which `MISSING` names; they are checked in the template.
"""

import ast
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import boto3
import pytest
from samtranslator.translator.transform import transform

from ground_truth_server.lambda_host.cloudformation import TemplateStack
from tests.conftest import ROOT

REGION: Final = "eu-west-1"
NAME = "welds"
PARAMETERS = {"ManifestCheck": "on", "SnapStart": "on", "AlarmEmail": "welder@example.com"}
MISSING = {
    "AWS::CloudWatch::Alarm",
    "AWS::Lambda::Alias",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "Custom::StackSetup",
}


class Deployed(NamedTuple):
    """A stack that was created.

    Attributes:
        endpoint: moto's address.
        template: What the SAM translator made of the template.
        resources: The physical ids of the resources, by logical id.
        outputs: The stack's outputs.
    """

    endpoint: str
    template: dict[str, Any]
    resources: dict[str, str]
    outputs: dict[str, str]

    def client(self, service: str, credentials: dict[str, str] | None = None) -> Any:
        keys = credentials or {"AccessKeyId": "test", "SecretAccessKey": "test"}
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
        )

    @property
    def bucket(self) -> str:
        return self.outputs["BucketName"]

    def properties(self, name: str) -> Any:
        return self.template["Resources"][name]["Properties"]


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """moto's server in a process of its own: what is enforced there binds no other test."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="session")
def packaged(moto: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The template with its code in a bucket."""
    s3 = boto3.client("s3", endpoint_url=moto, region_name=REGION)
    s3.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": REGION})
    written = tmp_path_factory.mktemp("packaged") / "template.json"
    sam = Path(sys.executable).parent / "sam"
    command: list[str | Path] = [sam, "package", "--template-file", ROOT / "template.yaml", "--s3-bucket", "artifacts"]
    command += ["--config-env", "none"]  # not that of samconfig.toml, which would make a bucket
    command += ["--region", REGION, "--use-json", "--output-template-file", written]
    environment = {**os.environ, "AWS_ENDPOINT_URL": moto, "SAM_CLI_TELEMETRY": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    template: dict[str, Any] = json.loads(written.read_text())
    return template


@pytest.fixture(scope="session")
def stack(moto: str, packaged: dict[str, Any]) -> Deployed:
    template = expanded(packaged)
    cloudformation = boto3.client("cloudformation", endpoint_url=moto, region_name=REGION)
    cloudformation.create_stack(
        StackName=NAME,
        TemplateBody=json.dumps(for_moto(template)),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in PARAMETERS.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    outputs = cloudformation.describe_stacks(StackName=NAME)["Stacks"][0]["Outputs"]
    summaries = cloudformation.get_paginator("list_stack_resources").paginate(StackName=NAME)
    resources = {
        summary["LogicalResourceId"]: summary["PhysicalResourceId"]
        for page in summaries
        for summary in page["StackResourceSummaries"]
    }
    deployed = Deployed(moto, template, resources, {out["OutputKey"]: out["OutputValue"] for out in outputs})
    write_policies_as_json(deployed)
    return deployed


def expanded(packaged: dict[str, Any], parameters: dict[str, str] = PARAMETERS) -> dict[str, Any]:
    """What CloudFormation's macro AWS::Serverless makes of the template."""

    class NoManagedPolicies:
        def load(self) -> dict[str, str]:
            return {}

    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    template: dict[str, Any] = transform(json.loads(json.dumps(packaged)), dict(parameters), NoManagedPolicies())
    return template


def for_moto(template: dict[str, Any]) -> dict[str, Any]:
    """Leaves out what moto has not, names an alias as AWS would, and takes out of lists what has no value."""
    stack = TemplateStack(ROOT / "template.yaml", template, PARAMETERS, REGION)

    def known(value: Any) -> Any:
        if isinstance(value, list):
            return [known(item) for item in value if not is_nothing(item)]
        if not isinstance(value, dict):
            return value
        if str(value.get("Ref", "")).endswith("Aliaslive"):
            return {"Fn::Sub": f"${{{value['Ref'].removesuffix('Aliaslive')}.Arn}}:live"}
        return {key: known(item) for key, item in value.items()}

    def is_nothing(value: Any) -> bool:
        if not isinstance(value, dict) or "Fn::If" not in value:
            return False
        condition, then, otherwise = value["Fn::If"]
        chosen = then if stack.resolve({"Condition": condition}) else otherwise
        return bool(chosen == {"Ref": "AWS::NoValue"})

    resources = {name: known(made) for name, made in template["Resources"].items() if made["Type"] not in MISSING}
    for made in resources.values():
        if made["Type"] == "AWS::IAM::Role":
            for policy in made["Properties"]["Policies"]:
                policy["PolicyDocument"]["Statement"] = [
                    statement["Fn::If"][1] if "Fn::If" in statement else statement
                    for statement in policy["PolicyDocument"]["Statement"]
                ]
    outputs = {name: out for name, out in template["Outputs"].items() if "StackSetup" not in json.dumps(out)}
    return {**template, "Resources": resources, "Outputs": known(outputs)}


def write_policies_as_json(deployed: Deployed) -> None:
    """moto keeps a role's policies of a template as Python writes them, and can't enforce what isn't JSON."""
    iam = deployed.client("iam")
    for role in iam.list_roles()["Roles"]:
        for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            kept = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
            document = ast.literal_eval(kept) if isinstance(kept, str) else kept
            iam.put_role_policy(RoleName=role["RoleName"], PolicyName=name, PolicyDocument=json.dumps(document))
