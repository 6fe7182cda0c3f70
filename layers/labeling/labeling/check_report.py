"""The report of a manifest's check: what is wrong with which item, before anyone is paid.

The stack's state machine and the ``labeling-job check`` command write the same report: JSON Lines, one broken item a
line, in the manifest's order, at ``check-report/NAME.jsonl``.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

FOLDER = "check-report"


class BrokenItem(NamedTuple):
    """A line of a manifest that no worker could label.

    Attributes:
        line: The line of the manifest, counted from 1.
        source: The S3 URI of its dataset file; nothing if the line names none.
        error: The kind of trouble, such as ``MissingObjectError``.
        message: What was found, what was expected, and what to do.
    """

    line: int
    source: str | None
    error: str
    message: str


def report_key(name: str) -> str:
    """The key of a report in the bucket of the job.

    Args:
        name: Of the check, such as the labeling job's or the execution's.
    """
    return f"{FOLDER}/{name}.jsonl"


def report(items: Iterable[BrokenItem]) -> str:
    """Writes a report.

    Args:
        items: The broken items, in any order.

    Returns:
        JSON Lines with ``line``, ``source``, ``error`` and ``message``, in the manifest's order.
    """
    return "".join(f"{json.dumps(item._asdict(), ensure_ascii=False)}\n" for item in sorted(items, key=_line))


def source(data_object: Mapping[str, Any]) -> str | None:
    """The S3 URI that a manifest line names, if it is text."""
    value = data_object.get("source-ref", data_object.get("source"))
    return value if isinstance(value, str) else None


def _line(item: BrokenItem) -> int:
    return item.line
