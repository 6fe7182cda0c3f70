"""State changes of labeling jobs, published as the events that reach EventBridge."""

import json
import logging
import sqlite3
import threading
import urllib.request
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ground_truth_server.engine.json_text import write_json
from ground_truth_server.engine.store import Store

Listener = Callable[[Mapping[str, Any]], None]
"""Takes an event; what it raises is logged, and the event is not offered to it again."""

_log = logging.getLogger(__name__)
_WEBHOOK_TRIES = 3


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


class Webhook:
    """A listener that posts each event as JSON.

    Args:
        url: Where to; ``http`` or ``https``.
        pause: Seconds between tries.
    """

    def __init__(self, url: str, pause: float = 1) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"webhook: found {url!r}, expected an http or https URL")
        self._url = url
        self._pause = threading.Event().wait
        self._seconds = pause

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Post an event, trying again if it is not taken.

        Raises:
            OSError: If it was not taken the last time either.
        """
        for left in reversed(range(_WEBHOOK_TRIES)):
            try:
                self._post(write_json(event).encode())
            except OSError:
                if not left:
                    raise
                self._pause(self._seconds)
            else:
                return

    def _post(self, body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url, body, headers)  # noqa: S310  (checked when it was made)
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310
            pass


class StateChanges:
    """Keeps state changes until every listener has had them, also past the end of the process.

    A change whose delivery was cut off is delivered again at the next start, as EventBridge may.

    Args:
        store: Where they are kept.
        listeners: Who gets them, in order.
    """

    def __init__(self, store: Store, listeners: Sequence[Listener]) -> None:
        self._store = store
        self._listeners = listeners
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="state-changes", daemon=True)
        self._thread.start()

    def record(self, database: sqlite3.Connection, event: Mapping[str, Any]) -> None:
        """Keep an event for delivery, as part of the transaction that changes the state."""
        database.execute("INSERT INTO state_changes (event) VALUES (?)", (write_json(event),))

    def close(self, patience: float) -> None:
        """Deliver what is there and stop; what is not taken within so many seconds is delivered next time."""
        self._closing = True
        self._thread.join(patience)

    def _run(self) -> None:
        try:
            self._deliver_all()
        except sqlite3.ProgrammingError:  # a listener took longer than the store stays open
            if not self._closing:
                raise

    def _deliver_all(self) -> None:
        while True:
            changes = self._store.changes
            closing = self._closing
            for row in self._store.rows("SELECT * FROM state_changes WHERE delivered = 0 ORDER BY sequence"):
                self._deliver(row)
            if closing:
                return
            self._store.wait_for_change(changes, 0.2)

    def _deliver(self, row: sqlite3.Row) -> None:
        event = json.loads(row["event"])
        _log.info("%s is %s", event["resources"][0], event["detail"]["LabelingJobStatus"])
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                _log.exception("a listener did not take the event %s", event["id"])
        with self._store.transaction() as database:
            database.execute("UPDATE state_changes SET delivered = 1 WHERE sequence = ?", (row["sequence"],))
