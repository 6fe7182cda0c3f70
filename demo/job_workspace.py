"""A workspace on this machine for one job configuration: the local Ground Truth, the bucket, the labeling jobs."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from labeling import worker_page
from labeling.data_folder import MANIFEST_KEY, DataFolder
from labeling.errors import LabelingError
from labeling.job import CONFIG_VARIABLE, JobConfiguration, load
from rich.console import Console

from demo import job_start
from demo.job_start import ACCOUNT, BUCKET, REGION
from ground_truth_server.aws_services import OWN_FOLDER, AwsServices, Ports, ServerSettings
from ground_truth_server.pages.preview import PreviewSource
from ground_truth_server.server import GroundTruthServer

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "template.yaml"
WORKER_PAGE = ROOT / "labeling_job" / "worker-task.liquid.html"


class WorkspaceError(Exception):
    """The workspace can't be used, or its job came to nothing; the message says why."""


class JobWorkspace:
    """Where labeling jobs of one configuration run.

    Args:
        configuration: The job configuration's file.
        data: The folder of the items.
        folder: The workspace: the bucket's objects, the jobs, the functions' log.

    Attributes:
        job: The configuration, read.
        data: The items.
        folder: The workspace.

    Raises:
        JobConfigurationError: If the configuration is wrong.
        DataFolderError: If the folder holds no items of the job.
    """

    def __init__(self, configuration: Path, data: Path, folder: Path) -> None:
        self.configuration = configuration.resolve()
        self.job: JobConfiguration = load(configuration)
        self.data = DataFolder(data, self.job)
        self.folder = folder.resolve()

    @property
    def bucket(self) -> Path:
        """The bucket's objects, as files."""
        return self.folder / BUCKET

    @property
    def functions_log(self) -> Path:
        """What the functions logged."""
        return self.folder / "functions.log"

    def settings(self, ports: Ports) -> ServerSettings:
        """Tell what the local Ground Truth is made of."""
        environment = {CONFIG_VARIABLE: str(self.configuration), "LABELING_BUCKET": BUCKET}
        return ServerSettings(self.folder, TEMPLATE, environment=environment, ports=ports, region=REGION)

    def clear(self) -> None:
        """Remove what was left here, and nothing else: the folder is the user's to name."""
        for name in (BUCKET, OWN_FOLDER, "functions.log", "state-changes.jsonl", ".s3"):
            path = self.folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def fill_bucket(self, services: AwsServices, console: Console) -> None:
        """Put items, manifest and worker page into the bucket; what is there is replaced."""
        job_start.fill_bucket(services.s3, self.job, self.data, WORKER_PAGE.read_text(encoding="utf-8"), console)

    def runs(self, ground_truth: GroundTruthServer) -> list[str]:
        """Name the labeling jobs that were started here, the first one first.

        Raises:
            WorkspaceError: If the workspace is another job configuration's.
        """
        names = job_start.job_names(_client(ground_truth))
        runs = job_start.runs_among(names, self.job)
        if names and not runs:
            message = f"{self.folder} holds the labeling job {names[0]}, which isn't of {self.configuration}"
            raise WorkspaceError(f"{message}; choose another folder")
        return runs

    def start_run(self, ground_truth: GroundTruthServer) -> str:
        """Start a labeling job under the next free name, by SageMaker's API, and give its name."""
        self.runs(ground_truth)
        return job_start.start_run(_client(ground_truth), self.job)

    def preview(self, template: Path) -> PreviewSource:
        """Tell what a preview of a worker page template shows: the items of the bucket."""
        return PreviewSource(
            template=template,
            manifest=f"s3://{BUCKET}/{MANIFEST_KEY}",
            pre_annotation=ACCOUNT.pre_labeling_arn,
            prepare=self._prepared,
            watched=[self.configuration],
        )

    def _prepared(self, template: str) -> str:
        """Write the job into a template, with both as they are now; a ValueError says why that can't be done."""
        try:
            return worker_page.page(load(self.configuration), template)
        except LabelingError as error:
            raise ValueError(str(error)) from error


def key_of(data_object: dict[str, Any]) -> str:
    """Give the key of a manifest line's dataset file."""
    uri = str(data_object.get("source-ref") or data_object.get("source") or "")
    return uri.removeprefix(f"s3://{BUCKET}/")


def shown(path: Path) -> str:
    """Write a path as short as it can be typed here."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _client(ground_truth: GroundTruthServer) -> "SageMakerClient":
    session = ground_truth.services.keys.session(REGION)
    return session.client("sagemaker", endpoint_url=ground_truth.url, config=Config(proxies={}))
