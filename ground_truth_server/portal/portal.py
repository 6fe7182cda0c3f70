"""The worker portal: workers sign in, choose a labeling job, and answer its tasks one after the other.

The task page asks for everything as JSON and shows each worker page in a frame of the page origin. It says
"submitted" only after :meth:`Engine.submit` has returned, when the answer is on disk.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from ground_truth_server.acting import ActingRequests
from ground_truth_server.edge.client_address import client_address
from ground_truth_server.edge.own_origin import OwnOrigin
from ground_truth_server.engine.desk import OpenJob
from ground_truth_server.engine.engine import Engine
from ground_truth_server.engine.labeling_job import ENDED, LabelingJobNotFound
from ground_truth_server.engine.tasks import (
    LONGEST_REMARK,
    AnswerUnfit,
    NotYourTask,
    Task,
    TaskExpired,
    TaskRefused,
    TooManyAside,
)
from ground_truth_server.json_text import MOST_LEVELS, UnfitJson, write_answer
from ground_truth_server.pages.file_links import WorkersTask
from ground_truth_server.pages.page_origin import PageOrigin
from ground_truth_server.pages.worker_page import SANDBOX
from ground_truth_server.people.membership import Membership
from ground_truth_server.people.person import Person
from ground_truth_server.portal.answers_first import AnswersFirst
from ground_truth_server.portal.own_work import aside_rows, own_rows
from ground_truth_server.portal.short_text import in_short
from ground_truth_server.portal.sign_in import SignIn, path_of
from ground_truth_server.portal.sign_in_by_name import SignInByName
from ground_truth_server.portal.web_pages import STATIC, WITHOUT_DATABASE, fragment, page
from ground_truth_server.portal.worker_turn import answers_of, next_turn
from ground_truth_server.printable import printable
from ground_truth_server.timestamps import from_text, now


def create_portal(
    engine: Engine,
    pages: PageOrigin,
    console: ASGIApp | None = None,
    clock: Callable[[], datetime] = now,
    sign_in: SignIn | None = None,
) -> Starlette:
    """Make the application of the portal origin.

    Args:
        engine: Whose labeling jobs are worked on.
        pages: Where the worker pages are served; its ``portal_origin`` is this application's own origin.
        console: The owner's side, served under ``/console``.
        clock: Tells the time, as the engine's does.
        sign_in: How people sign in; by name if not given.
    """
    sign_in = sign_in or SignInByName(lambda: workers_of(engine))
    portal = _Portal(engine, pages, clock, sign_in, has_console=console is not None)
    routes = [
        Route("/", portal.home),
        *sign_in.routes(),
        Route("/jobs", portal.jobs),
        Route("/jobs/{job}", portal.task_page),
        Route("/jobs/{job}/progress", portal.progress),
        Route("/jobs/{job}/own", portal.own_items),
        Route("/history", portal.history),
        Route("/jobs/{job}/next", portal.next_task, methods=["POST"]),
        Route("/tasks/{task}/answer", portal.answer, methods=["POST"]),
        Route("/tasks/{task}/own", portal.own_task),
        Route("/tasks/{task}/correct", portal.correct, methods=["POST"]),
        Route("/tasks/{task}/aside", portal.put_aside, methods=["POST"]),
        Route("/tasks/{task}/take-up", portal.take_up, methods=["POST"]),
        Route("/tasks/{task}/decline", portal.decline, methods=["POST"]),
        Route("/tasks/{task}/incomplete", portal.incomplete, methods=["POST"]),
        Route("/tasks/{task}/release", portal.release, methods=["POST"]),
        STATIC,
    ]
    if console is not None:
        routes.append(Mount("/console", console))
    return Starlette(
        routes=routes,
        middleware=[Middleware(OwnOrigin, pages.portal_origin, (pages.origin,)), Middleware(ActingRequests)],
        exception_handlers={
            LabelingJobNotFound: _no_such_job,
            _WrongPlace: _wrong_place,
            404: _no_such_page,
            **WITHOUT_DATABASE,
        },
    )


def workers_of(engine: Engine) -> set[str]:
    """Tell who has worked on any job."""
    return {found["worker"] for job in engine.list() for found in engine.ledger.workers(job["Key"])}


@dataclass(frozen=True)
class _EndedJob:
    """A labeling job that a worker worked on and that has ended or not begun."""

    name: str
    title: str
    status: str
    submitted: int


class _WrongPlace(Exception):
    """A worker asks from an address that the workforce doesn't allow."""


