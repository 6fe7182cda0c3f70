"""The stack, deployed to moto in place of AWS: packaged, expanded by AWS's own SAM translator, and created.

moto's CloudFormation lacks some resources, which `MISSING` names; they are checked in the template.
"""

import ast
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import boto3
import pytest
import yaml
from samtranslator.translator.transform import transform

from ground_truth_server.lambda_host.cloudformation import TemplateStack, as_text
from tests.conftest import ROOT

REGION: Final = "eu-west-1"
NAME = "welds"
PARAMETERS = {"ManifestCheck": "on", "SnapStart": "on", "AlarmEmail": "welder@example.com"}
MISSING = {
    "AWS::CloudWatch::Alarm",
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolDomain",
    "AWS::Cognito::UserPoolGroup",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",  # of a cluster
    "AWS::SQS::QueuePolicy",
    "AWS::SSM::Parameter",  # that CloudFormation names
    "Custom::SettingsFingerprint",
    "AWS::Lambda::Alias",
    "AWS::S3::BucketPolicy",
    "AWS::SageMaker::Workforce",
    "AWS::SageMaker::Workteam",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SecretsManager::Secret",
    "Custom::StackSetup",
    "Custom::WorkforcePortal",
}


class Deployed(NamedTuple):
    """A stack that was created.

    Attributes:
        endpoint: moto's address.
        template: What the SAM translator made of the template.
        nested: The templates of the nested stacks, by logical id.
        resources: The physical ids of the resources, also of nested stacks', by logical id.
        outputs: The stack's outputs.
    """

    endpoint: str
    template: dict[str, Any]
    nested: dict[str, dict[str, Any]]
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
        return self.declared[name]["Properties"]

    @property
    def declared(self) -> dict[str, Any]:
        """The resources of all templates, by logical id."""
        return {name: made for one in (self.template, *self.nested.values()) for name, made in one["Resources"].items()}


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
    return deployed(moto, packaged, NAME, PARAMETERS)


def deployed(moto: str, packaged: dict[str, Any], name: str, parameters: dict[str, str]) -> Deployed:
    """Deploys the stack, as far as moto can."""
    template = expanded(packaged, parameters)
    nested = nested_templates(moto, template, parameters)
    cloudformation = boto3.client("cloudformation", endpoint_url=moto, region_name=REGION)
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps(for_moto(template, parameters)),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    outputs = outputs_of(cloudformation, name)
    resources: dict[str, str] = {}
    for one in (name, *nested):
        summaries = cloudformation.get_paginator("list_stack_resources").paginate(StackName=resources.get(one, one))
        for page in summaries:
            found = page["StackResourceSummaries"]
            resources |= {summary["LogicalResourceId"]: summary["PhysicalResourceId"] for summary in found}
    resources.pop("")  # moto lists what a condition keeps out, without a name
    given = TemplateStack(ROOT / "template.yaml", template, parameters, REGION)
    for key, out in template["Outputs"].items():  # moto doesn't hand on what nested stacks put out
        value = choice(out["Value"], given)
        inner, _, attribute = ".".join(value.get("Fn::GetAtt", ())).partition(".Outputs.")
        if attribute and given.exists(out) and attribute in (told := outputs_of(cloudformation, resources[inner])):
            outputs[key] = told[attribute]
    made = Deployed(moto, template, nested, resources, outputs)
    write_policies_as_json(made)
    return made


def expanded(packaged: dict[str, Any], parameters: dict[str, str] = PARAMETERS) -> dict[str, Any]:
    """What CloudFormation's macro AWS::Serverless makes of the template."""

    class NoManagedPolicies:
        def load(self) -> dict[str, str]:
            return {}

    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    template: dict[str, Any] = transform(json.loads(json.dumps(packaged)), dict(parameters), NoManagedPolicies())
    return template


