"""AWS's own pre- and post-annotation functions, as far as they are answered here: those that pass on what they get.

Requests name them by ARNs of AWS's accounts, ``arn:aws:lambda:REGION:432418664414:function:PRE-PassThrough``. What the
others do, of the built-in task types, is AWS's alone; jobs that name one are refused when they are created.
"""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ground_truth_server.engine.invoke import Invoke, Json

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PASS_THROUGH = ("PRE-PassThrough", "ACS-PassThrough")
_OWN = re.compile(
    r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:(?P<account>\d{12}):function:(?P<name>(?:PRE|ACS)-[\w-]+)(?::[\w$-]+)?"
)


def aws_function(arn: str, *accounts: str) -> str | None:
    """Name the function of AWS's that an ARN is of; ``None`` for one of the job's own accounts.

    Args:
        arn: A function's ARN.
        accounts: The accounts that the job runs in and that its role is of.
    """
    found = _OWN.fullmatch(arn)
    return found["name"] if found and found["account"] not in accounts else None


class WithAwsFunctions:
    """Calls functions, and answers for AWS's own that pass on what they get.

    Args:
        invoke: Calls all others.
        s3: Reads the answers of workers, for ``ACS-PassThrough``.
        account: The account that jobs run in.
    """

    def __init__(self, invoke: Invoke, s3: "S3Client", account: str) -> None:
        self._invoke = invoke
        self._s3 = s3
        self._account = account

    def __call__(self, function_arn: str, event: Mapping[str, Any]) -> Json:
        """Call a function; see `Invoke`."""
        match aws_function(function_arn, self._account):
            case "PRE-PassThrough":
                return {"taskInput": event["dataObject"], "isHumanAnnotationRequired": "true"}
            case "ACS-PassThrough":
                return self._pass_on(event)
        return self._invoke(function_arn, event)

    def _pass_on(self, event: Mapping[str, Any]) -> Json:
        """Every worker's answer, as the label."""
        attribute = event["labelAttributeName"]
        return [
            {
                "datasetObjectId": entry["datasetObjectId"],
                "consolidatedAnnotation": {
                    "content": {attribute: {"annotations": list(map(_answer, entry["annotations"]))}}
                },
            }
            for entry in json.loads(self._read(event["payload"]["s3Uri"]))
        ]

    def _read(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def _answer(annotation: Mapping[str, Any]) -> dict[str, Any]:
    return {"workerId": annotation["workerId"], "annotation": json.loads(annotation["annotationData"]["content"])}
