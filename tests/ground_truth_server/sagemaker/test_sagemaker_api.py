import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_sagemaker import SageMakerClient
from starlette.applications import Starlette

from ground_truth_server.edge.loopback import serving
from tests.ground_truth_server.sagemaker.sagemaker_server import (
    ACCOUNT_ARN,
    EVERYONE_ARN,
    JobsInMemory,
    connect,
    job_request,
    sagemaker_route,
)

MEMBER_DEFINITIONS: Any = [{"OidcMemberDefinition": {"Groups": ["welding"]}}]
START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def jobs() -> JobsInMemory:
    return JobsInMemory()


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Starlette, str]]:
    app = Starlette()
    with serving(app) as url:
        yield app, url


@pytest.fixture
def url(server: tuple[Starlette, str], jobs: JobsInMemory, tmp_path: Path) -> Iterator[str]:
    app, url = server
    with sagemaker_route(jobs, tmp_path / "account.sqlite") as route:
        app.router.routes = [route]
        yield url


@pytest.fixture
def client(url: str) -> SageMakerClient:
    return connect(url)


@pytest.fixture
def many_jobs(jobs: JobsInMemory) -> None:
    """Job number N was created on day N of 2024 and changed N hours later; every third one is completed."""
    for number in range(1, 26):
        name = f"{'Steel' if number % 2 else 'copper'}-{number:02}"
        jobs.create(job_request(name))
        created = START + timedelta(days=number - 1)
        jobs.jobs[name.lower()] |= {
            "CreationTime": created,
            "LastModifiedTime": created + timedelta(hours=number),
            "LabelingJobStatus": "InProgress" if number % 3 else "Completed",
        }


def listed(client: SageMakerClient, request: dict[str, Any]) -> list[int]:
    """The numbers of all jobs that the request lists, page by page."""
    pages = client.get_paginator("list_labeling_jobs").paginate(**request)
    return [int(job["LabelingJobName"][-2:]) for page in pages for job in page["LabelingJobSummaryList"]]


class TestCreateLabelingJob:
    def test_the_arn_has_the_name_in_lower_case(self, client: SageMakerClient) -> None:
        answer = client.create_labeling_job(**job_request("WeldingLabelJob1"))
        assert answer["LabelingJobArn"] == ACCOUNT_ARN + "labeling-job/weldinglabeljob1"

    def test_the_engine_gets_the_request_as_it_was_sent(self, client: SageMakerClient, jobs: JobsInMemory) -> None:
        request = job_request()
        client.create_labeling_job(**request)
        assert request.items() <= jobs.jobs["welds"].items()

    @pytest.mark.parametrize("name", ["welds", "Welds"])
    def test_a_used_name_is_refused(self, client: SageMakerClient, name: str) -> None:
        client.create_labeling_job(**job_request("welds"))
        with pytest.raises(client.exceptions.ResourceInUse, match=ACCOUNT_ARN + "labeling-job/welds"):
            client.create_labeling_job(**job_request(name))

    def test_of_many_at_once_with_one_name_one_is_created(self, client: SageMakerClient) -> None:
        def attempt(number: int) -> str:
            try:
                tags: Any = [{"Key": "attempt", "Value": str(number)}]
                return client.create_labeling_job(**job_request(), Tags=tags)["LabelingJobArn"] and str(number)
            except client.exceptions.ResourceInUse:
                return "refused"

        with ThreadPoolExecutor(8) as threads:
            outcomes = [*threads.map(attempt, range(8))]
        created = [outcome for outcome in outcomes if outcome != "refused"]
        tags = client.list_tags(ResourceArn=ACCOUNT_ARN + "labeling-job/welds")["Tags"]
        assert [tag["Value"] for tag in tags] == created

    @pytest.mark.parametrize(
        "arn",
        [
            EVERYONE_ARN.replace("everyone", "nobody"),
            EVERYONE_ARN.replace("private-crowd", "other-crowd"),
        ],
    )
    def test_an_unknown_work_team_is_refused_with_those_there_are(self, client: SageMakerClient, arn: str) -> None:
        with pytest.raises(ClientError) as raised:
            client.create_labeling_job(**job_request(WorkteamArn=arn))
        assert raised.value.response["Error"] == {
            "Code": "ValidationException",
            "Message": f"There is no work team {arn}. There are: {EVERYONE_ARN}.",
        }

    def test_a_work_team_of_ones_own_is_accepted(self, client: SageMakerClient) -> None:
        arn = create_workteam(client, "welders")
        assert client.create_labeling_job(**job_request(WorkteamArn=arn))["LabelingJobArn"]

    def test_what_can_not_run_here_is_refused(self, client: SageMakerClient) -> None:
        with pytest.raises(ClientError, match=r"\(ValidationException\).*TaskTimeLimitInSeconds is 30000"):
            client.create_labeling_job(**job_request(TaskTimeLimitInSeconds=30_000))

    def test_a_refused_job_leaves_nothing(self, client: SageMakerClient) -> None:
        with pytest.raises(ClientError, match="is there more than once"):
            client.create_labeling_job(**job_request(), Tags=[{"Key": "a", "Value": value} for value in "12"])
        assert client.list_labeling_jobs()["LabelingJobSummaryList"] == []


