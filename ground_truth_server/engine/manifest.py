"""The input manifest: JSON Lines in S3, one data object a line, each checked on its own."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ground_truth_server.engine.s3_location import S3Location
from ground_truth_server.json_text import MOST_LEVELS, UnfitJson, check_levels, write_json

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_LINE_CHARACTERS = 100_000
MAX_ATTRIBUTE_CHARACTERS = 20_000
_MAX_LINE_BYTES = 4 * MAX_LINE_CHARACTERS  # the longest UTF-8 character has four
CHUNK_BYTES = 256 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class ManifestLine:
    """One line of a manifest.

    Attributes:
        number: Counted from 1.
        data_object: What the line holds; ``None`` if it holds no JSON object or is too long to carry on.
        problem: Why it can't be labeled, for people; ``None`` if it can.
        text: The line as it stands in the file; ``None`` where ``data_object`` is.
        label: The label that it carries already and the label's metadata, by their attributes; ``None`` if none.
    """

    number: int
    data_object: dict[str, Any] | None
    problem: str | None = None
    text: str | None = field(default=None, compare=False)
    label: dict[str, Any] | None = None


def read_manifest(s3: "S3Client", manifest: S3Location, label_attribute: str | None = None) -> Iterator[ManifestLine]:
    """Read a manifest line by line, holding one line at a time however long the file is.

    Args:
        s3: The S3 client.
        manifest: Where the manifest lies.
        label_attribute: Whose labels to look for; none if not given.

    Yields:
        Each line, good or bad, in order. Empty lines at the end are left out.

    Raises:
        botocore.exceptions.ClientError: If the manifest can't be read.
    """
    body = s3.get_object(Bucket=manifest.bucket, Key=manifest.key)["Body"]
    yield from check_lines(body.iter_chunks(CHUNK_BYTES), label_attribute)


def check_lines(chunks: Iterable[bytes], label_attribute: str | None = None) -> Iterator[ManifestLine]:
    """Check the lines of a manifest that comes in pieces.

    Args:
        chunks: The file's bytes, cut anywhere.
        label_attribute: Whose labels to look for; none if not given.

    Yields:
        Each line, good or bad, in order. Empty lines at the end are left out.
    """
    empty_before = 0
    for number, raw in enumerate(split_lines(chunks), 1):
        if number == 1 and raw is not None:
            raw = raw.removeprefix(_BYTE_ORDER_MARK)  # noqa: PLW2901  (editors on Windows put it there)
        if raw is not None and not raw.strip():
            empty_before += 1
            continue
        for empty in range(number - empty_before, number):
            yield ManifestLine(empty, None, "the line is empty; expected a JSON object")
        empty_before = 0
        yield check_line(number, raw, label_attribute)


def check_line(number: int, raw: bytes | None, label_attribute: str | None = None) -> ManifestLine:
    """Check one line against Ground Truth's limits, which are for what is still to be labeled.

    Args:
        number: The line's number, counted from 1.
        raw: The line without its end; ``None`` if it is longer than any good line.
        label_attribute: Whose labels to look for; none if not given.
    """
    if raw is None:
        return ManifestLine(number, None, _too_long(f"more than {MAX_LINE_CHARACTERS:,}"))
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return ManifestLine(number, None, f"not UTF-8: {error.reason} at byte {error.start + 1}")
    try:
        found = _parse(text)
    except ValueError as error:
        return ManifestLine(number, None, str(error) if isinstance(error, UnfitJson) else f"not JSON: {error}")
    if not isinstance(found, dict):
        return ManifestLine(number, None, f"found {_kind(found)}, expected a JSON object")
    label = None if label_attribute is None else label_in(found, label_attribute)
    if label is None and len(text) > MAX_LINE_CHARACTERS:
        return ManifestLine(number, None, _too_long(f"{len(text):,}"))
    return ManifestLine(number, found, None if label else _problem_of(found), text, label)


def label_in(data_object: dict[str, Any], attribute: str) -> dict[str, Any] | None:
    """Find the label that a line of a manifest carries, as Ground Truth writes it: with its metadata.

    Args:
        data_object: What the line holds.
        attribute: The label's attribute.

    Returns:
        The label and its metadata by their attributes; ``None`` if it has none, or if it failed.
    """
    name = f"{attribute}-metadata"
    label, metadata = data_object.get(attribute), data_object.get(name)
    if label is None or not isinstance(metadata, dict) or "failure-reason" in metadata:
        return None
    return {attribute: label, name: metadata}


def _parse(text: str) -> object:
    try:
        found: object = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise UnfitJson(f"it is nested more than {MOST_LEVELS} levels deep") from None
    check_levels(found)
    return found


def _problem_of(data_object: dict[str, Any]) -> str | None:
    for name, value in data_object.items():
        if name.startswith("$"):
            return f"attribute name {name!r} begins with $, which Ground Truth reserves"
        try:
            length = len(value if isinstance(value, str) else write_json(value))
        except ValueError:
            return f"not JSON: attribute {name!r} holds a number out of range"
        if length > MAX_ATTRIBUTE_CHARACTERS:
            limit = f"at most {MAX_ATTRIBUTE_CHARACTERS:,} are allowed"
            return f"attribute {name!r} has {length:,} characters, {limit}"
    return _problem_of_source(data_object)


def _problem_of_source(data_object: dict[str, Any]) -> str | None:
    given = [name for name in ("source", "source-ref") if name in data_object]
    if not given:
        return "neither 'source' nor 'source-ref' is there; expected one of them"
    for name in given:
        if not isinstance(data_object[name], str) or not data_object[name]:
            return f"{name!r} is {_kind(data_object[name])}, expected text that is not empty"
    if "source-ref" in data_object and not data_object["source-ref"].startswith("s3://"):
        return f"'source-ref' is {data_object['source-ref']!r}, expected an S3 URI, s3://BUCKET/KEY"
    return None


def split_lines(chunks: Iterable[bytes]) -> Iterator[bytes | None]:
    r"""Cut at ``\n`` and ``\r\n``; a line longer than any good line comes as ``None``, its bytes unread."""
    rest, overlong = b"", False
    for chunk in chunks:
        *ended, rest = (rest + chunk).split(b"\n")
        for line in ended:
            yield None if overlong or len(line) > _MAX_LINE_BYTES + 1 else line.removesuffix(b"\r")
            overlong = False
        if len(rest) > _MAX_LINE_BYTES + 1:
            rest, overlong = b"", True
    if rest or overlong:
        yield None if overlong else rest.removesuffix(b"\r")


def _too_long(length: str) -> str:
    return f"the line has {length} characters, at most {MAX_LINE_CHARACTERS:,} are allowed"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _kind(value: object) -> str:
    if value is None or value is True or value is False:
        return json.dumps(value)
    kinds = {dict: "a JSON object", list: "a JSON array", str: "text", int: "a number", float: "a number"}
    return "empty text" if value == "" else kinds[type(value)]
