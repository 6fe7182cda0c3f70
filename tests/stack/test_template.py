"""The SAM template: what a team deploys to its account, checked where a mistake would be dear."""

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from labeling.job import load_configured
from labeling.settings import FunctionSettings

from ground_truth_server.lambda_host.cloudformation import SamTemplateError, TemplateStack, as_text, load_template
from tests.conftest import ROOT

TEMPLATE = load_template(ROOT / "template.yaml")
# The nested stacks, by their logical names in template.yaml.
NESTED = {
    "MonitoringStack": load_template(ROOT / "stack" / "monitoring.yaml"),
    "ManifestCheckStack": load_template(ROOT / "stack" / "manifest_check.yaml"),
    "ServerStack": load_template(ROOT / "stack" / "server.yaml"),
    "WorkforceStack": load_template(ROOT / "stack" / "workforce.yaml"),
}
# A deployment with servers of one's own.
OWN = {
    "LabelingService": "own",
    "ServerImage": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/plant/ground-truth:1",
    "ServerDomain": "label.example.com",
    "ServerPagesDomain": "pages.example.com",
    "ServerCertificateArn": "arn:aws:acm:eu-west-1:111122223333:certificate/1",
    "ServerVpcId": "vpc-1",
    "ServerPublicSubnetIds": "subnet-1,subnet-2",
    "ServerPrivateSubnetIds": "subnet-3,subnet-4",
    "SignInDomainPrefix": "labelers-of-my-company",
}
TEMPLATES = (TEMPLATE, *NESTED.values())
RESOURCES: dict[str, Any] = {name: made for one in TEMPLATES for name, made in one["Resources"].items()}


def properties(name: str) -> Any:
    return RESOURCES[name]["Properties"]


FUNCTION_ROLES = ("PreLabelingRole", "PostLabelingRole", "StackSetupRole", "CheckReportRole")
ROLES = (*FUNCTION_ROLES, "GroundTruthRole", "StateMachineRole", "ServerRole", "ServerStartRole")


def statements(role: str) -> list[dict[str, Any]]:
    """A role's statements; one that depends on a condition as if it held."""
    found = [item for policy in properties(role)["Policies"] for item in policy["PolicyDocument"]["Statement"]]
    return [item["Fn::If"][1] if "Fn::If" in item else item for item in found]


def stack(**parameters: str) -> TemplateStack:
    return TemplateStack(ROOT / "template.yaml", TEMPLATE, parameters, "eu-west-1")


def stack_of(resource: str, **parameters: str) -> TemplateStack:
    """The stack that a resource belongs to, in a deployment of the given parameters."""
    own = OWN if resource in NESTED["ServerStack"]["Resources"] else {}
    outer = stack(**{**own, **parameters})
    for name, template in NESTED.items():
        if resource in template["Resources"]:
            given = outer.resolve(TEMPLATE["Resources"][name]["Properties"]["Parameters"])
            values = {key: as_text(value) for key, value in given.items()}
            return TemplateStack(ROOT / "stack" / f"{name}.yaml", template, values, "eu-west-1")
    return outer


def objects(role: str, action: str, **parameters: str) -> set[str]:
    """The keys that a role's statements allow an action on, in a stack of the given parameters."""
    found: set[str] = set()
    for statement in statements(role):
        if action in statement["Action"]:
            resources = stack_of(role, **parameters).resolve(statement["Resource"])
            found |= set(resources if isinstance(resources, list) else [resources])
    return {resource.removeprefix("arn:aws:s3:::Bucket/") for resource in found}


def test_no_resource_has_another_s_name() -> None:
    assert len(RESOURCES) == sum(len(one["Resources"]) for one in TEMPLATES)


@pytest.mark.parametrize("name", NESTED)
def test_a_nested_stack_gets_every_parameter_and_no_other(name: str) -> None:
    assert TEMPLATE["Resources"][name]["Properties"]["Parameters"].keys() == NESTED[name]["Parameters"].keys()
    assert (ROOT / TEMPLATE["Resources"][name]["Properties"]["TemplateURL"]).is_file()