class TestDescribeLabelingJob:
    @pytest.mark.parametrize("name", ["Welds", "welds", "WELDS"])
    def test_a_job_is_found_whatever_the_case(self, client: SageMakerClient, name: str) -> None:
        client.create_labeling_job(**job_request("Welds"), Tags=[{"Key": "stage", "Value": "trial"}])
        job = client.describe_labeling_job(LabelingJobName=name)
        assert job["LabelingJobName"] == "Welds"
        assert job["HumanTaskConfig"] == job_request()["HumanTaskConfig"]
        assert job["LabelCounters"]["FailedNonRetryableError"] == 1
        assert job["Tags"] == [{"Key": "stage", "Value": "trial"}]
        assert datetime.now(UTC) - job["CreationTime"] < timedelta(minutes=1)

    def test_a_job_that_is_not_there(self, client: SageMakerClient) -> None:
        with pytest.raises(client.exceptions.ResourceNotFound, match="There is no labeling job named welds"):
            client.describe_labeling_job(LabelingJobName="welds")


@pytest.mark.usefixtures("many_jobs")
class TestListLabelingJobs:
    def test_without_filters_all_are_listed_by_creation_time(self, client: SageMakerClient) -> None:
        assert listed(client, {}) == [*range(1, 26)]

    def test_a_page_has_as_many_as_asked(self, client: SageMakerClient) -> None:
        first = client.list_labeling_jobs(MaxResults=20)
        second = client.list_labeling_jobs(MaxResults=20, NextToken=first["NextToken"])
        assert (len(first["LabelingJobSummaryList"]), len(second["LabelingJobSummaryList"])) == (20, 5)
        assert "NextToken" not in second

    @pytest.mark.parametrize(
        ("filters", "numbers"),
        [
            ({"NameContains": "steel"}, range(1, 26, 2)),
            ({"NameContains": "-1"}, range(10, 20)),
            ({"NameContains": "brass"}, []),
            ({"StatusEquals": "Completed"}, range(3, 26, 3)),
            ({"StatusEquals": "Failed"}, []),
            ({"CreationTimeAfter": START + timedelta(days=19)}, range(21, 26)),
            ({"CreationTimeBefore": START + timedelta(days=4)}, range(1, 5)),
            ({"LastModifiedTimeAfter": START + timedelta(days=23, hours=24)}, [25]),
            ({"LastModifiedTimeBefore": START + timedelta(days=1, hours=2)}, [1]),
            ({"CreationTimeAfter": START, "StatusEquals": "Completed", "NameContains": "C"}, range(6, 26, 6)),
        ],
    )
    def test_filters(self, client: SageMakerClient, filters: dict[str, Any], numbers: Iterable[int]) -> None:
        assert listed(client, filters) == [*numbers]

    @pytest.mark.parametrize("size", [1, 7, 100])
    def test_sorting_by_name_downwards_over_pages(self, client: SageMakerClient, size: int) -> None:
        request = {"SortBy": "Name", "SortOrder": "Descending", "MaxResults": size}
        by_name = [*range(25, 0, -2), *range(24, 0, -2)]
        assert listed(client, request) == by_name

    def test_sorting_by_status_and_within_it_by_name(self, client: SageMakerClient) -> None:
        numbers = listed(client, {"SortBy": "Status", "MaxResults": 4})
        steel_first = (number for parity in (1, 0) for number in range(1, 26) if number % 2 == parity)
        assert numbers == sorted(steel_first, key=lambda number: number % 3 > 0)

    def test_a_token_is_refused_with_other_filters(self, client: SageMakerClient) -> None:
        token = client.list_labeling_jobs()["NextToken"]
        with pytest.raises(ClientError, match=r"\(ValidationException\).*NextToken is not one"):
            client.list_labeling_jobs(NextToken=token, StatusEquals="Completed")

    def test_a_summary_has_the_work_team_and_the_functions(self, client: SageMakerClient) -> None:
        summary = client.list_labeling_jobs(MaxResults=1)["LabelingJobSummaryList"][0]
        assert summary["WorkteamArn"] == EVERYONE_ARN
        assert summary["PreHumanTaskLambdaArn"].endswith(":PreLabelingFunction")
        assert summary["AnnotationConsolidationLambdaArn"].endswith(":PostLabelingFunction")
        assert summary["InputConfig"] == job_request()["InputConfig"]


