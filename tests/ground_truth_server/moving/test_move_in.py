"""``ground-truth move-in``: a job of Ground Truth goes on in a server of one's own, and nothing of it is lost."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from benchmarks.local_server import LocalServer, local_server
from demo.portal_client import PortalClient
from ground_truth_server.commands.main import main
from ground_truth_server.s3.storage import EmbeddedS3
from tests.ground_truth_server.engine.labeling import s3_client, wait_until
from tests.ground_truth_server.moving.former_labeling_job import (
    BUCKET,
    INPUT,
    LABELED_1,
    LABELED_5,
    NAME,
    FormerLabelingJob,
    described,
    uri,
)

MOVED = f"{NAME}-moved"
FUNCTIONS = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.13, CodeUri: code, Timeout: 30, MemorySize: 512}}
Resources:
  SageMakerBefore: {Type: AWS::Serverless::Function, Properties: {Handler: app.before}}
  SageMakerAfter: {Type: AWS::Serverless::Function, Properties: {Handler: app.after}}
"""
CODE = """
import json

def before(event, context):
    given = event["dataObject"]
    return {"taskInput": {"file": given.get("source-ref", given.get("source"))}, "isHumanAnnotationRequired": "true"}

def after(event, context):
    import boto3
    bucket, key = event["payload"]["s3Uri"].removeprefix("s3://").split("/", 1)
    return [
        {"datasetObjectId": entry["datasetObjectId"],
         "consolidatedAnnotation": {"content": {event["labelAttributeName"]: {"WeldingClassification": chosen(entry)}}}}
        for entry in json.load(boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"])
    ]

def chosen(entry):
    answers = [json.loads(one["annotationData"]["content"])["Weld"]["label"] for one in entry["annotations"]]
    return max(sorted(set(answers)), key=answers.count)
"""


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    folder = tmp_path_factory.mktemp("functions")
    (folder / "template.yaml").write_text(FUNCTIONS)
    (folder / "code").mkdir()
    (folder / "code" / "app.py").write_text(CODE)
    with local_server(tmp_path_factory.mktemp("workspace"), "--template", str(folder / "template.yaml")) as server:
        yield server


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedS3]:
    """The S3 of the former account: another than the server's, with other keys, which are the user's own."""
    with EmbeddedS3(tmp_path / "aws") as other:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", other.keys.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", other.keys.secret_key)
        yield other


