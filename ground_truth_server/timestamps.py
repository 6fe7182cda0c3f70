"""Moments as the store keeps them and as each of Ground Truth's files writes them."""

from datetime import UTC, datetime, timedelta


def now() -> datetime:
    """Tell the time, with its zone."""
    return datetime.now(UTC)


def to_text(moment: datetime) -> str:
    """Write a moment as the store does and as ``creation-date``: UTC, microseconds, sortable as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def from_text(text: str) -> datetime:
    """Read what :func:`to_text` wrote."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def later(text: str, seconds: float) -> str:
    """Add seconds to a moment in the store's form."""
    return to_text(from_text(text) + timedelta(seconds=seconds))


def seconds_between(start: str, end: str) -> float:
    """Measure from one moment in the store's form to another; none if the clock was set back between them."""
    return max(0.0, (from_text(end) - from_text(start)).total_seconds())


def in_worker_response(text: str) -> str:
    """Write ``acceptanceTime`` and ``submissionTime``: UTC, milliseconds, ``Z``."""
    return f"{text[:-3]}Z"


def in_file_name(text: str) -> str:
    """Write the name of a file in ``annotations/``: ``2020-12-28_18:59:58``."""
    return text[:19].replace("T", "_")
