"""Long lists in pages, for the operations named ``List…``."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from ground_truth_server.aws_error import AwsError, invalid

Place = tuple[str, str]
Item = TypeVar("Item")

_DEFAULT_PAGE_SIZE = 10


class _Token(msgspec.Struct, array_like=True):
    """Where the last page ended, and a digest of what was asked, which must be asked again."""

    place: Place
    asked: str


def page(
    items: Iterable[Item], place: Callable[[Item], Place], request: Mapping[str, Any]
) -> tuple[list[Item], str | None]:
    """Sort the items and pick the page that the request asks for.

    A token holds the place of the last item shown, not a count, so that what is created or deleted meanwhile
    neither repeats nor hides others.

    Args:
        items: All that the request's filters let through.
        place: What an item is sorted by, as text that sorts alike, and its name, which settles ties.
        request: ``MaxResults``, ``NextToken`` and ``SortOrder`` (ascending if not given), and the filters.

    Returns:
        The page, and the token for the next one; none after the last.

    Raises:
        AwsError: ``ValidationException`` if the token is not of this list with these filters.
    """
    descending = request.get("SortOrder") == "Descending"
    rest = sorted(items, key=place, reverse=descending)
    asked = _digest(request)
    if "NextToken" in request:
        end = _last_place(request["NextToken"], asked)
        rest = [item for item in rest if (place(item) < end if descending else place(item) > end)]
    size = request.get("MaxResults", _DEFAULT_PAGE_SIZE)
    shown = rest[:size]
    return shown, _token(place(shown[-1]), asked) if len(rest) > size else None


def _digest(request: Mapping[str, Any]) -> str:
    asked = {key: request[key] for key in sorted(request) if key not in {"NextToken", "MaxResults"}}
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()[:16]


def _token(place: Place, asked: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(_Token(place, asked))).decode()


def _last_place(token: str, asked: str) -> Place:
    try:
        read = msgspec.json.decode(base64.urlsafe_b64decode(token.encode()), type=_Token)
    except (msgspec.MsgspecError, binascii.Error, ValueError) as error:
        raise _bad_token() from error
    if read.asked != asked:
        raise _bad_token()
    return read.place


def _bad_token() -> AwsError:
    return invalid("NextToken is not one that this list gave with these filters. Begin again without it.")
