"""The SAM template: what a team deploys to its account, checked where a mistake would be dear."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from labeling.job import load_configured

from ground_truth_server.lambda_host.cloudformation import TemplateStack, load_template
from tests.conftest import ROOT

TEMPLATE = load_template(ROOT / "template.yaml")
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]


def properties(name: str) -> Any:
    return RESOURCES[name]["Properties"]


FUNCTION_ROLES = ("PreLabelingRole", "PostLabelingRole", "StackSetupRole", "CheckReportRole")
ROLES = (*FUNCTION_ROLES, "GroundTruthRole", "ManifestCheckRole")


def statements(role: str) -> list[dict[str, Any]]:
    """A role's statements; one that depends on a condition as if it held."""
    found = [item for policy in properties(role)["Policies"] for item in policy["PolicyDocument"]["Statement"]]
    return [item["Fn::If"][1] if "Fn::If" in item else item for item in found]


def stack(**parameters: str) -> TemplateStack:
    return TemplateStack(ROOT / "template.yaml", TEMPLATE, parameters, "eu-west-1")


def objects(role: str, action: str, **parameters: str) -> set[str]:
    """The keys that a role's statements allow an action on, in a stack of the given parameters."""
    found: set[str] = set()
    for statement in statements(role):
        if action in statement["Action"]:
            resources = stack(**parameters).resolve(statement["Resource"])
            found |= set(resources if isinstance(resources, list) else [resources])
    return {resource.removeprefix("arn:aws:s3:::Bucket/") for resource in found}


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


@pytest.mark.parametrize("role", FUNCTION_ROLES)
def test_each_function_has_a_role_of_its_own_that_lambda_alone_takes(role: str) -> None:
    (trust,) = properties(role)["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    users = [name for name in RESOURCES if RESOURCES[name]["Properties"].get("Role") == {"Fn::GetAtt": f"{role}.Arn"}]
    assert len(users) == 1


def test_functions_write_in_one_folder_only() -> None:
    assert objects("PreLabelingRole", "s3:PutObject") == {"plots/*"}
    assert objects("PostLabelingRole", "s3:PutObject") == {"labels/*"}
    assert objects("GroundTruthRole", "s3:PutObject") == {"output/*"}
    assert objects("CheckReportRole", "s3:PutObject") == {"check-report/*"}
    for role in ROLES:
        if role != "StackSetupRole":
            assert not any("Delete" in str(s["Action"]) for s in statements(role) if s["Sid"] != "DeliverLogs")


def test_the_functions_read_the_folders_that_the_parameter_names_and_no_others() -> None:
    assert objects("PreLabelingRole", "s3:GetObject") == {"dataset/*", "images/*", "sensor_data/*", "plots/*"}
    many = {"SourceFolders": "a,b/c,d,e,f,g"}
    assert objects("PreLabelingRole", "s3:GetObject", **many) == {
        *("dataset/*", "plots/*", "a/*", "b/c/*", "d/*", "e/*", "f/*", "g/*")
    }
    assert objects("PostLabelingRole", "s3:GetObject") == {"dataset/*", "output/*"}


def test_the_folders_are_those_of_the_job() -> None:
    folders = [source.folder for source in load_configured({}).sources.values()]
    assert TEMPLATE["Parameters"]["SourceFolders"]["Default"] == ",".join(folders)


def test_an_existing_bucket_takes_the_new_one_s_place() -> None:
    there = stack(ExistingBucket="team-data")
    assert not there.exists(RESOURCES["Bucket"])
    assert not there.exists(RESOURCES["BucketPolicy"])
    assert there.resolve(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]["LABELING_BUCKET"]) == "team-data"
    for role in ROLES:
        for statement in statements(role):
            assert "arn:aws:s3:::Bucket" not in str(there.resolve(statement["Resource"]))


