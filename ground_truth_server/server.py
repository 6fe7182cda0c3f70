"""The local Ground Truth as one process: portal, console and SageMaker API, worker pages, functions, S3, job engine."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from functools import partial
from socket import socket
from types import TracebackType
from urllib.parse import urlsplit

import boto3
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from ground_truth_server.aws_services import EMBEDDED, OWN_FOLDER, AwsServices, ServerSettings
from ground_truth_server.edge.client_address import BehindProxy
from ground_truth_server.edge.guard import MEGABYTE, Guard, Policy, Signing, hosts_of, in_json
from ground_truth_server.edge.key_pair import KnownKeys
from ground_truth_server.edge.loopback import HOST, listen, origin_of, serving
from ground_truth_server.edge.network import Network, is_loopback
from ground_truth_server.edge.private_file import links_secret
from ground_truth_server.engine.engine import Engine
from ground_truth_server.engine.events import Listener
from ground_truth_server.engine.listeners import EventBus, SnsTopic, StateChangeFile, Webhook
from ground_truth_server.health import HEALTH_PATHS, health_routes
from ground_truth_server.pages import worker_page
from ground_truth_server.pages.page_frame import create_page_frame
from ground_truth_server.pages.page_origin import BRIDGE, CROWD_SCRIPT, PageOrigin, presigned_by
from ground_truth_server.pages.preview import Preview, PreviewSource
from ground_truth_server.pages.render_process import RenderProcesses
from ground_truth_server.people.accounts import Accounts
from ground_truth_server.people.oidc import OidcSignIn
from ground_truth_server.people.sessions import Sessions
from ground_truth_server.people.settings import PeopleSettings, WayToSignIn
from ground_truth_server.people.work_teams import WorkteamTable
from ground_truth_server.people.workforces import WorkforceTable, provider_of
from ground_truth_server.portal.console import create_console
from ground_truth_server.portal.console_commands import Endpoints
from ground_truth_server.portal.portal import create_portal, workers_of
from ground_truth_server.portal.preview_page import create_preview
from ground_truth_server.portal.sign_in import SignIn
from ground_truth_server.portal.sign_in_at_provider import CALLBACK, SignInAtProvider
from ground_truth_server.portal.sign_in_by_name import SignInByName
from ground_truth_server.portal.sign_in_by_password import SignInByPassword
from ground_truth_server.records.opening import open_database
from ground_truth_server.records.sqlite import naming_database
from ground_truth_server.sagemaker.aws_json import BODY_LIMIT, AwsJson
from ground_truth_server.sagemaker.human_task_uis import HumanTaskUiTable
from ground_truth_server.sagemaker.sagemaker_api import SageMakerApi
from ground_truth_server.telemetry.metrics import METRICS_PATH, Metrics, metrics_route
from ground_truth_server.telemetry.watched import Watched

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
        ValueError: If the webhook is no URL, or its secret none.

    Example:
        >>> with GroundTruthServer(ServerSettings(Path("build/ground-truth"))) as ground_truth:  # doctest: +SKIP
        ...     boto3.client("sagemaker", endpoint_url=ground_truth.url).list_labeling_jobs()
    """

    def __init__(self, settings: ServerSettings) -> None:
        with ExitStack() as parts:
            listeners = _listeners(settings)
            network, metrics = settings.network, Metrics()
            network.check(signs_in=settings.people.way != "names")
            portal_socket = parts.enter_context(listen(settings.ports.portal, "the worker portal", network.address))
            page_socket = parts.enter_context(listen(settings.ports.pages, "the worker pages", network.address))
            self.url = network.url.rstrip("/") or origin_of(portal_socket)
            pages_url = network.pages_url.rstrip("/") or origin_of(page_socket)
            self.services = parts.enter_context(AwsServices(settings))
            pages = _page_origin(parts, pages_url, self.url, settings, self.services)
            own_folder = settings.workspace / OWN_FOLDER
            self.engine = Engine(
                own_folder,
                self.services.s3,
                metrics.counting(self.services.invoke),
                database=open_database(settings.database, own_folder) if settings.database else None,
                region=settings.region,
                account=settings.account,
                look_at_template=pages.look_at_template,
                listeners=listeners,
                quick_put=self.services.put,
            )
            parts.callback(self.engine.close, _PATIENCE)
            metrics.watch(self.engine)
            account = WorkteamTable(self.engine.records)
            with naming_database(own_folder / "account.sqlite"):
                account.take_over(own_folder / "account.sqlite")
            keys = self.services.access_keys
            keys.records = self.engine.records
            self.endpoints = _endpoints(settings, self.url, self.services)
            sign_in = sign_in_of(settings.people, self.engine, self.url)
            console = create_console(self.engine, pages, self.services.s3, self.endpoints, sign_in)
            api = AwsJson(
                "sagemaker",
                _sagemaker_api(self.engine, account, pages, settings.people.way).operations(),
                region=settings.region,
                account=settings.account,
                principal_of=keys.principal,
            )
            signed = self.services.required_keys is not None or settings.people.way != "names"
            # Also by this machine's own name, for those who work on the machine while browsers reach it by another.
            hosts = [*_hosts(self.url), *hosts_of(HOST, portal_socket.getsockname()[1])]
            guarded_api = Watched(_guarded_api(api, hosts, keys if signed else None), "api", metrics)
            portal = create_portal(self.engine, pages, console, sign_in=sign_in)
            parts.enter_context(self.services.log.delivering(self.engine.note))
            frames = create_page_frame(
                pages, self.services.s3_for_pages, self.engine, is_signed_in=sign_in.is_signed_in
            )
            watched_frames = Watched(_for_browsers(frames, pages_url), "pages", metrics)
            parts.enter_context(_serving(watched_frames, page_socket, network))
            open_on_loopback = network.is_local and not network.behind_proxy
            tell_metrics = metrics_route(metrics, settings.metrics_token, open_on_loopback=open_on_loopback)
            for_machines = Starlette(routes=[*health_routes(self.engine, self.services.s3), tell_metrics])
            for_people = _by_path(dict.fromkeys((*HEALTH_PATHS, METRICS_PATH), for_machines), portal)
            watched_people = Watched(_for_browsers(for_people, self.url), "portal", metrics)
            front = _calls_and_pages(guarded_api, watched_people)
            parts.enter_context(_serving(front, portal_socket, network))
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
            parts.enter_context(_serving(_for_browsers(frames, pages.origin), page_socket))
            parts.enter_context(_serving(_for_browsers(create_preview(preview, pages), self.url), preview_socket))
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


