"""Typed decoding whose errors say where the value stands and what is allowed there."""

import threading
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

T = TypeVar("T")
_ready: set[Any] = set()
_making_ready = threading.Lock()


class DecodingError(ValueError):
    """A value doesn't fit its type; the message begins with the value's path."""


def convert(value: object, type_: type[T]) -> T:
    """Turns plain dicts, lists, strings and numbers into a typed value.

    Args:
        value: What ``tomllib`` or ``json`` gave.
        type_: A type that msgspec knows, such as a Struct.

    Returns:
        An instance of ``type_``.

    Raises:
        DecodingError: With the path of the first value that doesn't fit (``sources.scope.time.unit``), what was
            found and what is allowed.
    """
    _make_ready(type_)
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        raise DecodingError(_explain(value, type_, "", str(error))) from None
    except UnicodeEncodeError:
        raise DecodingError("found half a character (a lone surrogate); allowed: text that UTF-8 can hold") from None
    except RecursionError:
        raise DecodingError("found values nested too deep; allowed: a few levels") from None


def from_json(text: bytes | str, type_: type[T]) -> T:
    """Reads JSON into a typed value, for files that only this program writes.

    Raises:
        msgspec.DecodeError: If it is no JSON, or doesn't fit.
    """
    _make_ready(type_)
    return msgspec.json.decode(text, type=type_)


def _make_ready(type_: Any) -> None:
    """Lets msgspec look at a type, by one thread: where two are the first at once, it can end the process (0.22)."""
    if type_ not in _ready:
        with _making_ready:
            msgspec.json.Decoder(type_)
        _ready.add(type_)


def _explain(value: Any, type_: Any, path: str, reason: str) -> str:
    """Walks down to the value that msgspec refused, since its own message has no keys of tables."""
    description = _description(type_)
    type_ = _candidate(value, _bare(type_))
    if tags := _tags(value, type_):
        key, allowed = tags
        return _explain(value.get(key), allowed, _join(path, key), reason)
    if _is_struct(type_) and isinstance(value, Mapping) and (problem := _struct_problem(value, type_, path)):
        return problem
    for part, part_type, part_path in _parts(value, type_, path):
        if part_reason := _reason(part, part_type):
            return _explain(part, part_type, part_path, part_reason)
    if get_origin(type_) is Literal:
        reason = "allowed: " + ", ".join(map(repr, get_args(type_)))
    elif description:
        reason = f"allowed: {description}"
    found = "nothing" if value is None else shown(value)
    return f"{f'{path}: ' if path else ''}found {found}; {reason.split(' - at ')[0]}"


def _struct_problem(value: Mapping[str, Any], struct: Any, path: str) -> str | None:
    """What is wrong with the keys of a table, if anything."""
    tag = _tag_field(struct)
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    if tag and value.get(tag) != _tag(struct):
        return f"{_join(path, tag)}: found {shown(value.get(tag))}; allowed: {_tag(struct)!r}"
    keys = [*([tag] if tag else []), *fields]
    for key in value:
        if struct.__struct_config__.forbid_unknown_fields and key not in keys:
            return f"{_join(path, key)}: no such key; allowed: {', '.join(keys)}"
    for key, field in fields.items():
        if field.required and key not in value:
            return f"{_join(path, key)}: missing; it has no default"
    return None


def _parts(value: Any, type_: Any, path: str) -> Iterator[tuple[Any, Any, str]]:
    """The values inside a value, each with its type and path."""
    if _is_struct(type_) and isinstance(value, Mapping):
        hints = get_type_hints(type_, include_extras=True)
        for field in msgspec.structs.fields(type_):
            if field.encode_name in value:
                yield value[field.encode_name], hints[field.name], _join(path, field.encode_name)
    elif get_origin(type_) is dict and isinstance(value, Mapping):
        key_type, item_type = get_args(type_)
        for key, item in value.items():
            yield key, key_type, _join(path, key)
            yield item, item_type, _join(path, key)
    elif get_origin(type_) in (list, tuple) and isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield item, get_args(type_)[0], f"{path}[{index}]"


def _candidate(value: Any, type_: Any) -> Any:
    """The member of a union that the value was meant for; any other type as it is."""
    if get_origin(type_) not in (Union, types.UnionType):
        return type_
    members = [_bare(member) for member in get_args(type_) if member is not types.NoneType]
    structs = [member for member in members if _is_struct(member)]
    if structs and isinstance(value, Mapping):
        return next((struct for struct in structs if _tag(struct) == value.get(_tag_field(struct))), type_)
    return members[0] if len(members) == 1 else type_


def _tags(value: Any, type_: Any) -> tuple[str, Any] | None:
    """The tag's key and the allowed tags, where a table's tag fits no member of a union."""
    structs = [member for member in get_args(type_) if _is_struct(member)]
    if not structs or not isinstance(value, Mapping):
        return None
    return _tag_field(structs[0]), Literal[tuple(map(_tag, structs))]


def _tag(struct: Any) -> Any:
    return struct.__struct_config__.tag


def _tag_field(struct: Any) -> Any:
    return struct.__struct_config__.tag_field


def _reason(value: object, type_: Any) -> str | None:
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        return str(error)
    return None


def _bare(type_: Any) -> Any:
    return get_args(type_)[0] if get_origin(type_) is Annotated else type_


def _description(type_: Any) -> str | None:
    """What a type allows in words, where its pattern says it to machines only."""
    descriptions = [meta.description for meta in get_args(type_) if isinstance(meta, msgspec.Meta)]
    return descriptions[0] if descriptions else None


def _is_struct(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def shown(value: object, longest: int = 80) -> str:
    """A value for a message: short, and whatever it is."""
    try:
        text = repr(value)
    except RecursionError:
        return "something nested too deep"
    except ValueError:  # a whole number of thousands of digits
        return "a number too long to be shown"
    return text if len(text) <= longest else text[: longest - 3] + "..."
