"""Starting a labeling job: the request, its name, its worker page, and what keeps it from starting."""

import json
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from labeling import worker_page
from labeling.job import JobConfiguration
from labeling.job_request import WORKER_PAGE_KEY

from cli import account
from tests.cli.conftest import FUNCTION, ROLE, STACK, Command, stack_with
from tests.conftest import ROOT, Bucket
from tests.ground_truth_server.sagemaker.sagemaker_server import JobsInMemory, job_request

TEMPLATE = ROOT / "labeling_job" / "worker-task.liquid.html"


def team(name: str) -> None:
    boto3.client("sagemaker").create_workteam(
        WorkteamName=name,
        Description="Who knows welds",
        MemberDefinitions=[
            {"CognitoMemberDefinition": {"UserPool": "local_pool", "UserGroup": name, "ClientId": "client"}}
        ],
    )


def by_hand(bucket: str) -> list[str]:
    functions = ["--pre", f"{FUNCTION}Before", "--post", f"{FUNCTION}After"]
    return ["--bucket", bucket, "--role", ROLE, *functions]


def test_a_job_starts_from_the_stacks_outputs(
    command: Command, jobs: JobsInMemory, stack: dict[str, str], job: JobConfiguration, welds: Bucket
) -> None:
    done = command("start", "--stack", STACK)
    assert done.status == 0
    assert (
        "Started WeldingLabelJob-1: arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/weldinglabeljob-1" in done.err
    )
    request = jobs.jobs["weldinglabeljob-1"]
    assert request["RoleArn"] == ROLE
    assert request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"] == stack["ManifestS3Path"]
    assert request["OutputConfig"]["S3OutputPath"] == stack["ProposedOutputPath"]
    task = request["HumanTaskConfig"]
    assert task["PreHumanTaskLambdaArn"] == stack["PreLabelingFunctionArn"]
    assert task["WorkteamArn"].endswith(":workteam/private-crowd/everyone")
    assert task["NumberOfHumanWorkersPerDataObject"] == 3
    assert welds.get(WORKER_PAGE_KEY).decode() == worker_page.page(job, TEMPLATE.read_text())


def test_the_stack_s_key_and_tags_are_the_job_s(
    command: Command, jobs: JobsInMemory, stack: dict[str, str], s3_endpoint: str
) -> None:
    plain = json.loads(command("start", "--stack", STACK, "--dry-run").out)
    assert "KmsKeyId" not in plain["OutputConfig"]
    assert "Tags" not in plain
    boto3.client("cloudformation", endpoint_url=s3_endpoint).delete_stack(StackName=STACK)
    key = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    more = {"OutputKmsKeyArn": key, "LabelingJobTags": "CostCenter=42,Team=Welding"}
    with stack_with({**stack, **more}, s3_endpoint):
        request = json.loads(command("start", "--stack", STACK, "--dry-run").out)
    assert request["OutputConfig"]["KmsKeyId"] == key
    assert request["Tags"] == [{"Key": "CostCenter", "Value": "42"}, {"Key": "Team", "Value": "Welding"}]


def test_the_name_gets_the_next_free_number(command: Command, jobs: JobsInMemory, stack: dict[str, str]) -> None:
    for name in ("WeldingLabelJob-2", "weldinglabeljob-9", "WeldingLabelJob-x", "Other-20"):
        jobs.create(job_request(name))
    done = command("start", "--stack", STACK, "--dry-run")
    assert json.loads(done.out)["LabelingJobName"] == "WeldingLabelJob-10"


