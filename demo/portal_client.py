"""A worker's side of the portal over HTTP, as the task page uses it."""

import json
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

SUBMITTED = 200
REFUSED = 409
_PATIENCE = 60  # seconds


class PortalTurn(NamedTuple):
    """What the portal gives a worker who asks for the next task.

    Attributes:
        state: ``task``, or why there is none: ``preparing``, ``waiting``, ``finished``, ``completed``, …
        task: The task's id, the data object's, and the URL of its worker page; empty if there is none.
    """

    state: str
    task: dict[str, Any]


class PortalError(Exception):
    """The portal didn't answer as it should; the message says what it was asked and what it said."""


class PortalClient:
    """A worker who is signed in. One thread at a time may use it.

    Args:
        url: The portal.
        worker: The worker's name.

    Raises:
        PortalError: If the worker can't sign in.
        OSError: If there is no portal.
    """

    def __init__(self, url: str, worker: str) -> None:
        self.worker = worker
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=_PATIENCE)
        self._pages: HTTPConnection | None = None
        self._headers = {"Content-Type": "application/x-www-form-urlencoded"}
        status, _ = self._post("/sign-in", urlencode({"worker": worker}))
        if status != 303:
            raise PortalError(f"{worker} could not sign in at {url}: status {status}")
        self._headers = {"Content-Type": "application/json", "Cookie": f"worker={quote(worker, safe='')}"}

    def get(self, path: str) -> str:
        """Load a page of the portal.

        Raises:
            PortalError: If there is none.
        """
        status, body = _ask(self._connection, "GET", path, None, self._headers)
        if status != 200:
            raise PortalError(f"GET {path}: status {status}")
        return body.decode()

    def next_task(self, job: str) -> PortalTurn:
        """Ask for the next task of a labeling job.

        Raises:
            PortalError: If there is no such job.
        """
        path = f"/jobs/{quote(job, safe='')}/next"
        status, body = self._post(path, json.dumps({"worker": self.worker}))
        if status != 200:
            raise PortalError(f"POST {path}: status {status}: {body.decode(errors='replace')}")
        turn = json.loads(body)
        return PortalTurn(turn["state"], turn.get("task") or {})

    def page(self, url: str) -> str:
        """Load a task's worker page.

        Raises:
            PortalError: If there is none.
        """
        place = urlsplit(url)
        if self._pages is None:
            self._pages = HTTPConnection(place.netloc, timeout=_PATIENCE)
        status, body = _ask(self._pages, "GET", f"{place.path}?{place.query}", None, {})
        if status != 200:
            raise PortalError(f"GET {url}: status {status}")
        return body.decode()

    def answer(self, task_id: str, answer: dict[str, Any]) -> bool:
        """Submit an answer. It is on disk once this returns.

        Returns:
            Whether it was taken; not if the task was, meanwhile, another worker's or its time was over.

        Raises:
            PortalError: If the portal failed.
        """
        path = f"/tasks/{quote(task_id, safe='')}/answer"
        status, body = self._post(path, json.dumps({"worker": self.worker, "answer": answer}))
        if status not in (SUBMITTED, REFUSED):
            raise PortalError(f"POST {path}: status {status}: {body.decode(errors='replace')}")
        return status == SUBMITTED

    def close(self) -> None:
        """Close the connections."""
        for connection in (self._connection, self._pages):
            if connection is not None:
                connection.close()

    def _post(self, path: str, body: str) -> tuple[int, bytes]:
        return _ask(self._connection, "POST", path, body, self._headers)


def _ask(
    connection: HTTPConnection, method: str, path: str, body: str | None, headers: dict[str, str]
) -> tuple[int, bytes]:
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, HTTPException):
        connection.close()  # the next request opens a new one
        raise
