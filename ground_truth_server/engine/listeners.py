"""Who can be told the state changes of labeling jobs: a file, a webhook, an SNS topic, an event bus of EventBridge."""

import base64
import binascii
import errno
import hmac
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from botocore.exceptions import BotoCoreError, ClientError

from ground_truth_server.json_text import write_json

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

_PREFIX = "whsec_"
_SHORTEST_SECRET, _LONGEST_SECRET = 24, 64  # bytes, as Standard Webhooks has it
_SOURCE = "ground-truth"  # AWS keeps aws.sagemaker to itself


class StateChangeFile:
    """A listener that writes each event as a line of JSON.

    Args:
        file: The file; lines are added to what it holds.
    """

    def __init__(self, file: Path) -> None:
        self.path = file
        self.name = f"file {file.name}"

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Write an event, whole or not at all.

        Raises:
            OSError: If it can't be written.
        """
        line = f"{write_json(event)}\n".encode()
        with self.path.open("ab", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            if file.write(line) != len(line):
                file.truncate(end)  # half a line would spoil the next one
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))


class Webhook:
    """A listener that posts each event as JSON, signed where there is a secret, as Standard Webhooks has it.

    The receiver checks ``webhook-signature`` over ``webhook-id``, ``webhook-timestamp`` and the body with any library
    of https://www.standardwebhooks.com, and knows an event that comes again by its ``webhook-id``.

    Args:
        url: Where to; ``http`` or ``https``. A redirect is a refusal: it could lead anywhere.
        secret: What events are signed with: ``whsec_`` and 24 to 64 bytes in base64; empty for unsigned ones.
        clock: Tells the time, in seconds since 1970.

    Raises:
        ValueError: If the URL or the secret is none.
    """

    def __init__(self, url: str, secret: str = "", clock: Callable[[], float] = time.time) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"webhook: found {url!r}, expected an http or https URL")
        self._url = url
        self._secret = _decoded(secret) if secret else b""
        self._clock = clock
        self.name = f"webhook {url}"

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Post an event.

        Raises:
            OSError: If it was not taken.
        """
        body = write_json(event).encode()
        headers = {"Content-Type": "application/json", **self._signature(str(event["id"]), body)}
        answer = requests.post(self._url, body, headers=headers, timeout=10, allow_redirects=False)
        if not answer.ok or answer.is_redirect:
            raise OSError(f"{self._url}: answered {answer.status_code} {answer.reason}")

    def _signature(self, number: str, body: bytes) -> dict[str, str]:
        at = str(int(self._clock()))
        headers = {"Webhook-Id": number, "Webhook-Timestamp": at}
        if self._secret:
            signed = hmac.digest(self._secret, f"{number}.{at}.".encode() + body, "sha256")
            headers["Webhook-Signature"] = f"v1,{base64.b64encode(signed).decode()}"
        return headers


def _decoded(secret: str) -> bytes:
    try:
        found = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        found = b""
    if not secret.startswith(_PREFIX) or not _SHORTEST_SECRET <= len(found) <= _LONGEST_SECRET:
        raise ValueError(
            f"GROUND_TRUTH_WEBHOOK_SECRET: expected {_PREFIX} and {_SHORTEST_SECRET} to {_LONGEST_SECRET} bytes in "
            f'base64; to make one: echo "{_PREFIX}$(head -c 32 /dev/urandom | base64)"'
        )
    return found


class SnsTopic:
    """A listener that publishes each event to a topic of SNS, with ``status`` as an attribute to filter by.

    Args:
        arn: The topic. One whose name ends in ``.fifo`` keeps the order within each labeling job.
        client: A client of SNS in the topic's region.
    """

    def __init__(self, arn: str, client: "SNSClient") -> None:
        self._arn = arn
        self._client = client
        self.name = f"topic {arn}"

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Publish an event.

        Raises:
            OSError: If it was not taken.
        """
        order: Any = {}
        if self._arn.endswith(".fifo"):
            group = event["resources"][0].rpartition("/")[2]
            order = {"MessageGroupId": group, "MessageDeduplicationId": event["id"]}
        status: MessageAttributeValueTypeDef = {
            "DataType": "String",
            "StringValue": event["detail"]["LabelingJobStatus"],
        }
        try:
            self._client.publish(
                TopicArn=self._arn, Message=write_json(event), MessageAttributes={"status": status}, **order
            )
        except (BotoCoreError, ClientError) as error:
            raise OSError(f"{self._arn}: {error}") from error


class EventBus:
    """A listener that puts each event on a bus of EventBridge.

    Args:
        bus: Its name or ARN. The events' source is ``ground-truth``; all else is as SageMaker's own.
        client: A client of EventBridge in the bus's region.
    """

    def __init__(self, bus: str, client: "EventBridgeClient") -> None:
        self._bus = bus
        self._client = client
        self.name = f"event bus {bus}"

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Put an event on the bus.

        Raises:
            OSError: If it was not taken.
        """
        entry: Any = {
            "EventBusName": self._bus,
            "Source": _SOURCE,
            "DetailType": event["detail-type"],
            "Time": event["time"],
            "Resources": event["resources"],
            "Detail": write_json(event["detail"]),
        }
        try:
            (answer,) = self._client.put_events(Entries=[entry])["Entries"]
        except (BotoCoreError, ClientError) as error:
            raise OSError(f"{self._bus}: {error}") from error
        if "ErrorCode" in answer:
            raise OSError(f"{self._bus}: {answer['ErrorCode']}: {answer.get('ErrorMessage', '')}")