def test_a_dry_run_prints_the_request_and_does_nothing_else(
    command: Command, jobs: JobsInMemory, welds: Bucket
) -> None:
    before = welds.keys()
    done = command("start", *by_hand(welds.name), "--workers", 5, "--name", "May", "--dry-run")
    assert (done.status, done.err) == (0, "")
    request = json.loads(done.out)
    assert request["LabelingJobName"] == "May"
    assert request["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] == 5
    assert request["OutputConfig"]["S3OutputPath"] == f"s3://{welds.name}/output"
    assert (jobs.jobs, welds.keys()) == ({}, before)


def test_the_request_of_a_dry_run_is_one_that_the_service_takes(
    command: Command, jobs: JobsInMemory, stack: dict[str, str]
) -> None:
    request: dict[str, Any] = json.loads(command("start", "--stack", STACK, "--dry-run").out)
    boto3.client("sagemaker").create_labeling_job(**request)
    assert "weldinglabeljob-1" in jobs.jobs


def test_another_worker_page_in_the_bucket_is_not_used_or_replaced_unasked(
    command: Command, jobs: JobsInMemory, stack: dict[str, str], welds: Bucket
) -> None:
    welds.put(WORKER_PAGE_KEY, "another page")
    refused = command("start", "--stack", STACK)
    assert refused.status == 2
    assert "is another worker page than this job's" in refused.err
    assert jobs.jobs == {}
    assert command("start", "--stack", STACK, "--keep-page").status == 0
    assert welds.get(WORKER_PAGE_KEY) == b"another page"
    assert command("start", "--stack", STACK, "--page").status == 0
    assert b"crowd-form" in welds.get(WORKER_PAGE_KEY)
    assert sorted(jobs.jobs) == ["weldinglabeljob-1", "weldinglabeljob-2"]


def test_a_page_of_ones_own_is_put_with_the_jobs_categories(
    command: Command, jobs: JobsInMemory, stack: dict[str, str], welds: Bucket, tmp_path: Any
) -> None:
    (tmp_path / "mine.html").write_text("<crowd-form><%= category_names %></crowd-form>")
    assert command("start", "--stack", STACK, "--page", tmp_path / "mine.html").status == 0
    page = welds.get(WORKER_PAGE_KEY).decode()
    assert page.startswith("<crowd-form>[&#34;Good Weld&#34;, &#34;Burn Through&#34;")


@pytest.mark.parametrize(
    "named", ["inspectors", "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/inspectors"]
)
def test_the_team_is_found_by_name_or_arn(command: Command, jobs: JobsInMemory, welds: Bucket, named: str) -> None:
    team("inspectors")
    done = command("start", *by_hand(welds.name), "--dry-run", "--workteam", named)
    assert json.loads(done.out)["HumanTaskConfig"]["WorkteamArn"].endswith("/inspectors")


def test_who_labels_must_be_clear(command: Command, jobs: JobsInMemory, welds: Bucket) -> None:
    team("inspectors")
    which = command("start", *by_hand(welds.name))
    assert which.status == 2
    assert "Name a work team with --workteam. There are: everyone, inspectors." in which.err
    none = command("start", *by_hand(welds.name), "--workteam", "nobody")
    assert none.err.startswith("There is no work team 'nobody' in eu-west-1 (")
    assert none.err.endswith("There are: everyone, inspectors.\n")


def test_an_account_without_a_team_is_told_how_to_make_one(
    command: Command, jobs: JobsInMemory, welds: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The local Ground Truth always has a team, so what AWS answers of an account without one is put in its place."""
    teams = SimpleNamespace(list_workteams=lambda **_: {"Workteams": []})
    monkeypatch.setattr(account.AwsAccount, "sagemaker", teams)
    assert "There is none in this account and region yet" in command("start", *by_hand(welds.name)).err


def test_a_name_that_was_used_is_refused(command: Command, jobs: JobsInMemory, stack: dict[str, str]) -> None:
    assert command("start", "--stack", STACK, "--name", "May").status == 0
    again = command("start", "--stack", STACK, "--name", "May")
    assert again.status == 2
    assert "never accepts a name twice" in again.err


def test_what_the_service_refuses_is_said(command: Command, jobs: JobsInMemory, stack: dict[str, str]) -> None:
    done = command("start", "--stack", STACK, "--name", "not a name")
    assert done.status == 2
    assert "CreateLabelingJob (ValidationException)" in done.err


def test_what_is_missing_is_said(command: Command, jobs: JobsInMemory, s3_endpoint: str) -> None:
    assert "Name the stack with --stack, or give --bucket" in command("start").err
    missing = command("start", "--stack", "none")
    assert missing.status == 2
    assert "There is no stack named 'none' in eu-west-1." in missing.err
    with stack_with({"Other": "thing"}, s3_endpoint):
        other = command("start", "--stack", STACK)
    assert "(CREATE_COMPLETE) has no output 'BucketName'; found Other." in other.err


def test_a_job_without_a_manifest_is_not_started(command: Command, jobs: JobsInMemory, stack: dict[str, str]) -> None:
    done = command("start", "--stack", STACK, "--manifest", f"s3://{stack['BucketName']}/none.manifest")
    assert done.status == 2
    assert "none.manifest is not there" in done.err
    assert jobs.jobs == {}
