"""Sets up the bucket of a deployed stack: the sample, the worker page and the labeling job's request.

What is written is recorded with its ETag, so that an update never overwrites what people have put in its place, and
a deletion removes nothing that is theirs.
"""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Literal

import msgspec

from labeling import worker_page
from labeling.data_folder import BUCKET_TOKEN, MANIFEST_KEY, DataFolder, DataFolderError, FolderObject
from labeling.dataset import SAMPLE_FOLDER
from labeling.decoding import DecodingError, convert
from labeling.errors import EventError, JobConfigurationError, MissingObjectError
from labeling.job import JobConfiguration
from labeling.job_request import WORKER_PAGE_KEY, JobResources, create_labeling_job, tags
from labeling.observability import logger
from labeling.storage import S3Uri, Storage

REQUEST_KEY = "labeling-job.json"
RECORD_KEY = "stack-setup.json"
MAX_RECORD_BYTES = 10_000_000
SAMPLE_MANIFEST = f"{SAMPLE_FOLDER}/{MANIFEST_KEY}"
# Stands for the work team until there is one; it has the form of a work team's ARN.
NO_TEAM = "arn:aws:sagemaker:{region}:{account}:workteam/private-crowd/YOUR-WORK-TEAM"


class Properties(msgspec.Struct, frozen=True):
    """The custom resource's properties in the template; CloudFormation sends every value as text.

    Attributes:
        Bucket: The stack's bucket.
        RoleArn: The role that labeling jobs run under.
        PreLabelingFunctionArn: The pre-labeling function, by its alias.
        PostLabelingFunctionArn: The post-labeling function, by its alias.
        SourceFolders: The folders of items' files that the functions may read, separated by commas.
        WorkteamArn: Who labels; may be empty.
        JobTags: The labeling job's tags, as ``CostCenter=42,Team=Welding``; may be empty.
        KmsKeyArn: The key that encrypts the job's output; may be empty.
        Sample: Whether the bucket gets the sample.
        KeepDataOnDelete: Whether people's data and labels stay when the stack is deleted.
    """

    Bucket: str
    RoleArn: str
    PreLabelingFunctionArn: str
    PostLabelingFunctionArn: str
    SourceFolders: str
    WorkteamArn: str = ""
    JobTags: str = ""
    KmsKeyArn: str = ""
    Sample: Literal["on", "off"] = "on"
    KeepDataOnDelete: Literal["true", "false"] = "true"

    @property
    def resources(self) -> JobResources:
        """What the labeling job's request names of the account."""
        _, _, _, region, account, *_ = self.PreLabelingFunctionArn.split(":")
        return JobResources(
            bucket=self.Bucket,
            role_arn=self.RoleArn,
            workteam_arn=self.WorkteamArn or NO_TEAM.format(region=region, account=account),
            pre_labeling_arn=self.PreLabelingFunctionArn,
            post_labeling_arn=self.PostLabelingFunctionArn,
            kms_key_arn=self.KmsKeyArn,
            tags=tags(self.JobTags),
        )


def properties(value: object) -> Properties:
    """Reads a custom resource's properties.

    Raises:
        EventError: If one is missing or of another type.
    """
    try:
        found = convert(value, Properties)
        tags(found.JobTags)
    except (DecodingError, ValueError) as error:
        raise EventError(f"the custom resource's properties: {error}; see StackSetup in template.yaml") from None
    return found


