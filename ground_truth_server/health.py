"""Whether a server lives, and whether it can work now: for load balancers, systemd and container runtimes."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ground_truth_server.engine.engine import Engine

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SECONDS = 3.0  # for each check; whoever asks gives up soon after

HEALTH_PATHS = ("/healthz", "/readyz")
"""Asked for by any name: load balancers ask by address."""

Check = Callable[[], object]


def health_routes(engine: Engine, s3: "S3Client") -> list[Route]:
    """Make the routes ``/healthz`` (the process answers) and ``/readyz`` (it can take tasks and answers).

    ``/readyz`` is 503 where the database or S3 can't be reached within seconds, and from when the server was told to
    end; its JSON tells which.
    """
    checks: dict[str, Check] = {"database": engine.check_database, "s3": lambda: _reach(s3)}

    async def lives(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def is_ready(_: Request) -> Response:
        found = await _results(checks)
        if engine.leaving:
            found["server"] = "is about to end"
        ready = all(result == "ok" for result in found.values())
        return JSONResponse(found, 200 if ready else 503, headers={} if ready else {"Retry-After": "5"})

    return [Route(path, answer) for path, answer in zip(HEALTH_PATHS, (lives, is_ready), strict=True)]


async def _results(checks: Mapping[str, Check]) -> dict[str, str]:
    results = await asyncio.gather(*(_result(check) for check in checks.values()))
    return dict(zip(checks, results, strict=True))


async def _result(check: Check) -> str:
    try:
        await asyncio.wait_for(run_in_threadpool(check), _SECONDS)
    except TimeoutError:
        return f"gave no answer within {_SECONDS:g} s"
    except Exception as error:  # whatever keeps it from answering
        return f"can't be used now: {type(error).__name__}"
    return "ok"


def _reach(s3: "S3Client") -> None:
    """Ask S3 for anything; that it refuses, as a role without this right is, is an answer too."""
    try:
        s3.list_buckets()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise
