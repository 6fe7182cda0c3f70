"""``ground-truth serve``: a Ground Truth, or the preview of a worker page, until it is told to end."""

import argparse
import logging
import os
from pathlib import Path

from ground_truth_server.arns import ACCOUNT, REGION
from ground_truth_server.aws_services import AWS, EMBEDDED, Ports, ServerSettings
from ground_truth_server.commands.places import add_places, keep_shared_keys
from ground_truth_server.commands.saying import log_to_the_terminal, print_line
from ground_truth_server.edge.loopback import HOST, proxies_never_reach_loopback
from ground_truth_server.edge.network import Network
from ground_truth_server.pages.preview import PreviewSource
from ground_truth_server.people.oidc_settings import OidcSettings
from ground_truth_server.people.settings import WAYS, PeopleSettings
from ground_truth_server.server import GroundTruthServer, PreviewServer
from ground_truth_server.shutdown import until_told

_DESCRIPTION = """\
SageMaker Ground Truth's custom labeling jobs on this machine: the SageMaker API for AWS's clients, a portal for
workers, a console for you, the functions of a SAM template, and S3. All state is kept in the workspace; end it
with Ctrl-C or kill it, and the next start goes on from there.
"""
_SHORTEST_SECRET = 32
_SHORTEST_TOKEN = 16  # characters of GROUND_TRUTH_METRICS_TOKEN

_log = logging.getLogger(__name__)

_EXAMPLES = """\
examples:
  ground-truth serve
      then, in another shell, what it prints, and: aws sagemaker create-labeling-job --cli-input-json file://request.json
  ground-truth serve --functions http://127.0.0.1:3001        functions run by: sam local start-lambda
  ground-truth serve --s3 aws --functions aws                 S3 and functions in AWS, workers here
  ground-truth serve --preview input.manifest --page worker-task.liquid.html --pre-annotation PreFunction
      the worker page of the manifest's lines, which follows the template as you edit it
  ground-truth serve --people accounts --listen 0.0.0.0 --behind-proxy --url https://label.example.com \\
      --pages-url https://pages.label.example.com --database postgresql://...            for a team, behind a proxy
"""


def run(given: argparse.Namespace) -> int:
    """Run a Ground Truth, or a preview, until it is told to end."""
    log_to_the_terminal(given.log_format)
    logging.getLogger("ground_truth_server").setLevel(logging.WARNING if given.quiet else logging.INFO)
    proxies_never_reach_loopback()
    keep_shared_keys(given.workspace)
    settings = settings_of(given)
    if given.preview is not None:
        with until_told() as told, PreviewServer(settings, _preview_source(given)) as preview:
            print_line(f"The preview: {preview.url}   (Ctrl-C ends it)")
            told.wait()
    else:
        with until_told() as told, GroundTruthServer(settings) as ground_truth:
            _greet(ground_truth, settings, given.log_format)
            told.wait()
    return 0


def _greet(ground_truth: GroundTruthServer, settings: ServerSettings, form: str) -> None:
    if form == "json":
        _log.info("listening", extra={"facts": {"url": ground_truth.url, "workspace": str(settings.workspace)}})
    else:
        print_line(_greeting(ground_truth, settings))


def add_arguments(made: argparse.ArgumentParser) -> None:
    """Say what it takes."""
    made.description, made.epilog = _DESCRIPTION, _EXAMPLES
    add_places(made)
    functions = made.add_argument_group("functions")
    functions.add_argument(
        "--template",
        type=Path,
        metavar="FILE",
        help="the SAM template whose functions run here (default: template.yaml, if there is one)",
    )
    functions.add_argument(
        "--functions",
        metavar="embedded|aws|URL",
        help="where functions run: here, in AWS, or behind an endpoint (default: AWS_ENDPOINT_URL_LAMBDA, else here)",
    )
    functions.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a variable for the functions that run here; again for more; name files by absolute paths",
    )
    functions.add_argument(
        "--env-file", type=Path, metavar="FILE", help="a file of such lines; empty lines and those with # are skipped"
    )
    places = made.add_argument_group("services and ports, all on 127.0.0.1; port 0 takes a free one")
    places.add_argument(
        "--s3", metavar="embedded|aws|URL", help="where objects lie (default: AWS_ENDPOINT_URL_S3, else the workspace)"
    )
    ports = Ports()
    for name, port, purpose in (
        ("--port", ports.portal, "portal, console and SageMaker API"),
        ("--page-port", ports.pages, "worker pages, an origin of their own"),
        ("--s3-port", ports.s3, "embedded S3"),
        ("--lambda-port", ports.functions, "Lambda endpoint of the functions that run here"),
    ):
        places.add_argument(name, type=int, default=port, metavar="PORT", help=f"{purpose} (default: %(default)s)")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or REGION
    places.add_argument("--region", default=region, help="the region of ARNs (default: %(default)s)")
    places.add_argument(
        "--account", type=_account, default=ACCOUNT, metavar="NUMBER", help="the account of ARNs (default: %(default)s)"
    )
    _add_network(made.add_argument_group("on a network"))
    _add_people(made.add_argument_group("people"))
    pages = made.add_argument_group("worker pages")
    pages.add_argument(
        "--crowd-elements",
        choices=("own", "hosted"),
        default="own",
        help="own works offline; hosted loads AWS's script, which has the drawing elements (default: %(default)s)",
    )
    pages.add_argument(
        "--preview",
        metavar="MANIFEST",
        help="show the page of each line of a manifest (a file, an S3 URI, or one line itself), without a job",
    )
    pages.add_argument("--page", type=Path, metavar="FILE", help="the template to preview")
    pages.add_argument(
        "--pre-annotation", metavar="FUNCTION", help="the function (name or ARN) that makes the preview's task input"
    )
    _add_listeners(made.add_argument_group("who is told each job's state changes, again and again until it took them"))
    made.add_argument(
        "--log-format",
        choices=("text", "json"),
        default=_variable("log-format") or "text",
        help="json: a line of JSON for each request and whatever else happens (default: %(default)s)",
    )
    made.add_argument("--quiet", action="store_true", help="don't show state changes and the functions' log")


def _add_listeners(listeners: argparse._ArgumentGroup) -> None:
    listeners.add_argument(
        "--webhook",
        default=_variable("webhook"),
        metavar="URL",
        help="posts them there, as JSON, signed with GROUND_TRUTH_WEBHOOK_SECRET where it is set",
    )
    listeners.add_argument(
        "--sns-topic", action="append", default=[], metavar="ARN", help="publishes them to a topic of SNS"
    )
    listeners.add_argument(
        "--event-bus", action="append", default=[], metavar="NAME", help="puts them on a bus of EventBridge"
    )


def _add_network(network: argparse._ArgumentGroup) -> None:
    """Take how the server is reached; each option is a variable of the environment too."""
    for name, metavar, purpose in (
        ("listen", "ADDRESS", f"the address to listen on (default: {HOST})"),
        ("url", "URL", "the https origin by which browsers reach portal, console and SageMaker API"),
        ("pages-url", "URL", "the https origin by which browsers reach worker pages, another one"),
        ("s3-url", "URL", "the https origin by which clients elsewhere reach the embedded S3"),
        ("certificate", "FILE", "a certificate for TLS of its own, in PEM"),
        ("certificate-key", "FILE", "its key, in PEM"),
    ):
        network.add_argument(f"--{name}", default=_variable(name), metavar=metavar, help=purpose)
    network.add_argument(
        "--behind-proxy",
        action="store_true",
        default=_variable("behind-proxy") not in ("", "0", "false"),
        help="a proxy before it speaks TLS: the last address in X-Forwarded-For is taken for the client's; no other "
        "header of a proxy is trusted",
    )


def _add_people(people: argparse._ArgumentGroup) -> None:
    """Take how people sign in; each option is a variable of the environment too."""
    people.add_argument(
        "--people",
        choices=WAYS,
        default=_variable("people") or "names",
        help="how people sign in: by name alone, on this machine only; to accounts (ground-truth people invite); at an "
        "OpenID Connect provider (default: %(default)s)",
    )
    for name, metavar, default, purpose in (
        ("oidc-issuer", "URL", "", "the provider; its secret is in GROUND_TRUTH_OIDC_CLIENT_SECRET"),
        ("oidc-client-id", "NAME", "", "what it knows this server by; it sends people back to URL/sign-in/callback"),
        ("oidc-groups-claim", "NAME", "groups", "the claim that lists a person's groups (default: %(default)s)"),
        ("oidc-admin-group", "NAME", "", "the group whose members are admins"),
        ("oidc-owner-group", "NAME", "", "the group whose members may have labeling jobs"),
    ):
        people.add_argument(f"--{name}", default=_variable(name) or default, metavar=metavar, help=purpose)


def _variable(option: str) -> str:
    """Read an option's variable: ``--pages-url`` is GROUND_TRUTH_PAGES_URL."""
    return os.environ.get(f"GROUND_TRUTH_{option.upper().replace('-', '_')}", "")


def _network(given: argparse.Namespace) -> Network:
    if bool(given.certificate) != bool(given.certificate_key):
        raise ValueError("--certificate and --certificate-key go together: give both, or neither")
    return Network(
        address=given.listen or HOST,
        url=given.url.rstrip("/"),
        pages_url=given.pages_url.rstrip("/"),
        s3_url=given.s3_url.rstrip("/"),
        certificate=(Path(given.certificate), Path(given.certificate_key)) if given.certificate else None,
        behind_proxy=given.behind_proxy,
    )


