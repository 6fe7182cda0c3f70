"""Reads a request by botocore's model of the operation, refusing what the real service refuses.

botocore's own validation, on the client's side, checks types, required members and lower bounds only, and
clients can switch it off. The texts of the refusals are those of AWS's Java services, so that what a user
finds about them on the web applies.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from botocore.model import ListShape, Shape, StringShape, StructureShape

from ground_truth_server.aws_error import AwsError, invalid
from ground_truth_server.sagemaker.java_pattern import java_pattern

_EXPECTED = {
    "structure": "a structure",
    "list": "a list",
    "string": "a String",
    "boolean": "a Boolean",
    "integer": "an Integer",
    "timestamp": "seconds since 1970",
}
_INTEGER_LIMIT = 2**31
_QUOTED_LENGTH = 1000


def read_request(shape: StructureShape | None, body: bytes) -> dict[str, Any]:
    """Read the body of a request.

    Args:
        shape: The operation's input; none if it takes nothing.
        body: JSON text in UTF-8.

    Returns:
        The members that the model knows and that are not null; timestamps as ``datetime`` in UTC. Unknown
        members are left out, as AWS's JSON protocol wants it.

    Raises:
        AwsError: ``SerializationException`` if the body isn't JSON or a value is of the wrong type;
            ``ValidationException``, naming every broken constraint, if values are not allowed.
    """
    if shape is None:
        return {}
    decoded = _decode(body)
    if not isinstance(decoded, dict):
        raise _unexpected(shape, decoded, "")
    request = _read_members(shape, decoded, "")
    broken = list(_broken(shape, request, ""))
    if broken:
        noun = "error" if len(broken) == 1 else "errors"
        raise invalid(f"{len(broken)} validation {noun} detected: {'; '.join(broken)}")
    return request


def _decode(body: bytes) -> object:
    if not body.strip():
        return {}
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise _unreadable(f"The request's body is not JSON: {error}.") from error
    except RecursionError as error:
        raise _unreadable("The request's body is nested too deeply to read.") from error


def _read(shape: Shape, value: object, path: str) -> object:
    """The value as Python has it, or ``SerializationException``."""
    match shape, value:
        case StructureShape(), dict():
            return _read_members(shape, value, path)
        case ListShape(), list():
            return [
                None if element is None else _read(shape.member, element, _element(path, number))
                for number, element in enumerate(value, start=1)
            ]
    match shape.type_name, value:
        case ("string", str()) | ("boolean", bool()):
            return value
        case _, bool():
            raise _unexpected(shape, value, path)
        case "integer", int() | float() as number if number == int(number) and abs(number) < _INTEGER_LIMIT:
            return int(number)
        case "timestamp", int() | float() as seconds:
            return _read_timestamp(shape, seconds, path)
    raise _unexpected(shape, value, path)


def _read_members(shape: StructureShape, value: dict[str, object], path: str) -> dict[str, Any]:
    return {
        name: _read(member, value[name], _member(path, name))
        for name, member in shape.members.items()
        if value.get(name) is not None
    }


def _read_timestamp(shape: Shape, value: float, path: str) -> datetime:
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise _unexpected(shape, value, path) from error


def _unexpected(shape: Shape, value: object, path: str) -> AwsError:
    expected = _EXPECTED[shape.type_name]
    match value:
        case dict():
            found = "Start of structure or map found where not expected"
        case list():
            found = "Start of list found where not expected"
        case bool():
            found = f"{str(value).upper()}_VALUE can not be converted to {expected}"
        case str():
            found = f"STRING_VALUE can not be converted to {expected}"
        case _:
            found = f"NUMBER_VALUE can not be converted to {expected}"
    place = f"at '{path}'" if path else "as the request's body"
    return _unreadable(f"{found} ({place}, which takes {expected}).")


def _unreadable(message: str) -> AwsError:
    return AwsError("SerializationException", message)


def _broken(shape: Shape, value: object, path: str) -> Iterator[str]:
    """One sentence for each constraint that the value breaks."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        yield from _broken_members(shape, value, path)
        return
    for constraint in _own_constraints(shape, value):
        yield _sentence(value, path, constraint)
    if isinstance(shape, ListShape) and isinstance(value, list):
        yield from _broken_elements(shape, value, path)


def _broken_members(shape: StructureShape, value: dict[str, Any], path: str) -> Iterator[str]:
    for name, member in shape.members.items():
        if name in value:
            yield from _broken(member, value[name], _member(path, name))
        elif name in shape.required_members:
            yield _sentence(None, _member(path, name), "Member must not be null")


def _broken_elements(shape: ListShape, value: list[Any], path: str) -> Iterator[str]:
    if isinstance(shape.member, StructureShape):
        for number, element in enumerate(value, start=1):
            yield from _broken(shape.member, element, _element(path, number))
        return
    # Of plain values the service names the list and all that an element must satisfy, not the element.
    if any(_own_constraints(shape.member, element) for element in value):
        every = ", ".join(_all_constraints(shape.member))
        yield _sentence(value, path, f"Member must satisfy constraint: [{every}]")


def _own_constraints(shape: Shape, value: object) -> list[str]:
    """The constraints that the value itself breaks, leaving out those of what it holds."""
    if value is None:
        return ["Member must not be null"]
    rules = shape.metadata
    size = value if isinstance(value, int) else len(value) if isinstance(value, str | list) else 0
    text = value if isinstance(value, str) else ""
    checks = (
        ("max", lambda: size <= rules["max"]),
        ("min", lambda: size >= rules["min"]),
        ("pattern", lambda: java_pattern(rules["pattern"]).fullmatch(text) is not None),
        ("enum", lambda: text in rules["enum"]),
    )
    return [_constraint(shape, rule) for rule, is_kept in checks if rule in rules and not is_kept()]


def _all_constraints(shape: Shape) -> list[str]:
    rules = [rule for rule in ("max", "min", "pattern", "enum") if rule in shape.metadata]
    return [*(_constraint(shape, rule) for rule in rules), "Member must not be null"]


def _constraint(shape: Shape, rule: str) -> str:
    limit = shape.metadata[rule]
    measure = "length" if isinstance(shape, StringShape | ListShape) else "value"
    match rule:
        case "max":
            return f"Member must have {measure} less than or equal to {limit}"
        case "min":
            return f"Member must have {measure} greater than or equal to {limit}"
        case "pattern":
            return f"Member must satisfy regular expression pattern: {limit}"
        case _:
            return f"Member must satisfy enum value set: [{', '.join(limit)}]"


def _sentence(value: object, path: str, constraint: str) -> str:
    quoted = "null" if value is None else f"'{_shortened(_as_java_prints(value))}'"
    return f"Value {quoted} at '{path}' failed to satisfy constraint: {constraint}"


def _as_java_prints(value: object) -> str:
    match value:
        case list():
            return f"[{', '.join(map(_as_java_prints, value))}]"
        case dict():
            return f"{{{', '.join(f'{name}={_as_java_prints(member)}' for name, member in value.items())}}}"
        case None:
            return "null"
        case _:
            return str(value)


def _shortened(text: str) -> str:
    """The service repeats the whole value, be it a page of HTML; nobody reads that in a terminal."""
    return text if len(text) <= _QUOTED_LENGTH else f"{text[:_QUOTED_LENGTH]}… ({len(text)} characters)"


def _member(path: str, name: str) -> str:
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name


def _element(path: str, number: int) -> str:
    return f"{path}.{number}.member"