def _listeners(settings: ServerSettings) -> list[Listener]:
    """Make who is told each state change."""
    listeners: list[Listener] = [StateChangeFile(settings.workspace / "state-changes.jsonl")]
    if settings.webhook:
        listeners.append(Webhook(settings.webhook, settings.webhook_secret))
    topics = (SnsTopic(arn, boto3.client("sns", _region_in(arn, settings))) for arn in settings.sns_topics)
    buses = (EventBus(bus, boto3.client("events", _region_in(bus, settings))) for bus in settings.event_buses)
    return [*listeners, *topics, *buses]


def _region_in(name: str, settings: ServerSettings) -> str:
    """The region that an ARN names, or else the server's."""
    parts = name.split(":")
    return parts[3] if len(parts) >= 6 else settings.region


def _for_browsers(app: ASGIApp, origin: str) -> Guard:
    """Put the guard before what browsers ask for."""
    return Guard(app, Policy(_hosts(origin), _LONGEST_BODY, open_paths=(*HEALTH_PATHS, METRICS_PATH)))


def _by_path(apps: Mapping[str, ASGIApp], otherwise: ASGIApp) -> ASGIApp:
    """Let applications answer for a path each, and one for all others; workers wait for no look through routes."""

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        await apps.get(scope["path"], otherwise)(scope, receive, send)

    return dispatch


