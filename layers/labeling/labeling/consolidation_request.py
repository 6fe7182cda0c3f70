"""Consolidation requests: where a labeling job's batches of answers lie, and what they hold."""

import json
import re
from typing import Any, NamedTuple

from labeling.contract import AnnotatedObject
from labeling.decoding import DecodingError, convert
from labeling.errors import EventError
from labeling.storage import S3Uri, Storage

# Read into memory whole; a batch of 5,000 objects with 9 workers each has a tenth of it.
MAX_PAYLOAD_BYTES = 50_000_000
_ADDRESS = re.compile(r"(?P<folder>.+/consolidation-request/)(?P<name>iteration-[0-9]{1,9}/[^/]{1,200}\.json)\Z")
_NAME = re.compile(r"iteration-(?P<iteration>[0-9]{1,9})/(?P<stamp>[^/]{1,200})\.json\Z")


class Address(NamedTuple):
    """Where a request lies.

    Attributes:
        folder: The folder of all of the job's requests, ``…/consolidation-request/``.
        name: The request's place there, ``iteration-1/2020-09-15_16:16:11.json``.
    """

    folder: S3Uri
    name: str


class Request(NamedTuple):
    """What a request holds.

    Attributes:
        objects: The objects with their annotations.
        left_out: Why entries are left out that are so odd that there is no object to answer for.
    """

    objects: list[AnnotatedObject]
    left_out: list[str]


def address(uri: str) -> Address | None:
    """Tell a request's place among the job's; nothing where it doesn't lie as Ground Truth's requests do."""
    place = S3Uri.parse(uri)
    found = _ADDRESS.match(place.key)
    return Address(place._replace(key=found["folder"]), found["name"]) if found else None


def order(name: str) -> tuple[int, str] | None:
    """What to sort requests by, the first one first; nothing if it is none of a request."""
    found = _NAME.match(name)
    return (int(found["iteration"]), found["stamp"]) if found else None


def read(uri: S3Uri, storage: Storage) -> Request:
    """Read a request.

    Raises:
        EventError: If it is no list of objects.
        LabelingError: If S3 refuses or fails.
    """
    try:
        entries = convert(json.loads(storage.read(uri, MAX_PAYLOAD_BYTES)), list[Any])
    except (ValueError, RecursionError) as error:
        raise EventError(
            f"{uri} is no payload of a post-labeling event: {error}; expected a JSON list of objects with "
            "datasetObjectId, dataObject and annotations"
        ) from None
    objects, left_out = [], []
    for place, entry in enumerate(entries):
        try:
            objects.append(convert(entry, AnnotatedObject))
        except DecodingError as error:
            left_out.append(f"{uri}: [{place}]: {error}")
    return Request(objects, left_out)
