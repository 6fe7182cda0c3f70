"""PreLabelingFunction: turns a data object's files into plots and a task input."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from labeling import snapshot, storage
from labeling.job import load_configured
from labeling.observability import logger, metrics
from labeling.pre_labeling import PreLabeling, Renderer
from labeling.settings import FunctionSettings
from plotting.panels import RENDERER, draw_files
from plotting.warming import warm as warm_plotting

settings = FunctionSettings.of()
pre_labeling = PreLabeling(
    job=load_configured(),
    storage=storage.Storage(storage.client(), settings.input_buckets),
    renderer=Renderer(RENDERER, draw_files),
    pool=ThreadPoolExecutor(16),
    bucket=settings.bucket,
)


def warm() -> None:
    """Does before a snapshot what a first call would take time for."""
    warm_plotting()
    storage.warm(pre_labeling.storage.client)


def renew() -> None:
    """Makes the S3 client anew after a restore: its connections are gone, its credentials may have expired."""
    pre_labeling.storage.client = storage.client()


snapshot.prepare(warm, renew)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """Answers a pre-labeling event of Ground Truth; see `PreLabeling.answer`."""
    try:
        return pre_labeling.answer(event)
    except Exception:
        logger.exception("The item could not be prepared")
        raise
