"""State changes of labeling jobs, published as the events that reach EventBridge."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ground_truth_server.engine.retrying import Pauses
from ground_truth_server.records.records import Records

Listener = Callable[[Mapping[str, Any]], None]
"""Takes an event; if it raises, the event is offered to it again after a while, before those that follow."""

_log = logging.getLogger(__name__)
_SHORTEST_PAUSE = 0.05  # seconds between two looks
_LONGEST_PAUSES = 120  # first pauses: a minute, where the first is half a second


def state_change(arn: str, status: str, at: str) -> dict[str, Any]:
    """Make the event of a labeling job's state change as EventBridge delivers it.

    Args:
        arn: The labeling job.
        status: Its new status.
        at: When, as the store writes it.
    """
    _, _, _, region, account, _ = arn.split(":", 5)
    return {
        "version": "0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{arn}/{status}/{at}")),
        "detail-type": "SageMaker Ground Truth Labeling Job State Change",
        "source": "aws.sagemaker",
        "account": account,
        "time": f"{at[:19]}Z",
        "region": region,
        "resources": [arn],
        "detail": {"LabelingJobStatus": status},
    }


class _Delivery:
    """The state changes on their way to one listener, in order, in a thread of its own.

    Args:
        records: Where they are kept.
        name: What the store knows the listener by.
        listener: Who gets them.
        pauses: How long to wait before one that was not taken is offered again.
        names: All listeners' names.
    """

    def __init__(self, records: Records, name: str, listener: Listener, pauses: Pauses, names: Sequence[str]) -> None:
        self._records = records
        self._name = name
        self._listener = listener
        self._pauses = pauses
        self._all = list(names)
        self._closing = threading.Event()
        self._heard: int | None = None
        self._told = ""
        self._thread = threading.Thread(target=self._run, name=f"state-changes to {name}", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Try once more what is there, and stop."""
        self._closing.set()

    def join(self, patience: float) -> None:
        """Wait up to so many seconds for the end."""
        self._thread.join(patience)

    def _run(self) -> None:
        while True:
            closing = self._closing.is_set()
            changes = self._records.database.changes
            try:
                self._deliver_all()
            except Exception as error:  # whatever it is may pass
                self._tell(error)
                self._closing.wait(0 if closing else self._pauses.grow())
            else:
                self._told = ""
                self._pauses.reset()
                if not closing:
                    self._closing.wait(_SHORTEST_PAUSE)  # answers come by the hundred a second, state changes don't
                    self._records.database.wait_for_change(changes, 0.2)
            if closing:
                return

    def _tell(self, error: Exception) -> None:
        if str(error) != self._told:
            _log.warning("%s did not take a state change, which is offered again: %s", self._name, error)
        self._told = str(error)

    def _deliver_all(self) -> None:
        records = self._records
        if not records.database.lease(f"listener {self._name}"):
            self._heard = None  # another process tells this listener, and may have told it more
            return
        if self._heard is None:
            with records.transaction():
                heard = records.state_changes.place_of(self._name)
            self._heard = heard
        for sequence, event in records.state_changes.after(self._heard):
            self._listener(event)
            self._heard = sequence
            self._pauses.reset()
            with records.transaction():
                records.state_changes.set_heard(self._name, sequence, self._all)


class StateChanges:
    """Keeps state changes until every listener has had them, also past the end of the process.

    Each listener gets them in order. One that fails is tried again with growing pauses, and keeps nothing from the
    others. A change whose delivery was cut off is delivered again at the next start, as EventBridge may.

    Args:
        records: Where they are kept.
        listeners: Who gets them. One with a ``name`` goes on at the next start where it was; keep it the same.
        pause: Seconds before a listener that failed is tried again, the first time.
    """

    def __init__(self, records: Records, listeners: Sequence[Listener], pause: float = 0.5) -> None:
        self._records = records.state_changes
        names = [getattr(listener, "name", f"listener {place}") for place, listener in enumerate(listeners)]
        self._deliveries = [
            _Delivery(records, name, listener, Pauses(pause, _LONGEST_PAUSES * pause), names)
            for name, listener in zip(names, listeners, strict=True)
        ]

    def record(self, event: Mapping[str, Any]) -> None:
        """Keep an event for delivery, as part of the transaction that changes the state."""
        self._records.add(event)
        _log.info("%s is %s", event["resources"][0], event["detail"]["LabelingJobStatus"])

    def close(self, patience: float) -> None:
        """Deliver what is there and stop; what is not taken within so many seconds is delivered next time."""
        end = time.monotonic() + patience
        for delivery in self._deliveries:
            delivery.end()
        for delivery in self._deliveries:
            delivery.join(max(0.0, end - time.monotonic()))
