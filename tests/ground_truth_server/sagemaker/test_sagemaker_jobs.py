"""The SageMaker API over the job engine itself: a labeling job from the first call to its labels."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mypy_boto3_sagemaker import SageMakerClient
from starlette.applications import Starlette

from ground_truth_server.edge.loopback import serving
from ground_truth_server.engine.aws_functions import WithAwsFunctions
from ground_truth_server.engine.engine import Engine
from tests.ground_truth_server.engine.labeling import BUCKET, PRE, Bench, label_all, request, wait_for_end
from tests.ground_truth_server.sagemaker.sagemaker_server import connect, sagemaker_route
from tests.ground_truth_server.sagemaker.test_aws_json import JSON, PLAUSIBLE, assert_well_formed, post


@contextmanager
def ground_truth(bench: Bench) -> Iterator[tuple[Engine, SageMakerClient]]:
    """The engine, and a client of the API in front of it, in the region of the tests' requests."""
    with (
        bench.engine() as engine,
        sagemaker_route(engine, bench.folder / "account.sqlite") as route,
        serving(Starlette(routes=[route])) as url,
    ):
        engine.resume()
        yield engine, connect(url, region="eu-west-1")


@pytest.fixture
def url(bench: Bench) -> Iterator[str]:
    with ground_truth(bench) as (_, client):
        yield client.meta.endpoint_url


def without(path: tuple[str, ...]) -> dict[str, Any]:
    """A request that lacks a member."""
    whole = request()
    holder = whole
    for name in path[:-1]:
        holder = holder[name]
    del holder[path[-1]]
    return whole


def test_a_job_runs_from_the_first_call_to_its_labels(bench: Bench) -> None:
    with ground_truth(bench) as (engine, client):
        arn = client.create_labeling_job(**request("Welds1"))["LabelingJobArn"]
        label_all(engine, ["ann"])
        job = client.describe_labeling_job(LabelingJobName="welds1")
        (summary,) = client.list_labeling_jobs(StatusEquals="Completed")["LabelingJobSummaryList"]

    assert arn == "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/welds1"
    assert job["LabelingJobStatus"] == "Completed"
    assert job["LabelCounters"]["TotalLabeled"] == 3
    assert job["LabelingJobOutput"]["OutputDatasetS3Uri"].endswith("/Welds1/manifests/output/output.manifest")
    assert request("Welds1").items() <= job.items()
    assert (summary["LabelingJobArn"], summary["LabelCounters"]) == (arn, job["LabelCounters"])
    assert len(bench.output()) == 3


def test_the_functions_see_the_clients_region(bench: Bench) -> None:
    with ground_truth(bench) as (engine, client):
        there = connect(client.meta.endpoint_url, region="us-west-2")
        workteam = there.describe_workteam(WorkteamName="everyone")["Workteam"]["WorkteamArn"]
        arn = there.create_labeling_job(**request(WorkteamArn=workteam))["LabelingJobArn"]
        label_all(engine, ["ann"])
        assert there.list_tags(ResourceArn=arn)["Tags"] == []

    assert arn == "arn:aws:sagemaker:us-west-2:111122223333:labeling-job/welds1"
    assert {event["labelingJobArn"] for event in bench.functions.events_of(PRE)} == {arn}


def test_a_failed_job_tells_why(bench: Bench) -> None:
    del bench.functions.functions[PRE]
    with ground_truth(bench) as (engine, client):
        client.create_labeling_job(**request())
        wait_for_end(engine, "Welds1", 10)
        job = client.describe_labeling_job(LabelingJobName="Welds1")
    assert job["LabelingJobStatus"] == "Failed"
    assert "LambdaErrorCode: Unhandled" in job["FailureReason"]


def test_a_job_is_stopped_once(bench: Bench) -> None:
    with ground_truth(bench) as (engine, client):
        client.create_labeling_job(**request())
        client.stop_labeling_job(LabelingJobName="WELDS1")
        assert wait_for_end(engine, "Welds1", 10)["LabelingJobStatus"] == "Stopped"
        with pytest.raises(ClientError, match=r"\(ValidationException\).*Welds1 is Stopped"):
            client.stop_labeling_job(LabelingJobName="Welds1")
        with pytest.raises(client.exceptions.ResourceNotFound, match="no labeling job named Welds2"):
            client.stop_labeling_job(LabelingJobName="Welds2")


