"""One labeling job on this machine, from manifest to labels.

The functions are the deployed ones, in processes of their own behind Lambda's API; S3 is a server on loopback that
keeps its objects as files; `local_ground_truth` plays Ground Truth; three simulated workers answer.
"""

import json
import shutil
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from labeling import worker_page
from labeling.data_folder import DataFolder
from labeling.job import CONFIG_VARIABLE, LabelingJob
from labeling.job_request import OUTPUT_FOLDER, WORKER_PAGE_KEY, Account, create_labeling_job
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from demo.report import read_output, show
from demo.workers import WORKERS, SimulatedWorker
from local_ground_truth.engine import Engine
from local_ground_truth.function_host import FunctionHost
from local_ground_truth.invoke import LambdaInvoke
from local_ground_truth.lambda_api import serving
from local_ground_truth.storage import EmbeddedS3
from local_ground_truth.tasks import TaskRefused

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from starlette.applications import Starlette

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "template.yaml"
WORKER_PAGE = ROOT / "labeling_job" / "worker-task.liquid.html"
# The bucket's name is the name of the folder with its objects: build/demo/bucket.
BUCKET = "bucket"
REGION: Final = "eu-west-1"
# What runs on this machine asks for credentials, and takes any.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": REGION}
ARN = "arn:aws:{service}:" + REGION + ":111122223333:{resource}"
SESSION = boto3.Session("local", "local", region_name=REGION)
# A function is called once and may take as long as its own time limit says.
LAMBDA_CONFIG = Config(retries={"total_max_attempts": 1}, read_timeout=900)
# Between two looks of an idle worker for something to do.
PAUSE_SECONDS = 0.05


class DemonstrationError(Exception):
    """The demonstration can't go on; the message says why."""


