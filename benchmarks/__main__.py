"""Compare the pre-labeling handler with a straightforward one, large jobs with small ones: ``python -m benchmarks``.

Both handlers answer the same events on one S3 server in one run, in turns. Each round has a recording of its own, so
that no plot is there already. Ends with 1 if ours isn't fast enough at 10,000 rows, or if the local Ground Truth takes
more for each of 2,000 objects than for each of 200 (:mod:`benchmarks.scale`), or if something misses what is required
of large jobs (:mod:`benchmarks.large`), plots to work in (:mod:`benchmarks.zoom`) or consolidation
(:mod:`benchmarks.consolidation`).
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks import consolidation, large, scale, zoom
from benchmarks.recordings import recording
from benchmarks.s3_server import s3_server

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROOT: Final = Path(__file__).parents[1]
BUCKET: Final = "benchmark"
ROUNDS: Final = {1_000: 21, 10_000: 21, 1_000_000: 5}
WARM_UPS: Final = 2
REQUIRED: Final = (10_000, 4.0)

Handler = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda passes beside the event."""

    function_name: str = "PreLabelingFunction"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:111122223333:function:PreLabelingFunction"
    aws_request_id: str = "benchmark"


def main() -> int:
    """Run both, and judge."""
    print("The pre-labeling handler, an item of so many rows:", flush=True)
    status = compare_handlers()
    print("\nThe local Ground Truth, a labeling job of so many objects:", flush=True)
    status = max(status, scale.main())
    print("\nDawid–Skene beside crowd-kit's:", flush=True)
    status = max(status, consolidation.main())
    print("\nPlots of 5,000,000 rows in four channels, in a browser:", flush=True)
    status = max(status, zoom.main())
    print("\nA job of 200,000 objects with fifty workers:", flush=True)
    return max(status, large.main())


def compare_handlers() -> int:
    """Measure the handlers, print, and judge."""
    # With bytecode, as Lambda has it in its layers.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.update(
        AWS_ACCESS_KEY_ID="benchmark",
        AWS_SECRET_ACCESS_KEY="benchmark",
        AWS_DEFAULT_REGION="eu-west-1",
        LABELING_JOB_CONFIG=str(ROOT / "labeling_job" / "job.toml"),
        POWERTOOLS_LOG_LEVEL="WARNING",
        POWERTOOLS_METRICS_DISABLED="true",
    )
    with s3_server() as endpoint:
        os.environ["AWS_ENDPOINT_URL_S3"] = endpoint
        handlers = {"straightforward": straightforward(), "ours": ours()}
        s3 = new_bucket()
        print(f"{'rows':>10} {'straightforward':>16} {'ours':>10} {'ratio':>7}", flush=True)
        ratios = {}
        for rows, rounds in ROUNDS.items():
            times = compare(handlers, rows, rounds, s3)
            ratios[rows] = times["straightforward"] / times["ours"]
            slow, fast = times["straightforward"] * 1000, times["ours"] * 1000
            print(f"{rows:>10,} {slow:>13,.0f} ms {fast:>7,.0f} ms {ratios[rows]:>6.1f}×", flush=True)
    rows, ratio = REQUIRED
    if ratios[rows] < ratio:
        print(f"Too slow: {ratios[rows]:.1f}× at {rows:,} rows, and {ratio:g}× is required.")
        return 1
    return 0


def straightforward() -> Handler:
    """The straightforward handler, for the welding job."""
    reference = import_module("benchmarks.straightforward")
    job = import_module("labeling.job").load_configured()
    (source,) = job.recordings.values()
    return lambda event: reference.handler(event, source)


def ours() -> Handler:
    """The handler that Lambda runs."""
    app = import_module("functions.pre_labeling.app")
    return lambda event: app.handler(event, Context())


def new_bucket() -> "S3Client":
    """Make the bucket, with a photograph in it."""
    client: S3Client = import_module("boto3").client("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    photograph = next((ROOT / "labeling_job" / "sample" / "images").iterdir())
    client.put_object(Bucket=BUCKET, Key="images/weld.png", Body=photograph.read_bytes())
    return client


def compare(handlers: dict[str, Handler], rows: int, rounds: int, s3: "S3Client") -> dict[str, float]:
    """The median seconds that each handler takes for an item of so many rows."""
    data = recording(rows)
    times: dict[str, list[float]] = {name: [] for name in handlers}
    for number in range(-WARM_UPS, rounds):
        # The one goes first in one round, the other in the next.
        for name in sorted(handlers, reverse=number % 2 == 0):
            seconds = measure(handlers[name], new_item(data, f"{rows}-{number}-{name}", s3))
            if number >= 0:
                times[name].append(seconds)
    return {name: median(measured) for name, measured in times.items()}


def new_item(data: bytes, name: str, s3: "S3Client") -> dict[str, Any]:
    """Store an item that nobody has seen, and give its event."""
    key = f"sensor_data/{name}.csv"
    s3.put_object(Bucket=BUCKET, Key=key, Body=data)
    files = {
        "sensor_data": {"s3Path": f"s3://{BUCKET}/{key}"},
        "image": {"s3Path": f"s3://{BUCKET}/images/weld.png"},
    }
    s3.put_object(Bucket=BUCKET, Key=f"dataset/{name}.json", Body=json.dumps(files).encode())
    return {
        "version": "2018-10-16",
        "labelingJobArn": "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/benchmark",
        "dataObject": {"source": f"s3://{BUCKET}/dataset/{name}.json"},
    }


def measure(handler: Handler, event: dict[str, Any]) -> float:
    """The seconds that a handler takes to answer an event with all panels.

    Raises:
        ValueError: If it made no task input of four panels, which would be no time worth comparing.
    """
    begin = time.perf_counter()
    answer = handler(event)
    seconds = time.perf_counter() - begin
    if len(answer["taskInput"].keys() - {"panels"}) != 4:
        raise ValueError(f"four panels expected, got {answer}")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
