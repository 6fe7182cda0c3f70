"""The SAM template: what a team deploys to its account, checked where a mistake would be dear."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local_ground_truth.cloudformation import load_template
from tests.conftest import ROOT

TEMPLATE = load_template(ROOT / "template.yaml")
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]


def properties(name: str) -> Any:
    return RESOURCES[name]["Properties"]


def statements(role: str) -> list[dict[str, Any]]:
    return [statement for policy in properties(role)["Policies"] for statement in policy["PolicyDocument"]["Statement"]]


def test_sam_and_cfn_lint_accept_it() -> None:
    sam = Path(sys.executable).parent / "sam"
    done = subprocess.run([sam, "validate", "--lint"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_bucket_is_private_encrypted_versioned_and_kept() -> None:
    bucket = properties("Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert RESOURCES["Bucket"]["DeletionPolicy"] == RESOURCES["Bucket"]["UpdateReplacePolicy"] == "Retain"


def test_the_bucket_refuses_what_is_not_tls() -> None:
    (statement,) = properties("BucketPolicy")["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": False}}
    assert len(statement["Resource"]) == 2


def test_workers_browsers_may_load_pictures() -> None:
    (rule,) = properties("Bucket")["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedMethods"] == ["GET"]
    assert rule["AllowedOrigins"] == ["*"]
    assert rule["ExposedHeaders"] == ["Access-Control-Allow-Origin"]


def test_only_plots_expire() -> None:
    rules = properties("Bucket")["LifecycleConfiguration"]["Rules"]
    assert [rule["Prefix"] for rule in rules if "ExpirationInDays" in rule] == ["plots/"]


@pytest.mark.parametrize("role", ["PreLabelingRole", "PostLabelingRole"])
def test_each_function_has_a_role_of_its_own_that_lambda_alone_takes(role: str) -> None:
    (trust,) = properties(role)["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    users = [name for name in RESOURCES if RESOURCES[name]["Properties"].get("Role") == {"Fn::GetAtt": f"{role}.Arn"}]
    assert len(users) == 1


def test_functions_write_in_one_folder_only() -> None:
    for role, folder in (("PreLabelingRole", "plots"), ("PostLabelingRole", "labels")):
        writing = [s for s in statements(role) if s["Effect"] == "Allow" and "s3:PutObject" in str(s["Action"])]
        assert [s["Resource"] for s in writing] == [{"Fn::Sub": f"${{Bucket.Arn}}/{folder}/*"}]
        assert not any("Delete" in str(s["Action"]) or "*" in s["Action"] for s in statements(role))
    denied = [s["Resource"] for s in statements("PreLabelingRole") if s["Effect"] == "Deny"]
    assert denied == [[{"Fn::Sub": "${Bucket.Arn}/output/*"}, {"Fn::Sub": "${Bucket.Arn}/labels/*"}]]


def test_no_wildcards_but_where_aws_knows_no_resource() -> None:
    for role in ("PreLabelingRole", "PostLabelingRole", "GroundTruthRole"):
        for statement in statements(role):
            assert "*" not in statement["Action"]
            if statement["Resource"] == "*":
                assert statement["Action"] == "cloudwatch:PutMetricData"
                assert statement["Condition"]


def test_only_this_account_s_labeling_jobs_take_the_execution_role() -> None:
    (trust,) = properties("GroundTruthRole")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    invoked = next(s["Resource"] for s in statements("GroundTruthRole") if s["Action"] == "lambda:InvokeFunction")
    assert invoked == [{"Fn::GetAtt": f"{name}Function.Arn"} for name in ("PreLabeling", "PostLabeling")]


def test_logs_are_kept_for_a_while() -> None:
    groups = [name for name, resource in RESOURCES.items() if resource["Type"] == "AWS::Logs::LogGroup"]
    assert {name for name in groups if properties(name)["RetentionInDays"]} == {"PreLabelingLogs", "PostLabelingLogs"}


def test_the_outputs_are_what_a_labeling_job_asks_for() -> None:
    outputs = TEMPLATE["Outputs"]
    assert {"ManifestS3Path", "ProposedOutputPath", "SagemakerServiceRoleArn"} <= outputs.keys()
    assert {"PreLabelingFunctionArn", "PostLabelingFunctionArn", "BucketName"} <= outputs.keys()
    assert outputs["ManifestS3Path"]["Value"] == {"Fn::Sub": "s3://${Bucket}/manifests/input.manifest"}
    assert outputs["ProposedOutputPath"]["Value"] == {"Fn::Sub": "s3://${Bucket}/output"}
