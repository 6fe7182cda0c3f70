"""The origin of worker pages: another one than the portal's, so that a template can't touch the portal."""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from botocore.exceptions import BotoCoreError
from starlette.responses import HTMLResponse

from ground_truth_server.engine.s3_location import S3Location
from ground_truth_server.pages.elements import lacking, unknown_elements
from ground_truth_server.pages.file_links import FILES, FileLinks, WorkersTask
from ground_truth_server.pages.ground_truth_liquid import Presign, render_template
from ground_truth_server.pages.page_links import PageLinks
from ground_truth_server.pages.render_process import Rendering
from ground_truth_server.pages.worker_page import PageAssets, RenderedPage, content_security_policy, render
from ground_truth_server.timestamps import now

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CROWD_SCRIPT = "/crowd/crowd-html-elements.js"
BRIDGE = "/crowd/bridge.js"

_META = re.compile(r"<meta\b[^<>]{0,500}>", re.IGNORECASE)
_NAMED = re.compile(r"""\bname\s{0,20}=\s{0,20}["']?grant-read-access(?![\w-])""", re.IGNORECASE)
_CONTENT = re.compile(r"""\bcontent\s{0,20}=\s{0,20}["']?([\w-]{0,40})""", re.IGNORECASE)
_GRANTS = ("files", "presigned")


@dataclass(frozen=True)
class PageOrigin:
    """Where worker pages are served, and with what.

    Attributes:
        origin: The origin of worker pages, such as ``http://127.0.0.1:8081``.
        portal_origin: The origin of the pages that frame them, such as ``http://127.0.0.1:8080``.
        presign: Gives a presigned URL for an S3 URI, which can be opened anywhere.
        storage_origins: Where those URLs point.
        hosted_crowd_elements: Leave the template's reference to AWS's own crowd elements.
        rendering: Runs templates' Liquid.
        secret: Signs the links to items' files on this origin; a new one ends all that were made before.
        clock: Tells the time, with its zone.
    """

    origin: str
    portal_origin: str
    presign: Presign
    storage_origins: Sequence[str] = ()
    hosted_crowd_elements: bool = False
    rendering: Rendering = render_template
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    clock: Callable[[], datetime] = now

    def render(
        self, template: str, task_input: Mapping[str, Any], task: WorkersTask | None, *, to_look: bool = False
    ) -> RenderedPage:
        """Make the worker page of a data object for this origin.

        Args:
            template: The worker page's template. ``grant_read_access`` gives it links to files on this origin, or
                presigned ones where it has ``<meta name="grant-read-access" content="presigned">``.
            task_input: ``task.input`` in the template.
            task: Whose task it is; ``None`` for the owner, who looks at it in console or preview.
            to_look: Whether the worker only looks at it, before or after answering it.
        """
        files = self.files.granted_to(task, to_look=to_look)
        presign = self.presign if _granted(template) == "presigned" else files
        return render(template, task_input, presign, self.assets, self.rendering)

    @property
    def files(self) -> FileLinks:
        """The links to items' files."""
        return FileLinks(self.origin, self.secret, self.clock)

    @property
    def links(self) -> PageLinks:
        """The addresses of worker pages."""
        return PageLinks(self.origin, self.secret, self.clock)

    @property
    def assets(self) -> PageAssets:
        """What a rendered page loads and whom it talks to."""
        return PageAssets(
            crowd_script=None if self.hosted_crowd_elements else CROWD_SCRIPT,
            bridge=BRIDGE,
            portal_origin=self.portal_origin,
        )

    def look_at_template(self, template: str) -> tuple[str, Sequence[str]]:
        """Tell why a template can't be used, if it can't, and what its owner should know of it."""
        errors = self.rendering(template, None, self.presign).errors
        problem = f"its Liquid can't be read: {errors[0]}" if errors else ""
        unknown = [] if self.hosted_crowd_elements else unknown_elements(template)
        remarks = [lacking(unknown)] if unknown else []
        granted = _granted(template)
        if granted not in _GRANTS:
            remarks.append(
                f'The worker page has <meta name="grant-read-access" content="{granted}">; expected "presigned", for '
                'presigned links to S3, or "files", as without it. It gets files.'
            )
        return problem, remarks

    def url(self, *path: str, **query: str) -> str:
        """Name a page of this origin."""
        address = "/".join((self.origin, *(quote(part, safe="") for part in path)))
        return f"{address}?{urlencode(query)}" if query else address

    def respond(self, html: str, status: int = 200) -> HTMLResponse:
        """Serve a worker page under its Content-Security-Policy."""
        policy = content_security_policy(
            assets_origin=self.origin, portal_origin=self.portal_origin, storage_origins=self._content_origins
        )
        headers = {
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        return HTMLResponse(html, status, headers)

    def policy_of_files(self, *, sandboxed: bool) -> str:
        """Give the Content-Security-Policy of an item's file, which is as foreign as a worker page.

        Args:
            sandboxed: Whether it is left without an origin, as any page must be; not all browsers show a PDF so.
        """
        if not sandboxed:
            return "script-src 'none'; base-uri 'none'; form-action 'none'"
        return content_security_policy(assets_origin=self.origin, storage_origins=self._content_origins)

    @property
    def _content_origins(self) -> Sequence[str]:
        """Where a page's pictures, recordings and what else it shows come from."""
        return [self.origin + FILES, *self.storage_origins]


def _granted(template: str) -> str:
    """What a template wants of ``grant_read_access``: files of this origin, if it doesn't say."""
    named = (tag for tag in _META.findall(template) if _NAMED.search(tag))
    content = (found[1].lower() for found in map(_CONTENT.search, named) if found)
    return next(content, "files")


def presigned_by(s3: "S3Client", seconds: int = 3600) -> Presign:
    """Make the ``presign`` of a page origin.

    Args:
        s3: The S3 client whose credentials sign.
        seconds: How long a URL can be read.
    """

    def presign(uri: str) -> str:
        found = S3Location.parse(uri)
        parameters = {"Bucket": found.bucket, "Key": found.key}
        try:
            return s3.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)
        except BotoCoreError as error:
            raise ValueError(str(error)) from error

    return presign