class _NotAnAnswer(Exception):
    """What a page sent is no answer. The text says what is wrong with it."""


class _Portal:
    def __init__(
        self,
        engine: Engine,
        pages: PageOrigin,
        clock: Callable[[], datetime],
        sign_in: SignIn,
        *,
        has_console: bool,
    ) -> None:
        self._engine = engine
        self._pages = pages
        self._clock = clock
        self._sign_in = sign_in
        self._membership = Membership(engine.records)
        self._has_console = has_console
        self._turns = AnswersFirst(takes_turns=engine.records.database.takes_turns)

    # -- pages

    def home(self, request: Request) -> Response:
        person = self._person(request)
        if person is None:
            return self._sign_in.page(request)
        left = request.query_params.get("left")
        has_console = self._has_console and person.has_console
        return page(request, "jobs.html", **self._jobs(person), left=left, has_console=has_console)

    def jobs(self, request: Request) -> Response:
        """Answer the list of jobs alone, for the page that shows it to keep up."""
        person = self._person(request, at_work=False)
        if person is None:
            return Response(status_code=401)
        return HTMLResponse(fragment(request, "job_list.html", **self._jobs(person)))

    def task_page(self, request: Request) -> Response:
        person = self._person(request)
        if person is None:
            return self._sign_in.page(request, path_of(request))
        described = self._engine.describe(self._job(request, person))
        human_task = described["HumanTaskConfig"]
        context = {"worker": person.id, "name": person.name, "job": described, "human_task": human_task}
        return page(request, "task.html", **context, sandbox=SANDBOX, longest_remark=LONGEST_REMARK)

    def history(self, request: Request) -> Response:
        """Show a worker the own answers, and what became of each."""
        person = self._person(request)
        if person is None:
            return self._sign_in.page(request, path_of(request))
        before, name = (request.query_params.get(one, "") for one in ("before", "job"))
        job = self._engine.ledger.job(name) if name else None
        found = own_rows(self._engine, person.id, _ROWS, before, job.key if job else None)
        title = job.request["HumanTaskConfig"]["TaskTitle"] if job else ""
        return page(request, "history.html", person=person, found=found, job=job, title=title, before=before)

    # -- who may do what

    def _person(self, request: Request, *, at_work: bool = True) -> Person | None:
        """Tell who asks, unless they may not from where they are."""
        person = self._sign_in.person(request, at_work=at_work)
        if person is not None and not person.is_admin and not self._membership.allows(client_address(request.scope)):
            raise _WrongPlace
        return person

    def _job(self, request: Request, person: Person) -> str:
        """Find the key of the job that a request names, if the person is of its work team; else there is none."""
        job = self._engine.ledger.job(request.path_params["job"])
        if not self._membership.is_member(person, job.workteam):
            raise LabelingJobNotFound(f"There is no labeling job named {request.path_params['job']}.")
        return job.key

    # -- what the task page asks for

    def progress(self, request: Request) -> Response:
        person = self._person(request, at_work=False)
        if person is None:
            return Response(status_code=401)
        name = self._job(request, person)
        job = self._engine.desk.open_job(name, person.id)
        if job is None:
            return JSONResponse(None)
        answers = answers_of(self._engine, name)
        return JSONResponse(
            {
                "number": job.submitted + 1,
                "available": job.available,
                "given": answers.given,
                "needed": answers.needed,
                "aside": job.aside,
                "secondsEach": self._engine.desk.seconds_a_task(person.id, name),
            }
        )

    def own_items(self, request: Request) -> Response:
        """Answer what a worker has put aside and answered last in a job, as a part of the task page."""
        person = self._person(request, at_work=False)
        if person is None:
            return Response(status_code=401)
        name = self._job(request, person)
        rows = own_rows(self._engine, person.id, _LAST_ROWS, job=name).rows
        aside = aside_rows(self._engine, person.id, name, self._seconds_until)
        return HTMLResponse(fragment(request, "own_items.html", rows=rows, aside=aside, job=name))

    def own_task(self, request: Request) -> Response:
        """Answer what is needed to look at an own item, or to correct its answer."""
        person = self._person(request, at_work=False)
        if person is None:
            return Response(status_code=401)
        try:
            own = self._engine.desk.find_own(request.path_params["task"], person.id)
        except TaskRefused as error:
            return _refused(request, _kind(error), 409, str(error))
        return JSONResponse(
            {
                "id": own.task.id,
                "object": own.task.object_id,
                "page": self._pages.links.of_own(WorkersTask(own.task.id, person.id)),
                "answer": own.content,
                "answered": "" if own.content is None else in_short(own.content),
                "remark": own.remark,
                "version": own.version,
                "correctable": own.correctable,
            }
        )

    async def next_task(self, request: Request) -> Response:
        return await self._act(request, lambda person, _: self._next_task(request, person))

    async def answer(self, request: Request) -> Response:
        return await self._act(request, partial(self._answer, request), answer=True)

    async def correct(self, request: Request) -> Response:
        return await self._act(request, partial(self._correct, request), answer=True)

    async def put_aside(self, request: Request) -> Response:
        return await self._act(request, lambda person, _: self._hand_back(self._engine.desk.put_aside, request, person))

    async def take_up(self, request: Request) -> Response:
        return await self._act(request, lambda person, _: self._hand_back(self._engine.desk.take_up, request, person))

    async def decline(self, request: Request) -> Response:
        return await self._act(request, lambda person, _: self._hand_back(self._engine.desk.decline, request, person))

    async def incomplete(self, request: Request) -> Response:
        """Note for the job's owner that a worker met a page that lacks something, or that got what it can't show."""
        return await self._act(request, lambda person, body: self._note_lack(request, person, body))

    async def release(self, request: Request) -> Response:
        return await self._act(request, lambda person, _: self._hand_back(self._engine.desk.release, request, person))

    async def _act(self, request: Request, action: "_Action", *, answer: bool = False) -> Response:
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
        return await self._turns.run(partial(self._act_as, request, action, worker, body), answer=answer)

    def _act_as(self, request: Request, action: "_Action", worker: object, body: Mapping[str, Any]) -> Response:
        person = self._person(request)
        if person is None:
            return _refused(request, "session-over", 401, "Your session is over.", body.get("answer"))
        if worker != person.id:
            return _refused(request, "signed-out", 401, "This page was opened by somebody else.", body.get("answer"))
        try:
            return action(person, body)
        except _NotAnAnswer as error:
            return JSONResponse({"message": str(error)}, 400)
        except AnswerUnfit as error:
            return JSONResponse({"message": str(error)}, 422)
        except TaskRefused as error:
            return _refused(request, _kind(error), 409, str(error), body.get("answer"))

    def _next_task(self, request: Request, person: Person) -> Response:
        name = self._job(request, person)
        turn = next_turn(self._engine, person.id, name)
        if turn.task is not None:
            return JSONResponse({"state": "task", "task": self._task(turn.task, person.id)})
        own = next((found for found in self._engine.ledger.workers(name) if found["worker"] == person.id), {})
        aside = aside_rows(self._engine, person.id, name, self._seconds_until)
        context = {"job": self._engine.describe(name), "answers": answers_of(self._engine, name), "aside": aside}
        panel = fragment(request, "turn.html", turn=turn, submitted=own.get("submitted", 0), **context)
        return JSONResponse({"state": turn.state, "panel": panel, "mayChange": turn.may_change})

    def _answer(self, request: Request, person: Person, body: Mapping[str, Any]) -> Response:
        answer, remark = _given(body)
        self._engine.desk.submit(request.path_params["task"], person.id, answer, remark)
        return JSONResponse({"state": "submitted"})

    def _correct(self, request: Request, person: Person, body: Mapping[str, Any]) -> Response:
        answer, remark = _given(body)
        version = body.get("version")
        if not isinstance(version, int) or isinstance(version, bool):
            raise _NotAnAnswer("The version that is corrected is not a whole number.")
        self._engine.desk.correct(request.path_params["task"], person.id, answer, remark, version)
        return JSONResponse({"state": "submitted"})

    def _note_lack(self, request: Request, person: Person, body: Mapping[str, Any]) -> Response:
        task = self._engine.desk.find_task(request.path_params["task"], person.id)
        message = _missing(body.get("elements")) or _trouble(task, body.get("trouble"))
        if message:
            events = self._engine.ledger.events(task.job_name, limit=10_000)
            # A page is a stranger's: it can't fill the log.
            is_full = sum(event.message.startswith(_OF_PAGE) for event in events) >= _MOST_TROUBLES
            if not is_full and all(event.message != message for event in events):
                self._engine.note([(task.job_arn, "remark", message)])
        return JSONResponse({"state": "noted"})

    def _hand_back(self, way: Callable[[str, str], None], request: Request, person: Person) -> Response:
        way(request.path_params["task"], person.id)
        return JSONResponse({"state": "handed back"})

    def _task(self, task: Task, worker: str) -> dict[str, Any]:
        return {
            "id": task.id,
            "object": task.object_id,
            "page": self._pages.links.of_task(WorkersTask(task.id, worker)),
            "secondsLeft": (task.expires - self._clock()).total_seconds(),
        }

    def _seconds_until(self, moment: str) -> float:
        return (from_text(moment) - self._clock()).total_seconds()

    # -- what the pages show

    def _jobs(self, person: Person) -> dict[str, Any]:
        keys = [key for key in self._engine.desk.keys_in_progress() if self._is_of_team(person, key)]
        open_jobs = [job for key in keys if (job := self._engine.desk.open_job(key, person.id)) is not None]
        return {
            "person": person,
            "jobs": [(job, answers_of(self._engine, job.name), self._on_its_way(job)) for job in open_jobs],
            "ended": [job for described in reversed(self._engine.list()) for job in self._ended(described, person)],
        }

    def _is_of_team(self, person: Person, key: str) -> bool:
        return self._membership.is_member(person, self._engine.ledger.job(key).workteam)

    def _on_its_way(self, job: OpenJob) -> int:
        objects = self._engine.ledger.progress(job.name)
        return objects.get("waiting", 0) + objects.get("preparing", 0)

    def _ended(self, described: Mapping[str, Any], person: Person) -> list[_EndedJob]:
        status = described["LabelingJobStatus"]
        if status == "InProgress" or not self._membership.is_member(
            person, described["HumanTaskConfig"]["WorkteamArn"]
        ):
            return []
        workers = self._engine.ledger.workers(described["Key"])
        counts = next((found for found in workers if found["worker"] == person.id), {})
        if status in ENDED and not counts:
            return []
        title = described["HumanTaskConfig"]["TaskTitle"]
        return [_EndedJob(described["Key"], title, status, counts.get("submitted", 0))]