def test_the_jobs_of_a_work_team(client: SageMakerClient) -> None:
    arn = create_workteam(client, "welders")
    client.create_labeling_job(**job_request("steel", WorkteamArn=arn))
    client.create_labeling_job(**job_request("copper"))
    (job,) = client.list_labeling_jobs_for_workteam(WorkteamArn=arn)["LabelingJobSummaryList"]
    assert (job["LabelingJobName"], job["WorkRequesterAccountId"]) == ("steel", "111122223333")
    assert job["LabelCounters"] == {"HumanLabeled": 3, "PendingHuman": 2, "Total": 6}
    assert (
        client.list_labeling_jobs_for_workteam(WorkteamArn=arn, JobReferenceCodeContains="no such code")[
            "LabelingJobSummaryList"
        ]
        == []
    )


def test_a_running_job_begins_to_stop(client: SageMakerClient) -> None:
    client.create_labeling_job(**job_request())
    client.stop_labeling_job(LabelingJobName="Welds")
    assert client.describe_labeling_job(LabelingJobName="welds")["LabelingJobStatus"] == "Stopping"


class TestRenderUiTemplate:
    ROLE = "arn:aws:iam::111122223333:role/ground-truth"

    def test_the_page_is_rendered_with_the_task_input(self, client: SageMakerClient) -> None:
        answer = client.render_ui_template(
            UiTemplate={"Content": "<p>"}, Task={"Input": '{"image": 1}'}, RoleArn=self.ROLE
        )
        assert (answer["RenderedContent"], answer["Errors"]) == ("<p> with ['image']", [])

    def test_what_is_wrong_with_the_template_is_told(self, client: SageMakerClient) -> None:
        answer = client.render_ui_template(UiTemplate={"Content": "odd"}, Task={"Input": "{}"}, RoleArn=self.ROLE)
        assert answer["Errors"] == [{"Code": "TemplateError", "Message": "line 1: odd"}]

    @pytest.mark.parametrize("task_input", ["[1]", "{'image': 1}", "[" * 50_000, '"\\ud800"'])
    def test_a_task_input_that_is_no_object_is_refused(self, client: SageMakerClient, task_input: str) -> None:
        with pytest.raises(ClientError, match=r"\(ValidationException\).*Task.Input must be a JSON object"):
            client.render_ui_template(UiTemplate={"Content": "x"}, Task={"Input": task_input}, RoleArn=self.ROLE)

    def test_a_built_in_page_is_refused(self, client: SageMakerClient) -> None:
        arn = "arn:aws:sagemaker:us-east-1:394669845002:human-task-ui/VideoObjectTracking"
        with pytest.raises(ClientError, match=r"\(ValidationException\).*built-in worker pages aren't there"):
            client.render_ui_template(HumanTaskUiArn=arn, Task={"Input": "{}"}, RoleArn=self.ROLE)


