"""Reads which Lambda functions a SAM or CloudFormation template has, and what each needs to run here.

PyYAML and little of our own read a template in milliseconds. cfn-lint and aws-sam-translator, which could do
it too, come with the development tools only, and cfn-lint takes seconds to import.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ground_truth_server.lambda_host.cloudformation import (
    SamTemplateError,
    TemplateStack,
    Value,
    as_text,
    is_intrinsic,
    line_of,
    load_template,
)

_FUNCTION_TYPES = ("AWS::Serverless::Function", "AWS::Lambda::Function")
_LAYER_TYPES = ("AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion")
_READ = (
    "Code",
    "CodeUri",
    "Environment",
    "FunctionName",
    "Handler",
    "InlineCode",
    "Layers",
    "MemorySize",
    "PackageType",
    "ReservedConcurrentExecutions",
    "Runtime",
    "Timeout",
)


@dataclass(frozen=True)
class LambdaFunction:
    """A function of the template.

    Attributes:
        logical_name: Its name in the template.
        name: Its name in AWS: the ``FunctionName``, or the logical name where it has none.
        handler: ``module.function``.
        code_folder: What Lambda has at ``/var/task``.
        layer_folders: Folders that go on the import path, the last layer first, since a later layer wins.
        environment: Its variables with intrinsic functions worked out, and the caller's laid over them.
        undeclared: Those of the caller's variables that the template doesn't declare.
        timeout_seconds: How long one invocation may take.
        memory_mb: How much memory it may hold, in MiB.
        runtime: Such as ``python3.13``.
        reserved_concurrency: The template's ``ReservedConcurrentExecutions``; None if it reserves none.
        remote_layers: Layers that lie in AWS only; what they hold must be installed on this machine.
    """

    logical_name: str
    name: str
    handler: str
    code_folder: Path
    layer_folders: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    undeclared: tuple[str, ...] = ()
    timeout_seconds: int = 3
    memory_mb: int = 128
    runtime: str = "python3.13"
    reserved_concurrency: int | None = None
    remote_layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class SamTemplate:
    """The functions of one template.

    Attributes:
        path: The template's file.
        functions: Those that can run here, by logical name.
        not_local: The others, by logical name, with the reason for people.
    """

    path: Path
    functions: Mapping[str, LambdaFunction]
    not_local: Mapping[str, str]


def read_template(
    path: Path,
    *,
    parameters: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    region: str = "us-east-1",
) -> SamTemplate:
    """Reads a template's Lambda functions.

    Args:
        path: ``template.yaml`` beside the source, or the one that ``sam build`` left in ``.aws-sam/build``.
        parameters: Values for the template's parameters, over their defaults.
        environment: Variables laid over those of every function, such as the bucket's name.
        region: What ``AWS::Region`` stands for.

    Raises:
        SamTemplateError: The template can't be read, or a function lacks what it needs to run.
    """
    template = load_template(path)
    stack = TemplateStack(path, template, parameters or {}, region)
    shared = (template.get("Globals") or {}).get("Function") or {}
    functions: dict[str, LambdaFunction] = {}
    not_local: dict[str, str] = {}
    for logical_name, resource in stack.resources.items():
        if not isinstance(resource, dict) or "Type" not in resource:
            raise SamTemplateError(f"{_place(stack, logical_name)}: a resource needs a Type")
        if resource["Type"] not in _FUNCTION_TYPES or not stack.exists(resource):
            continue
        own = resource.get("Properties") or {}
        is_sam = resource["Type"] == _FUNCTION_TYPES[0]
        merged = _merged(shared, own) if is_sam else own
        properties = stack.resolve({key: merged[key] for key in _READ if key in merged})
        code = properties.get("CodeUri", ".") if is_sam else properties.get("Code")
        if reason := _why_not_local(properties, code):
            not_local[logical_name] = reason
        else:
            functions[logical_name] = _function(stack, logical_name, properties, code, environment or {})
    return SamTemplate(path, functions, not_local)


def _why_not_local(properties: Mapping[str, Any], code: Value) -> str | None:
    if properties.get("PackageType") == "Image":
        return "it is a container image; run it with `sam local start-lambda`"
    if not str(properties.get("Runtime", "python")).startswith("python"):
        return f"its runtime is {properties['Runtime']}, not Python; run it with `sam local start-lambda`"
    if "InlineCode" in properties or (isinstance(code, dict) and "ZipFile" in code):
        return "its code is written in the template; put it into a folder named by CodeUri"
    if not isinstance(code, str) or code.startswith("s3://") or code.endswith(".zip"):
        return f"its code is no folder of this machine but {as_text(code) or 'not given'}"
    return None


def _function(
    stack: TemplateStack, logical_name: str, properties: Mapping[str, Any], code: str, environment: Mapping[str, str]
) -> LambdaFunction:
    place = _place(stack, logical_name)
    handler = properties.get("Handler")
    if not isinstance(handler, str) or "." not in handler:
        raise SamTemplateError(f"{place}: Handler is {handler!r}; expected module.function, such as app.handler")
    local, remote = _layers(stack, logical_name, properties.get("Layers") or [])
    variables = (properties.get("Environment") or {}).get("Variables") or {}
    reserved = properties.get("ReservedConcurrentExecutions")
    return LambdaFunction(
        logical_name=logical_name,
        name=as_text(properties.get("FunctionName") or logical_name),
        handler=handler,
        code_folder=_folder(stack, code, f"{place}: CodeUri"),
        layer_folders=tuple(folder for layer in reversed(local) for folder in _import_folders(layer)),
        environment={name: as_text(value) for name, value in variables.items()} | dict(environment),
        undeclared=tuple(sorted(set(environment) - set(variables))),
        timeout_seconds=_whole_number(properties, "Timeout", 3, range(1, 901), place),
        memory_mb=_whole_number(properties, "MemorySize", 128, range(128, 10_241), place),
        runtime=str(properties.get("Runtime", "python")),
        reserved_concurrency=None if reserved is None else int(reserved),
        remote_layers=remote,
    )


def _layers(stack: TemplateStack, logical_name: str, layers: list[Any]) -> tuple[list[Path], tuple[str, ...]]:
    local: list[Path] = []
    remote: list[str] = []
    for layer in map(as_text, layers):
        resource = stack.resources.get(layer)
        if resource is None or resource.get("Type") not in _LAYER_TYPES:
            remote.append(layer)
            continue
        properties = stack.resolve(resource.get("Properties") or {})
        content = properties.get("ContentUri", properties.get("Content"))
        if not isinstance(content, str) or content.startswith("s3://"):
            remote.append(layer)
        else:
            local.append(_folder(stack, content, f"{_place(stack, logical_name)}: layer {layer}: ContentUri"))
    return local, tuple(remote)


def _import_folders(layer: Path) -> list[Path]:
    """Gives what Lambda's runtime would put on the import path of a layer, built or still a source folder."""
    built = layer / "python"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = built / "lib" / version / "site-packages"
    return [folder for folder in (packages, built) if folder.is_dir()] or [layer]


def _folder(stack: TemplateStack, uri: str, what: str) -> Path:
    folder = Path(os.path.normpath(stack.path.parent.absolute() / uri))
    if not folder.is_dir():
        raise SamTemplateError(f"{what} is {uri}, but {folder} is no folder; correct it or run `sam build`")
    return folder


def _whole_number(properties: Mapping[str, Any], key: str, default: int, allowed: range, place: str) -> int:
    value = properties.get(key, default)
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    if number not in allowed:
        raise SamTemplateError(f"{place}: {key} is {value!r}; expected {allowed.start} to {allowed.stop - 1}")
    return number


def _merged(shared: Value, own: Value) -> Value:
    """Merges Globals into a function as SAM does: maps by key, lists one after the other, else its own."""
    if isinstance(shared, list) and isinstance(own, list):
        return shared + own
    if not isinstance(shared, dict) or not isinstance(own, dict) or is_intrinsic(shared) or is_intrinsic(own):
        return own
    return {**shared, **{key: _merged(shared.get(key), value) for key, value in own.items()}}


def _place(stack: TemplateStack, logical_name: str) -> str:
    line = line_of(stack.resources, logical_name)
    return f"{stack.path}:{line}: {logical_name}" if line else f"{stack.path}: {logical_name}"
