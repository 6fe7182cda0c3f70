"""Sets up the bucket of a deployed stack: the sample, its manifest, the worker page and the labeling job's request.

What is written is recorded with its ETag, so that an update never overwrites what people have put in its place, and
a deletion removes nothing that is theirs.
"""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from labeling import worker_page
from labeling.data_folder import MANIFEST_KEY, DataFolder, FolderObject
from labeling.decoding import DecodingError, convert
from labeling.errors import EventError, JobConfigurationError, MissingObjectError, StorageError
from labeling.job import JobConfiguration
from labeling.job_request import WORKER_PAGE_KEY, JobResources, create_labeling_job
from labeling.observability import logger
from labeling.storage import S3Uri, Storage

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

REQUEST_KEY = "labeling-job.json"
RECORD_KEY = "stack-setup.json"
MAX_RECORD_BYTES = 10_000_000
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
        KeepDataOnDelete: Whether people's data and labels stay when the stack is deleted.
    """

    Bucket: str
    RoleArn: str
    PreLabelingFunctionArn: str
    PostLabelingFunctionArn: str
    SourceFolders: str
    WorkteamArn: str = ""
    KeepDataOnDelete: Literal["true", "false"] = "true"

    @property
    def account(self) -> JobResources:
        """What the labeling job's request names of the account."""
        _, _, _, region, account, *_ = self.PreLabelingFunctionArn.split(":")
        return JobResources(
            bucket=self.Bucket,
            role_arn=self.RoleArn,
            workteam_arn=self.WorkteamArn or NO_TEAM.format(region=region, account=account),
            pre_labeling_arn=self.PreLabelingFunctionArn,
            post_labeling_arn=self.PostLabelingFunctionArn,
        )


def properties(value: object) -> Properties:
    """Reads a custom resource's properties.

    Raises:
        EventError: If one is missing or of another type.
    """
    try:
        return convert(value, Properties)
    except DecodingError as error:
        raise EventError(f"the custom resource's properties: {error}; see StackSetup in template.yaml") from None


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

        Returns:
            The S3 URIs of the manifest, the worker page and the labeling job's request.

        Raises:
            JobConfigurationError: If the job reads a folder that the stack's roles don't open to it.
            LabelingError: If S3 refuses or fails.
        """
        self._check_folders(stack)
        record = self._record(stack.Bucket)
        written = dict(record)
        try:
            done = self.pool.map(lambda made: self._put(stack.Bucket, made, record), self._objects(stack))
            written.update((key, etag) for key, etag in done if etag)
        finally:
            body = json.dumps(written, indent=1).encode()
            self.storage.write(S3Uri(stack.Bucket, RECORD_KEY), body, "application/json")
        return {
            "ManifestS3Uri": f"s3://{stack.Bucket}/{MANIFEST_KEY}",
            "UiTemplateS3Uri": f"s3://{stack.Bucket}/{WORKER_PAGE_KEY}",
            "LabelingJobRequest": f"s3://{stack.Bucket}/{REQUEST_KEY}",
        }

    def remove(self, stack: Properties) -> int:
        """Deletes what `put` wrote and nobody changed; or, unless data are to be kept, everything.

        Returns:
            How many objects, or versions of objects, were deleted.

        Raises:
            LabelingError: If S3 refuses or fails.
        """
        try:
            if stack.KeepDataOnDelete == "false":
                return self._delete(stack.Bucket, self._versions(stack.Bucket))
            record = self._record(stack.Bucket)
            deleted = sum(self.pool.map(lambda key: self._remove(S3Uri(stack.Bucket, key), record[key]), record))
            self.storage.client.delete_object(Bucket=stack.Bucket, Key=RECORD_KEY)
            return deleted
        except self.storage.client.exceptions.NoSuchBucket:
            return 0

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
        yield from DataFolder(self.sample, self.job).objects(stack.Bucket)
        page = worker_page.page(self.job, self.template)
        yield FolderObject(WORKER_PAGE_KEY, page.encode(), "text/html; charset=utf-8")
        request = create_labeling_job(self.job, f"{self.job.name}-1", stack.account)
        yield FolderObject(REQUEST_KEY, json.dumps(request, indent=2).encode(), "application/json")

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
        self.storage.client.delete_object(Bucket=uri.bucket, Key=uri.key)
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

    def _versions(self, bucket: str) -> Iterator["ObjectIdentifierTypeDef"]:
        """Every version of every object, and the marks of deleted ones."""
        for page in self.storage.client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for entry in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                yield {"Key": entry["Key"], "VersionId": entry["VersionId"]}

    def _delete(self, bucket: str, objects: Iterable["ObjectIdentifierTypeDef"]) -> int:
        deleted = 0
        entries = iter(objects)
        while batch := list(itertools.islice(entries, 1_000)):  # as many as S3 deletes in one call
            answer = self.storage.client.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
            if errors := answer.get("Errors"):
                first = errors[0]
                raise StorageError(
                    f"s3://{bucket}/{first.get('Key')}: S3 doesn't delete it ({first.get('Code')}: "
                    f"{first.get('Message')}), nor {len(errors) - 1} more; allow it in the set-up's role and the "
                    "bucket's policy, and delete the stack again"
                )
            deleted += len(batch)
        return deleted
