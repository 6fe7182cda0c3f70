"""PostLabelingFunction: consolidates a batch of workers' answers into labels."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from labeling import snapshot, storage
from labeling.job import load_configured
from labeling.observability import logger, metrics
from labeling.post_labeling import PostLabeling
from labeling.settings import FunctionSettings

settings = FunctionSettings.of()
post_labeling = PostLabeling(
    job=load_configured(),
    storage=storage.Storage(storage.client(), settings.input_buckets),
    pool=ThreadPoolExecutor(16),
    bucket=settings.bucket,
)


def warm() -> None:
    """Does before a snapshot what a first call would take time for."""
    storage.warm(post_labeling.storage.client)


def renew() -> None:
    """Makes the S3 client anew after a restore: its connections are gone, its credentials may have expired."""
    post_labeling.storage.client = storage.client()


snapshot.prepare(warm, renew)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> list[dict[str, Any]]:  # noqa: ARG001
    """Answers a post-labeling event of Ground Truth; see `PostLabeling.answer`."""
    try:
        return post_labeling.answer(event)
    except Exception:
        logger.exception("The batch could not be consolidated")
        raise
