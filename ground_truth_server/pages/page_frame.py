"""The application of the page origin: worker pages for the frames of portal, console and preview, and their files."""

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ground_truth_server.engine.engine import Engine
from ground_truth_server.engine.labeling_job import LabelingJobNotFound
from ground_truth_server.engine.tasks import TaskRefused
from ground_truth_server.pages import crowd
from ground_truth_server.pages.file_links import LinkRefused, WorkersTask
from ground_truth_server.pages.item_files import item_files
from ground_truth_server.pages.page_origin import BRIDGE, CROWD_SCRIPT, PageOrigin
from ground_truth_server.pages.preview import Preview, PreviewFailed
from ground_truth_server.pages.s3_objects import S3Objects

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_NO_PAGE = "<!doctype html><meta name=color-scheme content='light dark'><title>No page</title><p>{}</p>"


def create_page_frame(
    pages: PageOrigin,
    s3: "S3Client",
    engine: Engine | None = None,
    preview: Preview | None = None,
    is_signed_in: Callable[[str], bool] = lambda _: True,
) -> Starlette:
    """Make the application of the page origin.

    Args:
        pages: The origin and what its pages load.
        s3: Reads items' files: ``/files/TOKEN/NAME`` is one that a page was given a link to.
        engine: Whose tasks and data objects are shown: ``/tasks/ID?worker=NAME`` is the page of a task in
            that worker's hands, ``/own/ID?worker=NAME`` that of a task which the worker put aside or has answered,
            ``/objects/JOB/ID`` the page of a data object; the portal signs their addresses.
        preview: Whose pages are shown: ``/preview/LINE``.
        is_signed_in: Tells whether a worker is signed in anywhere; pages and files are for those alone.
    """

    def check_signed_in(worker: str) -> None:
        if not is_signed_in(worker):
            raise LinkRefused("Your session is over. Sign in again, in the portal.")

    routes = [_script(CROWD_SCRIPT, crowd.SERVED_SCRIPT), _script(BRIDGE, crowd.BRIDGE)]
    routes += item_files(pages, S3Objects(s3), engine, check_signed_in)
    if engine is not None:
        frame = _Frame(pages, engine, check_signed_in)
        routes += [
            Route("/tasks/{task_id}", frame.task),
            Route("/own/{task_id}", frame.own),
            Route("/objects/{job}/{object_id}", frame.data_object),
        ]
    if preview is not None:
        routes.append(_preview(pages, preview))
    return Starlette(routes=routes)


class _Frame:
    def __init__(self, pages: PageOrigin, engine: Engine, check_signed_in: Callable[[str], None]) -> None:
        self._pages = pages
        self._engine = engine
        self._check_signed_in = check_signed_in

    def task(self, request: Request) -> Response:
        said = WorkersTask(request.path_params["task_id"], request.query_params.get("worker", ""))
        try:
            self._pages.links.check_task(said, request.query_params.get("signature", ""))
            self._check_signed_in(said.worker)
            task = self._engine.desk.find_task(said.task_id, said.worker)
        except LinkRefused as error:
            return _no_page(self._pages, str(error), 403)
        except TaskRefused as error:
            return _no_page(self._pages, str(error), 410)
        page = self._pages.render(task.template, task.task_input, said)
        return self._pages.respond(page.html)

    def own(self, request: Request) -> Response:
        said = WorkersTask(request.path_params["task_id"], request.query_params.get("worker", ""))
        until, signature = (request.query_params.get(one, "") for one in ("until", "signature"))
        try:
            self._pages.links.check_own(said, until, signature)
            self._check_signed_in(said.worker)
            task = self._engine.desk.find_own(said.task_id, said.worker).task
        except LinkRefused as error:
            return _no_page(self._pages, str(error), 403)
        except TaskRefused as error:
            return _no_page(self._pages, str(error), 410)
        page = self._pages.render(task.template, task.task_input, said, to_look=True)
        return self._pages.respond(page.html)

    def data_object(self, request: Request) -> Response:
        name, object_id = request.path_params["job"], request.path_params["object_id"]
        until, signature = (request.query_params.get(one, "") for one in ("until", "signature"))
        try:
            self._pages.links.check_object(name, object_id, until, signature)
            template = self._engine.ledger.template(name)
            task_input = self._engine.ledger.data_object(name, object_id).data_object.task_input
        except LinkRefused as error:
            return _no_page(self._pages, str(error), 403)
        except (LabelingJobNotFound, LookupError) as error:
            return _no_page(self._pages, str(error), 404)
        if task_input is None:
            return _no_page(self._pages, f"Data object {object_id} has no task input yet.", 404)
        return self._pages.respond(self._pages.render(template, task_input, None).html)


def _preview(pages: PageOrigin, preview: Preview) -> Route:
    def line(request: Request) -> Response:
        try:
            number = request.path_params["line"]
            if not (number.isascii() and number.isdigit() and len(number) <= 18):
                raise PreviewFailed(f"There is no line {number[:40]}.")
            return pages.respond(preview.render(int(number)).html)
        except PreviewFailed as error:
            return _no_page(pages, str(error), 404)

    return Route("/preview/{line}", line)


def _no_page(pages: PageOrigin, reason: str, status: int) -> Response:
    return pages.respond(_NO_PAGE.format(escape(reason)), status)


def _script(path: str, text: str) -> Route:
    def script(_: Request) -> Response:
        # Fonts and scripts of a page with an opaque origin are asked for with CORS where a template says so.
        headers = {"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}
        return Response(text, media_type="text/javascript", headers=headers)

    return Route(path, script)
