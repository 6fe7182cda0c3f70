"""StackSetupFunction: the custom resource that fills the stack's bucket, and empties it when the stack goes.

Another one, Custom::SettingsFingerprint, is a short text that changes with the settings that it is given; a third,
Custom::WorkforcePortal, lets a user pool's client sign people in to the portal of Ground Truth's workforce.

CloudFormation waits for an answer, for long, so there is one whatever happens: also when the library or the job
configuration can't be loaded, and before Lambda ends the function for taking too long.
"""

import hashlib
import json
import logging
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

# Kept back for the answer when Lambda is about to end the function.
SPARE_SECONDS = 10.0
TRIES = 4
FINGERPRINT = "Custom::SettingsFingerprint"
PORTAL = "Custom::WorkforcePortal"
# A policy that was made a moment ago holds a few seconds later.
PORTAL_TRIES = 8
PORTAL_PAUSE = 5.0

logger = logging.getLogger(__name__)


class CloudFormationAnswer:
    """The one answer to a request of CloudFormation's.

    Args:
        event: The request.
        log: Where a reader finds out more.
    """

    def __init__(self, event: dict[str, Any], log: str) -> None:
        bucket = (event.get("ResourceProperties") or {}).get("Bucket")
        self._url = event["ResponseURL"]
        self._body = {
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
            # Another bucket is another resource: CloudFormation then has the old one's emptied.
            "PhysicalResourceId": event.get("PhysicalResourceId", "")
            if event.get("RequestType") == "Delete"
            else (f"s3://{bucket}" if bucket else event["LogicalResourceId"]),
        }
        self._log = log
        self._lock = threading.Lock()
        self._sent = False

    def succeed(self, data: dict[str, str]) -> None:
        """Answers that all is done; ``data`` is what the template can read by GetAtt."""
        self._send({"Status": "SUCCESS", "Data": data})

    def fail(self, reason: str) -> None:
        """Answers that it can't be done, and why, in the words that CloudFormation's events will show."""
        self._send({"Status": "FAILED", "Reason": f"{reason[:2_000]} (log stream {self._log})"})

    def _send(self, outcome: dict[str, Any]) -> None:
        with self._lock:
            if self._sent:
                return
            self._sent = True
            body = json.dumps(self._body | outcome).encode()
            # CloudFormation signs the URL for a request without content type.
            request = urllib.request.Request(self._url, body, {"Content-Type": ""}, method="PUT")  # noqa: S310
            for again in range(TRIES):
                try:
                    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 - CloudFormation's own URL
                except OSError:
                    logger.exception("CloudFormation doesn't take the answer")
                    time.sleep(2**again)
                else:
                    return


def set_up(event: dict[str, Any]) -> dict[str, str]:
    """Does what CloudFormation asks for, and gives the resource's attributes."""
    # Loaded here, so that a layer or a configuration that can't be loaded is answered as well.
    from labeling import stack_setup, storage  # noqa: PLC0415
    from labeling.job import load_configured  # noqa: PLC0415

    folder = labeling_job()
    setup = stack_setup.StackSetup(
        job=load_configured(),
        template=(folder / "worker-task.liquid.html").read_text(encoding="utf-8"),
        sample=folder / "sample",
        storage=storage.Storage(storage.client()),
        pool=ThreadPoolExecutor(16),
    )
    properties = stack_setup.properties(event["ResourceProperties"])
    if event["RequestType"] == "Delete":
        logger.warning("Deleted %d objects", setup.remove(properties))
        return {}
    return setup.put(properties)


def fingerprint(settings: object) -> dict[str, str]:
    """The attribute of a Custom::SettingsFingerprint: the same for the same settings."""
    written = json.dumps(settings, sort_keys=True).encode()
    return {"Fingerprint": hashlib.sha256(written).hexdigest()[:16]}


def open_portal(client: dict[str, str]) -> dict[str, str]:
    """Lets a user pool's client sign people in to the portal; gives the attributes of a Custom::WorkforcePortal.

    Args:
        client: ``UserPoolId``, ``ClientId``, and ``Portal``, the host of the portal.
    """
    import boto3  # noqa: PLC0415
    from botocore.exceptions import ClientError  # noqa: PLC0415

    url = f"https://{client['Portal']}"
    cognito = boto3.client("cognito-idp")
    asked = {"UserPoolId": client["UserPoolId"], "ClientId": client["ClientId"]}
    for again in range(1, PORTAL_TRIES + 1):
        try:
            known = cognito.describe_user_pool_client(**asked)["UserPoolClient"]
            break
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDeniedException" or again == PORTAL_TRIES:
                raise
            time.sleep(PORTAL_PAUSE)
    # What an update doesn't name goes back to its default.
    taken = cognito.meta.service_model.operation_model("UpdateUserPoolClient").input_shape.members
    kept = {name: value for name, value in known.items() if name in taken}
    opened = {
        "SupportedIdentityProviders": ["COGNITO"],
        "CallbackURLs": [f"{url}/oauth2/idpresponse"],
        "LogoutURLs": [f"{url}/logout"],
        "AllowedOAuthFlows": ["code", "implicit"],
        "AllowedOAuthScopes": ["email", "openid", "profile"],
        "AllowedOAuthFlowsUserPoolClient": True,
    }
    cognito.update_user_pool_client(**kept | opened)
    return {"Url": url}


def labeling_job() -> Path:
    """The folder of the worker page and the sample: built beside this file, or in the checkout."""
    here = Path(__file__).resolve()
    built = here.parent / "labeling_job"
    return built if built.is_dir() else here.parents[2] / "labeling_job"


def handler(event: dict[str, Any], context: Any) -> None:
    """Answers a request of CloudFormation's."""
    answer = CloudFormationAnswer(event, context.log_stream_name)
    left = context.get_remaining_time_in_millis() / 1000 - SPARE_SECONDS
    late = "the function's time is up before all is done; what is done stays: try again"
    timer = threading.Timer(max(0.0, left), answer.fail, [late])
    timer.start()
    try:
        if event.get("ResourceType") == FINGERPRINT:
            data = fingerprint(event["ResourceProperties"]["Settings"])
        elif event.get("ResourceType") == PORTAL:
            # The client goes with its user pool, or stays with it as it is.
            data = {} if event["RequestType"] == "Delete" else open_portal(event["ResourceProperties"])
        else:
            data = set_up(event)
    except BaseException as error:
        logger.exception("What CloudFormation asked for could not be done")
        answer.fail(f"{type(error).__name__}: {error}")
    else:
        answer.succeed(data)
    finally:
        timer.cancel()
