"""The worker portal: workers sign in by name, choose a labeling job, and answer its tasks one after the other.

The task page asks for everything as JSON and shows each worker page in a frame of the page origin. It says
"submitted" only after :meth:`Engine.submit` has returned, when the answer is on disk.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from ground_truth_server.edge.own_origin import OwnOrigin
from ground_truth_server.engine.engine import Engine, OpenJob
from ground_truth_server.engine.labeling_job import ENDED, LabelingJobNotFound
from ground_truth_server.engine.tasks import NotYourTask, Task, TaskExpired, TaskRefused
from ground_truth_server.json_text import MOST_LEVELS, UnfitJson, write_answer
from ground_truth_server.pages.page_origin import PageOrigin
from ground_truth_server.pages.worker_page import SANDBOX
from ground_truth_server.portal.web_pages import STATIC, WITHOUT_DATABASE, fragment, page
from ground_truth_server.portal.worker_turn import answers_of, next_turn
from ground_truth_server.timestamps import now

_COOKIE = "worker"
_A_YEAR = 365 * 24 * 3600  # seconds
_LONGEST_NAME = 64
_NAMES_OFFERED = 24


def create_portal(
    engine: Engine,
    pages: PageOrigin,
    console: Starlette | None = None,
    clock: Callable[[], datetime] = now,
) -> Starlette:
    """Make the application of the portal origin.

    Args:
        engine: Whose labeling jobs are worked on.
        pages: Where the worker pages are served; its ``portal_origin`` is this application's own origin.
        console: The owner's side, served under ``/console``.
        clock: Tells the time, as the engine's does.
    """
    portal = _Portal(engine, pages, clock, has_console=console is not None)
    routes = [
        Route("/", portal.home),
        Route("/sign-in", portal.sign_in, methods=["POST"]),
        Route("/sign-out", portal.sign_out, methods=["POST"]),
        Route("/jobs", portal.jobs),
        Route("/jobs/{job}", portal.task_page),
        Route("/jobs/{job}/progress", portal.progress),
        Route("/jobs/{job}/next", portal.next_task, methods=["POST"]),
        Route("/tasks/{task}/answer", portal.answer, methods=["POST"]),
        Route("/tasks/{task}/decline", portal.decline, methods=["POST"]),
        Route("/tasks/{task}/incomplete", portal.incomplete, methods=["POST"]),
        Route("/tasks/{task}/release", portal.release, methods=["POST"]),
        STATIC,
    ]
    if console is not None:
        routes.append(Mount("/console", console))
    return Starlette(
        routes=routes,
        middleware=[Middleware(OwnOrigin, pages.portal_origin, (pages.origin,))],
        exception_handlers={LabelingJobNotFound: _no_such_job, 404: _no_such_page, **WITHOUT_DATABASE},
    )


@dataclass(frozen=True)
class _EndedJob:
    """A labeling job that a worker worked on and that has ended or not begun."""

    name: str
    title: str
    status: str
    submitted: int


class _Portal:
    def __init__(self, engine: Engine, pages: PageOrigin, clock: Callable[[], datetime], *, has_console: bool) -> None:
        self._engine = engine
        self._pages = pages
        self._clock = clock
        self._has_console = has_console

    # -- pages

    def home(self, request: Request) -> Response:
        worker = _worker(request)
        if worker is None:
            return self._sign_in_page(request)
        left = request.query_params.get("left")
        return page(request, "jobs.html", **self._jobs(worker), left=left, has_console=self._has_console)

    async def sign_in(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        name = _name(form.get("worker", [""])[0])
        goal = _own_path(form.get("goal", ["/"])[0])
        if name is None:
            problem = f"Please choose a name of 1 to {_LONGEST_NAME} letters."
            return await run_in_threadpool(self._sign_in_page, request, problem, goal)
        response = RedirectResponse(goal, 303)
        response.set_cookie(_COOKIE, quote(name, safe=""), max_age=_A_YEAR, httponly=True, samesite="lax")
        return response

    def sign_out(self, _: Request) -> Response:
        response = RedirectResponse("/", 303)
        response.delete_cookie(_COOKIE, httponly=True, samesite="lax")
        return response

    def jobs(self, request: Request) -> Response:
        """Answer the list of jobs alone, for the page that shows it to keep up."""
        worker = _worker(request)
        if worker is None:
            return Response(status_code=401)
        return HTMLResponse(fragment(request, "job_list.html", **self._jobs(worker)))

    def task_page(self, request: Request) -> Response:
        worker = _worker(request)
        if worker is None:
            return self._sign_in_page(request, goal=request.url.path)
        described = self._engine.describe(request.path_params["job"])
        human_task = described["HumanTaskConfig"]
        context = {"worker": worker, "job": described, "human_task": human_task, "sandbox": SANDBOX}
        return page(request, "task.html", **context)

    # -- what the task page asks for

    def progress(self, request: Request) -> Response:
        worker, name = _worker(request), self._engine.job(request.path_params["job"]).key
        if worker is None:
            return Response(status_code=401)
        job = next((job for job in self._engine.open_jobs(worker) if job.name == name), None)
        if job is None:
            return JSONResponse(None)
        answers = answers_of(self._engine, name)
        return JSONResponse(
            {
                "number": job.submitted + 1,
                "available": job.available,
                "given": answers.given,
                "needed": answers.needed,
            }
        )

    async def next_task(self, request: Request) -> Response:
        return await self._act(request, lambda worker, _: self._next_task(request, worker))

    async def answer(self, request: Request) -> Response:
        return await self._act(request, lambda worker, body: self._answer(request, worker, body.get("answer")))

    async def decline(self, request: Request) -> Response:
        return await self._act(request, lambda worker, _: self._hand_back(self._engine.decline, request, worker))

    async def incomplete(self, request: Request) -> Response:
        """Note for the job's owner that a worker met a page whose answers would lack something."""
        return await self._act(request, lambda worker, body: self._note_missing(request, worker, body.get("elements")))

    async def release(self, request: Request) -> Response:
        return await self._act(request, lambda worker, _: self._hand_back(self._engine.release, request, worker))

    async def _act(self, request: Request, action: "_Action") -> Response:
        """Do something as the worker of the page that asks, or tell the page why not."""
        try:
            body = json.loads(await request.body())
            worker = body["worker"]
            write_answer(body)
        except (UnfitJson, RecursionError) as error:
            why = str(error) if isinstance(error, UnfitJson) else f"it is nested more than {MOST_LEVELS} levels deep"
            return JSONResponse({"message": f"The answer can't be taken: {why}."}, 422)
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"message": 'Expected a JSON object with the member "worker".'}, 400)
        if worker != _worker(request):
            return _refused(request, "signed-out", 401, f"This page was opened by {worker}.", body.get("answer"))
        try:
            return await run_in_threadpool(action, worker, body)
        except TaskRefused as error:
            return _refused(request, _kind(error), 409, str(error), body.get("answer"))

    def _next_task(self, request: Request, worker: str) -> Response:
        name = request.path_params["job"]
        turn = next_turn(self._engine, worker, name)
        if turn.task is not None:
            return JSONResponse({"state": "task", "task": self._task(turn.task, worker)})
        own = next((found for found in self._engine.workers(name) if found["worker"] == worker), {})
        context = {"job": self._engine.describe(name), "answers": answers_of(self._engine, name)}
        panel = fragment(request, "turn.html", turn=turn, submitted=own.get("submitted", 0), **context)
        return JSONResponse({"state": turn.state, "panel": panel, "mayChange": turn.may_change})

    def _answer(self, request: Request, worker: str, answer: object) -> Response:
        if not isinstance(answer, dict):
            return JSONResponse({"message": "The answer is not a JSON object."}, 400)
        self._engine.submit(request.path_params["task"], worker, answer)
        return JSONResponse({"state": "submitted"})

    def _note_missing(self, request: Request, worker: str, elements: object) -> Response:
        task = self._engine.find_task(request.path_params["task"], worker)
        given = elements if isinstance(elements, list) else []
        named = sorted({one for one in given[:50] if isinstance(one, str) and _ELEMENT.fullmatch(one)})
        message = f"The worker page uses {', '.join(named)}, which nobody defines: it can't be submitted."
        if named and not any(event.message == message for event in self._engine.events(task.job_name, limit=10_000)):
            self._engine.note([(task.job_arn, "remark", message)])
        return JSONResponse({"state": "noted"})

    def _hand_back(self, way: Callable[[str, str], None], request: Request, worker: str) -> Response:
        way(request.path_params["task"], worker)
        return JSONResponse({"state": "handed back"})

    def _task(self, task: Task, worker: str) -> dict[str, Any]:
        return {
            "id": task.id,
            "object": task.object_id,
            "page": self._pages.url("tasks", task.id, worker=worker),
            "secondsLeft": (task.expires - self._clock()).total_seconds(),
        }

    # -- what the pages show

    def _sign_in_page(self, request: Request, problem: str = "", goal: str = "/") -> Response:
        names = {found["worker"] for job in self._engine.list() for found in self._workers(job)}
        offered = sorted(names, key=str.casefold)[:_NAMES_OFFERED]
        status = 422 if problem else 200
        return page(request, "sign_in.html", status, names=offered, problem=problem, goal=goal)

    def _jobs(self, worker: str) -> dict[str, Any]:
        open_jobs = self._engine.open_jobs(worker)
        return {
            "worker": worker,
            "jobs": [(job, answers_of(self._engine, job.name), self._on_its_way(job)) for job in open_jobs],
            "ended": [job for described in reversed(self._engine.list()) for job in self._ended(described, worker)],
        }

    def _on_its_way(self, job: OpenJob) -> int:
        objects = self._engine.progress(job.name)
        return objects.get("waiting", 0) + objects.get("preparing", 0)

    def _ended(self, described: Mapping[str, Any], worker: str) -> list[_EndedJob]:
        status = described["LabelingJobStatus"]
        if status == "InProgress":
            return []
        counts = next((found for found in self._workers(described) if found["worker"] == worker), {})
        if status in ENDED and not counts:
            return []
        title = described["HumanTaskConfig"]["TaskTitle"]
        return [_EndedJob(described["Key"], title, status, counts.get("submitted", 0))]

    def _workers(self, described: Mapping[str, Any]) -> list[dict[str, Any]]:
        return list(self._engine.workers(described["Key"]))


