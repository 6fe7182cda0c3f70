"""The deployed handlers, imported as Lambda imports them, against an S3 server on loopback."""

import importlib
import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from labeling.observability import logger

Handler = Callable[[dict[str, Any]], Any]


class Context(LambdaContext):
    """What Lambda says of the running function."""

    def __init__(self, name: str) -> None:
        self._function_name = name
        self._memory_limit_in_mb = 1769
        self._invoked_function_arn = f"arn:aws:lambda:eu-west-1:111122223333:function:{name}"
        self._aws_request_id = "8f507cfc-xmpl-4697-b07a-ac58fc914c95"


def handler(folder: str, name: str, endpoint: str) -> Iterator[Handler]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
        app = importlib.import_module(f"functions.{folder}.app")
    yield lambda event: app.handler(event, Context(name))


@pytest.fixture(scope="session")
def pre_labeling(s3_endpoint: str) -> Iterator[Handler]:
    yield from handler("pre_labeling", "PreLabelingFunction", s3_endpoint)


@pytest.fixture(scope="session")
def post_labeling(s3_endpoint: str) -> Iterator[Handler]:
    yield from handler("post_labeling", "PostLabelingFunction", s3_endpoint)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The functions' log lines, decoded, in the order in which they are written."""
    lines: list[dict[str, Any]] = []

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            lines.extend(json.loads(line) for line in text.splitlines() if line)
            return len(text)

    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler):
            monkeypatch.setattr(handler, "stream", Stream())
    return lines