@pytest.fixture
def move_in(server: LocalServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Runs the command on a description, in this process, against the server in its own."""

    def run(description: dict[str, Any] | bytes, *arguments: object) -> Outcome:
        file = tmp_path / "described.json"
        file.write_bytes(description if isinstance(description, bytes) else json.dumps(description).encode())
        workspace = str(server.keys.file.parents[1]) if server.keys.file else ""
        places = ["--server", server.url, "--s3", server.s3_url, "--workspace", workspace, "--region", "eu-west-1"]
        capsys.readouterr()
        status = main(["move-in", str(file), *places, *map(str, arguments)])
        return Outcome(status, *capsys.readouterr())

    return run


def label(server: LocalServer, job: str, worker: str, choice: str, tasks: int) -> set[str]:
    """Let a worker answer so many tasks; gives the objects' numbers."""
    portal, objects = PortalClient(server.url, worker), set()

    def answered() -> bool:
        turn = portal.next_task(job)
        if turn.task:
            assert portal.answer(turn.task["id"], {"Weld": {"label": choice}})
            objects.add(str(turn.task["object"]))
        return len(objects) == tasks

    wait_until(answered, 60)
    portal.close()
    return objects


def output(server: LocalServer, job: str = MOVED) -> list[str]:
    """The lines of the output manifest, once the job has ended."""
    sagemaker = server.sagemaker()
    wait_until(lambda: sagemaker.describe_labeling_job(LabelingJobName=job)["LabelingJobStatus"] == "Completed", 60)
    key = f"output/{job}/manifests/output/output.manifest"
    text = server.s3().get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    assert text.endswith("\n")
    return text[:-1].split("\n")


def report(server: LocalServer, job: str = MOVED) -> dict[str, Any]:
    found = server.s3().get_object(Bucket=BUCKET, Key=f"output/{job}/move-in/report.json")["Body"].read()
    return dict(json.loads(found))


def label_the_rest(server: LocalServer, job: str = MOVED) -> None:
    for worker in ("Ada", "Ben"):
        assert label(server, job, worker, "Good Weld", 5) == {"1", "2", "3", "6", "8"}


def check_output(lines: list[str], job: str = MOVED) -> None:
    """Compare with the former input, line by line."""
    assert len(lines) == len(INPUT)
    assert lines[0] == LABELED_1, "byte for byte"
    assert lines[4] == LABELED_5, "byte for byte, and not its twin"
    found = [json.loads(line) for line in lines]
    for place in (1, 2, 3, 6, 8):
        given = json.loads(INPUT[place])
        metadata = found[place].pop("Weld-metadata")
        assert found[place].pop("Weld") == {"WeldingClassification": "Good Weld"}
        assert found[place] == given
        assert metadata["job-name"] == f"labeling-job/{job}"
        assert "failure-reason" not in metadata
    assert found[5] == {
        "source": uri("dataset/6.json"),
        "shift": "früh",
        "Weld": {"WeldingClassification": "Burn Through"},
        "Weld-metadata": {
            "votes": 2,
            "job-name": f"labeling-job/{NAME}",
            "type": "groundtruth/custom",
            "human-annotated": "yes",
            "creation-date": "2020-09-15T16:16:11.000000",
        },
    }
    assert found[7]["sauce"] == "no object"
    assert "neither 'source' nor 'source-ref'" in found[7]["Weld-metadata"]["failure-reason"]


def test_a_job_is_copied_from_the_former_account_and_finished(
    server: LocalServer, aws: EmbeddedS3, move_in: Callable[..., Outcome]
) -> None:
    former = s3_client(aws)
    FormerLabelingJob.failed().into_s3(former)
    before = {one["Key"]: one["ETag"] for one in former.list_objects_v2(Bucket=BUCKET)["Contents"]}

    told = move_in(described(), "--copy", "--from-s3", aws.endpoint_url, "--workteam", "everyone")
    assert (told.status, told.err) == (0, "")
    for said in (
        "9 lines in the manifest",
        "3 keep the label that they have, 1 of them from consolidation responses",
        "5 are to be labeled, 1 of them had failed",
        "1 can't be labeled: line 8: neither 'source' nor 'source-ref' is there",
        "3 answers to 2 objects had not become labels",
        f"s3://{BUCKET}/output/{MOVED}/manifests/output/output.manifest",
    ):
        assert said in told.out
    assert "dataset/other.json' there, but line 9 of the manifest is another" in told.out
    assert "found an entry without datasetObjectId, or without Weld" in told.out

    again = move_in(described(), "--copy", "--from-s3", aws.endpoint_url, "--workteam", "everyone")
    assert again.status == 0
    assert f"{NAME} was moved in before, as {MOVED}" in again.out

    label_the_rest(server)
    check_output(output(server))
    job = server.sagemaker().describe_labeling_job(LabelingJobName=MOVED)
    assert job["LabelCounters"]["TotalLabeled"] == 8
    assert job["LabelCounters"]["FailedNonRetryableError"] == 1
    assert job["Tags"] == [{"Key": "Plant", "Value": "7"}]
    assert job["HumanTaskConfig"]["PreHumanTaskLambdaArn"].endswith(":444455556666:function:SageMakerBefore")
    s3 = server.s3()
    assert s3.get_object(Bucket=BUCKET, Key="images/9.png")["Body"].read() == b"picture 9", "named by a dataset file"
    kept = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"output/{NAME}/")["KeyCount"]
    assert kept == sum(key.startswith("output/") for key in before)
    assert before == {one["Key"]: one["ETag"] for one in former.list_objects_v2(Bucket=BUCKET)["Contents"]}
    answers = report(server)["answers-not-used"]
    assert [(one["line"], one["answers"]) for one in answers] == [(2, 1), (7, 2)]


def test_a_job_is_moved_in_from_a_folder_and_finished(
    server: LocalServer, tmp_path: Path, move_in: Callable[..., Outcome]
) -> None:
    former = FormerLabelingJob.failed()
    former.into_folder(tmp_path / "former")
    former.into_s3(server.s3(), "worker-page/")
    request = {
        name: value
        for name, value in described().items()
        if name
        in ("LabelingJobName", "LabelAttributeName", "InputConfig", "OutputConfig", "RoleArn", "HumanTaskConfig")
    }
    arguments = ("--manifest", tmp_path / "former/manifests/input.manifest", "--output", tmp_path / "former/output")
    told = move_in(
        json.dumps(request).encode("utf-16"),
        *arguments,
        "--workteam",
        "everyone",
        "--name",
        "welds-2",
        "--workers",
        "1",
    )
    assert (told.status, told.err) == (0, "")
    assert label(server, "welds-2", "Ada", "Good Weld", 5) == {"1", "2", "3", "6", "8"}
    check_output(output(server, "welds-2"), "welds-2")


