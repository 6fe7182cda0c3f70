"""The local Ground Truth as one process: portal, console and SageMaker API, worker pages, functions, S3, job engine."""

from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from functools import partial
from socket import socket
from types import TracebackType

from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from ground_truth_server.aws_services import OWN_FOLDER, AwsServices, ServerSettings
from ground_truth_server.edge.guard import MEGABYTE, Guard, Policy, Signing, hosts_of, in_json
from ground_truth_server.edge.key_pair import KeyPair
from ground_truth_server.edge.loopback import listen, origin_of, serving
from ground_truth_server.edge.private_file import links_secret
from ground_truth_server.engine.engine import Engine
from ground_truth_server.engine.events import Listener, StateChangeFile, Webhook
from ground_truth_server.health import health_routes
from ground_truth_server.pages import worker_page
from ground_truth_server.pages.page_frame import create_page_frame
from ground_truth_server.pages.page_origin import BRIDGE, CROWD_SCRIPT, PageOrigin, presigned_by
from ground_truth_server.pages.preview import Preview, PreviewSource
from ground_truth_server.pages.render_process import RenderProcesses
from ground_truth_server.portal.console import create_console
from ground_truth_server.portal.console_commands import Endpoints
from ground_truth_server.portal.portal import create_portal
from ground_truth_server.portal.preview_page import create_preview
from ground_truth_server.records.opening import open_database
from ground_truth_server.records.sqlite import naming_database
from ground_truth_server.sagemaker.aws_json import BODY_LIMIT, AwsJson
from ground_truth_server.sagemaker.sagemaker_api import SageMakerApi
from ground_truth_server.sagemaker.workteams import WorkteamTable

_LONGEST_BODY = 8 * MEGABYTE  # of what browsers and SageMaker's clients send
_PATIENCE = 1.0  # seconds for the steps at hand when it ends; what takes longer is done again at the next start


