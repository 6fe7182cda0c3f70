"""Pre-labeling: an item's files become pictures in the bucket and the task input of the worker page."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from typing import Any, NamedTuple, Protocol

import msgspec

from labeling import contract, dataset, plots, reference
from labeling.contract import PreLabelingEvent
from labeling.errors import ItemError, LabelingError, UnforeseenItemError
from labeling.job import JobConfiguration
from labeling.observability import logger, metrics
from labeling.panels import PANELS, ConfiguredPanel, Content, PlotArea, PlotData
from labeling.plots import DataFile, Plot, PlotRecord
from labeling.reference import ReferenceFile
from labeling.sources import TimeSeriesSource
from labeling.storage import S3Uri, Storage, StoredObject

# Of what nobody foresaw, which may hold half a recording.
MOST_SHOWN = 500


class DrawnPanel(Protocol):
    """One channel, drawn."""

    @property
    def key(self) -> str:
        """The panel's key in the task input."""

    @property
    def suffix(self) -> str:
        """The end of the plot's name."""

    @property
    def png(self) -> bytes:
        """The picture."""

    @property
    def alt(self) -> str:
        """What the picture shows, in words."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What its reader should know of the data."""

    @property
    def area(self) -> PlotArea | None:
        """Where in the picture which time lies; nothing if it has no time axis."""

    @property
    def series(self) -> int | None:
        """Which series of its recording's numbers it shows; nothing if none."""


class RecordingFile(NamedTuple):
    """A recording that is to be drawn.

    Attributes:
        data: The file.
        source: How it is read.
        name: Its address, for messages.
    """

    data: bytes
    source: TimeSeriesSource
    name: str


class Drawing(Protocol):
    """An item's recordings on their way to pictures."""

    @property
    def panels(self) -> Iterator[DrawnPanel]:
        """One a channel; each is drawn when it is asked for."""

    @property
    def data(self) -> Iterator[tuple[Content, PlotData]]:
        """One a recording: the file of its numbers, and how it is read."""

    @property
    def rows_left_out(self) -> int:
        """How many rows of the recordings can't be drawn."""


class Renderer(NamedTuple):
    """What turns recordings into pictures.

    Attributes:
        version: Changes whenever the same recording would be drawn otherwise.
        draw: Takes all recordings of an item, which share one time axis, and what the job's good items have in common.
    """

    version: str
    draw: Callable[[Sequence[RecordingFile], ReferenceFile | None], Drawing]