def test_the_output_of_a_job_here_is_taken_as_ground_truth_s_own(
    server: LocalServer, move_in: Callable[..., Outcome]
) -> None:
    former = FormerLabelingJob.failed()
    former.put_output("manifests/output/output.manifest", "".join(f"{line}\n" for line in (LABELED_1, *INPUT[1:])))
    former.into_s3(server.s3())
    assert move_in(described(), "--workteam", "everyone").status == 0
    for worker in ("Ada", "Ben"):
        label(server, MOVED, worker, "Good Weld", 6)
    lines = output(server)
    for line in lines[:7] + lines[8:]:
        check_as_ground_truth_reads(line)

    chained = described(LabelingJobName="welds-3", LabelingJobStatus="Completed")
    chained["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"] = uri(
        f"output/{MOVED}/manifests/output/output.manifest"
    )
    del chained["Tags"]
    request = {name: chained[name] for name in ("LabelAttributeName", "InputConfig", "RoleArn", "HumanTaskConfig")}
    request["HumanTaskConfig"]["WorkteamArn"] = (
        "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/everyone"
    )
    sagemaker: Any = server.sagemaker()
    sagemaker.create_labeling_job(LabelingJobName="welds-3", OutputConfig={"S3OutputPath": uri("output")}, **request)
    again = output(server, "welds-3")
    assert again[:7] + again[8:] == lines[:7] + lines[8:], "all of it is labeled: it is the same, byte for byte"


def check_as_ground_truth_reads(line: str) -> None:
    """What Ground Truth's guide says of a line of an output manifest, which is a line of the next job's input too."""
    assert len(line) <= 100_000
    found = json.loads(line)
    assert "source" in found or "source-ref" in found
    assert not any(name.startswith("$") for name in found)
    assert all(len(json.dumps(value)) <= 20_000 for value in found.values())
    assert isinstance(found["Weld"], dict)
    metadata = found["Weld-metadata"]
    assert re.fullmatch(r"labeling-job/[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", metadata["job-name"])
    assert (metadata["type"], metadata["human-annotated"]) == ("groundtruth/custom", "yes")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", metadata["creation-date"])


def test_a_job_that_is_all_labeled_ends_at_once(server: LocalServer, move_in: Callable[..., Outcome]) -> None:
    former = FormerLabelingJob.failed()
    former.put("manifests/input.manifest", "".join(f"{line}\n" for line in (INPUT[0], INPUT[4])))
    former.put_output("manifests/output/output.manifest", f"{LABELED_1}\n{LABELED_5}\n")
    former.into_s3(server.s3())
    assert "0 are to be labeled" in move_in(described(LabelingJobStatus="Completed"), "--workteam", "everyone").out
    assert output(server) == [LABELED_1, LABELED_5]


