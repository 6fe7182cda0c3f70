"""The local Ground Truth as its users have it: a process of its own, AWS's clients, browsers, kills at any moment."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from botocore.exceptions import ClientError
from labeling import worker_page
from labeling.data_folder import DataFolder
from labeling.job import load
from labeling.job_request import WORKER_PAGE_KEY, JobResources, create_labeling_job
from playwright.sync_api import Browser, expect
from sqlalchemy import make_url

from benchmarks.local_server import BUCKET, LABEL, LocalServer, create_job, free_ports, local_server, start
from demo.portal_client import PortalClient
from ground_truth_server.edge.key_pair import KeyPair
from ground_truth_server.edge.loopback import listen, origin_of, serving
from ground_truth_server.lambda_host.function_host import FunctionHost
from ground_truth_server.lambda_host.lambda_api import create_app
from tests.conftest import ROOT
from tests.ground_truth_server.engine.labeling import wait_until

SAMPLE = ROOT / "labeling_job" / "sample"
SCREENSHOTS = ROOT / "build" / "screenshots" / "server"
ENDED = ("finished", "completed", "stopped", "failed")
ARN = "arn:aws:lambda:eu-west-1:111122223333:function:"
FUNCTIONS = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.13, CodeUri: code, Timeout: 30, MemorySize: 512}}
Resources:
  Before: {Type: AWS::Serverless::Function, Properties: {Handler: app.before}}
  After: {Type: AWS::Serverless::Function, Properties: {Handler: app.after}}
"""
CODE = """
import json, os, time

def before(event, context):
    print("before", event["dataObject"]["source"])
    print("\\x1b[31mred\\x1b]0;window\\x07 \\x9b2J \\u202eturned\\u202c ü 焊")
    time.sleep(float(os.environ.get("SECONDS", 0)))
    return {"taskInput": {"source": event["dataObject"]["source"]}, "isHumanAnnotationRequired": "true"}

def after(event, context):
    import boto3
    bucket, key = event["payload"]["s3Uri"].removeprefix("s3://").split("/", 1)
    payload = json.load(boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"])
    return [
        {"datasetObjectId": entry["datasetObjectId"],
         "consolidatedAnnotation": {"content": {event["labelAttributeName"]: votes(entry["annotations"])}}}
        for entry in payload
    ]

def votes(annotations):
    answers = [json.loads(one["annotationData"]["content"])["class"]["label"] for one in annotations]
    return {answer: answers.count(answer) for answer in sorted(set(answers))}
"""
FUNCTIONS_OF_JOB: dict[str, Any] = {
    "PreHumanTaskLambdaArn": f"{ARN}Before",
    "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": f"{ARN}After"},
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SAM template with two functions that take no time."""
    folder = tmp_path_factory.mktemp("stack")
    (folder / "template.yaml").write_text(FUNCTIONS)
    (folder / "code").mkdir()
    (folder / "code" / "app.py").write_text(CODE)
    return folder / "template.yaml"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A server without functions."""
    with local_server(tmp_path_factory.mktemp("workspace")) as server:
        yield server


def wait_for_status(server: LocalServer, name: str, wanted: str, seconds: float = 30) -> dict[str, Any]:
    sagemaker = server.sagemaker()
    end = time.monotonic() + seconds
    while (job := sagemaker.describe_labeling_job(LabelingJobName=name))["LabelingJobStatus"] != wanted:
        assert time.monotonic() < end, job
        assert job["LabelingJobStatus"] != "Failed", job["FailureReason"]
        time.sleep(0.05)
    return dict(job)


def answer_of(worker: str, number: int) -> dict[str, Any]:
    """What a worker answers for an object: always the same, and not the same as the others."""
    return {LABEL: {"label": "even" if (number + len(worker)) % 2 else "odd"}}


