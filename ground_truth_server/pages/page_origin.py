"""The origin of worker pages: another one than the portal's, so that a template can't touch the portal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from botocore.exceptions import BotoCoreError
from starlette.responses import HTMLResponse

from ground_truth_server.engine.s3_location import S3Location
from ground_truth_server.pages.elements import lacking, unknown_elements
from ground_truth_server.pages.ground_truth_liquid import Presign, render_template
from ground_truth_server.pages.render_process import Rendering
from ground_truth_server.pages.worker_page import PageAssets, RenderedPage, content_security_policy, render

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CROWD_SCRIPT = "/crowd/crowd-html-elements.js"
BRIDGE = "/crowd/bridge.js"


@dataclass(frozen=True)
class PageOrigin:
    """Where worker pages are served, and with what.

    Attributes:
        origin: The origin of worker pages, such as ``http://127.0.0.1:8081``.
        portal_origin: The origin of the pages that frame them, such as ``http://127.0.0.1:8080``.
        presign: Gives a readable URL for an S3 URI.
        storage_origins: Where those URLs point.
        hosted_crowd_elements: Leave the template's reference to AWS's own crowd elements.
        rendering: Runs templates' Liquid.
    """

    origin: str
    portal_origin: str
    presign: Presign
    storage_origins: Sequence[str] = ()
    hosted_crowd_elements: bool = False
    rendering: Rendering = render_template

    def render(self, template: str, task_input: Mapping[str, Any]) -> RenderedPage:
        """Make the worker page of a data object for this origin."""
        return render(template, task_input, self.presign, self.assets, self.rendering)

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
        return problem, [lacking(unknown)] if unknown else []

    def url(self, *path: str, **query: str) -> str:
        """Name a page of this origin."""
        address = "/".join((self.origin, *(quote(part, safe="") for part in path)))
        return f"{address}?{urlencode(query)}" if query else address

    def respond(self, html: str, status: int = 200) -> HTMLResponse:
        """Serve a worker page under its Content-Security-Policy."""
        policy = content_security_policy(
            assets_origin=self.origin, portal_origin=self.portal_origin, storage_origins=self.storage_origins
        )
        headers = {
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        return HTMLResponse(html, status, headers)


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
