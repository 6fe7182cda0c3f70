"""Addresses of worker pages on the page origin, each signed for whom the page is shown to.

The page origin sees no session: who may see a page stands in its address, which only the portal makes.
"""

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from ground_truth_server.pages.file_links import LinkRefused, WorkersTask
from ground_truth_server.timestamps import now

_TIME = timedelta(days=1)


class PageLinks:
    """Makes addresses and checks them.

    Args:
        origin: The page origin, such as ``http://127.0.0.1:8086``.
        secret: What they are signed with.
        clock: Tells the time, with its zone.
    """

    def __init__(self, origin: str, secret: bytes, clock: Callable[[], datetime] = now) -> None:
        self._origin = origin
        self._secret = secret
        self._clock = clock

    def of_task(self, task: WorkersTask) -> str:
        """Give the address of a task's page; it leads there for as long as the task is in the worker's hands."""
        query = {"worker": task.worker, "signature": self._signature("task", task.task_id, task.worker)}
        return f"{self._origin}/tasks/{quote(task.task_id, safe='')}?{urlencode(query)}"

    def of_object(self, job: str, object_id: str) -> str:
        """Give the address of a data object's page for the job's owner, for a day."""
        until = self._end()
        query = {"until": until, "signature": self._signature("object", job, object_id, until)}
        return f"{self._origin}/objects/{quote(job, safe='')}/{quote(object_id, safe='')}?{urlencode(query)}"

    def of_own(self, task: WorkersTask) -> str:
        """Give the address at which a worker looks at a task that is put aside or answered, for a day."""
        until = self._end()
        signature = self._signature("own", task.task_id, task.worker, until)
        query = {"worker": task.worker, "until": until, "signature": signature}
        return f"{self._origin}/own/{quote(task.task_id, safe='')}?{urlencode(query)}"

    def check_task(self, task: WorkersTask, signature: str) -> None:
        """Let an address of a task's page pass that was made here.

        Raises:
            LinkRefused: If it wasn't.
        """
        self._check(signature, "task", task.task_id, task.worker)

    def check_object(self, job: str, object_id: str, until: str, signature: str) -> None:
        """Let an address of a data object's page pass that was made here, in the last day.

        Raises:
            LinkRefused: If it wasn't.
        """
        self._check(signature, "object", job, object_id, until)
        self._check_end(until, "the console")

    def check_own(self, task: WorkersTask, until: str, signature: str) -> None:
        """Let an address pass at which a worker looks at an own task that was made here, in the last day.

        Raises:
            LinkRefused: If it wasn't.
        """
        self._check(signature, "own", task.task_id, task.worker, until)
        self._check_end(until, "the portal")

    def _end(self) -> str:
        return str(int((self._clock() + _TIME).timestamp()))

    def _check_end(self, until: str, where: str) -> None:
        if self._clock().timestamp() > int(until):
            raise LinkRefused(f"This page could be opened for a day. Open it again from {where}.")

    def _check(self, signature: str, *said: str) -> None:
        if not hmac.compare_digest(self._signature(*said).encode(), signature.encode("utf-8", "replace")):
            raise LinkRefused("This page's address isn't one that this server made. Open it from the portal.")

    def _signature(self, *said: str) -> str:
        # Lengths tell the parts apart, and the first part these addresses from links to files.
        text = "".join(f"{len(part)}:{part}" for part in ("page", *said))
        return hmac.digest(self._secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()
