"""What the state machine's distributed map leaves of a check, read into the report of broken items.

The map writes ``manifest.json``, which names files of the ended executions, one an item of the manifest: those that
succeeded, flattened to the broken items they found, and those that failed with all that Step Functions knows of them.
See "ResultWriter (Map)" in the AWS Step Functions Developer Guide.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from labeling import broken_items, manifest
from labeling.broken_items import BrokenItem
from labeling.decoding import from_json
from labeling.storage import S3Uri, Storage

MAX_BYTES = 500_000_000


class ResultFile(msgspec.Struct, frozen=True):
    """A file of results, by its key."""

    Key: str


class ResultFiles(msgspec.Struct, frozen=True):
    """The files of results, by how the executions ended."""

    SUCCEEDED: list[ResultFile] = []
    FAILED: list[ResultFile] = []


class ResultManifest(msgspec.Struct, frozen=True):
    """``manifest.json`` of a map."""

    ResultFiles: ResultFiles


def write_report(storage: Storage, *, bucket: str, manifest_key: str, name: str) -> dict[str, Any]:
    """Writes the report of a check.

    Args:
        storage: The stack's bucket.
        bucket: Its name.
        manifest_key: The key of the map's ``manifest.json``.
        name: The report's name.

    Returns:
        ``{"brokenItems": how many, "report": S3 URI}``.
    """
    files = from_json(storage.read(S3Uri(bucket, manifest_key), MAX_BYTES), ResultManifest).ResultFiles
    items = [broken_items.decode(line) for file in files.SUCCEEDED for line in _lines(storage, bucket, file)]
    items += [_failed(json.loads(line)) for file in files.FAILED for line in _lines(storage, bucket, file)]
    uri = S3Uri(bucket, broken_items.report_key(name))
    storage.write(uri, broken_items.report(items), "application/jsonl")
    return {"brokenItems": len(items), "report": str(uri)}


def _lines(storage: Storage, bucket: str, file: ResultFile) -> Iterator[bytes]:
    return filter(bytes.strip, storage.read(S3Uri(bucket, file.Key), MAX_BYTES).splitlines())


def _failed(execution: dict[str, Any]) -> BrokenItem:
    """An item whose execution failed; Step Functions keeps its input as a JSON string."""
    item = json.loads(execution["Input"])
    return BrokenItem(
        line=item["line"],
        source=manifest.source(item["dataObject"]),
        error=execution.get("Error", "States.TaskFailed"),
        message=execution.get("Cause", "the check of this item failed; its execution's history says why"),
    )