def test_set_up_may_delete_what_it_wrote_and_everything_only_where_the_parameter_says_so() -> None:
    policies = properties("StackSetupRole")["Policies"][0]["PolicyDocument"]["Statement"]
    conditional = {item["Fn::If"][1]["Sid"]: item["Fn::If"][0] for item in policies if "Fn::If" in item}
    assert conditional == {
        "FindEveryVersion": "DataMayBeDeleted",
        "DeleteEverything": "DataMayBeDeleted",
        "UseTheKey": "HasKey",
    }
    assert not stack().resolve({"Condition": "DataMayBeDeleted"})
    always = next(item for item in policies if item.get("Sid") == "ReadWriteAndRemoveItsOwn")["Resource"]
    keys = [resource.rpartition("Bucket/")[2] for resource in stack().resolve(always)]
    assert not any(key.startswith(("labels", "output", "plots", "*")) for key in keys)


def test_no_wildcards_but_where_aws_knows_no_resource() -> None:
    anywhere = set()
    for role in ROLES:
        for statement in statements(role):
            assert "*" not in statement["Action"]
            if statement["Resource"] == "*":
                anywhere.add(statement["Sid"])
    assert anywhere == {"WriteTraces", "WriteMetrics", "DeliverLogs"}


RULES = {
    "true, new bucket": ({}, True),
    "false, new bucket": ({"KeepDataOnDelete": "false"}, True),
    "true, existing bucket": ({"ExistingBucket": "team-data"}, True),
    "false, existing bucket": ({"ExistingBucket": "team-data", "KeepDataOnDelete": "false"}, False),
    "check": ({"ManifestCheck": "on"}, True),
    "check, other endpoint": ({"ManifestCheck": "on", "S3EndpointUrl": "https://s3.example"}, False),
    "other endpoint": ({"S3EndpointUrl": "https://s3.example"}, True),
}


@pytest.mark.parametrize(("parameters", "taken"), RULES.values(), ids=RULES)
def test_wrong_combinations_of_parameters_are_refused(parameters: dict[str, str], taken: bool) -> None:
    given = stack(**parameters)
    outcomes = [
        bool(given.resolve(assertion["Assert"]))
        for rule in TEMPLATE["Rules"].values()
        if given.resolve(rule["RuleCondition"])
        for assertion in rule["Assertions"]
    ]
    assert all(outcomes) == taken


WRONG = {
    "ExistingBucket": ["Team_Data", "s3://team-data", "ab"],
    "SourceFolders": [
        "",
        "images,",
        "a b",
        "images,*",
        "output",
        "images,plots",
        "labels/x",
        "a,b,c,d,e,f,g",
        "../x y",
    ],
    "KmsKeyArn": ["alias/mine", "arn:aws:kms:eu-west-1:1:key/x", "arn:aws:kms:eu-west-1:111122223333:alias/mine"],
    "WorkteamArn": ["welders", "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/x"],
    "AlarmEmail": ["nobody", "a b@c.de", "a@b"],
    "S3EndpointUrl": ["s3.example", "ftp://s3.example"],
}
RIGHT = {
    "ExistingBucket": ["", "team-data", "a.b.c"],
    "SourceFolders": ["images", "images,sensor_data", "line-1/images,line-1/csv,year=2026", "plots2,outputs"],
    "KmsKeyArn": ["", "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
    "WorkteamArn": ["", "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/welders"],
    "AlarmEmail": ["", "ada@example.com"],
    "S3EndpointUrl": ["", "http://172.17.0.1:5000"],
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_parameter_is_refused(name: str) -> None:
    pattern = TEMPLATE["Parameters"][name]["AllowedPattern"]
    assert TEMPLATE["Parameters"][name]["ConstraintDescription"]
    assert [value for value in WRONG[name] if re.search(pattern, value)] == []
    assert [value for value in RIGHT[name] if not re.search(pattern, value)] == []


def test_the_console_shows_every_parameter_in_a_group() -> None:
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(TEMPLATE["Parameters"])
    assert all(parameter["Description"] for parameter in TEMPLATE["Parameters"].values())


def test_every_alarm_tells_people() -> None:
    alarms = {name: properties(name) for name, made in RESOURCES.items() if made["Type"] == "AWS::CloudWatch::Alarm"}
    assert alarms.keys() == {
        *("PreLabelingErrors", "PreLabelingThrottles", "PostLabelingErrors", "PostLabelingThrottles"),
        *("BrokenItems", "DroppedAnswers", "LowConfidenceLabels"),
    }
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["AlarmDescription"]


def test_only_this_account_s_alarms_and_this_rule_write_to_the_topic() -> None:
    alarms, events = properties("AlarmTopicPolicy")["PolicyDocument"]["Statement"]
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert events["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": "LabelingJobStateChanges.Arn"}}}
    assert stack(AlarmEmail="a@b.cd").exists(RESOURCES["AlarmSubscription"])
    assert not stack().exists(RESOURCES["AlarmSubscription"])


