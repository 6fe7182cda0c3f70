"""The console of a labeling job's owner: how far each job is, its objects one by one, its log, its files."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from ground_truth_server.engine.engine import Engine
from ground_truth_server.engine.labeling_job import LabelingJob, LabelingJobNotFound, LabelingJobRefused
from ground_truth_server.json_text import write_json
from ground_truth_server.pages.page_origin import PageOrigin
from ground_truth_server.pages.worker_page import SANDBOX
from ground_truth_server.people.directory import Directory
from ground_truth_server.portal.console_access import OwnersOnly, may_see, owner_of
from ground_truth_server.portal.console_commands import Endpoints, invoke_command, start_again_commands, start_commands
from ground_truth_server.portal.console_objects import FILTERS, select_objects
from ground_truth_server.portal.console_people import PeoplePage
from ground_truth_server.portal.sign_in import SignIn
from ground_truth_server.portal.sign_in_by_name import SignInByName
from ground_truth_server.portal.web_pages import WITHOUT_DATABASE, fragment, page, whole_number
from ground_truth_server.portal.worker_turn import answers_of
from ground_truth_server.records.event_log import Event
from ground_truth_server.timestamps import seconds_between

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef

STATES = ("labeled", "not required", "answered", "open", "preparing", "waiting", "failed")
"""The states of data objects, as the progress bar shows them from left to right."""

_LIVE_PARTS = ("summary", "objects", "workers", "files", "log")
_ROWS = 50
_LOG_LINES = 200
_LIVE_SECONDS = 12
_LOOK_EVERY = 0.4  # seconds
_FILES = 100  # of each kind
_KINDS = ("manifests/output/", "manifests/intermediate/", "annotations/consolidated-annotation/")


def create_console(
    engine: Engine, pages: PageOrigin, s3: "S3Client", endpoints: Endpoints, sign_in: SignIn | None = None
) -> ASGIApp:
    """Make the owner's side, to be mounted in the portal, which guards it against other sites.

    Args:
        engine: Whose labeling jobs are shown.
        pages: Where worker pages are served.
        s3: Reads the jobs' output.
        endpoints: Where clients find the services, for the commands to copy.
        sign_in: How people sign in; by name, and so everybody sees all, if not given.
    """
    console = _Console(engine, pages, s3, endpoints)
    sign_in = sign_in or SignInByName(tuple)
    people = PeoplePage(engine.records, invites=sign_in.invites)
    app = Starlette(
        routes=[
            Route("/", console.jobs),
            Route("/jobs", console.job_list),
            Route("/jobs/{job}", console.job),
            Route("/jobs/{job}/live", console.live),
            Route("/jobs/{job}/stop", console.stop, methods=["POST"]),
            Route("/jobs/{job}/request.json", console.request_of),
            Route("/jobs/{job}/objects/{object_id}", console.data_object),
            Route("/jobs/{job}/objects/{object_id}/source", console.source),
            Route("/jobs/{job}/files/{path:path}", console.file),
            *people.routes(),
        ],
        exception_handlers={LabelingJobNotFound: _not_found, HTTPException: _not_found, **WITHOUT_DATABASE},
    )
    return OwnersOnly(app, sign_in)


class _Console:
    def __init__(self, engine: Engine, pages: PageOrigin, s3: "S3Client", endpoints: Endpoints) -> None:
        self._engine = engine
        self._pages = pages
        self._s3 = s3
        self._endpoints = endpoints

    # -- the jobs

    def jobs(self, request: Request) -> Response:
        context: dict[str, Any] = {"jobs": self._all_jobs(request), "owner": owner_of(request)}
        return page(request, "console_jobs.html", **context, commands=start_commands(self._endpoints))

    def job_list(self, request: Request) -> Response:
        """Answer the list of jobs alone, for the page that shows it to keep up."""
        return HTMLResponse(fragment(request, "console_job_list.html", jobs=self._all_jobs(request)))

    def _all_jobs(self, request: Request) -> list[tuple[dict[str, Any], dict[str, int]]]:
        owner = owner_of(request)
        jobs = [
            job for job in reversed(self._engine.list()) if may_see(owner, self._engine.ledger.job(job["Key"]).owner)
        ]
        return [(job, self._engine.ledger.progress(job["Key"])) for job in jobs]

    def _job(self, request: Request) -> LabelingJob:
        """Find the job that a request names, if it is of who asks; else there is none."""
        job = self._engine.ledger.job(request.path_params["job"])
        if not may_see(owner_of(request), job.owner):
            raise LabelingJobNotFound(f"There is no labeling job named {request.path_params['job']}.")
        return job

    # -- one job

    def job(self, request: Request) -> Response:
        job = self._job(request)
        log = self._engine.ledger.last_events(job.key, _LOG_LINES)
        request_url = f"{self._pages.portal_origin}{request.scope['root_path']}/jobs/{quote(job.key)}/request.json"
        return page(
            request,
            "console_job.html",
            **self._summary(job),
            **self._objects(request, job.key),
            links=True,
            log=log,
            after=log[0].sequence if log else 0,
            commands=start_again_commands(self._endpoints, request_url, job.key),
        )

    async def live(self, request: Request) -> Response:
        """Answer what is new since event ``after``: as soon as there is something, or nothing after a while."""
        job = await run_in_threadpool(self._job, request)
        after = _number(request, "after")
        for _ in range(int(_LIVE_SECONDS / _LOOK_EVERY)):
            if events := await run_in_threadpool(self._engine.ledger.events, job.key, after):
                return await run_in_threadpool(self._news, request, job, events)
            if self._engine.leaving or await request.is_disconnected():
                break
            await asyncio.sleep(_LOOK_EVERY)
        return JSONResponse({"after": after})

    def _news(self, request: Request, job: LabelingJob, events: Sequence[Event]) -> Response:
        context = {**self._summary(job), **self._objects(request, job.key), "log": events[::-1], "links": True}
        parts = {name: fragment(request, f"console_{name}.html", **context) for name in _LIVE_PARTS}
        return JSONResponse({"after": events[-1].sequence, **parts})

    def _summary(self, job: LabelingJob) -> dict[str, Any]:
        progress, workers = self._engine.ledger.progress(job.key), self._engine.ledger.workers(job.key)
        failed = self._engine.ledger.last_failure(job.key)
        failure = failed.detail if failed else None
        return {
            "job": job,
            "described": self._engine.describe(job.key),
            "waiting": self._engine.waiting(job.key),
            "parts": [(state, progress.get(state, 0)) for state in STATES],
            "answers": answers_of(self._engine, job.key),
            "workers": workers,
            "name_of": self._names(found["worker"] for found in workers),
            "files": self._files(job),
            "failure": failure,
            "repeat": invoke_command(failure) if failure else "",
        }

    def _names(self, ids: Iterable[str]) -> Mapping[str, str]:
        """The names of people by their ids."""
        return Directory(self._engine.records).names(ids)

    def _objects(self, request: Request, name: str) -> dict[str, Any]:
        chosen = request.query_params.get("show", "all")
        chosen = chosen if chosen in FILTERS else "all"
        start = _number(request, "start")
        rows, following = select_objects(self._engine, name, chosen, start, _ROWS)
        return {
            "job_name": name,
            "rows": rows,
            "filters": FILTERS,
            "chosen": chosen,
            "start": start,
            "following": following,
        }

    def stop(self, request: Request) -> Response:
        name = self._job(request).key
        try:
            self._engine.stop(name)
        except LabelingJobRefused as error:
            raise HTTPException(409, str(error)) from error
        return RedirectResponse(f"{request.scope['root_path']}/jobs/{quote(name)}", 303)

    def request_of(self, request: Request) -> Response:
        """Answer the job's CreateLabelingJob request, to start it again."""
        text = write_json(self._job(request).request)
        return Response(text, media_type="application/json")

    # -- one data object

    def data_object(self, request: Request) -> Response:
        job, view = self._find(request)
        found = view.data_object
        events = self._engine.ledger.events_of(job.key, found)
        failure = next((event.detail for event in reversed(events) if event.kind == "function failed"), None)
        rendered = None
        if found.task_input is not None:
            template = self._engine.ledger.template(job.key)
            rendered = self._pages.render(template, found.task_input, None)
        return page(
            request,
            "console_object.html",
            job=job,
            view=view,
            found=found,
            name_of=self._names([*(answer.worker for answer in view.answers), *(task.worker for task in view.tasks)]),
            answers=[(answer, seconds_between(answer.accepted, answer.submitted)) for answer in view.answers],
            rendered=rendered,
            response=(found.response or "").removeprefix(f"{job.output.key}/"),
            frame=self._pages.links.of_object(job.key, found.object_id),
            sandbox=SANDBOX,
            last=sum(self._engine.ledger.progress(job.key).values()) - 1,
            log=events,
            links=False,
            failure=failure,
            repeat=invoke_command(failure) if failure else "",
        )

    def source(self, request: Request) -> Response:
        """Open an S3 object that a data object names, and only such a one."""
        _, view = self._find(request)
        uri = request.query_params.get("uri", "")
        if uri not in _texts([view.data_object.data_object, view.data_object.task_input]):
            raise HTTPException(404, f"This data object does not name {uri}.")
        return RedirectResponse(self._pages.files.granted_to(None)(uri), 307)

    def _find(self, request: Request) -> tuple[LabelingJob, Any]:
        job = self._job(request)
        try:
            return job, self._engine.ledger.data_object(job.key, request.path_params["object_id"])
        except LookupError as error:
            raise HTTPException(404, str(error)) from error

    # -- output files

    def _files(self, job: LabelingJob) -> list[tuple[str, int]]:
        """The names and sizes of a job's output files, what people look for first; none if S3 can't be read.

        The worker responses, of which there are as many as objects, are on the objects' own pages.
        """
        prefix = f"{job.output.key}/"
        try:
            found = [found for kind in _KINDS for found in self._list(job.output.bucket, prefix + kind)]
        except (ClientError, BotoCoreError):
            return []
        return [(one["Key"].removeprefix(prefix), one["Size"]) for one in found]

    def _list(self, bucket: str, prefix: str) -> Sequence["ObjectTypeDef"]:
        return self._s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=_FILES).get("Contents", [])

    def file(self, request: Request) -> Response:
        """Answer an output file as plain text: what workers wrote is never a page of this origin."""
        job = self._job(request)
        uri = job.output.below(request.path_params["path"])
        try:
            body = self._s3.get_object(Bucket=uri.bucket, Key=uri.key)["Body"]
        except ClientError as error:
            raise HTTPException(404, f"{uri} can't be read: {error}") from error
        return StreamingResponse(body.iter_chunks(65536), media_type="text/plain; charset=utf-8")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)


def _number(request: Request, name: str) -> int:
    return whole_number(request.query_params.get(name, "0"), 0)


def _not_found(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    message = error.detail if isinstance(error, HTTPException) else str(error)
    return page(request, "console_message.html", status, message=message)
