"""The last lines of a function's log, to stand beside the failure of a labeling job."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from cli.account import AwsAccount
from cli.errors import code_of, explained

# Every process of a function writes a stream of its own; the failed call is in one of the latest.
STREAMS: Final = 5
# What the runtime writes of itself about each call.
RUNTIME: Final = re.compile(r"^(INIT_START|START RequestId|END RequestId|REPORT RequestId)|^\{\"time\":.*\"platform\.")
FUNCTION_ARN: Final = re.compile(r"arn:aws[^:]*:lambda:[^:]*:[^:]*:function:[A-Za-z0-9_-]+(?::[A-Za-z0-9_$-]+)?")


class LogLine(NamedTuple):
    """One line of a log.

    Attributes:
        moment: When it was written.
        text: What it says, for people.
    """

    moment: datetime
    text: str


def functions_in(reason: str) -> list[str]:
    """The ARNs of the functions that a failure reason names."""
    return list(dict.fromkeys(match.rstrip(".:,") for match in FUNCTION_ARN.findall(reason)))


def last_lines(function_arn: str, account: AwsAccount, before: datetime, most: int) -> list[LogLine]:
    """What a function logged last.

    Args:
        function_arn: The function, or one of its versions or aliases.
        account: Where it is.
        before: When the job failed; what later jobs logged is left out.
        most: How many lines.

    Returns:
        The lines, latest last; if the log can't be read, one that says why.
    """
    group = _log_group(function_arn, account)
    try:
        found = sorted(_lines(group, account, before + timedelta(minutes=1), most), key=lambda line: line.moment)
    except ClientError as error:
        missing = code_of(error) == "ResourceNotFoundException"
        reason = f"there is no log group {group!r}" if missing else explained(error)
        return [LogLine(before, f"The log can't be read: {reason}")]
    except BotoCoreError as error:
        return [LogLine(before, f"The log can't be read: {explained(error)}")]
    return found[-most:]


def _log_group(function_arn: str, account: AwsAccount) -> str:
    """Where a function logs to: what its configuration says, or else what Lambda calls it by default."""
    try:
        configuration = account.functions.get_function_configuration(FunctionName=function_arn)
        return configuration["LoggingConfig"]["LogGroup"]
    except (BotoCoreError, ClientError, KeyError):
        return f"/aws/lambda/{function_arn.split(':')[6]}"


def _lines(group: str, account: AwsAccount, before: datetime, most: int) -> Iterator[LogLine]:
    streams = account.logs.describe_log_streams(
        logGroupName=group, orderBy="LastEventTime", descending=True, limit=STREAMS
    )["logStreams"]
    for stream in streams:
        events = account.logs.get_log_events(
            logGroupName=group,
            logStreamName=stream["logStreamName"],
            endTime=int(before.timestamp() * 1000),
            limit=most * 2,  # some are the runtime's own
            startFromHead=False,
        )["events"]
        yield from _readable(events)


def _readable(events: Iterable[Any]) -> Iterator[LogLine]:
    for event in events:
        message = event["message"].rstrip()
        if message and not RUNTIME.match(message):
            yield LogLine(datetime.fromtimestamp(event["timestamp"] / 1000, UTC), _text(message))


def _text(message: str) -> str:
    """What a structured line says, without the members that are the same on each."""
    try:
        record = json.loads(message)
    except ValueError:
        return message
    if not isinstance(record, dict) or "message" not in record:
        return message
    said = record["message"] if isinstance(record["message"], str) else json.dumps(record["message"])
    parts = [f"{record.get('level', '')} {said}".strip()]
    parts += [f"{key}: {_plain(record[key])}" for key in ("item", "reason", "exception") if record.get(key)]
    return "\n  ".join(parts)


def _plain(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace("\n", "\n  ")