def _calls_and_pages(api: ASGIApp, pages: ASGIApp) -> ASGIApp:
    """Let a ``POST /`` be a call of the API, and all else be for people."""

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        is_call = scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == "/"
        await (api if is_call else pages)(scope, receive, send)

    return dispatch


def _serving(app: ASGIApp, listener: socket, network: Network | None = None) -> AbstractContextManager[str]:
    """Serve an application whose guards stand before it, as the network has it."""
    network = network or Network()
    app = BehindProxy(app) if network.behind_proxy else app
    return serving(app, listener, network.certificate, behind_proxy=network.behind_proxy)


def _hosts(origin: str) -> list[str]:
    """Name the hosts by which an origin may be asked for."""
    parts = urlsplit(origin)
    if parts.hostname is not None and is_loopback(parts.hostname) and parts.port is not None:
        return hosts_of(parts.hostname, parts.port)
    return [parts.netloc.lower()]


def _guarded_api(api: AwsJson, hosts: Sequence[str], keys: KnownKeys | None) -> ASGIApp:
    """The SageMaker API for clients that sign with a key pair that is known here.

    Where S3 is the user's own and nobody signs in, so are the keys that clients sign with, and nobody here could check
    them.
    """
    signing = Signing(keys, "sagemaker") if keys else None
    return Guard(api, Policy(hosts, BODY_LIMIT, in_json, signing, browsers=False))


def _endpoints(settings: ServerSettings, url: str, services: AwsServices) -> Endpoints:
    """Say where clients find the services: on this machine all of them, over a network those that it reaches."""
    issued = settings.people.way != "names"
    if not settings.network.is_local:
        s3_url = settings.network.s3_url or (None if settings.s3 == EMBEDDED else services.s3_url)
        return Endpoints(url, s3_url, region=settings.region, issued=issued)
    file = services.keys.file if services.required_keys else None
    return Endpoints(url, services.s3_url, services.functions_url, services.sts_url, settings.region, file)


def sign_in_of(settings: PeopleSettings, engine: Engine, home: str) -> SignIn:
    """Make the way in which people sign in.

    Args:
        settings: Which.
        engine: Whose records keep people and sessions.
        home: The portal's origin.
    """
    secure, sessions = home.startswith("https:"), Sessions(engine.records)
    if settings.way == "names":
        return SignInByName(lambda: workers_of(engine))
    if settings.way == "accounts":
        return SignInByPassword(Accounts(engine.records), sessions, secure=secure)
    find_provider = partial(provider_of, engine.records, settings.oidc)
    provider = OidcSignIn(find_provider, engine.records, f"{home}{CALLBACK}")
    return SignInAtProvider(provider, sessions, home, secure=secure)


def _page_origin(
    parts: ExitStack, origin: str, portal: str, settings: ServerSettings, services: AwsServices
) -> PageOrigin:
    return PageOrigin(
        origin,
        portal,
        presigned_by(services.s3_for_links),
        services.storage_origins,
        hosted_crowd_elements=settings.hosted_crowd_elements,
        rendering=parts.enter_context(RenderProcesses()),
        secret=settings.links_secret or links_secret(settings.workspace),
    )


def _sagemaker_api(engine: Engine, account: WorkteamTable, pages: PageOrigin, way: WayToSignIn) -> SageMakerApi:
    """The API; the pages that it renders name their scripts in full, since they can be opened anywhere."""
    assets = replace(pages.assets, bridge=pages.origin + BRIDGE)
    if assets.crowd_script is not None:
        assets = replace(assets, crowd_script=pages.origin + CROWD_SCRIPT)
    render = partial(worker_page.render, presign=pages.presign, assets=assets, rendering=pages.rendering)
    forces = WorkforceTable(engine.records, providers=way == "oidc")
    uis = HumanTaskUiTable(engine.records)
    return SageMakerApi(engine, account, forces, uis, render, portal=pages.portal_origin.partition("://")[2])
