"""The pre-labeling function's work on this machine: plots in the bucket, and a task input."""

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any

import msgspec
from labeling.job import JobConfiguration
from labeling.observability import logger, metrics
from labeling.pre_labeling import Drawing, PreLabeling, RecordingFile, Renderer
from labeling.reference import ReferenceFile
from labeling.storage import Storage


class LocalPreLabeling:
    """Prepares items as the function does, and raises what is wrong with one also where the job skips such items.

    Args:
        job: The job configuration.
        storage: Where items lie and plots go.
        pool: Where calls of S3 run.
        bucket: Where plots go; the dataset file's own bucket if empty.
    """

    def __init__(self, job: JobConfiguration, storage: Storage, pool: Executor, bucket: str = "") -> None:
        from plotting.panels import RENDERER  # noqa: PLC0415 - matplotlib takes its time, and most commands don't draw

        strict = msgspec.structs.replace(job, broken_items="fail")
        self._pre_labeling = PreLabeling(strict, storage, Renderer(RENDERER, _drawing), pool, bucket)
        logger.setLevel("CRITICAL")  # it writes to standard output, for CloudWatch

    def task_input(self, data_object: dict[str, Any]) -> dict[str, Any]:
        """Draws an item's plots, where they aren't there yet, and gives what the worker page will read.

        Raises:
            LabelingError: What is wrong with the item.
        """
        try:
            answer = self._pre_labeling.answer({"labelingJobArn": "", "dataObject": data_object})
        finally:
            metrics.clear_metrics()  # a hundred of them would be printed
        task_input: dict[str, Any] = answer["taskInput"]
        return task_input


def _drawing(files: Sequence[RecordingFile], good: ReferenceFile | None) -> Drawing:
    from plotting.panels import draw_files  # noqa: PLC0415

    return draw_files(files, good)