def _people(given: argparse.Namespace) -> PeopleSettings:
    if bool(given.oidc_issuer) != bool(given.oidc_client_id):
        raise ValueError("--oidc-issuer and --oidc-client-id go together: give both, or neither")
    secret = os.environ.get("GROUND_TRUTH_OIDC_CLIENT_SECRET", "")
    oidc = OidcSettings(
        given.oidc_issuer,
        given.oidc_client_id,
        secret,
        groups_claim=given.oidc_groups_claim,
        admin_group=given.oidc_admin_group,
        owner_group=given.oidc_owner_group,
    )
    return PeopleSettings(given.people, oidc)


def _links_secret() -> bytes:
    """Read the secret that several servers share to sign links."""
    text = _variable("secret")
    if text and len(text) < _SHORTEST_SECRET:
        raise ValueError(f"GROUND_TRUTH_SECRET has {len(text)} characters; expected {_SHORTEST_SECRET} or more")
    return text.encode()


def _metrics_token() -> str:
    token = _variable("metrics-token")
    if token and len(token) < _SHORTEST_TOKEN:
        raise ValueError(f"GROUND_TRUTH_METRICS_TOKEN has {len(token)} characters; expected {_SHORTEST_TOKEN} or more")
    return token


def _account(text: str) -> str:
    if len(text) != 12 or not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no account number; expected twelve digits")
    return text


def settings_of(given: argparse.Namespace) -> ServerSettings:
    """Tell what a local Ground Truth is made of by a command line and the environment.

    Raises:
        ValueError: If a function's variable has no value, or options that go together don't.
        OSError: If the file of variables can't be read.
    """
    template = given.template
    if template is None and Path("template.yaml").is_file():
        template = Path("template.yaml")
    return ServerSettings(
        workspace=given.workspace,
        template=template,
        s3=given.s3 or _endpoint("AWS_ENDPOINT_URL_S3", given.s3_port),
        functions=given.functions or _endpoint("AWS_ENDPOINT_URL_LAMBDA", given.lambda_port),
        environment=_environment(given),
        ports=Ports(given.port, given.page_port, given.s3_port, given.lambda_port),
        region=given.region,
        account=given.account,
        database=given.database,
        webhook=given.webhook,
        webhook_secret=_variable("webhook-secret"),
        sns_topics=given.sns_topic,
        event_buses=given.event_bus,
        hosted_crowd_elements=given.crowd_elements == "hosted",
        network=_network(given),
        people=_people(given),
        links_secret=_links_secret(),
        metrics_token=_metrics_token(),
    )


def _endpoint(variable: str, own_port: int) -> str:
    """What a variable names; if it is what we print for clients to use, it means us."""
    url = os.environ.get(variable, "").rstrip("/")
    return EMBEDDED if url in ("", f"http://{HOST}:{own_port}") else url


def _environment(given: argparse.Namespace) -> dict[str, str]:
    lines = given.env_file.read_text(encoding="utf-8").splitlines() if given.env_file else []
    lines = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    variables = {}
    for line in (*lines, *given.env):
        name, equals, value = line.partition("=")
        if not equals:
            raise ValueError(f"found {line!r} among the functions' variables, expected NAME=VALUE")
        variables[name.strip()] = value
    return variables


def _preview_source(given: argparse.Namespace) -> PreviewSource:
    if given.page is None:
        raise ValueError("--preview needs --page FILE, the worker page's template")
    manifest = given.preview
    if manifest.lstrip().startswith("{"):
        given.workspace.mkdir(parents=True, exist_ok=True)
        file = given.workspace / "preview.manifest"
        file.write_text(manifest + "\n", encoding="utf-8")
        manifest = str(file)
    function = given.pre_annotation
    if function and not function.startswith("arn:"):
        function = f"arn:aws:lambda:{given.region}:{ACCOUNT}:function:{function}"
    return PreviewSource(given.page, manifest, function)


def _greeting(ground_truth: GroundTruthServer, settings: ServerSettings) -> str:
    services = ground_truth.services
    functions = ", ".join(services.function_names) or services.functions_url or {AWS: "in AWS"}.get(settings.functions)
    lines = [
        "",
        f"  Label      {ground_truth.url}",
        f"  Console    {ground_truth.url}/console/",
        f"  Functions  {functions or 'none: start with --template FILE to have some'}",
        f"  Workspace  {settings.workspace}",
        "",
        "  For boto3, the AWS CLI and other clients, in another shell:",
        *(f"    {command}" for command in ground_truth.endpoints.commands()),
        "",
        "  Ctrl-C ends it; the next start goes on from there.",
        "",
    ]
    return "\n".join(lines)
