"""The worker page: the template on this machine, and the page in the bucket."""

from pathlib import Path
from typing import Final

from botocore.exceptions import ClientError
from labeling import worker_page
from labeling.errors import MissingObjectError
from labeling.job import JobConfiguration
from labeling.storage import S3Uri, Storage

from cli.errors import CommandError

TEMPLATE: Final = "worker-task.liquid.html"
REPOSITORY: Final = Path(__file__).resolve().parents[1]
MAX_BYTES: Final = 5_000_000


def page(job: JobConfiguration, template: Path | None, job_file: Path | None) -> str:
    """A worker page, ready to be put into the bucket.

    Args:
        job: The job configuration, which the page is told of.
        template: The template; nothing for the one beside the job configuration, or else the repository's.
        job_file: The job configuration's file, if one was named.

    Raises:
        CommandError: If there is no such template.
    """
    beside = [job_file.parent / TEMPLATE] if job_file else []
    default = REPOSITORY / "labeling_job" / TEMPLATE
    path = template or next(filter(Path.is_file, beside), default)
    try:
        return worker_page.page(job, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path}: the worker page's template can't be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path}: the worker page's template is not UTF-8.") from None


def put(uri: S3Uri, page: str, storage: Storage) -> None:
    """Writes a worker page to the bucket; raises as `Storage.write`."""
    storage.write(uri, page.encode(), "text/html; charset=utf-8")


def stored(uri: S3Uri, storage: Storage) -> str | None:
    """The worker page that is in the bucket; nothing if there is none.

    Raises:
        labeling.errors.LabelingError: If the bucket can't be read.
    """
    try:
        return storage.read(uri, MAX_BYTES).decode("utf-8", errors="replace")
    except MissingObjectError as error:
        if isinstance(error.__cause__, ClientError) and error.__cause__.response["Error"]["Code"] == "NoSuchBucket":
            raise CommandError(f"There is no bucket named {uri.bucket!r}.") from None
        return None
