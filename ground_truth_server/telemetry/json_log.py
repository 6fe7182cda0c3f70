"""Logs as lines of JSON, for what collects them."""

import logging
from datetime import UTC, datetime
from typing import Any

from ground_truth_server.acting import SERVER, who_acts
from ground_truth_server.json_text import write_json
from ground_truth_server.printable import printable
from ground_truth_server.telemetry.watched import request_id


class JsonFormatter(logging.Formatter):
    """Formats what is logged as one line of JSON.

    ``time``, ``level``, ``logger`` and ``message`` are always there; ``request_id``, ``actor`` and ``address`` where a
    request is worked on, ``exception`` with a traceback, and of requests themselves the members of
    :class:`~ground_truth_server.telemetry.watched.Watched`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Give the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": printable(record.getMessage()),
        }
        actor = who_acts()
        if number := request_id():
            line["request_id"] = number
        if actor.name != SERVER or actor.address:
            line |= {"actor": actor.name, "address": actor.address}
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["exception"] = printable(self.formatException(record.exc_info))
        return write_json(line)