class GroundTruthServer:
    """A local Ground Truth, running from when it is made until it is closed.

    People and AWS's clients use one URL: a ``POST /`` is a call of the SageMaker API, which browsers are refused;
    all else is the worker portal and, under ``/console``, the owner's console.

    Args:
        settings: What it is made of.

    Attributes:
        url: The worker portal, and the endpoint of the SageMaker API.
        services: S3 and the functions.
        engine: The job engine; jobs that were in progress go on.
        endpoints: Where AWS's clients find the services.

    Raises:
        PortTaken: If another program listens on a port.
        RuntimeError: If another local Ground Truth works in the workspace, its secrets can't be read, or the database
            can't be used.
        SamTemplateError: If the functions' template can't be read.
        ValueError: If the webhook is no URL.

    Example:
        >>> with GroundTruthServer(ServerSettings(Path("build/ground-truth"))) as ground_truth:  # doctest: +SKIP
        ...     boto3.client("sagemaker", endpoint_url=ground_truth.url).list_labeling_jobs()
    """

    def __init__(self, settings: ServerSettings) -> None:
        with ExitStack() as parts:
            listeners: list[Listener] = [StateChangeFile(settings.workspace / "state-changes.jsonl")]
            if settings.webhook:
                listeners.append(Webhook(settings.webhook))
            portal_socket = parts.enter_context(listen(settings.ports.portal, "the worker portal"))
            page_socket = parts.enter_context(listen(settings.ports.pages, "the worker pages"))
            self.url = origin_of(portal_socket)
            self.services = parts.enter_context(AwsServices(settings))
            pages = _page_origin(parts, origin_of(page_socket), self.url, settings, self.services)
            own_folder = settings.workspace / OWN_FOLDER
            self.engine = Engine(
                own_folder,
                self.services.s3,
                self.services.invoke,
                database=open_database(settings.database, own_folder) if settings.database else None,
                region=settings.region,
                account=settings.account,
                look_at_template=pages.look_at_template,
                listeners=listeners,
            )
            parts.callback(self.engine.close, _PATIENCE)
            account = WorkteamTable(self.engine.records)
            with naming_database(own_folder / "account.sqlite"):
                account.take_over(own_folder / "account.sqlite")
            keys = self.services.required_keys
            self.endpoints = Endpoints(
                self.url,
                self.services.s3_url,
                self.services.functions_url,
                self.services.sts_url,
                settings.region,
                keys.file if keys else None,
            )
            console = create_console(self.engine, pages, self.services.s3, self.endpoints)
            api = AwsJson(
                "sagemaker",
                _sagemaker_api(self.engine, account, pages).operations(),
                region=settings.region,
                account=settings.account,
            )
            sagemaker = Route("/", _guarded_api(api, self.url, keys), methods=["POST"])
            portal = Mount("/", create_portal(self.engine, pages, console))
            parts.enter_context(self.services.log.delivering(self.engine.note))
            parts.enter_context(
                _serving_pages(create_page_frame(pages, self.services.s3_for_pages, self.engine), page_socket)
            )
            routes = [sagemaker, *health_routes(self.engine, self.services.s3), portal]
            parts.enter_context(_serving_pages(Starlette(routes=routes), portal_socket))
            self.engine.resume()
            # The engine is told before its functions are ended, so that it takes no call's end for a failure.
            parts.callback(self.services.end_functions)
            parts.callback(self.engine.leave)
            self._parts = parts.pop_all()

    def close(self) -> None:
        """End it; every job stays where it is, for the next start."""
        self._parts.close()

    def __enter__(self) -> "GroundTruthServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class PreviewServer:
    """The preview of a worker page, running from when it is made until it is closed. It has no labeling jobs.

    Args:
        settings: What it is made of; the portal's port is the preview's.
        source: What is previewed.

    Attributes:
        url: The preview.
        services: S3 and the functions.

    Raises:
        PortTaken: If another program listens on a port.
        SamTemplateError: If the functions' template can't be read.
    """

    def __init__(self, settings: ServerSettings, source: PreviewSource) -> None:
        with ExitStack() as parts:
            preview_socket = parts.enter_context(listen(settings.ports.portal, "the preview"))
            page_socket = parts.enter_context(listen(settings.ports.pages, "the worker pages"))
            self.url = origin_of(preview_socket)
            self.services = parts.enter_context(AwsServices(settings))
            pages = _page_origin(parts, origin_of(page_socket), self.url, settings, self.services)
            preview = Preview(source, pages, self.services.s3, self.services.invoke)
            frames = create_page_frame(pages, self.services.s3_for_pages, preview=preview)
            parts.enter_context(_serving_pages(frames, page_socket))
            parts.enter_context(_serving_pages(create_preview(preview, pages), preview_socket))
            parts.callback(self.services.end_functions)
            self._parts = parts.pop_all()

    def close(self) -> None:
        """End it."""
        self._parts.close()

    def __enter__(self) -> "PreviewServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _serving_pages(app: ASGIApp, listener: socket) -> AbstractContextManager[str]:
    """Serve what browsers ask for, behind the guard."""
    host, port = listener.getsockname()
    return serving(Guard(app, Policy(hosts_of(host, port), _LONGEST_BODY)), listener)


def _guarded_api(api: AwsJson, url: str, keys: KeyPair | None) -> ASGIApp:
    """The SageMaker API for clients that sign with the workspace's key pair.

    Where S3 is the user's own, so are the keys that clients sign with, and nobody here could check them.
    """
    host, _, port = url.partition("://")[2].rpartition(":")
    signing = Signing(keys, "sagemaker") if keys else None
    policy = Policy(hosts_of(host, int(port)), BODY_LIMIT, in_json, signing, browsers=False)
    return Guard(api, policy)


def _page_origin(
    parts: ExitStack, origin: str, portal: str, settings: ServerSettings, services: AwsServices
) -> PageOrigin:
    return PageOrigin(
        origin,
        portal,
        presigned_by(services.s3),
        services.storage_origins,
        hosted_crowd_elements=settings.hosted_crowd_elements,
        rendering=parts.enter_context(RenderProcesses()),
        secret=links_secret(settings.workspace),
    )


def _sagemaker_api(engine: Engine, account: WorkteamTable, pages: PageOrigin) -> SageMakerApi:
    """The API; the pages that it renders name their scripts in full, since they can be opened anywhere."""
    assets = replace(pages.assets, bridge=pages.origin + BRIDGE)
    if assets.crowd_script is not None:
        assets = replace(assets, crowd_script=pages.origin + CROWD_SCRIPT)
    render = partial(worker_page.render, presign=pages.presign, assets=assets, rendering=pages.rendering)
    return SageMakerApi(engine, account, render, portal=pages.portal_origin.partition("://")[2])