def test_what_is_cut_off_is_done_anew(
    server: LocalServer, move_in: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    FormerLabelingJob.failed().into_s3(server.s3())

    def killed(*_: object) -> str:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr("ground_truth_server.moving.moving._create", killed)
        assert move_in(described(), "--workteam", "everyone").status == 1
    first = server.s3().get_object(Bucket=BUCKET, Key=f"output/{MOVED}/move-in/input.manifest")["Body"].read()
    assert move_in(described(), "--workteam", "everyone").status == 0
    second = server.s3().get_object(Bucket=BUCKET, Key=f"output/{MOVED}/move-in/input.manifest")["Body"].read()
    assert first == second
    label_the_rest(server)
    check_output(output(server))


class TestRefused:
    """What keeps a job from being moved in is said in a line, which names it."""

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
        with local_server(tmp_path_factory.mktemp("workspace")) as server:
            FormerLabelingJob.failed().into_s3(server.s3())
            yield server

    @pytest.fixture
    def refused(self, move_in: Callable[..., Outcome]) -> Callable[..., str]:
        def run(description: dict[str, Any] | bytes, *arguments: object) -> str:
            told = move_in(description, *arguments)
            assert told.status == 1
            (line,) = told.err.splitlines()
            assert line.startswith("ground-truth move-in: ")
            return line

        return run

    def test_a_job_that_goes_on_in_aws(self, refused: Callable[..., str]) -> None:
        assert "is InProgress there" in refused(described(LabelingJobStatus="InProgress"))
        assert "stop-labeling-job --labeling-job-name WeldingLabelJob1" in refused(
            described(LabelingJobStatus="Stopping")
        )

    def test_what_isn_t_there_is_named_all_at_once(self, refused: Callable[..., str]) -> None:
        job = described(
            LabelingJobAlgorithmsConfig={"LabelingJobAlgorithmSpecificationArn": "arn:aws:sagemaker:x:1:a/b"}
        )
        task = job["HumanTaskConfig"]
        ui = "arn:aws:sagemaker:eu-central-1:394669845002:human-task-ui/VideoObjectTracking"
        pre = "arn:aws:lambda:eu-central-1:203001061592:function:PRE-VideoObjectTracking"
        task["UiConfig"] = {"HumanTaskUiArn": ui}
        task["PreHumanTaskLambdaArn"] = pre
        task["WorkteamArn"] = "arn:aws:sagemaker:eu-central-1:394669845002:workteam/public-crowd/default"
        line = refused(job)
        for found in (
            "automated labeling",
            "Take the member out",
            ui,
            "--template",
            pre,
            "--pre-function",
            "Mechanical Turk",
        ):
            assert found in line

    def test_a_streaming_job(self, refused: Callable[..., str]) -> None:
        sns = {"SnsDataSource": {"SnsTopicArn": "arn:aws:sns:eu-central-1:444455556666:welds"}}
        assert "treaming labeling jobs" in refused(described(InputConfig={"DataSource": sns}), "--workteam", "everyone")

    def test_no_description(self, refused: Callable[..., str]) -> None:
        assert "found no JSON" in refused(b"LabelingJobName: welds\n")
        assert "found no LabelAttributeName" in refused(b'{"LabelingJobName": "welds"}')
        assert "found no LabelingJobName" in refused(b"[1]")
        task = {**described()["HumanTaskConfig"], "TaskTitle": ""}
        assert "at 'humanTaskConfig.taskTitle' failed to satisfy constraint" in refused(described(HumanTaskConfig=task))

    def test_a_work_team_that_isn_t_there(self, refused: Callable[..., str]) -> None:
        assert "--workteam nobody" in refused(described(), "--workteam", "nobody")
        line = refused(described(), "--name", "other-team")
        assert "workteam/private-crowd/inspectors" in line
        assert "Name one of them with --workteam" in line

    def test_files_that_aren_t_there(self, refused: Callable[..., str], tmp_path: Path) -> None:
        team = ("--workteam", "everyone")
        moved = described()
        moved["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"] = uri("manifests/none.manifest")
        assert "s3://plant-groundtruth/manifests/none.manifest can't be read: NoSuchKey" in refused(moved, *team)
        page = described()
        page["HumanTaskConfig"]["UiConfig"]["UiTemplateS3Uri"] = uri("none.html")
        assert "s3://plant-groundtruth/none.html can't be read" in refused(page, *team, "--name", "no-page")
        assert "holds neither manifests/ nor annotations/" in refused(described(), *team, "--output", tmp_path)
        assert str(tmp_path / "none") in refused(described(), *team, "--manifest", tmp_path / "none")
        nowhere = refused(described(), *team, "--name", "no-bucket", "--output-path", "s3://no-such-bucket/output")
        assert "s3://no-such-bucket/output/no-bucket/move-in/input.manifest can't be written" in nowhere
        assert "--copy" in nowhere

    def test_the_output_of_another_job(self, refused: Callable[..., str], server: LocalServer) -> None:
        other = described(LabelingJobName="other")
        server.s3().put_object(Bucket=BUCKET, Key="output/other/annotations/worker-response/1.json", Body=b"{}")
        server.s3().put_object(
            Bucket=BUCKET, Key="output/other/manifests/output/output.manifest", Body=b'{"source":"x"}\n'
        )
        assert "none of its 1 lines names an object of" in refused(other, "--workteam", "everyone")
        line = refused(described(), "--workteam", "everyone", "--name", "other")
        assert "is another job's output: it holds output/other/" in line

    def test_a_server_that_isn_t_there(self, refused: Callable[..., str]) -> None:
        assert "http://127.0.0.1:9" in refused(described(), "--server", "http://127.0.0.1:9", "--workteam", "everyone")

    def test_copying_to_where_it_lies(self, refused: Callable[..., str]) -> None:
        assert "Leave --copy out" in refused(described(), "--s3", "aws", "--copy")
