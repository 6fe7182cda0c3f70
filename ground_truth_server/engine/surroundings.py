"""What every run of the engine works with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ground_truth_server.engine.events import StateChanges
from ground_truth_server.engine.invoke import Invoke
from ground_truth_server.engine.outputs import QuickPut
from ground_truth_server.engine.tasks import TaskPool
from ground_truth_server.records.records import Records

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Surroundings:
    """What every run of the engine works with.

    Attributes:
        records: What must survive.
        s3: The S3 client.
        invoke: Calls functions.
        changes: Publishes state changes.
        tasks: The workers' side.
        clock: Tells the time.
        concurrency: Pre-annotation calls at a time.
        tick: Seconds between looks at the clock.
        quick_put: Puts small outputs at less cost, where there is such a way.
    """

    records: Records
    s3: "S3Client"
    invoke: Invoke
    changes: StateChanges
    tasks: TaskPool
    clock: Callable[[], datetime]
    concurrency: int
    tick: float
    quick_put: QuickPut | None = None
