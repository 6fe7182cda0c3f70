"""Prints how large the layers and functions of a build are, and refuses what is too large for Lambda.

It also says which layers lack bytecode: `sam build` keeps to itself what layers/compile says.

python layers/sizes.py .aws-sam/build
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

MEGABYTE = 1_000_000
# Lambda takes 250 MB, a function's code and its layers together, unzipped; a layer's limit leaves room in it.
LAYER_LIMITS = {"LabelingLayer": 20, "PlottingLayer": 190}
FUNCTION_LIMIT = 250


def size(folder: Path) -> float:
    """The megabytes of a folder's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MEGABYTE


def modules_without_bytecode(layer: Path) -> int:
    """How many of a layer's modules Lambda would compile anew at each cold start."""
    modules = list((layer / "python").rglob("*.py"))
    return sum(not any(path.parent.glob(f"__pycache__/{path.stem}.*.pyc")) for path in modules)


def functions(build: Path) -> Iterator[tuple[str, set[Path]]]:
    """The functions of a built template, each with the folders of its code and its layers."""
    resources = yaml.safe_load((build / "template.yaml").read_text(encoding="utf-8"))["Resources"]
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Serverless::Function":
            properties = resource["Properties"]
            layers = (resources[layer["Ref"]]["Properties"]["ContentUri"] for layer in properties.get("Layers", ()))
            yield name, {build / folder for folder in (properties["CodeUri"], *layers)}


def main(build: Path) -> int:
    """Prints the sizes; gives the exit code: 1 if one is over its limit."""
    found = [(layer, size(build / layer), limit) for layer, limit in LAYER_LIMITS.items()]
    found += [
        (f"{name} with its layers", sum(map(size, folders)), FUNCTION_LIMIT) for name, folders in functions(build)
    ]
    for name, megabytes, limit in found:
        verdict = (
            "" if megabytes <= limit else "  TOO LARGE: find out what has come in, and leave it out in layers/build"
        )
        print(f"{name:<38}{megabytes:>7.1f} MB of {limit}{verdict}")  # noqa: T201
    for layer in LAYER_LIMITS:
        if lacking := modules_without_bytecode(build / layer):
            print(  # noqa: T201
                f"{layer}: NO BYTECODE for {lacking} modules, so cold starts take some seconds longer: there is no "
                "Python 3.13 on the PATH, no Docker with its image, and npm can't fetch Pyodide (see layers/compile)"
            )
    return int(any(megabytes > limit for _, megabytes, limit in found))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
