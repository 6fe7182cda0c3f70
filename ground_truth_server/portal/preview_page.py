"""The preview in a browser: a line's page, which follows the template as it is edited, and what there is to know."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ground_truth_server.edge.own_origin import OwnOrigin
from ground_truth_server.pages.page_origin import PageOrigin
from ground_truth_server.pages.preview import Preview, PreviewFailed
from ground_truth_server.pages.worker_page import SANDBOX
from ground_truth_server.portal.console_commands import invoke_command
from ground_truth_server.portal.short_text import source_name
from ground_truth_server.portal.web_pages import STATIC, fragment, page, whole_number


def create_preview(preview: Preview, pages: PageOrigin) -> Starlette:
    """Make the preview's application, an origin of its own.

    Args:
        preview: What is shown.
        pages: Where the rendered pages are served: by :func:`create_page_frame` with the same preview.
    """
    shown = _PreviewPage(preview, pages)
    return Starlette(
        routes=[
            Route("/", shown.home),
            Route("/version", shown.version),
            Route("/facts", shown.facts),
            Route("/again", shown.again, methods=["POST"]),
            STATIC,
        ],
        middleware=[Middleware(OwnOrigin, pages.portal_origin, (pages.origin,))],
    )


class _PreviewPage:
    def __init__(self, preview: Preview, pages: PageOrigin) -> None:
        self._preview = preview
        self._pages = pages

    def home(self, request: Request) -> Response:
        problem, lines = "", []
        try:
            lines = [(line.number, source_name(line.data_object), line.problem) for line in self._preview.lines()]
        except PreviewFailed as error:
            problem = str(error)
        return page(
            request,
            "preview.html",
            file=self._preview.template,
            lines=lines,
            chosen=_line(request),
            problem=problem,
            sandbox=SANDBOX,
        )

    def version(self, _: Request) -> Response:
        return JSONResponse({"version": self._preview.version()})

    def facts(self, request: Request) -> Response:
        number = _line(request)
        try:
            rendered, task_input = self._preview.render(number), self._preview.task_input(number)
        except PreviewFailed as error:
            repeat = invoke_command(error.detail) if error.detail else ""
            html = fragment(request, "preview_facts.html", failure=error, repeat=repeat)
            return JSONResponse({"facts": html, "page": None})
        html = fragment(request, "preview_facts.html", failure=None, rendered=rendered, task_input=task_input)
        return JSONResponse({"facts": html, "page": self._pages.url("preview", str(number))})

    def again(self, request: Request) -> Response:
        self._preview.forget(_line(request))
        return JSONResponse({})


def _line(request: Request) -> int:
    text = request.query_params.get("line", "1")
    return whole_number(text, 1)