def test_the_metrics_of_alarms_are_those_that_the_functions_write() -> None:
    written = " ".join(path.read_text() for path in (ROOT / "layers" / "labeling" / "labeling").glob("*.py"))
    for name in (
        "BrokenItems",
        "DroppedAnswers",
        "Answers",
        "Confidence",
        "Items",
        "PlotsDrawn",
        "PlotsReused",
        "Objects",
    ):
        assert f'add_metric("{name}"' in written
        assert name in str(TEMPLATE["Resources"])


def test_functions_are_called_by_alias_with_or_without_snapshots() -> None:
    for name in ("PreLabelingFunction", "PostLabelingFunction"):
        assert properties(name)["AutoPublishAlias"] == "live"
        assert properties(name)["AutoPublishAliasAllProperties"] is True
        assert stack(SnapStart="on").resolve(properties(name)["SnapStart"]) == {"ApplyOn": "PublishedVersions"}
        assert stack().resolve(properties(name)["SnapStart"]) == {"ApplyOn": "None"}


def test_the_check_s_state_machine_may_run_itself_and_no_other() -> None:
    run = next(s for s in statements("ManifestCheckRole") if s["Sid"] == "RunAMap")
    name = stack().resolve(properties("ManifestCheckStateMachine")["Name"])
    assert all(f":{name}" in arn for arn in stack().resolve(run["Resource"]))
    assert not stack().exists(RESOURCES["ManifestCheckStateMachine"])
    assert stack(ManifestCheck="on").exists(RESOURCES["ManifestCheckStateMachine"])


def test_only_this_account_s_labeling_jobs_take_the_execution_role() -> None:
    (trust,) = properties("GroundTruthRole")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    invoked = next(s["Resource"] for s in statements("GroundTruthRole") if s["Action"] == "lambda:InvokeFunction")
    assert invoked == [{"Ref": f"{name}Function.Alias"} for name in ("PreLabeling", "PostLabeling")]


def test_logs_are_kept_for_a_while() -> None:
    groups = [name for name, resource in RESOURCES.items() if resource["Type"] == "AWS::Logs::LogGroup"]
    assert all(properties(name)["RetentionInDays"] == {"Ref": "LogRetentionDays"} for name in groups)
    users = [made["Properties"].get("LoggingConfig") for made in RESOURCES.values()]
    used = [user["LogGroup"]["Ref"] for user in users if user]
    assert sorted([*used, "ManifestCheckLogs"]) == sorted(groups)


def test_the_outputs_are_what_a_labeling_job_asks_for() -> None:
    outputs = TEMPLATE["Outputs"]
    assert {"ManifestS3Path", "ProposedOutputPath", "SagemakerServiceRoleArn"} <= outputs.keys()
    assert {"PreLabelingFunctionArn", "PostLabelingFunctionArn", "BucketName"} <= outputs.keys()
    assert stack().resolve(outputs["ManifestS3Path"]["Value"]) == "s3://Bucket/manifests/input.manifest"
    assert stack().resolve(outputs["ProposedOutputPath"]["Value"]) == "s3://Bucket/output"
