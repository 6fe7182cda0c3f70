"""Imports point one way, as CONTRIBUTING.md says."""

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

# What each room may import of the others.
MAY_IMPORT = {
    "layers/labeling/labeling": {"labeling"},
    "layers/plotting/plotting": {"plotting", "labeling.sources", "labeling.errors", "labeling.job"},
    "functions": {"labeling", "plotting"},
    "cli": {"cli", "labeling", "plotting"},
    "local_ground_truth/engine": {"local_ground_truth.engine"},
    "local_ground_truth/functions": {"local_ground_truth.functions"},
    "local_ground_truth/s3": {"local_ground_truth.s3", "local_ground_truth.loopback"},
    "local_ground_truth/sagemaker": {"local_ground_truth.sagemaker", "local_ground_truth.engine"},
    "local_ground_truth/pages": {"local_ground_truth.pages", "local_ground_truth.engine"},
    "local_ground_truth/portal": {
        "local_ground_truth.portal",
        "local_ground_truth.pages",
        "local_ground_truth.engine",
    },
    "local_ground_truth": {"local_ground_truth"},
}
ROOMS = (
    "labeling",
    "plotting",
    "functions",
    "cli",
    "demo",
    "local_ground_truth",
    "labeling_job",
    "benchmarks",
    "tests",
)


def imports(path: Path) -> set[str]:
    """The modules of ours that a module imports, by their full names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] in ROOMS}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    modules = list((ROOT / room).rglob("*.py"))
    assert modules
    for path in modules:
        for name in imports(path):
            allowed = any(f"{name}.".startswith(f"{prefix}.") for prefix in MAY_IMPORT[room])
            assert allowed, f"{path.relative_to(ROOT)} imports {name}"
