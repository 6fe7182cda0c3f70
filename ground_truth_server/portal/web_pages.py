"""The pages of portal, console and preview: Jinja templates that escape by default, and their static files."""

import json
import logging
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from ground_truth_server.portal.short_text import in_short
from ground_truth_server.records.database import RECORD_ERRORS
from ground_truth_server.timestamps import from_text

_log = logging.getLogger(__name__)
_S3_TEXT = re.compile(r"""("s3://(?:[^"\\]|\\.)+")""")
_STATIC = Path(__file__).parent / "static"


class _FreshFiles(StaticFiles):
    """Static files that a browser asks after each time: they change with the version, and it is not far to ask."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


STATIC = Mount("/static", _FreshFiles(directory=_STATIC), name="static")
"""The scripts and styles; every page refers to them as ``/static/…``."""


_LONGEST_NUMBER = 18  # digits; SQLite counts no further


def whole_number(text: str, otherwise: int) -> int:
    """Read a whole number of an address, or take another where there is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else otherwise


def page(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """Render a template as a response.

    Args:
        request: What it answers; ``base`` in the template is the path under which its application is mounted.
        template: The template's file name.
        status: The HTTP status.
        **context: What the template reads.
    """
    return HTMLResponse(fragment(request, template, **context), status)


def fragment(request: Request, template: str, **context: Any) -> str:
    """Render a template as text, for a part of a page; half a character, which UTF-8 can't hold, shows as ``?``."""
    text = _templates.get_template(template).render(base=request.scope.get("root_path", ""), **context)
    return text.encode("utf-8", "replace").decode()


def _pretty_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _linked_json(value: object, opens: str) -> Markup:
    """Write JSON with each text that is an S3 URI as a link to the page that opens it."""
    parts = _S3_TEXT.split(_pretty_json(value))  # every second part is a quoted S3 URI
    for place in range(1, len(parts), 2):
        uri = json.loads(parts[place])
        link = f"{opens}?uri={quote(uri, safe='', errors='replace')}"
        parts[place] = Markup('<a href="{}" target="_blank" rel="noopener">{}</a>').format(link, parts[place])
    return Markup("").join(parts)


def _local_time(moment: str, form: str) -> str:
    """Write a moment of the store in this machine's zone, which is the reader's."""
    return from_text(moment).astimezone().strftime(form)


def _counted(number: int, noun: str) -> Markup:
    """Write ``1 object`` or ``2,000 objects``, without a break between."""
    return Markup("{}&nbsp;{}{}").format(f"{number:,}", noun, "" if number == 1 else "s")


_templates = Environment(
    loader=PackageLoader("ground_truth_server.portal"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters |= {
    "pretty_json": _pretty_json,
    "linked_json": _linked_json,
    "local_time": _local_time,
    "counted": _counted,
    "in_short": in_short,
}


def _database_unavailable(request: Request, error: Exception) -> Response:
    """Say that nothing was kept of what was asked for, and when to try again."""
    _log.warning("%s %s: the database can't be used now: %s", request.method, request.url.path, error)
    message = "The server's database can't be reached or written now. Nothing was lost; try again in a moment."
    headers = {"Retry-After": "5"}
    if request.headers.get("content-type", "").startswith("application/json"):
        return JSONResponse({"message": message}, 503, headers=headers)
    return PlainTextResponse(message, 503, headers=headers)


WITHOUT_DATABASE = dict.fromkeys(RECORD_ERRORS, _database_unavailable)
"""Handlers of what a database raises that can't be used now."""