def label_all(server: LocalServer, job: str, *workers: str) -> None:
    """Let workers answer all that there is, at the same time."""
    threads = [threading.Thread(target=_label, args=(server, job, worker)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _label(server: LocalServer, job: str, worker: str) -> None:
    portal = PortalClient(server.url, worker)
    while (turn := portal.next_task(job)).state not in ENDED:
        if turn.task:
            portal.answer(turn.task["id"], answer_of(worker, int(turn.task["object"])))
        else:
            time.sleep(0.02)
    portal.close()


def objects_of(server: LocalServer, prefix: str) -> dict[str, Any]:
    """All JSON objects under a prefix, read."""
    s3 = server.s3()
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    return {key: json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()) for key in keys}


def output_of(server: LocalServer, name: str, bucket: str = BUCKET) -> list[dict[str, Any]]:
    key = f"output/{name}/manifests/output/output.manifest"
    return [json.loads(line) for line in server.s3().get_object(Bucket=bucket, Key=key)["Body"].read().splitlines()]


# -- a whole job


def put_sample(server: LocalServer) -> None:
    """Put the sample job's items and worker page into a bucket, as its owner would."""
    job, s3 = load(ROOT / "labeling_job" / "job.toml"), server.s3()
    s3.create_bucket(Bucket="welds", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for key, body, content_type in DataFolder(SAMPLE, job).objects("welds"):
        s3.put_object(Bucket="welds", Key=key, Body=body, ContentType=content_type)
    page = worker_page.page(job, (ROOT / "labeling_job" / "worker-task.liquid.html").read_text())
    s3.put_object(Bucket="welds", Key=WORKER_PAGE_KEY, Body=page.encode())


def sample_request(name: str) -> dict[str, Any]:
    account = JobResources(
        bucket="welds",
        role_arn="arn:aws:iam::111122223333:role/GroundTruth",
        workteam_arn="arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/everyone",
        pre_labeling_arn=f"{ARN}PreLabelingFunction",
        post_labeling_arn=f"{ARN}PostLabelingFunction",
    )
    return create_labeling_job(load(ROOT / "labeling_job" / "job.toml"), name, account)


def aws(server: LocalServer, *arguments: str) -> Any:
    """The AWS CLI, as its users call it."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_ENDPOINT_URL_SAGEMAKER": server.url,
        "AWS_DEFAULT_REGION": "eu-west-1",
        **server.keys.environment(),
    }
    command = [sys.executable, "-m", "awscli", "--output", "json", "sagemaker", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "{}")


def test_three_people_label_the_sample_welds_in_browsers(tmp_path: Path, browser: Browser) -> None:
    configuration = ROOT / "labeling_job" / "job.toml"
    options = ("--template", str(ROOT / "template.yaml"), "--env", f"LABELING_JOB_CONFIG={configuration}")
    truth = json.loads((SAMPLE / "truth.json").read_text())
    categories = load(configuration).label.category_names
    with local_server(tmp_path, *options, "--env", "LABELING_BUCKET=welds") as server:
        put_sample(server)
        (tmp_path / "request.json").write_text(json.dumps(sample_request("Welds-1")))
        created = aws(server, "create-labeling-job", "--cli-input-json", f"file://{tmp_path / 'request.json'}")
        assert created["LabelingJobArn"] == "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/welds-1"

        pages = []
        for name in ("Ada", "Ben", "Cleo"):
            page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
            page.set_default_timeout(15_000)
            page.goto(server.url)
            page.get_by_role("textbox").fill(name)
            page.keyboard.press("Enter")
            page.get_by_role("link", name=re.compile("Classify a weld|Start|Begin", re.IGNORECASE)).first.click()
            pages.append(page)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        for number in range(1, 8):
            key = categories.index(truth[f"dataset/dataset-{number}.json"]) + 1
            for page in pages:
                frame = page.frame_locator("iframe:not(.coming)")
                expect(frame.get_by_role("button", name="Submit", exact=True)).to_be_visible()
                expect(frame.locator("body")).to_contain_text(f"weld.{number}.csv", use_inner_text=False)
                picture = frame.locator("img").first
                assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
                if page is pages[0]:
                    page.screenshot(path=SCREENSHOTS / f"weld-{number}.png")
                page.keyboard.press(str(key))
                page.keyboard.press("Enter")
        job = wait_for_status(server, "Welds-1", "Completed")
        described = aws(server, "describe-labeling-job", "--labeling-job-name", "Welds-1")
        output = output_of(server, "Welds-1", "welds")
        for page in pages:
            page.context.close()

    assert job["LabelCounters"]["HumanLabeled"] == described["LabelCounters"]["TotalLabeled"] == 7
    assert job["LabelingJobOutput"]["OutputDatasetS3Uri"].startswith("s3://welds/output/Welds-1/")
    labels = {line["source"].removeprefix("s3://welds/"): line["WeldingLabel"] for line in output}
    assert {item: label["WeldingClassification"] for item, label in labels.items()} == truth
    assert all(label["votes"] == {label["WeldingClassification"]: 3} for label in labels.values())


def test_a_job_without_functions(server: LocalServer) -> None:
    create_job(server, 3, 2, "without")
    label_all(server, "without", "Ada", "Ben")
    wait_for_status(server, "without", "Completed")
    output = output_of(server, "without")
    assert [line["source"] for line in output] == ["0", "1", "2"]
    assert all("label" in line for line in output)


def test_a_page_is_rendered_without_a_job(server: LocalServer) -> None:
    rendered = server.sagemaker().render_ui_template(
        UiTemplate={
            "Content": "<crowd-form>{{ task.input.text }}{{ task.input.picture | grant_read_access }}</crowd-form>"
        },
        Task={"Input": json.dumps({"text": "<weld>", "picture": f"s3://{BUCKET}/weld.png"})},
        RoleArn="arn:aws:iam::111122223333:role/GroundTruth",
    )
    assert rendered["Errors"] == []
    assert "&lt;weld&gt;" in rendered["RenderedContent"]
    assert f"{server.s3_url}/{BUCKET}/weld.png?" in rendered["RenderedContent"].replace("&amp;", "&")


def test_objects_at_another_endpoint(s3_endpoint: str, tmp_path: Path) -> None:
    with local_server(tmp_path, "--s3", s3_endpoint) as server:
        elsewhere = replace(server, s3_url=s3_endpoint)
        create_job(elsewhere, 2, 1, "elsewhere")
        label_all(server, "elsewhere", "Ada")
        wait_for_status(server, "elsewhere", "Completed")
        assert [line["source"] for line in output_of(elsewhere, "elsewhere")] == ["0", "1"]
    assert not (tmp_path / BUCKET).exists()


# -- health


def asked(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_server_tells_that_it_lives_and_can_work(server: LocalServer) -> None:
    assert asked(f"{server.url}/healthz") == (200, "ok")
    assert asked(f"{server.url}/readyz") == (200, '{"database":"ok","s3":"ok"}')


def test_a_server_without_its_s3_or_database_lives_and_says_what_it_lacks(
    tmp_path: Path, postgres: str, postgres_url: str
) -> None:
    s3 = local_server(tmp_path / "s3")
    elsewhere = s3.__enter__()
    with local_server(tmp_path / "w", "--s3", elsewhere.s3_url, "--database", postgres_url) as server:
        assert asked(f"{server.url}/readyz")[0] == 200  # S3 refuses strange keys, which is an answer
        with psycopg.connect(postgres, autocommit=True) as admin:
            name = make_url(postgres_url).database
            admin.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
            admin.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            status, text = asked(f"{server.url}/readyz")
            assert (status, json.loads(text)["s3"]) == (503, "ok")
            assert "can't be used now" in json.loads(text)["database"]
            assert asked(f"{server.url}/healthz") == (200, "ok")
            assert asked(f"{server.url}/")[0] == 503  # a page with the reason, and when to try again
            admin.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
        assert asked(f"{server.url}/readyz")[0] == 200
        s3.__exit__(None, None, None)
        status, text = asked(f"{server.url}/readyz")
        assert (status, json.loads(text)["database"]) == (503, "ok")
        assert json.loads(text)["s3"] != "ok"


# -- PostgreSQL


def test_two_servers_share_a_database_and_an_s3(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one is asked for the other one tells; the job goes on when the one that runs it is killed."""
    with local_server(tmp_path / "a", "--database", postgres_url) as first:
        keys = first.keys.file
        assert keys is not None
        (tmp_path / "home" / ".aws").mkdir(parents=True)
        (tmp_path / "home" / ".aws" / "credentials").write_bytes(keys.read_bytes())
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        # The one that holds the S3 is no longer needed for anything else.
        with (
            local_server(tmp_path / "b", "--database", postgres_url, "--s3", first.s3_url) as second,
            local_server(tmp_path / "c", "--database", postgres_url, "--s3", first.s3_url) as third,
        ):
            create_job(replace(second, s3_url=first.s3_url, keys=first.keys), 4, 1, "shared")
            label_all(third, "shared", "Ada")
            second.process.kill()
            job = wait_for_status(third, "shared", "Completed", 15)
            assert job["LabelCounters"]["TotalLabeled"] == 4
            assert [line["source"] for line in output_of(first, "shared")] == ["0", "1", "2", "3"]
            with urllib.request.urlopen(f"{first.url}/console/jobs/shared") as answer:
                assert "Completed" in answer.read().decode()


def test_a_database_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError, match="Expected a PostgreSQL database") as error:
        start(tmp_path, free_ports(), "--database", "postgresql://ann:secret@127.0.0.1:9/welds")
    assert "postgresql://ann:***@127.0.0.1:9/welds: found:" in str(error.value)
    assert "secret" not in str(error.value)


# -- functions


def test_functions_behind_another_endpoint(stack: Path, tmp_path: Path) -> None:
    # AWS_ENDPOINT_URL_S3 of these functions is the server's, which begins after them: so its port is chosen here.
    ports = free_ports()
    keys = KeyPair.of_workspace(tmp_path / "workspace")
    environment = {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{ports[2]}", **keys.environment()}
    host = FunctionHost(stack, environment, tmp_path / "events")
    with serving(create_app(host)) as endpoint:
        server = start(tmp_path / "workspace", ports, "--functions", endpoint)
        create_job(server, 2, 1, "called", **FUNCTIONS_OF_JOB)
        label_all(server, "called", "Ada")
        wait_for_status(server, "called", "Completed")
        assert [line["label"] for line in output_of(server, "called")] == [{"even": 1}, {"odd": 1}]
        server.process.terminate()
        server.process.wait()
    host.close()


def test_a_template_is_looked_at_when_the_job_is_created(tmp_path: Path) -> None:
    """Not after all workers answered; and one that loops for ever takes nothing but its own time."""
    with local_server(tmp_path) as server:
        create_job(server, 1, 1, "first")

        def create(name: str, template: str) -> None:
            server.s3().put_object(Bucket=BUCKET, Key=f"{name}.html", Body=template.encode())
            page = {"UiTemplateS3Uri": f"s3://{BUCKET}/{name}.html"}
            create_job(server, 1, 1, name, UiConfig=page)

        with pytest.raises(
            ClientError, match=r"UiTemplateS3Uri: s3://objects/broken.html: its Liquid can't be read: line 2"
        ):
            create("broken", "<p>\n{% if task.input.source %}")
        create("marked", "<crowd-form><crowd-time-machine name='a'></crowd-time-machine></crowd-form>")
        with urllib.request.urlopen(f"{server.url}/console/jobs/marked") as answer:
            assert "&lt;crowd-time-machine&gt;, which this server has no element for" in answer.read().decode()


def test_the_log_of_functions_is_in_the_console(stack: Path, tmp_path: Path) -> None:
    with local_server(tmp_path, "--template", str(stack)) as server:
        create_job(server, 2, 1, "logged", **FUNCTIONS_OF_JOB)
        label_all(server, "logged", "Ada")
        wait_for_status(server, "logged", "Completed")
        time.sleep(0.5)  # lines are delivered a few times a second
        log = PortalClient(server.url, "Ada").get("/console/jobs/logged")
    assert "Before logged" in log
    assert "before 0" in log
    shown = r"\x1b[31mred\x1b]0;window\x07 \x9b2J \u202eturned\u202c ü 焊"
    assert shown in log
    for file in (tmp_path / "functions.log", tmp_path / "server.log"):
        text = file.read_bytes().decode()
        assert "Before: before 1\n" in text
        assert f"Before: {shown}\n" in text
        assert not set("\x1b\x07\x9b\u202e\u202c") & set(text)


def test_a_function_that_is_missing_is_named(server: LocalServer) -> None:
    create_job(server, 1, 1, "missing", PreHumanTaskLambdaArn=f"{ARN}Nowhere")
    sagemaker = server.sagemaker()
    end = time.monotonic() + 10
    while (job := sagemaker.describe_labeling_job(LabelingJobName="missing"))["LabelingJobStatus"] != "Failed":
        assert time.monotonic() < end
        time.sleep(0.05)
    assert f"{ARN}Nowhere" in job["FailureReason"]
    assert "ResourceNotFoundException" in job["FailureReason"]


# -- state changes


class Hook:
    """A webhook's receiver."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        events = self.events

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing to tell."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/events"


def test_state_changes_reach_the_webhook_and_the_log(tmp_path: Path) -> None:
    hook = Hook()
    with local_server(tmp_path, "--webhook", hook.url) as server:
        create_job(server, 1, 1, "told")
        label_all(server, "told", "Ada")
        wait_for_status(server, "told", "Completed")
    hook.server.shutdown()
    hook.server.server_close()
    statuses = [event["detail"]["LabelingJobStatus"] for event in hook.events]
    assert statuses == ["Initializing", "InProgress", "Completed"]
    assert {event["detail-type"] for event in hook.events} == {"SageMaker Ground Truth Labeling Job State Change"}
    assert [json.loads(line) for line in (tmp_path / "state-changes.jsonl").read_text().splitlines()] == hook.events


# -- the end, and the next start


def test_a_restart_finds_all_and_goes_on(stack: Path, tmp_path: Path) -> None:
    ports = free_ports()
    server = start(tmp_path, ports, "--template", str(stack))
    create_job(server, 4, 1, "kept", **FUNCTIONS_OF_JOB)
    sagemaker = server.sagemaker()
    sagemaker.add_tags(
        ResourceArn="arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/kept", Tags=[{"Key": "line", "Value": "7"}]
    )
    portal = PortalClient(server.url, "Ada")
    while not (task := portal.next_task("kept").task):
        time.sleep(0.02)
    portal.answer(task["id"], answer_of("Ada", int(task["object"])))
    server.process.terminate()
    server.process.wait()

    server = start(tmp_path, ports, "--template", str(stack))
    assert server.sagemaker().describe_labeling_job(LabelingJobName="kept")["Tags"] == [{"Key": "line", "Value": "7"}]
    label_all(server, "kept", "Ada")
    wait_for_status(server, "kept", "Completed")
    assert [line["label"] for line in output_of(server, "kept")] == [{"even": 1}, {"odd": 1}] * 2
    server.process.terminate()
    server.process.wait()


def test_a_page_that_was_open_over_a_restart_goes_on_reading_its_files(tmp_path: Path) -> None:
    ports = free_ports()
    server = start(tmp_path, ports)
    create_job(server, 1, 1, "first")
    template = "<crowd-form><p>{{ 's3://objects/a/weld.bin' | grant_read_access }}</p></crowd-form>"
    server.s3().put_object(Bucket=BUCKET, Key="files.html", Body=template.encode())
    content = random.Random(1).randbytes(3_000_000)
    server.s3().put_object(Bucket=BUCKET, Key="a/weld.bin", Body=content)
    create_job(server, 1, 1, "files", UiConfig={"UiTemplateS3Uri": f"s3://{BUCKET}/files.html"})
    portal = PortalClient(server.url, "Ada")
    while not (task := portal.next_task("files").task):
        time.sleep(0.02)
    link = portal.page(task["page"]).partition("<p>")[2].partition("</p>")[0]
    assert (tmp_path / BUCKET / "a" / "weld.bin").read_bytes() == content
    for _ in range(2):
        asked = urllib.request.Request(link, headers={"Range": "bytes=1500000-2700000"})
        with urllib.request.urlopen(asked) as answer:
            assert (answer.status, answer.read()) == (206, content[1_500_000:2_700_001])
        server.process.terminate()
        server.process.wait()
        server = start(tmp_path, ports)
    server.process.kill()
    server.process.wait()
    assert (tmp_path / ".ground-truth" / "links-secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_it_ends_within_two_seconds_and_takes_no_function_s_end_for_a_failure(
    number: signal.Signals, stack: Path, tmp_path: Path
) -> None:
    ports = free_ports()
    server = start(tmp_path, ports, "--template", str(stack), "--env", "SECONDS=20")
    create_job(server, 2, 1, "slow", **FUNCTIONS_OF_JOB)
    wait_for_status(server, "slow", "InProgress")
    threading.Thread(target=_follow_live, args=(server,), daemon=True).start()
    time.sleep(1)  # functions are under way, and a page follows the job live
    begin = time.monotonic()
    server.process.send_signal(number)
    assert server.process.wait(10) == 0
    assert time.monotonic() - begin < 2
    assert "Traceback" not in (tmp_path / "server.log").read_text()

    server = start(tmp_path, ports, "--template", str(stack))
    label_all(server, "slow", "Ada")
    wait_for_status(server, "slow", "Completed")
    server.process.terminate()
    server.process.wait()


def _follow_live(server: LocalServer) -> None:
    with suppress(OSError, HTTPException):  # the server ends first
        PortalClient(server.url, "Ada").get("/console/jobs/slow/live?after=1000")


def failing(folder: Path, *options: str) -> str:
    """Start a server that can't start; gives what it says."""
    command = [sys.executable, "-m", "ground_truth_server", "--workspace", str(folder), *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("place", ["--port", "--page-port", "--s3-port", "--lambda-port"])
def test_a_port_that_is_taken_is_named(place: str, stack: Path, tmp_path: Path) -> None:
    free = [text for name in ("--port", "--page-port", "--s3-port", "--lambda-port") for text in (name, "0")]
    with listen(0, "the test") as taken:
        port = origin_of(taken).rpartition(":")[2]
        said = failing(tmp_path, "--template", str(stack), *free, place, port)
    assert f"Port {port}, for the" in said
    assert "choose another port" in said


def test_a_workspace_has_one_server(tmp_path: Path) -> None:
    with local_server(tmp_path):
        said = failing(tmp_path, "--port", "0", "--page-port", "0", "--s3-port", "0", "--lambda-port", "0")
    assert f"another local Ground Truth works in {tmp_path}" in said


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--env", "NAME"], "expected NAME=VALUE"),
        (["--webhook", "ftp://somewhere"], "expected an http or https URL"),
        (["--template", "nowhere.yaml"], "nowhere.yaml"),
        (["--preview", "input.manifest"], "--preview needs --page FILE"),
    ],
)
def test_a_wrong_option_is_an_error_in_a_line(options: list[str], expected: str, tmp_path: Path) -> None:
    free = [text for name in ("--port", "--page-port", "--s3-port", "--lambda-port") for text in (name, "0")]
    said = failing(tmp_path, *free, *options)
    assert expected in said
    assert len(said.splitlines()) == 1


# -- killed at any moment

OBJECTS = 200
PEOPLE = ("Ada", "Ben", "Cleo")


class Crew:
    """Three people who answer every object, whatever becomes of the server."""

    def __init__(self, url: str, job: str) -> None:
        self.url = url
        self.job = job
        self.accepted: list[tuple[str, int]] = []  # who had it said "submitted" for which object
        self.threads = [threading.Thread(target=self._work, args=(name,), daemon=True) for name in PEOPLE]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    @property
    def at_work(self) -> bool:
        return any(thread.is_alive() for thread in self.threads)

    def _work(self, worker: str) -> None:
        portal: PortalClient | None = None
        task: dict[str, Any] = {}
        while True:
            try:
                portal = portal or PortalClient(self.url, worker)
                if not task:
                    turn = portal.next_task(self.job)
                    if turn.state in ENDED:
                        return
                    task = turn.task
                if task:
                    # cut off, it is sent again with the next server: as a browser's worker presses submit again
                    assert portal.answer(task["id"], answer_of(worker, int(task["object"])))
                    self.accepted.append((worker, int(task["object"])))
                    task = {}
                else:
                    time.sleep(0.02)
            except (OSError, HTTPException):
                time.sleep(0.02)


@contextmanager
def labeled_job(workspace: Path, stack: Path, kills: list[int]) -> Iterator[tuple[LocalServer, Crew]]:
    """A job of 200 objects that three people label, on a server that is killed after so many answers, and so on."""
    ports, options = free_ports(), ("--template", str(stack), "--quiet")
    server = start(workspace, ports, *options)
    create_job(server, OBJECTS, len(PEOPLE), "killed", **FUNCTIONS_OF_JOB)
    crew = Crew(server.url, "killed")
    crew.start()
    end = time.monotonic() + 240
    for answers in kills:
        while len(crew.accepted) < answers and crew.at_work:
            assert time.monotonic() < end, f"{len(crew.accepted)} answers in, and nobody gets on"
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.05))
        server.process.kill()
        server.process.wait()
        server = start(workspace, ports, *options)
    for thread in crew.threads:
        thread.join(60)
    try:
        wait_for_status(server, "killed", "Completed", 60)
        yield server, crew
    finally:
        server.process.terminate()
        server.process.wait()