def create_workteam(client: SageMakerClient, name: str, more: dict[str, Any] | None = None) -> str:
    request = {"MemberDefinitions": MEMBER_DEFINITIONS, "Description": "Experts", **(more or {})}
    answer = client.create_workteam(WorkteamName=name, **request)
    return answer["WorkteamArn"]


class TestWorkteams:
    def test_the_default_one_is_there(self, client: SageMakerClient) -> None:
        workteam = client.describe_workteam(WorkteamName="everyone")["Workteam"]
        assert workteam["WorkteamArn"] == EVERYONE_ARN
        assert workteam["SubDomain"] == "127.0.0.1:8000"

    def test_one_is_created_described_changed_and_deleted(self, client: SageMakerClient) -> None:
        arn = create_workteam(client, "Welders")
        assert arn == ACCOUNT_ARN + "workteam/private-crowd/Welders"
        created = client.describe_workteam(WorkteamName="Welders")["Workteam"]
        assert (created["WorkteamArn"], created["MemberDefinitions"]) == (arn, MEMBER_DEFINITIONS)

        updated = client.update_workteam(WorkteamName="Welders", Description="Masters")["Workteam"]
        assert updated["Description"] == "Masters"
        assert updated["MemberDefinitions"] == MEMBER_DEFINITIONS
        assert updated["CreateDate"] == created["CreateDate"]

        assert client.delete_workteam(WorkteamName="Welders")["Success"]
        with pytest.raises(ClientError, match=r"\(ValidationException\).*no work team named 'Welders'"):
            client.describe_workteam(WorkteamName="Welders")

    def test_a_used_name_is_refused(self, client: SageMakerClient) -> None:
        create_workteam(client, "welders")
        with pytest.raises(client.exceptions.ResourceInUse, match="'welders' exists already"):
            create_workteam(client, "welders")

    def test_more_than_the_account_may_have(self, client: SageMakerClient) -> None:
        for number in range(24):
            create_workteam(client, f"team-{number}")
        with pytest.raises(client.exceptions.ResourceLimitExceeded):
            create_workteam(client, "one-more")

    @pytest.mark.parametrize(
        "definitions",
        [
            [{}],
            [
                {"OidcMemberDefinition": {"Groups": ["a"]}},
                {"CognitoMemberDefinition": {"UserPool": "u_1", "UserGroup": "g", "ClientId": "c"}},
            ],
        ],
    )
    def test_members_are_all_of_one_kind(self, client: SageMakerClient, definitions: list[dict[str, Any]]) -> None:
        with pytest.raises(ClientError, match=r"\(ValidationException\).*either CognitoMemberDefinition or Oidc"):
            create_workteam(client, "welders", {"MemberDefinitions": definitions})

    def test_they_are_listed_sorted_and_in_pages(self, client: SageMakerClient) -> None:
        for name in ("weld-b", "weld-A", "other", "weld-c"):
            create_workteam(client, name)

        def names(request: dict[str, Any]) -> list[list[str]]:
            pages = client.get_paginator("list_workteams").paginate(**request)
            return [[workteam["WorkteamName"] for workteam in page["Workteams"]] for page in pages]

        assert names({}) == [["everyone", "weld-b", "weld-A", "other", "weld-c"]]
        assert names({"NameContains": "weld", "SortBy": "Name", "MaxResults": 2}) == [
            ["weld-A", "weld-b"],
            ["weld-c"],
        ]

    def test_their_arns_are_those_of_the_clients_region(self, url: str) -> None:
        arn = connect(url, region="eu-west-1").describe_workteam(WorkteamName="everyone")["Workteam"]["WorkteamArn"]
        assert arn == "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/everyone"


