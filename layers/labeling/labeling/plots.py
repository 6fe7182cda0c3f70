"""Where an item's plots lie, and whether those that lie there can be shown again."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import msgspec

from labeling.decoding import from_json
from labeling.errors import MissingObjectError
from labeling.panels import PlotArea, PlotData
from labeling.sources import TimeSeriesSource
from labeling.storage import S3Uri, Storage

FOLDER = "plots"
# S3 allows keys of 1,024 bytes; the suffix needs some of them.
MAX_NAME_BYTES = 900
# Of a fingerprint in a plot's name: two in the whole bucket are alike once in 10^19.
FINGERPRINT_CHARACTERS = 16
MAX_RECORD_BYTES = 1_000_000
# The bucket removes old plots, after 60 days at the earliest; a task may wait for its worker for 10 days.
REUSED_FOR = timedelta(days=30)


class Plot(msgspec.Struct, frozen=True):
    """One channel's picture in the bucket, and what goes with it to the worker.

    Attributes:
        panel: The panel's key in the task input.
        key: The picture's key in the bucket.
        etag: The picture's ETag.
        alt: What the picture shows, in words.
        area: Where in it which time lies; ``None`` if it has no time axis.
        series: Which series of its recording's numbers it shows; ``None`` if none.
        data: The key of the file with its recording's numbers; ``None`` if it shows none of them.
        notes: What its reader should know of the data.
    """

    panel: str
    key: str
    etag: str
    alt: str
    area: PlotArea | None
    series: int | None
    data: str | None
    notes: tuple[str, ...] = ()


class DataFile(msgspec.Struct, frozen=True):
    """The numbers behind a recording's plots, in the bucket.

    Attributes:
        key: The file's key in the bucket.
        etag: The file's ETag.
        layout: How it is read.
    """

    key: str
    etag: str
    layout: PlotData


class PlotRecord(msgspec.Struct, frozen=True):
    """What was drawn of an item, kept beside the plots so that the next call needn't draw them again.

    Attributes:
        fingerprint: Of the recordings, their configuration, the renderer and the reference.
        rows_left_out: How many rows of the recordings aren't in the plots.
        plots: One a channel.
        data: One a recording.
    """

    fingerprint: str
    rows_left_out: int
    plots: tuple[Plot, ...]
    data: tuple[DataFile, ...]


def fingerprint(
    etags: Mapping[str, str], sources: Mapping[str, TimeSeriesSource], renderer: str, reference: str = ""
) -> str:
    """The same for the same recordings, configuration, renderer and reference, and only then.

    Args:
        etags: The recordings' ETags, by source.
        sources: The recordings' configurations: all of an item, since its plots share their time axis.
        renderer: The renderer's version.
        reference: The version of what lies behind the lines; empty if the job has no reference.
    """
    parts = [dict(etags), msgspec.to_builtins(sources), renderer, *filter(None, [reference])]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def plots_uri(recording: S3Uri, source: TimeSeriesSource, bucket: str, item: str) -> S3Uri:
    """What the addresses of a recording's plots begin with: ``s3://BUCKET/plots/<csv name>-<fingerprint>``.

    No two recordings share it, nor do two items that share a recording: its plots are drawn on the item's time
    axis, which the item's other recordings make longer.

    Below the source's folder sub-folders are kept; of a recording that lies
    elsewhere the whole path is, behind ``@`` and its bucket. Characters that clients and file systems trip over
    are URL-encoded, and a path too long for S3 becomes its SHA-256.

    Args:
        recording: The recording.
        source: Its configuration.
        bucket: The bucket of the plots.
        item: The `fingerprint` of the item's recordings.
    """
    folder = f"{source.folder}/"
    if recording.bucket == bucket and recording.key.startswith(folder):
        name = _plain(recording.key.removeprefix(folder))
    else:
        name = f"@{recording.bucket}/{_plain(recording.key)}"
    place = _in_folder(bucket, name)
    return S3Uri(place.bucket, f"{place.key}-{item[:FINGERPRINT_CHARACTERS]}")


def record_uri(dataset_file: S3Uri, bucket: str) -> S3Uri:
    """Where the record of an item's plots lies: ``s3://BUCKET/plots/<dataset file>.record``.

    Args:
        dataset_file: The item's dataset file.
        bucket: The bucket of the plots.
    """
    name = _plain(dataset_file.key)
    return _in_folder(
        bucket, f"{name}.record" if dataset_file.bucket == bucket else f"@{dataset_file.bucket}/{name}.record"
    )


def read_record(uri: S3Uri, storage: Storage) -> PlotRecord | None:
    """The record that lies at `record_uri`; nothing if there is none that can be read."""
    try:
        return from_json(storage.read(uri, MAX_RECORD_BYTES), PlotRecord)
    except (MissingObjectError, msgspec.DecodeError):
        return None


def write_record(uri: S3Uri, record: PlotRecord, storage: Storage) -> None:
    """Keeps the record of an item's plots; to be called when they are all there."""
    storage.write(uri, msgspec.json.encode(record), "application/json")


def are_there(uris: Iterable[S3Uri], record: PlotRecord, storage: Storage) -> bool:
    """Whether every file of the record lies in the bucket as it was drawn, and will for a while.

    Args:
        uris: The `plots_uri` of each of the item's recordings.
        record: What was drawn.
        storage: The job's buckets.
    """
    oldest = datetime.now(UTC) - REUSED_FOR
    etags: dict[str, str] = {}
    for uri in uris:
        etags |= storage.etags(S3Uri(uri.bucket, f"{uri.key}-"), oldest)
    drawn = {plot.key: plot.etag for plot in record.plots} | {file.key: file.etag for file in record.data}
    return all(etags.get(key) == etag for key, etag in drawn.items())


def _in_folder(bucket: str, name: str) -> S3Uri:
    if len(name.encode()) > MAX_NAME_BYTES:
        name = f"@@/{hashlib.sha256(name.encode()).hexdigest()}"
    return S3Uri(bucket, f"{FOLDER}/{name}")


def _plain(path: str) -> str:
    """A path whose steps have letters, digits and plain marks only; different paths stay different."""
    return "/".join(_plain_step(step) for step in path.split("/"))


def _plain_step(step: str) -> str:
    if step in ("", ".", ".."):  # clients and file systems fold these away
        return step.replace(".", "%2E") or "%"
    return re.sub(r"[^\w!'()*=+,. -]", lambda mark: quote(mark[0], safe=""), step)
