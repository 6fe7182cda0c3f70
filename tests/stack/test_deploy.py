"""What the deployed stack has, asked of moto's APIs by boto3."""

import json
from typing import Any

from ground_truth_server.lambda_host.cloudformation import TemplateStack, load_template
from tests.conftest import ROOT
from tests.stack.conftest import MISSING, NAME, REGION, Deployed, expanded


def is_made(resource: dict[str, Any]) -> bool:
    return resource.get("Condition") not in ("HasInputBuckets", "HasOwnServers", "HasWorkforce")


def test_every_resource_is_made_but_those_that_moto_lacks(stack: Deployed) -> None:
    wanted = {name for name, made in stack.declared.items() if made["Type"] not in MISSING and is_made(made)}
    assert wanted == stack.resources.keys()
    templates = (stack.template, *(load_template(path) for path in (ROOT / "stack").glob("*.yaml")))
    there = {made["Type"] for one in templates for made in one["Resources"].values()}
    assert there > MISSING


def test_the_bucket_is_encrypted(stack: Deployed) -> None:
    """Of a bucket's properties moto takes over this one only; test_template.py checks the others."""
    (rule,) = stack.client("s3").get_bucket_encryption(Bucket=stack.bucket)["ServerSideEncryptionConfiguration"][
        "Rules"
    ]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_the_functions(stack: Deployed) -> None:
    functions = stack.client("lambda")
    for name, role, layers in (
        ("PreLabelingFunction", "PreLabelingRole", 2),
        ("PostLabelingFunction", "PostLabelingRole", 2),
        ("StackSetupFunction", "StackSetupRole", 1),
        ("CheckReportFunction", "CheckReportRole", 1),
    ):
        found = functions.get_function_configuration(FunctionName=stack.resources[name])
        assert found["Runtime"] == "python3.13"
        assert found["Handler"] == "app.handler"
        assert found["Architectures"] == ["x86_64"]
        assert found["Role"].endswith(f"/{stack.resources[role]}")
        assert stack.properties(name)["TracingConfig"] == {"Mode": "Active"}  # moto doesn't take it over
        assert len(stack.properties(name)["Layers"]) == layers  # nor these
        variables = found["Environment"]["Variables"]
        assert variables["LABELING_BUCKET"] == stack.bucket
        assert variables["POWERTOOLS_SERVICE_NAME"] == NAME


def test_job_state_changes_reach_the_topic(stack: Deployed) -> None:
    events = stack.client("events")
    name = stack.resources["LabelingJobStateChanges"].rpartition("/")[2]
    (rule,) = (one for one in events.list_rules()["Rules"] if one["Name"] == name)
    assert json.loads(rule["EventPattern"]) == {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Ground Truth Labeling Job State Change"],
    }
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert target["Arn"] == stack.outputs["AlarmTopicArn"]


def test_logs_go_after_a_while(stack: Deployed) -> None:
    found = stack.client("logs").describe_log_groups()["logGroups"]
    groups = [group for group in found if group["logGroupName"] in stack.resources.values()]
    assert len(groups) == 5
    assert {group["retentionInDays"] for group in groups} == {90}


def test_the_dashboard_shows_this_stack(stack: Deployed) -> None:
    body = stack.client("cloudwatch").get_dashboard(DashboardName=stack.resources["Dashboard"])["DashboardBody"]
    widgets = json.loads(body)["widgets"]
    assert len(widgets) == 5
    assert stack.resources["PreLabelingFunction"] in body
    assert f'"service", "{NAME}"' in body


def test_the_state_machine_runs_the_alias_over_a_manifest(stack: Deployed) -> None:
    found = stack.client("stepfunctions").describe_state_machine(stateMachineArn=stack.outputs["ManifestCheckArn"])
    check = json.loads(found["definition"])["States"]["CheckItems"]
    substitutions = stack.properties("StateMachine")["DefinitionSubstitutions"]  # moto leaves them out
    assert check["MaxConcurrency"] == "{% ${Concurrency} %}"
    assert substitutions["Concurrency"] == {"Ref": "Concurrency"}
    assert check["ToleratedFailurePercentage"] == "{% ${ToleratedFailurePercentage} %}"
    assert substitutions["ToleratedFailurePercentage"] == {"Ref": "ToleratedFailurePercentage"}
    assert check["ItemProcessor"]["States"]["PreLabel"]["Arguments"]["FunctionName"] == "${PreLabeling}"
    assert substitutions["PreLabeling"] == {"Ref": "PreLabelingFunctionArn"}
    handed = stack.properties("ManifestCheckStack")["Parameters"]
    assert handed["PreLabelingFunctionArn"] == {"Ref": "PreLabelingFunctionAliaslive"}
    assert handed["Concurrency"] == {"Ref": "CheckConcurrency"}


def test_outputs_name_the_aliases_that_ground_truth_may_invoke(stack: Deployed) -> None:
    iam = stack.client("iam")
    (name,) = iam.list_role_policies(RoleName=stack.resources["GroundTruthRole"])["PolicyNames"]
    policy = iam.get_role_policy(RoleName=stack.resources["GroundTruthRole"], PolicyName=name)["PolicyDocument"]
    invoke = next(s for s in policy["Statement"] if s["Action"] == "lambda:InvokeFunction")
    assert invoke["Resource"] == [stack.outputs["PreLabelingFunctionArn"], stack.outputs["PostLabelingFunctionArn"]]
    assert all(arn.endswith(":live") for arn in invoke["Resource"])


def test_sam_hands_the_vpc_and_the_log_level_to_lambda(packaged: dict[str, Any]) -> None:
    given = {"SubnetIds": "subnet-0a1b", "SecurityGroupIds": "sg-0a1b", "LogLevel": "WARNING", "ManifestCheck": "off"}
    template = expanded(packaged, given)
    stack = TemplateStack(ROOT / "template.yaml", template, given, REGION)
    functions = {name: made for name, made in template["Resources"].items() if made["Type"] == "AWS::Lambda::Function"}
    assert functions.keys() == {"PreLabelingFunction", "PostLabelingFunction", "StackSetupFunction"}
    for made in functions.values():
        properties = stack.resolve(made["Properties"])
        assert properties["VpcConfig"] == {"SubnetIds": ["subnet-0a1b"], "SecurityGroupIds": ["sg-0a1b"]}
        assert properties["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] == "WARNING"


def test_a_new_layer_and_a_changed_parameter_move_the_alias_on(packaged: dict[str, Any]) -> None:
    def versions(template: dict[str, Any]) -> dict[str, Any]:
        made = expanded(template)["Resources"]
        return {name: one["Properties"] for name, one in made.items() if one["Type"] == "AWS::Lambda::Version"}

    other = json.loads(json.dumps(packaged))
    other["Resources"]["LabelingLayer"]["Properties"]["ContentUri"] += "0"
    assert not versions(packaged).keys() & versions(other).keys()
    # SAM keeps the version where a parameter has changed; a new description makes CloudFormation replace it.
    for name in ("PreLabelingFunctionVersion", "PostLabelingFunctionVersion"):
        (version,) = (made for key, made in versions(packaged).items() if key.startswith(name))
        assert version["Description"] == {"Fn::Sub": "Settings ${SettingsFingerprint.Fingerprint}"}
