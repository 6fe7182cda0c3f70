"""The two calls of AWS STS that functions of labeling jobs make: who am I, and give me the job's role.

AWS's own post-annotation function assumes the job's role before it reads the answers. On one machine there is one
account with one key pair, which has every right there is here, so that is what it is given; where S3 is another
server's, the key pair that this one takes.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from html import escape
from urllib.parse import parse_qs
from uuid import uuid4

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/(?P<name>[\w+=,.@/-]{1,512})")
_SESSION = re.compile(r"[\w+=,.@-]{2,64}")
_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"

STS_BODY = 100_000
"""The longest call, in bytes."""


def sts_app(credentials: Callable[[], ReadOnlyCredentials], account: str) -> Starlette:
    """Make the application that answers STS's query protocol by ``POST /``.

    Args:
        credentials: Gives what a role is given.
        account: The account that callers are in.
    """

    async def answer(request: Request) -> Response:
        body = await request.body()
        form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        match form.get("Action"):
            case "GetCallerIdentity":
                arn = f"arn:aws:iam::{account}:user/local"
                return _answer(
                    "GetCallerIdentity", f"<Arn>{arn}</Arn><UserId>LOCAL</UserId><Account>{account}</Account>"
                )
            case "AssumeRole":
                return await run_in_threadpool(_assume_role, form, credentials)
        action = str(form.get("Action"))[:60]
        message = f"{action} is not served here; GetCallerIdentity and AssumeRole are."
        return _error("InvalidAction", message)

    return Starlette(routes=[Route("/", answer, methods=["POST"])])


def _assume_role(form: Mapping[str, str], credentials: Callable[[], ReadOnlyCredentials]) -> Response:
    role, session = _ROLE.fullmatch(form.get("RoleArn", "")), form.get("RoleSessionName", "")
    seconds = form.get("DurationSeconds", "3600")
    if role is None:
        return _error("ValidationError", f"RoleArn is {form.get('RoleArn', '')[:80]!r}; expected the ARN of a role.")
    if not _SESSION.fullmatch(session):
        return _error(
            "ValidationError", f"RoleSessionName is {session[:80]!r}; expected 2 to 64 letters, digits, _+=,.@-"
        )
    if not re.fullmatch(r"\d{3,5}", seconds) or not 900 <= int(seconds) <= 43_200:
        return _error("ValidationError", f"DurationSeconds is {seconds[:20]!r}; expected 900 to 43200.")
    try:
        given = credentials()
    except BotoCoreError as error:
        return _error("AccessDenied", f"The credentials for S3 can't be had now: {error}")
    keys = [escape(one or "") for one in (given.access_key, given.secret_key, given.token)]
    ends = datetime.now(UTC) + timedelta(seconds=int(seconds))
    name = role["name"].rpartition("/")[2]
    arn = f"arn:aws:sts::{role['account']}:assumed-role/{name}/{session}"
    return _answer(
        "AssumeRole",
        f"<AssumedRoleUser><Arn>{escape(arn)}</Arn><AssumedRoleId>LOCAL:{escape(session)}</AssumedRoleId></AssumedRoleUser>"
        f"<Credentials><AccessKeyId>{keys[0]}</AccessKeyId><SecretAccessKey>{keys[1]}</SecretAccessKey>"
        f"<SessionToken>{keys[2]}</SessionToken><Expiration>{ends:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>",
    )


def _answer(action: str, result: str) -> Response:
    text = f"<{action}Result>{result}</{action}Result>{_metadata()}"
    return Response(f'<{action}Response xmlns="{_NAMESPACE}">{text}</{action}Response>', media_type="text/xml")


def _error(code: str, message: str) -> Response:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    text = f'<ErrorResponse xmlns="{_NAMESPACE}">{error}{_metadata()}</ErrorResponse>'
    return Response(text, 400, media_type="text/xml")


def _metadata() -> str:
    return f"<ResponseMetadata><RequestId>{uuid4()}</RequestId></ResponseMetadata>"
