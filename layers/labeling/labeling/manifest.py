"""The input manifest: JSON Lines, one data object a line, within Ground Truth's limits.

See "Input data" in the Amazon SageMaker Developer Guide.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from labeling.decoding import DecodingError, convert
from labeling.errors import ManifestLineError

MAX_LINE_CHARACTERS = 100_000
MAX_ATTRIBUTE_CHARACTERS = 20_000
# The longest UTF-8 character has four bytes.
MAX_LINE_BYTES = 4 * MAX_LINE_CHARACTERS


class Line(NamedTuple):
    """One line as it stands in the file.

    Attributes:
        number: Counted from 1.
        text: Its bytes without the line's end; nothing if it is longer than any good line.
    """

    number: int
    text: bytes | None


def lines(chunks: Iterable[bytes]) -> Iterator[Line]:
    r"""Cuts a manifest at ``\n`` and ``\r\n``, holding one line at a time however long the file is.

    Empty lines at the end are left out.

    Args:
        chunks: The file's bytes, in pieces of any length.
    """
    empty_before = 0
    for number, text in enumerate(_split(chunks), 1):
        if text is not None and not text.strip():
            empty_before += 1
            continue
        yield from (Line(empty, b"") for empty in range(number - empty_before, number))
        empty_before = 0
        yield Line(number, text)


def data_object(line: Line) -> dict[str, Any]:
    """Reads a line and holds it to Ground Truth's limits.

    Returns:
        What the line holds; the dataset file's S3 URI stands under ``source-ref`` or ``source``.

    Raises:
        ManifestLineError: If Ground Truth would refuse the line.
    """
    if line.text is None:
        raise _broken(line, f"more than {MAX_LINE_CHARACTERS:,} characters", f"at most {MAX_LINE_CHARACTERS:,}")
    found = _decoded(line, line.text)
    for name, value in found.items():
        _check_attribute(line, name, value)
    given = [name for name in ("source-ref", "source") if name in found]
    if not given:
        names = ", ".join(map(repr, found)) or "an empty object"
        raise _broken(line, names, "'source-ref' or 'source' with the S3 URI of a dataset file")
    for name in given:
        if not isinstance(found[name], str) or not found[name].strip():
            raise _broken(line, f"{json.dumps(found[name])[:80]} under {name!r}", "the S3 URI of a dataset file")
    return found


def source(found: dict[str, Any]) -> str:
    """The S3 URI of a data object's dataset file, as its line has it."""
    return str(found.get("source-ref") or found.get("source") or "").strip()


def _decoded(line: Line, text: bytes) -> dict[str, Any]:
    expected = 'a JSON object such as {"source": "s3://BUCKET/dataset/dataset-1.json"}'
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _broken(line, f"byte 0x{text[error.start]:02X} at {error.start + 1:,}", "UTF-8") from None
    if len(decoded) > MAX_LINE_CHARACTERS:
        raise _broken(line, f"{len(decoded):,} characters", f"at most {MAX_LINE_CHARACTERS:,}")
    if not decoded.strip():
        raise _broken(line, "an empty line", expected)
    if decoded.startswith("\ufeff"):
        raise _broken(line, "a byte-order mark", "UTF-8 without one")
    try:
        return convert(json.loads(decoded, parse_constant=_refuse_constant), dict[str, Any])
    except (ValueError, RecursionError, DecodingError) as error:
        raise _broken(line, f"no JSON object ({error})", expected) from None


def _check_attribute(line: Line, name: str, value: object) -> None:
    if name.startswith("$"):
        raise _broken(
            line, f"the attribute {name!r}", "no name that begins with $, which Ground Truth keeps for itself"
        )
    length = len(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    if length > MAX_ATTRIBUTE_CHARACTERS:
        raise _broken(line, f"{length:,} characters in the attribute {name!r}", f"at most {MAX_ATTRIBUTE_CHARACTERS:,}")


def _broken(line: Line, found: str, expected: str) -> ManifestLineError:
    return ManifestLineError(f"manifest, line {line.number:,}: found {found}; expected {expected}. Mend the line.")


def _split(chunks: Iterable[bytes]) -> Iterator[bytes | None]:
    """The lines, without their ends; of a line that is too long nothing is kept."""
    rest, overlong = b"", False
    for chunk in chunks:
        *ended, rest = (rest + chunk).split(b"\n")
        for text in ended:
            yield None if overlong or len(text) > MAX_LINE_BYTES + 1 else text.removesuffix(b"\r")
            overlong = False
        if len(rest) > MAX_LINE_BYTES + 1:
            rest, overlong = b"", True
    if rest or overlong:
        yield None if overlong else rest.removesuffix(b"\r")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
