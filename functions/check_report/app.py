"""CheckReportFunction: writes the report of a manifest's check from what the state machine's map left."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from labeling import storage
from labeling.map_results import write_report
from labeling.observability import logger
from labeling.settings import FunctionSettings

store = storage.Storage(storage.client(), FunctionSettings.of().input_buckets)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """Answers the state machine; see `write_report`."""
    return write_report(store, bucket=event["bucket"], manifest_key=event["results"], name=event["name"])
