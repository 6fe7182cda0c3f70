"""The services that labeling jobs work with, S3 and Lambda: on this machine, in AWS, or at an endpoint of yours."""

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from ground_truth_server.arns import ACCOUNT, REGION
from ground_truth_server.edge.guard import MEGABYTE, Guard, Policy, Signing, Wording, hosts_of, in_json, in_query_xml
from ground_truth_server.edge.key_pair import KeyPair
from ground_truth_server.edge.loopback import HOST, LOOPBACK_NAMES, listen, origin_of, serving
from ground_truth_server.edge.network import Network
from ground_truth_server.engine.aws_functions import WithAwsFunctions
from ground_truth_server.engine.invoke import FunctionFailed, Invoke, Json, LambdaInvoke
from ground_truth_server.engine.outputs import QuickPut
from ground_truth_server.lambda_host.function_host import FunctionHost, OnLog
from ground_truth_server.lambda_host.function_log import FunctionLog, LoggedFunctions
from ground_truth_server.lambda_host.invocation import MAX_EVENT_BYTES
from ground_truth_server.lambda_host.lambda_api import create_app
from ground_truth_server.lambda_host.sts_api import STS_BODY, sts_app
from ground_truth_server.lambda_host.warm_process import NO_ACCOUNT
from ground_truth_server.people.access_keys import AccessKeys
from ground_truth_server.people.settings import PeopleSettings
from ground_truth_server.s3.s3_process import S3Process

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

EMBEDDED = "embedded"
AWS = "aws"
OWN_FOLDER = ".ground-truth"
"""The workspace's folder beside the buckets; no bucket can be named so."""
_CREDENTIALS = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"),
    *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"),
)
_PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")

_log = logging.getLogger(__name__)
# A function is called once and may take as long as its own time limit says, at most a quarter of an hour.
_LAMBDA_CONFIG = Config(
    retries={"total_max_attempts": 1},
    read_timeout=900,
    max_pool_connections=20,
    ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # it is there, only the stubs lack it
)
_NO_PROXY = Config(proxies={})  # what is on this machine is never asked for through a proxy
_S3_CONFIG = Config(
    max_pool_connections=20,
    signature_version="s3v4",
    retries={"mode": "standard"},
    ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # it is there, only the stubs lack it
)
_FOR_PAGES = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 2})


@dataclass(frozen=True)
class Ports:
    """Where to listen on loopback; 0 takes a free port."""

    portal: int = 8085
    pages: int = 8086
    s3: int = 8087
    functions: int = 8088

    @classmethod
    def beginning_at(cls, port: int) -> "Ports":
        """Take a port for the portal and those that follow for the others; free ones if it is 0."""
        return cls(*([0] * 4 if port == 0 else range(port, port + 4)))


@dataclass(frozen=True)
class ServerSettings:
    """What a local Ground Truth is made of.

    Attributes:
        workspace: The folder of all that must survive; each bucket of the embedded S3 is a folder in it.
        template: The SAM template with the functions; ``None`` if no job has one here.
        s3: ``embedded``, ``aws``, or an endpoint's URL.
        functions: ``embedded``, ``aws``, or the URL of a Lambda endpoint, such as ``sam local start-lambda``'s.
        environment: Variables for the template's functions, over those of the template. Paths are absolute.
        ports: Where to listen.
        region: The region of ARNs and clients.
        account: The account in ARNs, twelve digits.
        database: The URL of a PostgreSQL database that jobs and answers are kept in; empty for a file in the workspace.
        webhook: Where each state change is posted; empty for nowhere.
        webhook_secret: What such a post is signed with; empty for unsigned ones.
        sns_topics: The ARNs of SNS topics that each state change is published to.
        event_buses: The names or ARNs of EventBridge's buses that each state change is put on.
        hosted_crowd_elements: Let worker pages load AWS's own crowd elements.
        network: Where it listens, and how browsers name it.
        people: How people sign in.
        links_secret: What links to files are signed with, where several servers share it; empty for the workspace's.
        metrics_token: What who asks for metrics over a network must show; empty where nobody can.
    """

    workspace: Path
    template: Path | None = None
    s3: str = EMBEDDED
    functions: str = EMBEDDED
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: Ports = field(default_factory=Ports)
    region: str = REGION
    account: str = ACCOUNT
    database: str = ""
    webhook: str = ""
    webhook_secret: str = field(default="", repr=False)
    sns_topics: Sequence[str] = ()
    event_buses: Sequence[str] = ()
    hosted_crowd_elements: bool = False
    network: Network = field(default_factory=Network)
    people: PeopleSettings = field(default_factory=PeopleSettings)
    links_secret: bytes = field(default=b"", repr=False)
    metrics_token: str = field(default="", repr=False)