class StackSetup:
    """What a stack's bucket starts with.

    Args:
        job: The labeling job.
        template: The worker page's template.
        sample: The folder of sample items.
        storage: The stack's bucket.
        pool: Where calls of S3 run side by side.
    """

    def __init__(self, job: JobConfiguration, template: str, sample: Path, storage: Storage, pool: Executor) -> None:
        self.job = job
        self.template = template
        self.sample = sample
        self.storage = storage
        self.pool = pool

    def put(self, stack: Properties) -> dict[str, str]:
        """Writes what isn't there yet, and anew what is still as an earlier call wrote it.

        What an earlier call wrote and this one doesn't, as the sample after it was turned off, is taken away.

        Returns:
            The S3 URIs of the manifest, the worker page, the labeling job's request, and the sample's manifest or why
            there is none.

        Raises:
            JobConfigurationError: If the job reads a folder that the stack's roles don't open to it.
            LabelingError: If S3 refuses or fails.
        """
        self._check_folders(stack)
        record = self._record(stack.Bucket)
        made = list(self._objects(stack))
        written = dict(record)
        try:
            done = self.pool.map(lambda one: self._put(stack.Bucket, one, record), made)
            written.update((key, etag) for key, etag in done if etag)
            for key in record.keys() - {one.key for one in made}:
                self._remove(S3Uri(stack.Bucket, key), record[key])
                del written[key]
        finally:
            body = json.dumps(written, indent=1).encode()
            self.storage.write(S3Uri(stack.Bucket, RECORD_KEY), body, "application/json")
        return {
            "ManifestS3Uri": f"s3://{stack.Bucket}/{MANIFEST_KEY}",
            "UiTemplateS3Uri": f"s3://{stack.Bucket}/{WORKER_PAGE_KEY}",
            "LabelingJobRequest": f"s3://{stack.Bucket}/{REQUEST_KEY}",
            "SampleManifestS3Uri": f"s3://{stack.Bucket}/{SAMPLE_MANIFEST}"
            if any(one.key == SAMPLE_MANIFEST for one in made)
            else "none: the sample is turned off, or of another labeling job than job.toml",
        }

    def remove(self, stack: Properties) -> int:
        """Deletes what `put` wrote and nobody changed; or, unless data are to be kept, everything.

        Returns:
            How many objects, or versions of objects, were deleted; none from a bucket that is gone.

        Raises:
            LabelingError: If S3 refuses or fails.
        """
        try:
            if stack.KeepDataOnDelete == "false":
                return self.storage.delete_every_version(stack.Bucket)
            record = self._record(stack.Bucket)
            deleted = sum(self.pool.map(lambda key: self._remove(S3Uri(stack.Bucket, key), record[key]), record))
            self.storage.delete(S3Uri(stack.Bucket, RECORD_KEY))
        except MissingObjectError:
            return 0
        return deleted

    def _check_folders(self, stack: Properties) -> None:
        opened = stack.SourceFolders.split(",")
        for key, source in self.job.sources.items():
            if source.folder not in opened:
                wanted = ",".join(dict.fromkeys(source.folder for source in self.job.sources.values()))
                raise JobConfigurationError(
                    f"job.toml: sources.{key}.folder: found {source.folder!r}, which the functions may not read; "
                    f"allowed: {', '.join(opened)}. Deploy again with the parameter SourceFolders={wanted}"
                )

    def _objects(self, stack: Properties) -> Iterator[FolderObject]:
        page = worker_page.page(self.job, self.template)
        yield FolderObject(WORKER_PAGE_KEY, page.encode(), "text/html; charset=utf-8")
        yield self._request(REQUEST_KEY, f"{self.job.name}-1", stack.resources)
        if stack.Sample == "off":
            return
        if not self._is_of_this_job():
            logger.warning("The sample is of another labeling job than job.toml and is left out")
            return
        # Its dataset files and manifest name objects of the bucket by BUCKET_TOKEN; here they lie in its own folder.
        place = f"{stack.Bucket}/{SAMPLE_FOLDER}"
        for made in DataFolder(self.sample, self.job).objects(place):
            yield made._replace(key=f"{SAMPLE_FOLDER}/{made.key}")
        resources = stack.resources._replace(manifest=SAMPLE_MANIFEST)
        yield self._request(f"{SAMPLE_FOLDER}/{REQUEST_KEY}", f"{self.job.name}-Sample", resources)

    def _request(self, key: str, name: str, resources: JobResources) -> FolderObject:
        request = create_labeling_job(self.job, name, resources)
        return FolderObject(key, json.dumps(request, indent=2).encode(), "application/json")

    def _is_of_this_job(self) -> bool:
        """Whether the sample's items are made of the job's sources, and what is known of them of its categories."""
        truth = self.sample / "truth.json"
        if truth.is_file():
            known = msgspec.json.decode(truth.read_bytes(), type=dict[str, str])
            if not set(known.values()) <= set(self.job.label.category_names):
                return False
        if not (self.sample / MANIFEST_KEY).is_file():
            return self._makes_items()
        folders = {key: f"{BUCKET_TOKEN}{source.folder}/" for key, source in self.job.sources.items()}
        files = sorted((self.sample / "dataset").glob("*.json"))
        items = [msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, str]]) for path in files]
        return bool(items) and all(
            item.keys() == folders.keys()
            and all(item[key].get("s3Path", "").startswith(folder) for key, folder in folders.items())
            for item in items
        )

    def _makes_items(self) -> bool:
        try:
            return bool(DataFolder(self.sample, self.job).items)
        except DataFolderError:
            return False

    def _put(self, bucket: str, made: FolderObject, record: Mapping[str, str]) -> tuple[str, str | None]:
        """The key, and the ETag of what was written; none where people's own object was left alone."""
        uri = S3Uri(bucket, made.key)
        there = self._etag(uri)
        if there and there != record.get(made.key):
            logger.warning("This object was made or changed by people and is left as it is", extra={"object": str(uri)})
            return made.key, None
        return made.key, self.storage.write(uri, made.body, made.content_type)

    def _remove(self, uri: S3Uri, etag: str) -> bool:
        """Whether the object was still as it was written, and is deleted now."""
        if self._etag(uri) != etag:
            return False
        self.storage.delete(uri)
        return True

    def _etag(self, uri: S3Uri) -> str | None:
        try:
            found = self.storage.open(uri, first_bytes=1)
        except MissingObjectError:
            return None
        found.close()
        return found.etag

    def _record(self, bucket: str) -> dict[str, str]:
        """What earlier calls wrote: ETags by key."""
        try:
            body = self.storage.read(S3Uri(bucket, RECORD_KEY), MAX_RECORD_BYTES)
        except MissingObjectError:
            return {}
        return msgspec.json.decode(body, type=dict[str, str])
