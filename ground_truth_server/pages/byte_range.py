"""What of an object a request asks for: all, a part, or nothing because the browser has it (RFC 9110, 13 and 14)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class NoSuchRange(Exception):
    """The part that is asked for lies behind the object's end."""


def asked_range(headers: Mapping[str, str], size: int, etag: str, modified: str) -> range | None:
    """Read a request's ``Range`` and ``If-Range``.

    Args:
        headers: The request's, names in small letters.
        size: The object's length in bytes.
        etag: Its entity tag, in quotes.
        modified: Its ``Last-Modified``.

    Returns:
        The bytes, counted from 0; ``None`` for the whole object, as S3 also answers to several parts at once, to what
        can't be read, and where the object isn't the one that ``If-Range`` names any more.

    Raises:
        NoSuchRange: If there are no such bytes.
    """
    found = _RANGE.fullmatch(headers.get("range", "").strip())
    if found is None or headers.get("if-range", etag) not in (etag, modified):
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    wanted = range(max(0, size - int(last)), size) if not first else range(int(first), size)
    if first and last:
        if int(last) < int(first):
            return None
        wanted = range(int(first), min(int(last) + 1, size))
    if not wanted:
        raise NoSuchRange
    return wanted


def is_known(headers: Mapping[str, str], etag: str, modified: str) -> bool:
    """Tell whether the browser has the object as it is, by ``If-None-Match``, or else ``If-Modified-Since``."""
    tags = headers.get("if-none-match")
    if tags is not None:
        known = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        return "*" in known or (etag != "" and etag in known)
    since, last = _moment(headers.get("if-modified-since", "")), _moment(modified)
    return since is not None and last is not None and last <= since


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC)