class TestTags:
    def test_those_of_a_job_are_added_listed_and_deleted(self, client: SageMakerClient) -> None:
        arn = client.create_labeling_job(**job_request(), Tags=[{"Key": "a", "Value": "1"}])["LabelingJobArn"]
        added = client.add_tags(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "3"}])
        assert added["Tags"] == [{"Key": "a", "Value": "3"}, {"Key": "b", "Value": "2"}]
        client.delete_tags(ResourceArn=arn, TagKeys=["a"])
        assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]

    def test_those_of_a_work_team(self, client: SageMakerClient) -> None:
        arn = create_workteam(client, "welders", {"Tags": [{"Key": "owner", "Value": "Ada"}]})
        assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "owner", "Value": "Ada"}]

    def test_more_than_a_resource_may_have(self, client: SageMakerClient) -> None:
        tags: Any = [{"Key": f"key-{number}", "Value": ""} for number in range(50)]
        client.add_tags(ResourceArn=EVERYONE_ARN, Tags=tags)
        with pytest.raises(client.exceptions.ResourceLimitExceeded, match="would have 51 tags"):
            client.add_tags(ResourceArn=EVERYONE_ARN, Tags=[{"Key": "one-more", "Value": ""}])

    def test_reserved_keys_are_refused(self, client: SageMakerClient) -> None:
        with pytest.raises(ClientError, match=r"\(ValidationException\).*'AWS:x' begins with 'aws:'"):
            client.add_tags(ResourceArn=EVERYONE_ARN, Tags=[{"Key": "AWS:x", "Value": ""}])

    @pytest.mark.parametrize(
        ("arn", "message"),
        [
            (ACCOUNT_ARN + "labeling-job/welds", r"\(ResourceNotFound\).*no labeling job named welds"),
            (ACCOUNT_ARN + "workteam/private-crowd/x", r"\(ValidationException\).*no work team named 'x'"),
            (ACCOUNT_ARN + "workteam/x", r"\(ValidationException\).*not that of a labeling job, work team"),
            (ACCOUNT_ARN + "model/x", r"\(ValidationException\).*not that of a labeling job, work team"),
            (EVERYONE_ARN.replace("1111", "9999"), rf"\(ValidationException\).*one of that name is {EVERYONE_ARN}"),
        ],
    )
    def test_a_resource_that_is_not_there(self, client: SageMakerClient, arn: str, message: str) -> None:
        with pytest.raises(ClientError, match=message):
            client.list_tags(ResourceArn=arn)


class TestAwsCli:
    def run(self, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "AWS_ENDPOINT_URL_SAGEMAKER": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_PAGER": "",
        }
        aws = Path(sys.executable).with_name("aws")
        command = [str(aws), "sagemaker", *arguments, "--output", "json"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def test_a_job_is_created_from_a_file_and_listed(self, url: str, tmp_path: Path) -> None:
        request = tmp_path / "job.json"
        request.write_text(json.dumps(job_request("Welds")))
        created = self.run(url, "create-labeling-job", "--cli-input-json", f"file://{request}")
        assert created.stderr == ""
        assert json.loads(created.stdout) == {"LabelingJobArn": ACCOUNT_ARN + "labeling-job/welds"}
        listed = self.run(url, "list-labeling-jobs", "--creation-time-after", "2024-01-01T00:00:00Z")
        (job,) = json.loads(listed.stdout)["LabelingJobSummaryList"]
        assert job["LabelingJobName"] == "Welds"

    def test_an_error_reaches_the_user(self, url: str) -> None:
        described = self.run(url, "describe-labeling-job", "--labeling-job-name", "welds")
        assert described.returncode != 0
        assert described.stderr.strip() == (
            "An error occurred (ResourceNotFound) when calling the DescribeLabelingJob operation: "
            "There is no labeling job named welds."
        )
