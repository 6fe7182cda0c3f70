"""Reads a CloudFormation template and works out its intrinsic functions as far as one machine can.

Values that only a deployed stack has (a bucket's generated name, another stack's export) become readable
placeholders such as ``DataBucket`` or ``DataBucket.DomainName``. The functions are those of the
CloudFormation User Guide, "Intrinsic function reference".
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import yaml

Value: TypeAlias = Any  # what YAML can hold: a template has no narrower type before it is worked out
LOCAL_ACCOUNT = "111122223333"
NO_VALUE = object()  # what !Ref AWS::NoValue stands for: the key it is the value of isn't there


class SamTemplateError(ValueError):
    """A template can't be read; the message names the file, the line where it is known, and what to do."""


class Block(dict[str, Any]):
    """A mapping of the template that knows on which line each of its keys stands."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}


def line_of(block: object, key: str) -> int | None:
    """Gives the line, counted from 1, on which a key of a template's mapping stands; None where unknown."""
    return block.lines.get(key) if isinstance(block, Block) else None


def load_template(path: Path) -> Mapping[str, Any]:
    """Reads a template's YAML or JSON, with short forms such as ``!Ref`` as their long forms.

    Raises:
        SamTemplateError: It can't be read, isn't YAML or JSON, or has no ``Resources``.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SamTemplateError(f"{path}: the template can't be read: {error}") from error
    try:
        template = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, _Loader)  # noqa: S506 # nosec: a SafeLoader
    except json.JSONDecodeError as error:
        raise SamTemplateError(f"{path}:{error.lineno}: not JSON: {error.msg}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise SamTemplateError(f"{path}:{mark.line + 1 if mark else 1}: not YAML: {error.problem}") from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise SamTemplateError(f"{path}: no template: expected a mapping with Resources at the top")
    return template


class _Loader(yaml.SafeLoader):
    """YAML as CloudFormation reads it: short forms, and dates (a template's version) left as text."""


_Loader.yaml_implicit_resolvers = {
    first: [rule for rule in rules if rule[0] != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _block(loader: yaml.SafeLoader, node: yaml.MappingNode) -> Block:
    loader.flatten_mapping(node)
    block = Block()
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        block[key] = loader.construct_object(value_node, deep=True)
        block.lines[key] = key_node.start_mark.line + 1
    return block


def _short_form(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> Block:
    value: Value
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = _block(loader, node)
    block = Block()
    key = name if name in ("Ref", "Condition") else f"Fn::{name}"
    block[key] = value
    block.lines[key] = node.start_mark.line + 1
    return block


_Loader.add_constructor("tag:yaml.org,2002:map", _block)
_Loader.add_multi_constructor("!", _short_form)


def is_intrinsic(value: object) -> bool:
    """Says whether a value is a call of an intrinsic function, such as ``{"Ref": "DataBucket"}``."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    (key,) = value
    return key in ("Ref", "Condition") or key.startswith("Fn::")


class TemplateStack:
    """A template with its parameters' values, whose expressions can be worked out.

    Args:
        path: The template's file, for messages.
        template: What `load_template` read from it.
        parameters: Values for its parameters, over their defaults.
        region: The region that ``AWS::Region`` stands for.

    Raises:
        SamTemplateError: The template has no parameter of a given name.
    """

    def __init__(self, path: Path, template: Mapping[str, Any], parameters: Mapping[str, str], region: str) -> None:
        self.path = path
        self.template = template
        self.resources: Mapping[str, Any] = template["Resources"]
        declared = template.get("Parameters") or {}
        if unknown := sorted(set(parameters) - set(declared)):
            raise SamTemplateError(f"{path}: no parameter {unknown[0]}; it has {', '.join(sorted(declared))}")
        self._values = {
            name: _parameter_value(name, declaration, parameters.get(name)) for name, declaration in declared.items()
        }
        self._values |= {
            "AWS::Region": region,
            "AWS::AccountId": LOCAL_ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": "local",
            "AWS::StackId": f"arn:aws:cloudformation:{region}:{LOCAL_ACCOUNT}:stack/local/local",
            "AWS::NotificationARNs": [],
            "AWS::NoValue": NO_VALUE,
        }

    def resolve(self, value: Value) -> Value:
        """Works out every intrinsic function in a value of the template.

        Raises:
            SamTemplateError: A function is called with what it can't take, or refers to itself.
        """
        try:
            return self._resolve(value)
        except RecursionError as error:
            raise SamTemplateError(f"{self.path}: an expression refers to itself: {_shown(value)}") from error

    def exists(self, resource: Mapping[str, Any]) -> bool:
        """Says whether a resource is made at all: whether its ``Condition``, if any, holds."""
        return "Condition" not in resource or self._condition(resource["Condition"])

    def function_arn(self, name: str) -> str:
        """Gives the ARN that a Lambda function of this stack would have."""
        return f"arn:aws:lambda:{self._values['AWS::Region']}:{LOCAL_ACCOUNT}:function:{name}"

    def _resolve(self, value: Value) -> Value:
        if isinstance(value, list):
            return [item for item in map(self._resolve, value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if is_intrinsic(value):
            ((name, argument),) = value.items()
            return self._call(name, argument, line_of(value, name))
        resolved = {key: self._resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}

    def _call(self, name: str, argument: Value, line: int | None) -> Value:
        function = _FUNCTIONS.get(name)
        if function is None:
            return f"{name}({_shown(argument)})"
        try:
            return function(self, argument)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            if isinstance(error, SamTemplateError):
                raise
            place = f"{self.path}:{line}" if line else str(self.path)
            raise SamTemplateError(f"{place}: {name} can't take {_shown(argument)}: {error}") from error

    def _ref(self, name: str) -> Value:
        if name in self._values:
            return self._values[name]
        resource = self.resources.get(name, {})  # SAM makes roles and APIs that the template doesn't show
        own_name = (resource.get("Properties") or {}).get(resource.get("Type", "").rpartition("::")[2] + "Name")
        return name if own_name is None else self._resolve(own_name)

    def _attribute(self, argument: Value) -> str:
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        target, attribute = map(self._resolve, parts)
        kind = self.resources.get(target, {}).get("Type")
        if attribute == "Arn" and kind in ("AWS::Serverless::Function", "AWS::Lambda::Function"):
            return self.function_arn(str(self._ref(target)))
        if attribute == "Arn" and kind == "AWS::S3::Bucket":
            return f"arn:aws:s3:::{self._ref(target)}"
        if attribute == "Value" and kind == "AWS::SSM::Parameter":
            return as_text(self._resolve(self.resources[target]["Properties"]["Value"]))
        return f"{target}.{attribute}"

    def _substitute(self, argument: Value) -> str:
        text, names = (argument, {}) if isinstance(argument, str) else argument
        own: dict[str, Any] = {key: self._resolve(item) for key, item in names.items()}

        def replace(match: re.Match[str]) -> str:
            name = match[1].strip()
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in own:
                return as_text(own[name])
            return as_text(self._attribute(name) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^{}]*)\}", replace, text)

    def _if(self, argument: Value) -> Value:
        condition, then, otherwise = argument
        return self._resolve(then if self._condition(condition) else otherwise)

    def _condition(self, condition: Value) -> bool:
        if isinstance(condition, str):
            conditions = self.template.get("Conditions") or {}
            if condition not in conditions:
                raise SamTemplateError(f"{self.path}: no condition {condition} among Conditions")
            return bool(self._resolve(conditions[condition]))
        return bool(self._resolve(condition))

    def _equals(self, argument: Value) -> bool:
        left, right = map(self._resolve, argument)
        return as_text(left) == as_text(right)

    def _join(self, argument: Value) -> str:
        delimiter, parts = argument
        return str(delimiter).join(as_text(part) for part in self._resolve(parts))

    def _select(self, argument: Value) -> Value:
        index, choices = map(self._resolve, argument)
        return choices[int(index)]

    def _split(self, argument: Value) -> list[str]:
        delimiter, text = argument
        return str(self._resolve(text)).split(delimiter)

    def _find_in_map(self, argument: Value) -> Value:
        table, top, second, *default = map(self._resolve, argument)
        try:
            return self._resolve((self.template.get("Mappings") or {})[table][as_text(top)][as_text(second)])
        except KeyError:
            if default:
                return default[0]["DefaultValue"]
            raise

    def _zones(self, region: Value) -> list[str]:
        named = self._resolve(region) or self._values["AWS::Region"]
        return [f"{named}{zone}" for zone in "abc"]


_FUNCTIONS: Mapping[str, Callable[[TemplateStack, Any], Any]] = {
    "Ref": TemplateStack._ref,
    "Condition": TemplateStack._condition,
    "Fn::And": lambda stack, items: all(map(stack._condition, items)),
    "Fn::Base64": lambda stack, text: base64.b64encode(as_text(stack._resolve(text)).encode()).decode(),
    "Fn::Equals": TemplateStack._equals,
    "Fn::FindInMap": TemplateStack._find_in_map,
    "Fn::GetAZs": TemplateStack._zones,
    "Fn::GetAtt": TemplateStack._attribute,
    "Fn::If": TemplateStack._if,
    "Fn::ImportValue": lambda stack, name: stack._resolve(name),
    "Fn::Join": TemplateStack._join,
    "Fn::Length": lambda stack, items: len(stack._resolve(items)),
    "Fn::Not": lambda stack, items: not stack._condition(items[0]),
    "Fn::Or": lambda stack, items: any(map(stack._condition, items)),
    "Fn::Select": TemplateStack._select,
    "Fn::Split": TemplateStack._split,
    "Fn::Sub": TemplateStack._substitute,
    "Fn::ToJsonString": lambda stack, value: json.dumps(stack._resolve(value), separators=(",", ":")),
}


def _parameter_value(name: str, declaration: Mapping[str, Any], given: str | None) -> Value:
    kind = str(declaration.get("Type", "String"))
    value = declaration.get("Default", name) if given is None else given
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [item.strip() for item in as_text(value).split(",")]
    return value


def as_text(value: Value) -> str:
    """Writes a scalar as CloudFormation passes it on: booleans in small letters, lists joined by commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(as_text, value))
    if isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    return "" if value is None or value is NO_VALUE else str(value)


def _shown(value: Value) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:77] + "…"