_ROWS = 50  # of a history, on a page
_LAST_ROWS = 10  # in the task page
_ELEMENT = re.compile(r"crowd-[a-z0-9-]{1,60}")
_OF_PAGE = "Worker page of data object "
_MOST_TROUBLES = 100
_LONGEST_TROUBLE = 400


def _missing(elements: object) -> str:
    """Say that nobody defines elements that a page named; empty if it named none."""
    given = elements if isinstance(elements, list) else []
    named = sorted({one for one in given[:50] if isinstance(one, str) and _ELEMENT.fullmatch(one)})
    return f"The worker page uses {', '.join(named)}, which nobody defines: it can't be submitted." if named else ""


def _trouble(task: Task, text: object) -> str:
    """Say what an element of a page told of what it was given, such as a picture that isn't there."""
    return f"{_OF_PAGE}{task.object_id}: {printable(text[:_LONGEST_TROUBLE])}" if isinstance(text, str) and text else ""


_Action = Callable[[Person, Mapping[str, Any]], Response]


def _given(body: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The answer and the remark that a page sent."""
    answer, remark = body.get("answer"), body.get("remark", "")
    if not isinstance(answer, dict):
        raise _NotAnAnswer("The answer is not a JSON object.")
    if not isinstance(remark, str):
        raise _NotAnAnswer("The remark is not a text.")
    return answer, remark


def _kind(error: TaskRefused) -> str:
    if isinstance(error, TaskExpired):
        return "expired"
    if isinstance(error, TooManyAside):
        return "too-many"
    return "not-yours" if isinstance(error, NotYourTask) else "closed"


def _refused(request: Request, kind: str, status: int, message: str, answer: object = None) -> Response:
    panel = fragment(request, "refused.html", kind=kind, message=message, answer=answer)
    return JSONResponse({"state": "refused", "kind": kind, "message": message, "panel": panel}, status)


def _wrong_place(request: Request, _: Exception) -> Response:
    message = "Labeling is allowed from some addresses only, and yours is none of them. Ask the people who run this."
    if request.method == "POST":
        return _refused(request, "wrong-place", 403, message)
    return page(request, "message.html", 403, heading="Not from here", message=message)


def _no_such_job(request: Request, error: Exception) -> Response:
    return page(request, "message.html", 404, heading="No such labeling job", message=str(error))


def _no_such_page(request: Request, _: Exception) -> Response:
    message = f"There is nothing at {request.url.path}."
    return page(request, "message.html", 404, heading="No such page", message=message)