class AwsServices:
    """S3 and Lambda as the settings say, started when it is entered and ended when it is left.

    Args:
        settings: Which.

    Attributes:
        s3: A client of S3.
        s3_for_pages: Another, which waits no longer for S3 than people do for a page.
        s3_for_links: A third, which signs links to where browsers reach it.
        s3_url: Its endpoint; ``None`` for AWS's own.
        put: Puts small objects into the embedded S3 without the cost of a request; ``None`` where S3 is elsewhere.
        invoke: Calls functions.
        functions_url: The Lambda endpoint; ``None`` for AWS's own, and where there are no functions.
        function_names: The template's functions.
        log: What the template's functions log.
        keys: The workspace's key pair.
        access_keys: The workspace's key pair and those that were issued, once the records are there.
        required_keys: The same where clients of S3 and the functions must sign with them; ``None`` where S3 is the
            user's own, and so are the keys, which nobody here can check.
        sts_url: The STS endpoint beside the functions; ``None`` where clients use AWS's own.

    Raises:
        PortTaken: If another program listens on a port.
        RuntimeError: If the workspace's key pair can't be read.
        SamTemplateError: If the template can't be read.
    """

    s3: "S3Client"
    s3_for_pages: "S3Client"
    s3_for_links: "S3Client"
    s3_url: str | None
    invoke: Invoke
    functions_url: str | None
    required_keys: AccessKeys | None
    sts_url: str | None

    def __init__(self, settings: ServerSettings) -> None:
        settings.workspace.mkdir(parents=True, exist_ok=True)
        self._settings = settings
        self.keys = KeyPair.of_workspace(settings.workspace)
        self.access_keys = AccessKeys(self.keys)
        self.required_keys = self.access_keys if settings.s3 == EMBEDDED else None
        self._functions: LoggedFunctions | None = None
        self.put: QuickPut | None = None
        with ExitStack() as parts:
            self.s3_url = self._start_s3(parts)
            self.s3 = self._s3_client(_S3_CONFIG)
            self.s3_for_pages = self._s3_client(_S3_CONFIG.merge(_FOR_PAGES))
            self.s3_for_links = self._s3_client(_S3_CONFIG, settings.network.s3_url)
            self.log = FunctionLog(settings.workspace / "functions.log")
            parts.callback(self.log.close)
            self.functions_url = self._start_functions(parts)
            self.sts_url = self.functions_url if self.required_keys and self._functions else None
            self.invoke = WithAwsFunctions(self._invoke(), self.s3, settings.account)
            if settings.functions == AWS and settings.s3 == EMBEDDED:
                _log.warning("functions in AWS can't read what is in the embedded S3")
            self._parts = parts.pop_all()

    @property
    def function_names(self) -> list[str]:
        """The functions that run here."""
        return list(self._functions.names) if self._functions else []

    @property
    def storage_origins(self) -> list[str]:
        """Where presigned URLs point."""
        url = self._settings.network.s3_url or self.s3_url
        return [url] if url else ["https://*.amazonaws.com"]

    def end_functions(self) -> None:
        """End the functions that run here; calls under way fail."""
        if self._functions:
            self._functions.close()

    def __enter__(self) -> "AwsServices":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end_functions()
        self._parts.close()

    def _start_s3(self, parts: ExitStack) -> str | None:
        if self._settings.s3 == EMBEDDED:
            embedded = parts.enter_context(self._embedded_s3())
            self.put = embedded.put
            return embedded.endpoint_url
        return None if self._settings.s3 == AWS else self._settings.s3

    def _embedded_s3(self) -> S3Process:
        network, port = self._settings.network, self._settings.ports.s3
        host, names = (network.address, [network.s3_url]) if network.s3_url else (HOST, [])
        return S3Process(self._settings.workspace, self.access_keys, port, host, origins=names)

    def _start_functions(self, parts: ExitStack) -> str | None:
        if self._settings.functions != EMBEDDED:
            return None if self._settings.functions == AWS else self._settings.functions
        template = self._settings.template
        if template is None:
            return None
        listener = listen(self._settings.ports.functions, "the functions' Lambda endpoint")
        parts.callback(listener.close)
        environment = self._environment(origin_of(listener))
        self._functions = self.log.host(lambda on_log: self._host(template, environment, on_log))
        parts.callback(self._functions.close)
        sts = sts_app(self._role_credentials, self._settings.account)
        hosts = hosts_of(HOST, listener.getsockname()[1])
        # The endpoint itself says which event is too large.
        functions = self._guarded(create_app(self._functions), "lambda", hosts, MAX_EVENT_BYTES + MEGABYTE, in_json)
        routes = [
            Route("/", self._guarded(sts, "sts", hosts, STS_BODY, in_query_xml), methods=["POST"]),
            Mount("/", functions),
        ]
        return parts.enter_context(serving(Starlette(routes=routes), listener))

    def _guarded(self, app: ASGIApp, service: str, hosts: Sequence[str], longest_body: int, wording: Wording) -> Guard:
        signing = Signing(self.required_keys, service) if self.required_keys else None
        return Guard(app, Policy(hosts, longest_body, wording, signing, browsers=False))

    def _role_credentials(self) -> ReadOnlyCredentials:
        """What S3 takes, whose only role is its owner's."""
        credentials = self._session(self._settings.s3).get_credentials()
        return (credentials or self.keys.credentials).get_frozen_credentials()

    def _host(self, template: Path, environment: Mapping[str, str], on_log: OnLog) -> FunctionHost:
        events = self._settings.workspace / OWN_FOLDER / "failed-events"
        return FunctionHost(template, {**environment, **self._settings.environment}, events, on_log)

    def _environment(self, sts: str) -> dict[str, str]:
        """Make the functions' variables for AWS: nothing of the user's own, unless the bucket is the user's own."""
        region = self._settings.region
        environment = {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
        if self._settings.s3 == AWS:
            return {**_own_variables(), **_proxies(), **environment}
        # Also as a file: a failed call is repeated with the function's variables, its secrets left out.
        environment |= {**NO_ACCOUNT, **self.keys.environment(), "AWS_SHARED_CREDENTIALS_FILE": str(self.keys.file)}
        environment["AWS_ENDPOINT_URL_STS"] = sts
        if self.s3_url:
            environment["AWS_ENDPOINT_URL_S3"] = self.s3_url
        if self._settings.s3 == EMBEDDED:
            return environment
        if boto3.Session().get_credentials() is not None:
            # Another server's S3, which knows the user's keys and not the workspace's.
            environment = {name: value for name, value in environment.items() if name not in _CREDENTIALS}
            environment |= {name: value for name, value in _own_variables().items() if name in _CREDENTIALS}
        return {**environment, **_proxies()}

    def _s3_client(self, config: Config, url: str = "") -> "S3Client":
        # Path style for own endpoints: a host named minio has no sub-domain for each bucket.
        config = config.merge(Config(s3={"addressing_style": "path" if self.s3_url else "auto"}))
        if self._settings.s3 == EMBEDDED:
            config = config.merge(_NO_PROXY)
        return self._session(self._settings.s3).client("s3", endpoint_url=url or self.s3_url, config=config)

    def _invoke(self) -> Invoke:
        if self._settings.functions == EMBEDDED and self._functions is None:
            return _no_functions
        session = self._session(self._settings.functions)
        config = _LAMBDA_CONFIG.merge(_NO_PROXY) if self._functions else _LAMBDA_CONFIG
        return LambdaInvoke(session.client("lambda", endpoint_url=self.functions_url, config=config))

    def _session(self, place: str) -> boto3.Session:
        """Credentials: the user's own, but the workspace's for what is embedded, so that nothing there calls AWS."""
        if place != EMBEDDED:
            own = boto3.Session(region_name=self._settings.region)
            if place == AWS or own.get_credentials() is not None:
                return own
        return self.keys.session(self._settings.region)


def _own_variables() -> dict[str, str]:
    """The user's own settings of AWS's clients, those files among them that are read when no variable says so."""
    home = Path.home() / ".aws"
    files = {"AWS_CONFIG_FILE": str(home / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(home / "credentials")}
    named = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    return {**files, "AWS_EC2_METADATA_DISABLED": "false", **named}


def _proxies() -> dict[str, str]:
    """The user's way out to the network, which never leads to what is on this machine."""
    found = {name: os.environ[name] for name in _PROXIES if os.environ.get(name)}
    if not found:
        return {}
    excepted = ",".join(filter(None, (os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), *LOOPBACK_NAMES)))
    return {**found, "NO_PROXY": excepted, "no_proxy": excepted}


def _no_functions(function_arn: str, event: Mapping[str, Any]) -> Json:
    """The Invoke of a local Ground Truth without functions."""
    message = "no functions run here: start the local Ground Truth with the SAM template that has it"
    code = "ResourceNotFoundException"
    raise FunctionFailed(function_arn, event, error_type=code, message=message, error_code=code)