def test_a_restart_finds_the_job_and_its_tags(bench: Bench) -> None:
    with ground_truth(bench) as (_, client):
        client.create_labeling_job(**request(), Tags=[{"Key": "stage", "Value": "trial"}])
    with ground_truth(bench) as (engine, client):
        with pytest.raises(client.exceptions.ResourceInUse):
            client.create_labeling_job(**request("WELDS1"))
        label_all(engine, ["ann"])
        job = client.describe_labeling_job(LabelingJobName="Welds1")
    assert (job["LabelingJobStatus"], job["Tags"]) == ("Completed", [{"Key": "stage", "Value": "trial"}])


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (request() | {"LabelAttributeName": "Weld-metadata"}, "does not end in -metadata"),
        (request() | {"LabelAttributeName": "Weld-ref"}, "does not end in -ref"),
        (without(("InputConfig", "DataSource", "S3DataSource")), "found no S3DataSource"),
        (without(("HumanTaskConfig", "UiConfig", "UiTemplateS3Uri")), "found no UiTemplateS3Uri"),
        (request(UiConfig={"UiTemplateS3Uri": f"s3://{BUCKET}/lost.html"}), "s3://welds/lost.html can't be read"),
        (request(UiConfig={"UiTemplateS3Uri": "s3://no-such-bucket/page.html"}), "NoSuchBucket"),
    ],
)
def test_what_the_engine_refuses_is_a_validation_error(bench: Bench, asked: dict[str, Any], problem: str) -> None:
    with ground_truth(bench) as (_, client):
        with pytest.raises(ClientError, match=rf"\(ValidationException\).*{problem}"):
            client.create_labeling_job(**asked)
        assert client.list_labeling_jobs()["LabelingJobSummaryList"] == []


PLACES = [
    *((name,) for name in request()),
    *(("HumanTaskConfig", name) for name in request()["HumanTaskConfig"]),
    ("InputConfig", "DataSource", "S3DataSource", "ManifestS3Uri"),
    ("HumanTaskConfig", "UiConfig", "UiTemplateS3Uri"),
    ("LabelCategoryConfigS3Uri",),
]
IN_IRELAND = "AWS4-HMAC-SHA256 Credential=any/20200915/eu-west-1/sagemaker/aws4_request"
KEYS = st.text(min_size=1, max_size=30)
VALUES = st.one_of(
    PLAUSIBLE,
    JSON,
    KEYS.map(lambda key: f"s3://{BUCKET}/{key}"),
    st.from_regex(r"s3://[a-z0-9.-]{3,20}/[a-z]", fullmatch=True),
    st.from_regex(r"arn:aws:lambda:[a-z0-9-]*:[0-9]{12}:function:.*", fullmatch=True),
    st.from_regex(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,20}", fullmatch=True),
    st.integers(1, 9),
)


def replace_one(whole: dict[str, Any], path: tuple[str, ...], new: object) -> dict[str, Any]:
    inner = replace_one(whole[path[0]], path[1:], new) if path[1:] else new
    return {**whole, path[0]: inner}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PLACES), VALUES)
def test_a_job_with_anything_anywhere_is_created_or_refused(url: str, place: tuple[str, ...], value: object) -> None:
    changed = replace_one(request(f"job-{uuid4()}"), place, value)
    assert_well_formed(post(url, "CreateLabelingJob", changed, Authorization=IN_IRELAND))


def remarks(engine: Engine, name: str) -> list[str]:
    return [event.message for event in engine.ledger.events(name) if event.kind == "remark"]


def test_a_request_of_a_real_account_is_taken_as_it_is(bench: Bench) -> None:
    team = "arn:aws:sagemaker:us-east-2:444455556666:workteam/private-crowd/everyone"
    with ground_truth(bench) as (engine, client):
        client.create_labeling_job(**request("Welds1", WorkteamArn=team))
        assert remarks(engine, "Welds1") == []
        with pytest.raises(ClientError, match="There is no work team"):
            client.create_labeling_job(**request("Welds2", WorkteamArn=team.replace("everyone", "nobody")))


def test_a_vendor_s_team_is_taken_with_a_remark(bench: Bench) -> None:
    team = "arn:aws:sagemaker:eu-west-1:394669845002:workteam/vendor-crowd/some-vendor"
    with ground_truth(bench) as (engine, client):
        client.create_labeling_job(**request("Welds1", WorkteamArn=team))
        assert remarks(engine, "Welds1") == [
            f"{team} isn't there: nobody outside labels here. Whoever signs in to the portal can take the tasks."
        ]


def test_aws_s_pass_through_functions_are_answered(bench: Bench) -> None:
    aws = "arn:aws:lambda:eu-west-1:568282634449:function:"
    bench.functions.functions.clear()
    bench.functions = WithAwsFunctions(bench.functions, bench.s3, "111122223333")  # type: ignore[assignment]
    with bench.engine() as engine:
        consolidation = {"AnnotationConsolidationLambdaArn": f"{aws}ACS-PassThrough"}
        changes: dict[str, Any] = {"PreHumanTaskLambdaArn": f"{aws}PRE-PassThrough"}
        engine.create(request("Welds1", AnnotationConsolidationConfig=consolidation, **changes))
        label_all(engine, ["ann"])
        assert wait_for_end(engine, "Welds1")["LabelingJobStatus"] == "Completed"
    (first, *_) = bench.output()
    (answer,) = first["Weld"]["annotations"]
    assert answer["annotation"] == {"class": {"label": "Good Weld"}}