_ELEMENT = re.compile(r"crowd-[a-z0-9-]{1,60}")
_Action = Callable[[str, Mapping[str, Any]], Response]


def _worker(request: Request) -> str | None:
    """Who signed in; a cookie may say anything, and the same rules hold for it as for the form."""
    return _name(unquote(request.cookies.get(_COOKIE, "")))


def _name(text: str) -> str | None:
    """A worker's name as it is written, or nothing if it is none."""
    name = " ".join(text.split())
    return name if 0 < len(name) <= _LONGEST_NAME and name.isprintable() else None


def _own_path(goal: str) -> str:
    """Where to go after signing in; never to another site."""
    return goal if goal.startswith("/") and not goal.startswith(("//", "/\\")) else "/"


def _kind(error: TaskRefused) -> str:
    if isinstance(error, TaskExpired):
        return "expired"
    return "not-yours" if isinstance(error, NotYourTask) else "closed"


def _refused(request: Request, kind: str, status: int, message: str, answer: object = None) -> Response:
    panel = fragment(request, "refused.html", kind=kind, message=message, answer=answer)
    return JSONResponse({"state": "refused", "kind": kind, "message": message, "panel": panel}, status)


def _no_such_job(request: Request, error: Exception) -> Response:
    return page(request, "message.html", 404, heading="No such labeling job", message=str(error))


def _no_such_page(request: Request, _: Exception) -> Response:
    message = f"There is nothing at {request.url.path}."
    return page(request, "message.html", 404, heading="No such page", message=message)