class PreLabeling:
    """Answers Ground Truth's pre-labeling events for one labeling job.

    Args:
        job: What is labeled.
        storage: Its buckets.
        renderer: What draws its recordings.
        pool: Where calls of S3 run, so that they overlap each other and the drawing.
        bucket: Where plots go; the dataset file's own bucket if empty.
    """

    def __init__(
        self, job: JobConfiguration, storage: Storage, renderer: Renderer, pool: Executor, bucket: str = ""
    ) -> None:
        self.job = job
        self.storage = storage
        self.renderer = renderer
        self.pool = pool
        self.bucket = bucket

    def answer(self, event: object) -> dict[str, Any]:
        """Gives the task input of one data object.

        Args:
            event: As Ground Truth sends it.

        Returns:
            ``{"taskInput": {panel: {"file", "title", "alt", "notes"}}, "isHumanAnnotationRequired": "true"}``; a plot's
            panel has its ``area``, ``series`` and ``data`` as well, see `PlotArea` and `PlotData`. Under ``panels`` the
            task input lists them all, in the job's order, each with its ``kind``, ``key``, ``name`` and ``unit``.
            Workers aren't needed for an object that has this job's label already, nor, where the job configuration
            says ``skip``, for a broken one, whose task input holds ``error`` and ``errorType``.

        Raises:
            LabelingError: What is wrong with the event, the job's access to S3, or the item.
        """
        metrics.add_metric("Items", "Count", 1)
        request = contract.pre_labeling_event(event)
        logger.append_keys(labeling_job=request.labelingJobArn, item=request.item)
        if label := contract.existing_label(request, self.job):
            logger.info("The item has this job's label already: no worker is needed", extra={"label": label})
            return contract.task({}, for_workers=False)
        try:
            return contract.task(self._task_input(request), for_workers=True)
        except ItemError as error:
            return self._without_workers(error)
        except (LabelingError, MemoryError):
            raise
        except Exception as error:
            # Nobody foresaw it, so it is one item's until the next one meets it as well: the others can go on.
            logger.exception("Something unforeseen came out of the item")
            reason = f"{type(error).__name__}: {error}"[:MOST_SHOWN].encode(errors="backslashreplace").decode()
            unforeseen = UnforeseenItemError(f"{request.item}: {reason}; the function's log has all of it")
            unforeseen.__cause__ = error
            return self._without_workers(unforeseen)

    def _without_workers(self, error: ItemError) -> dict[str, Any]:
        metrics.add_metric("BrokenItems", "Count", 1)
        if self.job.broken_items == "fail":
            raise error
        logger.error("The item can't be shown and is kept from the workers", extra={"reason": str(error)})
        return contract.task({"error": str(error), "errorType": type(error).__name__}, for_workers=False)

    def _task_input(self, request: PreLabelingEvent) -> dict[str, Any]:
        uri = S3Uri.parse(request.dataset_uri)
        files = dataset.read(uri, self.job, self.storage)
        dataset.check_folders(files, self.job, self.bucket)
        sources = self.job.sources
        checks = [self.pool.submit(dataset.check_file, files[key], sources[key], self.storage) for key in sources]
        as_they_are = {key: source.file_panel(str(files[key])) for key, source in sources.items()}
        panels: dict[str, Any] = {key: panel for key, panel in as_they_are.items() if panel}
        bucket = self.bucket or uri.bucket
        if self.job.recordings:
            drawn = self._plots(uri, files, bucket)
            layouts = {file.key: file.layout for file in drawn.data}
            panels |= {plot.panel: _plot_panel(plot, layouts, bucket) for plot in drawn.plots}
        for check in checks:
            check.result()
        return panels | {PANELS: [_listed(panel, panels[panel.key]) for panel in self.job.panels]}

    def _plots(self, uri: S3Uri, files: Mapping[str, S3Uri], bucket: str) -> PlotRecord:
        """The plots of an item's recordings: those that are there, or new ones."""
        sources = self.job.recordings
        kept = plots.record_uri(uri, bucket)
        earlier = self.pool.submit(plots.read_record, kept, self.storage)
        good = self.pool.submit(self._reference, bucket)
        recordings = dict(zip(sources, self.pool.map(self.storage.open, [files[key] for key in sources]), strict=True))
        etags = {key: recording.etag for key, recording in recordings.items()}
        compared = good.result()
        wanted = plots.fingerprint(etags, sources, self.renderer.version, compared.version if compared else "")
        targets = {key: plots.plots_uri(files[key], source, bucket, wanted) for key, source in sources.items()}
        record = earlier.result()
        if record and record.fingerprint == wanted and plots.are_there(targets.values(), record, self.storage):
            for recording in recordings.values():
                recording.close()
            metrics.add_metric("PlotsReused", "Count", len(record.plots))
        else:
            record = self._draw(recordings, targets, wanted, compared)
            plots.write_record(kept, record, self.storage)
            metrics.add_metric("PlotsDrawn", "Count", len(record.plots))
        metrics.add_metric("RowsLeftOut", "Count", record.rows_left_out)
        return record

    def _reference(self, bucket: str) -> ReferenceFile | None:
        """What the job's good items have in common, if the job shows it."""
        if self.job.reference is None:
            return None
        found = reference.read(self.job.reference, self.job, bucket, self.storage)
        if found.problem:
            metrics.add_metric("ReferencesMissing", "Count", 1)
            logger.warning("The plots have no reference behind them", extra={"reason": found.problem})
        return found

    def _draw(
        self,
        recordings: Mapping[str, StoredObject],
        targets: Mapping[str, S3Uri],
        wanted: str,
        compared: ReferenceFile | None,
    ) -> PlotRecord:
        """Draws one plot while the one before is on its way to S3."""
        sources = self.job.recordings
        drawing = self.renderer.draw(
            [
                RecordingFile(recording.read(sources[key].max_bytes), sources[key], str(recording.uri))
                for key, recording in recordings.items()
            ],
            compared,
        )
        numbers = {key: _numbers_uri(targets[key], source) for key, source in sources.items()}
        files = [
            self.pool.submit(self._upload_numbers, *data, uri)
            for data, uri in zip(drawing.data, numbers.values(), strict=True)
        ]
        target_of = {panel.key: targets[key] for key, source in sources.items() for panel in source.panels(key)}
        key_of = {panel.key: numbers[key].key for key, source in sources.items() for panel in source.panels(key)}
        uploads = [
            self.pool.submit(self._upload, panel, target_of[panel.key], key_of[panel.key]) for panel in drawing.panels
        ]
        return PlotRecord(
            wanted, drawing.rows_left_out, tuple(map(Future.result, uploads)), tuple(map(Future.result, files))
        )

    def _upload(self, panel: DrawnPanel, target: S3Uri, data: str) -> Plot:
        uri = S3Uri(target.bucket, f"{target.key}-{panel.suffix}.png")
        etag = self.storage.write(uri, panel.png, "image/png")
        shown = None if panel.series is None else data
        return Plot(panel.key, uri.key, etag, panel.alt, panel.area, panel.series, shown, panel.notes)

    def _upload_numbers(self, content: Content, layout: PlotData, uri: S3Uri) -> DataFile:
        return DataFile(uri.key, self.storage.write(uri, content, "application/octet-stream"), layout)


def _numbers_uri(target: S3Uri, source: TimeSeriesSource) -> S3Uri:
    """Where a recording's numbers lie: by its first channel's suffix, since recordings of one name share the rest."""
    return S3Uri(target.bucket, f"{target.key}-{source.channels[0].suffix}.bin")


def _listed(panel: ConfiguredPanel, content: Mapping[str, Any]) -> dict[str, Any]:
    """A panel as it stands in the list that a page goes through, which needn't know the job's keys then."""
    return {"kind": panel.kind, "key": panel.key, "name": panel.name, "unit": panel.unit, **content}


def _plot_panel(plot: Plot, layouts: Mapping[str, PlotData], bucket: str) -> dict[str, Any]:
    panel: dict[str, Any] = {
        "file": str(S3Uri(bucket, plot.key)),
        "title": f" from file at {plot.key}",
        "alt": plot.alt,
        "notes": list(plot.notes),
    }
    if plot.area is not None:
        panel["area"] = msgspec.to_builtins(plot.area)
    if plot.data is not None:
        panel["series"] = plot.series
        panel["data"] = {"file": str(S3Uri(bucket, plot.data)), **msgspec.to_builtins(layouts[plot.data])}
    return panel