def facts_of(server: LocalServer) -> dict[str, Any]:
    """All that the job wrote, without its times."""
    responses = objects_of(server, "output/killed/annotations/worker-response/")
    answers: dict[str, list[Any]] = {}
    for key, response in responses.items():
        assert key.split("/")[5] not in answers, f"{key}: an object with two worker responses"
        told = [(answer["workerId"], answer["answerContent"]) for answer in response["answers"]]
        answers[key.split("/")[5]] = sorted(told, key=str)
    output = output_of(server, "killed")
    for line in output:
        line["label-metadata"].pop("creation-date")
    return {"answers": answers, "output": output}


def processes_of(stack: Path) -> list[str]:
    """The processes that run the stack's functions."""
    commands = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return [" ".join(command) for command in commands if str(stack.parent) in " ".join(command)]


def test_killed_at_random_moments_it_loses_no_answer_and_counts_none_twice(stack: Path, tmp_path: Path) -> None:
    all_answers = OBJECTS * len(PEOPLE)
    # in the middle of the first objects, at five moments between, and when the last answer is in
    kills = [0, *sorted(random.sample(range(1, all_answers), 5)), all_answers]
    with labeled_job(tmp_path / "calm", stack, []) as (server, _):
        calm = facts_of(server)
    with labeled_job(tmp_path / "killed", stack, kills) as (server, crew):
        killed = facts_of(server)
        counters = server.sagemaker().describe_labeling_job(LabelingJobName="killed")["LabelCounters"]

    assert sorted(crew.accepted) == sorted((worker, number) for worker in PEOPLE for number in range(OBJECTS)), kills
    assert len(killed["answers"]) == counters["TotalLabeled"] == OBJECTS
    assert all(len(told) == len(PEOPLE) for told in killed["answers"].values())
    wait_until(lambda: not processes_of(stack), 10)  # the functions' processes end with their server
    assert killed == calm, kills