class Demonstration:
    """A labeling job with all that it needs on this machine.

    Args:
        console: Where progress and labels are shown.
        configuration: The job configuration's file, for the functions.
        job: The same, read.
        data: The items.
        folder: Where the bucket's objects and the functions' log are left; what an earlier demonstration left
            there is removed.
    """

    def __init__(self, console: Console, configuration: Path, job: LabelingJob, data: DataFolder, folder: Path) -> None:
        self.console = console
        self.configuration = configuration
        self.job = job
        self.data = data
        self.folder = folder
        self.name = f"{job.name}-1"

    def run(self) -> None:
        """Runs the job to its end and shows its labels.

        Raises:
            DemonstrationError: If the job failed.
        """
        began = time.monotonic()
        self._clear_folder()
        for remark in self.data.remarks:
            self.console.print(f"[yellow]Note:[/yellow] {remark}")
        with ExitStack() as parts:
            s3 = parts.enter_context(EmbeddedS3(self.folder))
            client = SESSION.client("s3", endpoint_url=s3.endpoint_url)
            self._fill_bucket(client)
            functions = parts.enter_context(serving(self._functions(parts, s3.endpoint_url)))
            invoke = LambdaInvoke(SESSION.client("lambda", endpoint_url=functions, config=LAMBDA_CONFIG))
            engine = Engine(self.folder / "ground-truth", client, invoke)
            parts.callback(engine.close)
            self._label(engine)
            problems = self._problems(engine)
        self._show(problems, time.monotonic() - began)

    def _clear_folder(self) -> None:
        """Removes what a demonstration left, and nothing else: the folder is the user's to name."""
        for name in (BUCKET, "ground-truth", "events", "functions.log", ".s3"):
            path = self.folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        self.folder.mkdir(parents=True, exist_ok=True)

    def _fill_bucket(self, s3: "S3Client") -> None:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        objects = list(self.data.objects(BUCKET))
        with self._progress() as progress:
            for key, body, content_type in progress.track(objects, description="Filling the bucket"):
                s3.put_object(Bucket=BUCKET, Key=key, Body=body, ContentType=content_type)
        page = worker_page.page(self.job, WORKER_PAGE.read_text(encoding="utf-8"))
        s3.put_object(Bucket=BUCKET, Key=WORKER_PAGE_KEY, Body=page.encode(), ContentType="text/html; charset=utf-8")

    def _functions(self, parts: ExitStack, s3_endpoint: str) -> "Starlette":
        """Lambda's API with the template's functions, which log to a file."""
        log = parts.enter_context((self.folder / "functions.log").open("w", encoding="utf-8"))
        environment = {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL_S3": s3_endpoint,
            CONFIG_VARIABLE: str(self.configuration),
            "LABELING_BUCKET": BUCKET,
        }
        host = FunctionHost(
            TEMPLATE,
            environment,
            self.folder / "events",
            lambda function, _request, line: print(f"{function}: {line}", file=log, flush=True),
        )
        parts.callback(host.close)
        return host.app

    def _label(self, engine: Engine) -> None:
        """Starts the job and lets the simulated workers answer until it has ended."""
        engine.create(create_labeling_job(self.job, self.name, _account()))
        truth = self._truth()
        if not truth:
            self.console.print("[yellow]Note:[/yellow] there is no truth.json: the simulated workers guess.")
        ended = threading.Event()
        workers = WORKERS[: max(3, self.job.workers.per_object)]
        threads = [threading.Thread(target=self._work, args=(engine, worker, truth, ended)) for worker in workers]
        for thread in threads:
            thread.start()
        try:
            with self._progress() as progress:
                self._watch(engine, progress)
        finally:
            ended.set()
            for thread in threads:
                thread.join()

    def _work(self, engine: Engine, worker: SimulatedWorker, truth: Mapping[str, str], ended: threading.Event) -> None:
        while not ended.wait(PAUSE_SECONDS):
            while task := engine.next_task(worker.name, self.name):
                item = engine.data_object(self.name, task.object_id).data_object.data_object
                choice = worker.answer(_key_of(item or {}), self.job.label.category_names, truth)
                try:
                    engine.submit(task.id, worker.name, {self.job.label.name: {"label": choice}})
                except TaskRefused:
                    break

    def _watch(self, engine: Engine, progress: Progress) -> None:
        bars = {name: progress.add_task(name, total=None) for name in ("Preparing items", "Answers", "Labels")}
        while True:
            status = engine.describe(self.name)
            self._update(progress, bars, engine)
            if status["LabelingJobStatus"] == "Completed":
                return
            if status["LabelingJobStatus"] in ("Failed", "Stopped"):
                raise DemonstrationError(
                    f"{status.get('FailureReason', 'The job was stopped.')}\n"
                    f"The functions' log says more: {_shown(self.folder / 'functions.log')}"
                )
            time.sleep(PAUSE_SECONDS)

    def _update(self, progress: Progress, bars: Mapping[str, TaskID], engine: Engine) -> None:
        counts = engine.progress(self.name)
        items = sum(counts.values())
        if not items:
            return
        unneeded = counts.get("not required", 0) + counts.get("failed", 0)
        prepared = items - counts.get("waiting", 0) - counts.get("preparing", 0)
        answers = sum(worker.get("submitted", 0) for worker in engine.workers(self.name))
        wanted = items - unneeded
        progress.update(bars["Preparing items"], total=items, completed=prepared)
        progress.update(bars["Answers"], total=wanted * self.job.workers.per_object, completed=answers)
        progress.update(bars["Labels"], total=wanted, completed=counts.get("labeled", 0))

    def _problems(self, engine: Engine) -> dict[str, str]:
        """Why items have no label, by dataset file."""
        problems = {}
        for found in engine.data_objects(self.name, limit=sum(engine.progress(self.name).values())):
            problem = found.problem or (found.task_input or {}).get("error")
            if problem and found.data_object:
                problems[_key_of(found.data_object)] = problem
        return problems

    def _truth(self) -> dict[str, str]:
        path = self.data.path / "truth.json"
        truth: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return truth

    def _show(self, problems: Mapping[str, str], seconds: float) -> None:
        bucket = self.folder / BUCKET
        manifest = bucket / OUTPUT_FOLDER / self.name / "manifests" / "output" / "output.manifest"
        items = read_output(manifest, self.job, problems)
        show(self.console, items, self.job, self._truth())
        plots = sorted((bucket / "plots").rglob("*.png"))
        labels = sorted((bucket / "labels").rglob("*.jsonl"))
        self.console.print(f"{len(items)} items, {len(plots)} plots in {seconds:.1f} s. What to look at:")
        images = [bucket / source.folder for source in self.job.images.values()]
        results = {"Photographs": images, "Plots": plots, "Output manifest": [manifest], "Labels to train on": labels}
        for name, paths in {**results, "Functions' log": [self.folder / "functions.log"]}.items():
            for number, path in enumerate(paths):
                self.console.print(f"  {name if number == 0 else '':<20}{_shown(path)}", soft_wrap=True)

    def _progress(self) -> Progress:
        columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        return Progress(*columns, console=self.console)


def _account() -> Account:
    """The account that isn't there."""
    return Account(
        bucket=BUCKET,
        role_arn="arn:aws:iam::111122223333:role/GroundTruthRole",
        workteam_arn=ARN.format(service="sagemaker", resource="workteam/private-crowd/demonstration"),
        pre_labeling_arn=ARN.format(service="lambda", resource="function:PreLabelingFunction"),
        post_labeling_arn=ARN.format(service="lambda", resource="function:PostLabelingFunction"),
    )


def _key_of(data_object: Mapping[str, Any]) -> str:
    """The key of a manifest line's dataset file."""
    uri = str(data_object.get("source-ref") or data_object.get("source") or "")
    return uri.removeprefix(f"s3://{BUCKET}/")


def _shown(path: Path) -> str:
    """A path as short as it can be typed here."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