def outputs_of(cloudformation: Any, name: str) -> dict[str, str]:
    (made,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    assert made["StackStatus"] == "CREATE_COMPLETE", cloudformation.describe_stack_events(StackName=name)
    return {out["OutputKey"]: out["OutputValue"] for out in made["Outputs"]}


def nested_templates(moto: str, template: dict[str, Any], parameters: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The nested stacks' templates, as `sam package` uploaded them; those that moto takes lie there from now on."""
    s3 = boto3.client("s3", endpoint_url=moto, region_name=REGION)
    outer = TemplateStack(ROOT / "template.yaml", template, parameters, REGION)
    found: dict[str, dict[str, Any]] = {}
    for name, made in template["Resources"].items():
        if made["Type"] != "AWS::CloudFormation::Stack" or not outer.exists(made):
            continue
        bucket, _, key = urlsplit(made["Properties"]["TemplateURL"]).path.lstrip("/").partition("/")
        found[name] = yaml.safe_load(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        given = outer.resolve(made["Properties"]["Parameters"])
        taken = for_moto(found[name], {parameter: as_text(value) for parameter, value in given.items()})
        for state_machine in (one["Properties"] for one in taken["Resources"].values()):
            if definition := state_machine.pop("DefinitionS3Location", None):  # moto doesn't fetch it
                body = s3.get_object(Bucket=definition["Bucket"], Key=definition["Key"])["Body"]
                state_machine["DefinitionString"] = body.read().decode()
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(taken).encode())
        made["Properties"]["TemplateURL"] = f"https://s3.amazonaws.com/{bucket}/{key}"  # moto reads no other host's
    return found


def for_moto(template: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    """Leaves out what moto has not, names an alias as AWS would, and chooses what lists hold by a condition."""
    stack = TemplateStack(ROOT / "template.yaml", template, parameters, REGION)
    resources = {
        name: known(made, stack) for name, made in template["Resources"].items() if made["Type"] not in MISSING
    }
    # moto has no custom resources, and doesn't hand on nested stacks' outputs
    unknown = ("StackSetup", "WorkforcePortal", "Outputs.")
    outputs = {name: {**out, "Value": choice(out["Value"], stack)} for name, out in template["Outputs"].items()}
    outputs = {name: out for name, out in outputs.items() if not any(word in json.dumps(out) for word in unknown)}
    return {**template, "Resources": resources, "Outputs": known(outputs, stack)}


def known(value: Any, stack: TemplateStack) -> Any:
    """A value of a template in terms that moto knows."""
    if isinstance(value, list):
        chosen = [choice(item, stack) for item in value]
        return [known(item, stack) for item in chosen if item != {"Ref": "AWS::NoValue"}]
    if isinstance(value, str):
        return known_text(value, stack)
    if not isinstance(value, dict):
        return value
    replaced = known_reference(value, stack)
    return replaced or {
        key: [known(part, stack) for part in item] if key == "Fn::If" else known(item, stack)
        for key, item in value.items()
    }


def known_text(text: str, stack: TemplateStack) -> str:
    """A text with the bucket itself in place of the parameter that keeps its name, and names of what moto lacks."""
    text = text.replace("${LabelingBucket.Value}", "${Bucket}").replace("${SettingsFingerprint.Fingerprint}", "1")
    reference = re.compile(r"\$\{([A-Za-z]+)([A-Za-z.]*)\}")
    return reference.sub(lambda at: f"{stand_in(at[1], stack)}{at[2]}" if is_missing(at[1], stack) else at[0], text)


def known_reference(value: dict[str, Any], stack: TemplateStack) -> Any:
    """What stands for a reference that moto can't follow; ``None`` if it can."""
    name = str(value.get("Ref", ""))
    attribute = named(value.get("Fn::GetAtt", ""))
    if attribute == ["LabelingBucket", "Value"]:
        return {"Ref": "Bucket"}
    if name.endswith("Aliaslive"):
        return {"Fn::Sub": f"${{{name.removesuffix('Aliaslive')}.Arn}}:live"}
    if is_missing(attribute[0], stack) or attribute[-1].startswith("Outputs."):
        return ".".join(attribute)
    return stand_in(name, stack) if is_missing(name, stack) else None


def is_missing(name: str, stack: TemplateStack) -> bool:
    """Whether moto makes no such resource; who refers to it gets its name."""
    return stack.resources.get(name, {}).get("Type") in MISSING


def stand_in(name: str, stack: TemplateStack) -> str:
    """What a reference to a resource that moto lacks is: its name, and of a secret an ARN, as policies must have it."""
    if stack.resources[name]["Type"] == "AWS::SecretsManager::Secret":
        return f"arn:aws:secretsmanager:{REGION}:123456789012:secret:{name}"
    return name


def named(attribute: str | list[str]) -> list[str]:
    """The resource and its attribute, of either form of GetAtt."""
    return attribute.split(".", 1) if isinstance(attribute, str) else attribute


def choice(item: Any, stack: TemplateStack) -> Any:
    """What an item of a list is, of those that depend on a condition."""
    if not isinstance(item, dict) or "Fn::If" not in item:
        return item
    condition, then, otherwise = item["Fn::If"]
    return then if stack.resolve({"Condition": condition}) else otherwise


def write_policies_as_json(deployed: Deployed) -> None:
    """moto keeps a role's policies of a template as Python writes them, and can't enforce what isn't JSON."""
    iam = deployed.client("iam")
    for role in iam.list_roles()["Roles"]:
        for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            kept = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
            document = ast.literal_eval(kept) if isinstance(kept, str) else kept
            iam.put_role_policy(RoleName=role["RoleName"], PolicyName=name, PolicyDocument=json.dumps(document))