def test_what_is_optional_is_made_where_its_parameter_says_so() -> None:
    assert stack().exists(RESOURCES["MonitoringStack"])
    assert not stack(Monitoring="off").exists(RESOURCES["MonitoringStack"])
    assert not stack().exists(RESOURCES["ManifestCheckStack"])
    assert stack(ManifestCheck="on").exists(RESOURCES["ManifestCheckStack"])
    for name in ("ServerStack", "WorkforceStack", "WorkforcePortal", "WorkforcePortalPolicy"):
        assert not stack().exists(RESOURCES[name])


def test_the_bucket_s_name_is_worked_out_in_one_place() -> None:
    """Beside it only in the variable, which sam local has to resolve without AWS."""
    text = (ROOT / "template.yaml").read_text()
    assert text.count("!If [NewBucket") == 2
    assert stack().resolve({"Fn::GetAtt": "LabelingBucket.Value"}) == "Bucket"
    assert stack(ExistingBucket="team-data").resolve({"Fn::GetAtt": "LabelingBucket.Value"}) == "team-data"


def test_sam_and_cfn_lint_accept_it() -> None:
    programs = Path(sys.executable).parent
    nested = sorted(str(path) for path in (ROOT / "stack").glob("*.yaml"))
    for command in (["sam", "validate", "--lint"], ["cfn-lint", *nested]):
        done = subprocess.run(
            [programs / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
        )
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
    assert RESOURCES["BucketPolicy"]["DeletionPolicy"] == RESOURCES["Bucket"]["DeletionPolicy"]
    assert RESOURCES["BucketPolicy"]["UpdateReplacePolicy"] == RESOURCES["Bucket"]["UpdateReplacePolicy"]


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
    users = [made for made in RESOURCES.values() if made["Properties"].get("Role") == {"Fn::GetAtt": f"{role}.Arn"}]
    assert len(users) == 1


def test_functions_write_in_folders_of_their_own_only() -> None:
    assert objects("PreLabelingRole", "s3:PutObject") == {"plots/*"}
    assert objects("PostLabelingRole", "s3:PutObject") == {"labels/*", "evidence/*"}
    assert objects("GroundTruthRole", "s3:PutObject") == {"output/*"}
    assert objects("CheckReportRole", "s3:PutObject") == {"check-report/*"}
    assert objects("ServerRole", "s3:PutObject") == {"output/*"}
    for role in ROLES:
        if role != "StackSetupRole":
            assert not any("Delete" in str(s["Action"]) for s in statements(role) if s["Sid"] != "DeliverLogs")


def test_the_functions_read_the_folders_that_the_parameter_names_and_no_others() -> None:
    assert objects("PreLabelingRole", "s3:GetObject") == {
        *("dataset/*", "images/*", "sensor_data/*", "plots/*", "reference/*", "sample/*")
    }
    many = {"SourceFolders": "a,b/c,d,e,f,g", "Sample": "off"}
    assert objects("PreLabelingRole", "s3:GetObject", **many) == {
        *("dataset/*", "plots/*", "reference/*", "a/*", "b/c/*", "d/*", "e/*", "f/*", "g/*")
    }
    assert objects("PostLabelingRole", "s3:GetObject") == {"dataset/*", "output/*", "evidence/*", "sample/dataset/*"}
    assert objects("PostLabelingRole", "s3:GetObject", Sample="off") == {"dataset/*", "output/*", "evidence/*"}
    manifests = {"manifests/*", "sample/manifests/*"}
    assert objects("StateMachineRole", "s3:GetObject") == {"check-report/*", *manifests}


def test_functions_list_only_where_they_read() -> None:
    """`IfExists`: where S3 asks whether it may say that an object isn't there, the request has no prefix."""
    listed = {}
    for role in FUNCTION_ROLES:
        found = [item for item in statements(role) if item["Action"] == "s3:ListBucket"]
        for statement in found:
            (operator,) = statement["Condition"]
            assert operator == "StringLikeIfExists"
            listed[role] = set(stack().resolve(statement["Condition"][operator]["s3:prefix"]))
    assert listed == {
        "PreLabelingRole": {"dataset/*", "plots/*", "reference/*", "sample/*", "images/*", "sensor_data/*"},
        "PostLabelingRole": {"output/*", "dataset/*", "evidence/*", "sample/dataset/*"},
        "StackSetupRole": {"stack-setup.json", "labeling-job.json", "worker-page/*", "sample/*"},
    }


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
            resolved = stack_of(role, ExistingBucket="team-data").resolve(statement["Resource"])
            assert "arn:aws:s3:::Bucket" not in str(resolved)


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
    assert keys == ["stack-setup.json", "labeling-job.json", "worker-page/*", "sample/*"]


def test_no_wildcards_but_where_aws_knows_no_resource() -> None:
    anywhere = set()
    for role in ROLES:
        for statement in statements(role):
            assert "*" not in statement["Action"]
            if statement["Resource"] == "*":
                anywhere.add(statement["Sid"])
    assert anywhere == {"WriteTraces", "WriteMetrics", "DeliverLogs", "SignInToEcr"}


RULES = {
    "true, new bucket": ({}, True),
    "false, new bucket": ({"KeepDataOnDelete": "false"}, True),
    "true, existing bucket": ({"ExistingBucket": "team-data"}, True),
    "false, existing bucket": ({"ExistingBucket": "team-data", "KeepDataOnDelete": "false"}, False),
    "check": ({"ManifestCheck": "on"}, True),
    "check, other endpoint": ({"ManifestCheck": "on", "S3EndpointUrl": "https://s3.example"}, False),
    "other endpoint": ({"S3EndpointUrl": "https://s3.example"}, True),
    "VPC": ({"SubnetIds": "subnet-1", "SecurityGroupIds": "sg-1"}, True),
    "subnets alone": ({"SubnetIds": "subnet-1"}, False),
    "security groups alone": ({"SecurityGroupIds": "sg-1"}, False),
    "servers": (OWN, True),
    **{f"servers, no {name}": ({**OWN, name: ""}, False) for name in OWN if name != "LabelingService"},
    "servers, one domain": ({**OWN, "ServerPagesDomain": OWN["ServerDomain"]}, False),
    "servers and workforce": ({**OWN, "Workforce": "on"}, False),
    "workforce": ({"Workforce": "on", "SignInDomainPrefix": "labelers"}, True),
    "workforce, no prefix": ({"Workforce": "on"}, False),
    "workforce and team": ({"Workforce": "on", "SignInDomainPrefix": "labelers", "WorkteamArn": "arn"}, False),
    "workforce and VPC": (
        {"Workforce": "on", "SignInDomainPrefix": "labelers", "SubnetIds": "subnet-1", "SecurityGroupIds": "sg-1"},
        False,
    ),
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
        "sample",
        "images,",
        "a b",
        "images,*",
        "output",
        "images,plots",
        "reference",
        "labels/x",
        "a,b,c,d,e,f,g",
        "../x y",
    ],
    "KmsKeyArn": ["alias/mine", "arn:aws:kms:eu-west-1:1:key/x", "arn:aws:kms:eu-west-1:111122223333:alias/mine"],
    "WorkteamArn": ["welders", "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/x"],
    "AlarmEmail": ["nobody", "a b@c.de", "a@b"],
    "S3EndpointUrl": ["s3.example", "ftp://s3.example", "http://s3.example", "http://172.17.0.1:5000"],
    "InputBuckets": ["a_b", "one,", "s3://one", "*", "one,*"],
    "InputKmsKeyArns": ["*", "alias/mine"],
    "JobTags": ["CostCenter", "=42", "a=b,c"],
    "SubnetIds": ["subnet-1 ", "10.0.0.0/8", "subnet-1,"],
    "SecurityGroupIds": ["default", "sg-1,subnet-1"],
    "PermissionsBoundaryArn": ["Boundary", "arn:aws:iam::111122223333:role/x"],
    "RolePath": ["labeling", "/labeling", "labeling/", ""],
    "SignInDomainPrefix": ["Labelers", "-labelers", "my-aws-labelers", "labelers.example.com"],
    "ServerImage": ["ground-truth:1", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/ground-truth", "docker.io/a/b:1"],
    "ServerDomain": ["https://label.example.com", "label", "label.example.com/", "Label.example.com", "*.example.com"],
    "ServerPagesDomain": ["https://pages.example.com", "pages"],
    "ServerCertificateArn": ["arn:aws:iam::111122223333:server-certificate/x", "*"],
    "ServerVpcId": ["default", "vpc-1,vpc-2"],
    "ServerPublicSubnetIds": ["subnet-1", "subnet-1, subnet-2", "10.0.0.0/24,10.0.1.0/24"],
    "ServerPrivateSubnetIds": ["subnet-1", "vpc-1,vpc-2"],
    "ServerAllowedCidr": ["", "192.0.2.0", "192.0.2.0/33", "::/0"],
    "ServerAccessLogsBucket": ["Team_Data", "s3://team-data", "ab"],
}
RIGHT = {
    "ExistingBucket": ["", "team-data", "a.b.c"],
    "SourceFolders": ["images", "images,sensor_data", "line-1/images,line-1/csv,year=2026", "plots2,outputs"],
    "KmsKeyArn": ["", "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
    "WorkteamArn": ["", "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/welders"],
    "AlarmEmail": ["", "ada@example.com"],
    "S3EndpointUrl": ["", "https://bucket.vpce-1a2b.s3.eu-west-1.vpce.amazonaws.com"],
    "InputBuckets": ["", "one", "one,two.three"],
    "InputKmsKeyArns": ["", "arn:aws:kms:eu-west-1:111122223333:key/1,arn:aws:kms:eu-west-1:111122223333:key/2"],
    "JobTags": ["", "CostCenter=42", "CostCenter=42,Team=Welding hall 3"],
    "SubnetIds": ["", "subnet-0a1b,subnet-0c1d"],
    "SecurityGroupIds": ["", "sg-0a1b"],
    "PermissionsBoundaryArn": ["", "arn:aws:iam::111122223333:policy/org/Boundary", "arn:aws:iam::aws:policy/X"],
    "RolePath": ["/", "/labeling/", "/a/b/"],
    "SignInDomainPrefix": ["", "labelers-of-my-company"],
    "ServerImage": [
        *("", OWN["ServerImage"]),
        f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/ground-truth@sha256:{'0' * 64}",
    ],
    "ServerDomain": ["", "label.example.com", "label.plant-7.example.co.uk"],
    "ServerPagesDomain": ["", "pages.example.com"],
    "ServerCertificateArn": ["", "arn:aws:acm:eu-west-1:111122223333:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"],
    "ServerVpcId": ["", "vpc-0a1b"],
    "ServerPublicSubnetIds": ["", "subnet-0a1b,subnet-0c1d"],
    "ServerPrivateSubnetIds": ["", "subnet-0a1b,subnet-0c1d,subnet-0e1f"],
    "ServerAllowedCidr": ["0.0.0.0/0", "192.0.2.0/24", "198.51.100.7/32"],
    "ServerAccessLogsBucket": ["", "team-logs"],
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
        *("BrokenItems", "DroppedAnswers", "LowConfidenceLabels", "LostStateChanges"),
        *("UnhealthyServers", "ServerFaults"),
    }
    for name, alarm in alarms.items():
        if name in NESTED["ServerStack"]["Resources"]:
            told = [stack_of(name, Monitoring=given).resolve(alarm).get("AlarmActions") for given in ("on", "off")]
            assert told == [["MonitoringStack.Outputs.AlarmTopicArn"], None]
        else:
            assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["AlarmDescription"]


def test_alarms_of_this_account_and_eventbridge_write_to_the_topic() -> None:
    alarms, events = properties("AlarmTopicPolicy")["PolicyDocument"]["Statement"]
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    # EventBridge's guide: "Condition" isn't supported in a topic's policy for it.
    assert "Condition" not in events
    assert (events["Principal"], events["Action"]) == ({"Service": "events.amazonaws.com"}, "sns:Publish")
    assert stack_of("AlarmSubscription", AlarmEmail="a@b.cd").exists(RESOURCES["AlarmSubscription"])
    assert not stack_of("AlarmSubscription").exists(RESOURCES["AlarmSubscription"])


def test_what_eventbridge_cannot_deliver_is_kept_and_told() -> None:
    (target,) = properties("LabelingJobStateChanges")["Targets"]
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": "UndeliveredStateChanges.Arn"}}
    (statement,) = properties("UndeliveredStateChangesPolicy")["PolicyDocument"]["Statement"]
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": "LabelingJobStateChanges.Arn"}}}
    (dimension,) = properties("LostStateChanges")["Dimensions"]
    assert dimension == {"Name": "QueueName", "Value": {"Fn::GetAtt": "UndeliveredStateChanges.QueueName"}}


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
        assert name in str(NESTED["MonitoringStack"]["Resources"])


def test_functions_are_called_by_alias_with_or_without_snapshots() -> None:
    for name in ("PreLabelingFunction", "PostLabelingFunction"):
        assert properties(name)["AutoPublishAlias"] == "live"
        assert properties(name)["AutoPublishAliasAllProperties"] is True
        assert stack(SnapStart="on").resolve(properties(name)["SnapStart"]) == {"ApplyOn": "PublishedVersions"}
        assert stack().resolve(properties(name)["SnapStart"]) == {"ApplyOn": "None"}


def test_the_check_s_state_machine_may_run_itself_and_no_other() -> None:
    run = next(s for s in statements("StateMachineRole") if s["Sid"] == "RunAMap")
    inner = stack_of("StateMachine")
    name = inner.resolve(properties("StateMachine")["StateMachineName"])
    assert all(f":{name}" in arn for arn in inner.resolve(run["Resource"]))


def test_the_check_logs_no_manifest_lines_and_where_log_delivery_may_always_write() -> None:
    assert properties("StateMachine")["LoggingConfiguration"]["IncludeExecutionData"] is False
    group = stack_of("StateMachineLogs").resolve(properties("StateMachineLogs")["LogGroupName"])
    assert group == "/aws/vendedlogs/states/local-manifest-check"


def test_the_execution_role_has_no_condition_that_aws_does_not_document_for_labeling_jobs() -> None:
    (trust,) = properties("GroundTruthRole")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert "Condition" not in trust
    assert all("Condition" not in statement for statement in statements("GroundTruthRole"))
    invoked = next(s["Resource"] for s in statements("GroundTruthRole") if s["Action"] == "lambda:InvokeFunction")
    assert invoked == [{"Ref": f"{name}Function.Alias"} for name in ("PreLabeling", "PostLabeling")]


def test_the_execution_role_may_encrypt_a_job_s_output() -> None:
    """The actions are those that Ground Truth's guide asks for, for output under a key."""
    key = next(s for s in statements("GroundTruthRole") if s["Sid"] == "UseTheKey")
    assert set(key["Action"]) == {
        *("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")
    }
    arn = "arn:aws:kms:eu-west-1:111122223333:key/1"
    handed = stack(KmsKeyArn=arn).resolve(properties("StackSetup"))
    assert handed["KmsKeyArn"] == arn
    assert stack(KmsKeyArn=arn).resolve(TEMPLATE["Outputs"]["OutputKmsKeyArn"]["Value"]) == arn


def log_settings(level: str) -> list[tuple[dict[str, str], dict[str, str]]]:
    """The log settings and the variables of the functions, of both templates."""
    shared = stack(LogLevel=level).resolve(TEMPLATE["Globals"]["Function"])
    inner = stack_of("CheckReportFunction", LogLevel=level).resolve(properties("CheckReportFunction"))
    return [(one["LoggingConfig"], one["Environment"]["Variables"]) for one in (shared, inner)]


@pytest.mark.parametrize("level", TEMPLATE["Parameters"]["LogLevel"]["AllowedValues"])
def test_powertools_has_the_parameter_s_level_under_lambda_s_own_log_settings(level: str) -> None:
    for settings, variables in log_settings(level):
        told = {"AWS_LAMBDA_LOG_FORMAT": settings["LogFormat"]}
        if settings["LogFormat"] == "JSON":  # then Lambda has a level too, INFO where none is given
            told["AWS_LAMBDA_LOG_LEVEL"] = settings.get("ApplicationLogLevel", "INFO")
        environment = {**os.environ, **told, "POWERTOOLS_LOG_LEVEL": variables["POWERTOOLS_LOG_LEVEL"]}
        ask = "from labeling.observability import logger; print(logger.log_level)"
        command = [sys.executable, "-W", "error::UserWarning:aws_lambda_powertools", "-c", ask]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert int(done.stdout) == getattr(logging, level)


def test_lambda_filters_no_metrics_out() -> None:
    """With JSON, Lambda takes lines without a level, which metrics are, for INFO, and drops them at WARN and ERROR.

    See "Log-level filtering" in the AWS Lambda Developer Guide.
    """
    for level in ("WARNING", "ERROR"):
        for settings, _ in log_settings(level):
            assert settings["LogFormat"] == "Text" or settings.get("ApplicationLogLevel", "INFO") in ("DEBUG", "INFO")


def test_the_regions_are_those_of_ground_truth_s_built_in_functions() -> None:
    """botocore's reference of CreateLabelingJob lists those functions with their regions."""
    model: Any = boto3.client("sagemaker", region_name="eu-west-1").meta.service_model
    reference = model.shape_for("HumanTaskConfig").members["PreHumanTaskLambdaArn"].documentation
    regions = TEMPLATE["Mappings"]["LabelingRegions"]
    assert {region for region, offered in regions.items() if "GroundTruth" in offered} == set(
        re.findall(r"arn:aws:lambda:([a-z0-9-]+):\d+:function:PRE-", reference)
    )


def test_servers_of_one_s_own_can_be_where_all_that_they_need_is() -> None:
    """botocore lists the regions of each service."""
    session = boto3.Session()
    services = ("cognito-idp", "ecs", "elbv2", "lambda", "rds", "secretsmanager")
    everywhere = set.intersection(*(set(session.get_available_regions(name)) for name in services))
    regions = TEMPLATE["Mappings"]["LabelingRegions"]
    assert {region for region, offered in regions.items() if "OwnServers" in offered} == everywhere


def test_a_region_without_the_labeling_service_is_refused() -> None:
    asked = properties("StackSetup")["ServiceIsOffered"]
    assert stack().resolve(asked) == "true"
    with pytest.raises(SamTemplateError, match="FindInMap"):
        TemplateStack(ROOT / "template.yaml", TEMPLATE, {}, "eu-north-1").resolve(asked)
    assert TemplateStack(ROOT / "template.yaml", TEMPLATE, OWN, "eu-north-1").resolve(asked) == "true"
    with pytest.raises(SamTemplateError, match="FindInMap"):
        TemplateStack(ROOT / "template.yaml", TEMPLATE, OWN, "cn-north-1").resolve(asked)


@pytest.mark.parametrize("role", ROLES)
def test_an_organisation_s_boundary_and_path_bind_every_role(role: str) -> None:
    boundary = "arn:aws:iam::111122223333:policy/Boundary"
    bound = stack_of(role, PermissionsBoundaryArn=boundary, RolePath="/labeling/", ManifestCheck="on")
    assert bound.resolve(properties(role))["PermissionsBoundary"] == boundary
    assert bound.resolve(properties(role))["Path"] == "/labeling/"
    assert "PermissionsBoundary" not in stack_of(role).resolve(properties(role))
    assert sorted(ROLES) == sorted(name for name, made in RESOURCES.items() if made["Type"] == "AWS::IAM::Role")


def test_functions_go_into_the_vpc_with_the_right_to_do_so() -> None:
    inside = {"SubnetIds": "subnet-1,subnet-2", "SecurityGroupIds": "sg-1"}
    place = {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    assert stack(**inside).resolve(TEMPLATE["Globals"]["Function"])["VpcConfig"] == place
    assert "VpcConfig" not in stack().resolve(TEMPLATE["Globals"]["Function"])
    assert stack_of("CheckReportFunction", **inside).resolve(properties("CheckReportFunction"))["VpcConfig"] == place
    managed = ["arn:aws:iam::aws:policy/service-role/AWSLambdaENIManagementAccess"]
    for role in FUNCTION_ROLES:
        assert stack_of(role, **inside).resolve(properties(role))["ManagedPolicyArns"] == managed
        assert "ManagedPolicyArns" not in stack_of(role).resolve(properties(role))


def test_further_buckets_are_opened_for_reading_to_those_who_need_them() -> None:
    given = {"InputBuckets": "one,two", "InputKmsKeyArns": "arn:aws:kms:eu-west-1:111122223333:key/1"}
    policy = stack(**given).resolve(properties("InputBucketsPolicy"))
    assert policy["Roles"] == ["PreLabelingRole", "PostLabelingRole", "GroundTruthRole"]
    read, find, decrypt = policy["PolicyDocument"]["Statement"]
    assert (read["Action"], read["Resource"]) == ("s3:GetObject", ["arn:aws:s3:::one/*", "arn:aws:s3:::two/*"])
    assert (find["Action"], find["Resource"]) == (
        ["s3:ListBucket", "s3:GetBucketLocation"],
        ["arn:aws:s3:::one", "arn:aws:s3:::two"],
    )
    assert (decrypt["Action"], decrypt["Resource"]) == ("kms:Decrypt", [given["InputKmsKeyArns"]])
    variables = stack(**given).resolve(TEMPLATE["Globals"]["Function"])["Environment"]["Variables"]
    assert FunctionSettings.of({**variables, "LABELING_BUCKET": "own"}).input_buckets == {"own", "one", "two"}
    assert not stack().exists(RESOURCES["InputBucketsPolicy"])


def test_every_parameter_that_a_function_uses_is_in_its_fingerprint() -> None:
    """Else a new value would leave the alias on the version of the old one."""
    used = json.dumps([TEMPLATE["Globals"], properties("PreLabelingFunction"), properties("PostLabelingFunction")])
    through_conditions = {"SubnetIds", "SnapStart", "RolePath", "ExistingBucket", "KmsKeyArn"}
    settings = {entry["Ref"] for entry in properties("SettingsFingerprint")["Settings"]}
    wanted = {name for name in TEMPLATE["Parameters"] if f'"Ref": "{name}"' in used}
    assert wanted - {"ReservedConcurrency"} | through_conditions == settings


def test_logs_are_kept_for_a_while() -> None:
    groups = [name for name, resource in RESOURCES.items() if resource["Type"] == "AWS::Logs::LogGroup"]
    assert all(properties(name)["RetentionInDays"] == {"Ref": "LogRetentionDays"} for name in groups)
    users = [made["Properties"].get("LoggingConfig") for made in RESOURCES.values()]
    used = [user["LogGroup"]["Ref"] for user in users if user]
    assert sorted([*used, "StateMachineLogs", "ServerLogs"]) == sorted(groups)


def test_the_outputs_are_what_a_labeling_job_asks_for() -> None:
    outputs = TEMPLATE["Outputs"]
    assert {"ManifestS3Path", "ProposedOutputPath", "SagemakerServiceRoleArn"} <= outputs.keys()
    assert {"PreLabelingFunctionArn", "PostLabelingFunctionArn", "BucketName"} <= outputs.keys()
    assert stack().resolve(outputs["ManifestS3Path"]["Value"]) == "s3://Bucket/manifests/input.manifest"
    assert stack().resolve(outputs["ProposedOutputPath"]["Value"]) == "s3://Bucket/output"
    assert outputs["SampleManifestS3Path"]["Value"] == {"Fn::GetAtt": "StackSetup.SampleManifestS3Uri"}
